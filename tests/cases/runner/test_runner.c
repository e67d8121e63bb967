/* The runner itself: each expectation and each check it makes by itself fails when it should, and
 * only then. The program under test is a shell script that does what the case tells it to. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_BODY                                                                                   \
    "'{\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"hi\\\"}],"                 \
    "\\\"stream\\\":false}'"

/* `tackle run CODE ...` runs CODE, where `ask BODY [HEADER] [N]` sends a request and prints the
 * first N bytes of the answer's body: bash can talk to a socket without any other program. */
static const char fake_program[] =
    "#!/bin/bash\n"
    "ask() {\n"
    "  local port=${TACKLE_BASE_URL##*:}; port=${port%%/*}\n"
    "  exec 3<>/dev/tcp/127.0.0.1/$port\n"
    "  printf 'POST /v1/chat/completions HTTP/1.1\\r\\nX-Test: yes\\r\\n%sContent-Length: %d\\r\\n"
    "\\r\\n%s' \"$2\" \"${#1}\" \"$1\" >&3\n"
    "  while IFS= read -r line <&3; do [ \"$line\" = $'\\r' ] && break; done\n"
    "  head -c \"${3:-1}\" <&3; exec 3>&-\n"
    "}\n"
    "shift\n"
    "eval \"$1\"\n";

struct sample {
    const char *name;
    const char *text;
    int code;
    const char *says; /* NULL: does not matter */
};

/* Each passes. */
static const struct sample good[] = {
    {"an exit code and an output",
     "# t\n=== run\ntackle run 'echo hello; exit 3'\n=== expect\nexit 3\nstdout is hello\n"
     "stderr empty\nrequests is 0\n",
     0, "passed"},
    {"a request and its answer",
     "# t\n=== reply\njson \"an answer\"\n=== run\ntackle run \"ask " ASK_BODY " '' 11\"\n"
     "=== expect\nexit 0\nstdout contains an answer\nrequests is 1\n"
     "request 1 /messages/0/content is hi\nrequest 1 header X-Test is yes\n"
     "request 1 header Other absent\nrequest last method is POST\nrequest any body contains hi\n",
     0, NULL},
    {"files before and after",
     "# t\n=== file a/b.txt mode=0600\nold\n=== file bytes escaped no-newline\n\\x41\\n\n"
     "=== link l -> a/b.txt\n=== dir d\n=== run cwd=a\n"
     "tackle run 'cat ../l; echo new > b.txt; test -d ../d'\n=== expect\nexit 0\nstdout is old\n"
     "file a/b.txt is new\nfile bytes is \"A\\n\"\nfile none absent\nmode a/b.txt is 0600\n"
     "=== expect file a/b.txt\nnew\n=== expect stdout\nold\n",
     0, NULL},
    {"a clean environment with the programs and the key",
     "# t\n=== env\nMORE=yes\n-LANG\n=== run\n"
     "tackle run 'test \"$TACKLE_API_KEY\" = {key} && echo $MORE$LANG$LEAKED'\n"
     "=== expect\nexit 0\nstdout is yes\n",
     0, NULL},
    {"standard input of each kind",
     "# t\n=== run\ntackle run cat\n=== stdin\nsome\ntext\n=== expect\nexit 0\n"
     "stdout is \"some\\ntext\\n\"\n=== run\ntackle run cat\n=== expect\nexit 0\nstdout empty\n"
     "=== run\ntackle run 'test -e /proc/self/fd/0 || echo closed'\n=== stdin closed\n"
     "=== expect\nexit 0\n=== run\ntackle run 'read -t 0.1 x; echo $?'\n=== stdin open\n"
     "=== expect\nexit 0\nstdout is 142\n",
     0, NULL},
    {"a signal when a text is seen",
     "# t\n=== run\ntackle run 'trap \"exit 130\" INT; echo up >&2; while :; do sleep 0.05; done'\n"
     "=== signal INT after stderr up\n=== expect\nexit 130\n",
     0, NULL},
    {"death by a signal", "# t\n=== run\ntackle run 'kill -9 $$'\n=== expect\nexit signal 9\n", 0,
     NULL},
    {"two runs at the same time",
     "# t\n=== run\ntackle run 'while [ ! -e there ]; do sleep 0.05; done'\n=== expect\nexit 0\n"
     "=== run together\ntackle run 'touch there'\n=== expect\nexit 0\n",
     0, NULL},
    {"a stream of events",
     "# t\n=== run\ntackle run 'echo \"{\\\"v\\\":1,\\\"seq\\\":1,\\\"type\\\":\\\"a\\\"}\"; echo "
     "\"{\\\"v\\\":1,\\\"seq\\\":2,\\\"type\\\":\\\"result\\\",\\\"exit_code\\\":5}\"; exit 5' "
     "--output-format stream-json\n=== expect\nexit 5\nevent a count 1\nevent * count 2\n"
     "event b count 0\nresult /exit_code is 5\ntolerate schema\n",
     0, NULL},
    {"a reader that goes away",
     "# t\n=== run\ntackle run 'while echo y; do :; done'\n=== stdout "
     "head\n"
     "=== expect\nexit signal 13\n",
     0, NULL},
    {"other endpoints",
     "# t\n=== reply\njson 1\n=== endpoint other\n=== reply\njson \"other one\"\n"
     "=== endpoint none refusing\n=== env\nTACKLE_BASE_URL={url:other}\n=== run\n"
     "tackle run \"ask '{}' '' 5; TACKLE_BASE_URL={url:none} ask '{}' 2>/dev/null; true\"\n"
     "=== expect\nexit 0\nstdout contains othe\nrequests is 0\nrequests of other is 1\n"
     "request 1 of other method is POST\n",
     0, NULL},
    {"a secret that the case asks for",
     "# t\n=== run\ntackle run 'cat {outside}/secret.txt'\n=== expect\nexit 0\n"
     "tolerate CANARY-OUT\n",
     0, NULL},
    {"a script before the run",
     "# t\n=== prepare\nmkfifo f\nln {outside}/secret.txt h\n=== run\ntackle run 'test -p f && "
     "stat "
     "-c %h h'\n=== expect\nexit 0\nstdout is 2\n",
     0, NULL},
    {"a program beside the run",
     "# t\n=== run\ntackle run 'while [ ! -e there ]; do sleep 0.05; done'\n=== beside\n"
     "sh -c 'touch there; sleep 60 & sleep 60'\n=== expect\nexit 0\n",
     0, NULL},
    {"a terminal with a person at it",
     "# t\n=== run\n"
     "tackle run 'test -t 0 && test -t 2 && read -p \"go? \" a && read -p \"sure? \" b; echo $a "
     "$b'\n"
     "=== terminal\nwait go?\ntype yes\nwait sure?\npress \"ind\"\npress \"eed\\n\"\n"
     "=== expect\nexit 0\nstdout is yes indeed\nstderr contains \"go? yes\\nsure? indeed\"\n",
     0, NULL},
    {"a key that is a signal",
     "# t\n=== run\ntackle run 'echo ready >&2; exec sleep 30'\n=== terminal\nwait ready\n"
     "press \"\\u0003\"\n=== expect\nexit signal 2\n",
     0, NULL},
    {"more memory when the case says so",
     "# t\n=== run\ntackle run 'head -c 300000000 /dev/zero | tail -n 1 | wc -c'\n=== memory 2000\n"
     "=== expect\nexit 0\nstdout is 300000000\n",
     0, NULL},
    {"what is not met is skipped",
     "# t\n=== needs /proc/nonexistent\n=== run\ntackle run false\n"
     "=== expect\nexit 0\n",
     77, "needs /proc/nonexistent"},
};

/* Each fails, and says why. */
static const struct sample bad[] = {
    {"exit code", "# t\n=== run\ntackle run 'exit 1'\n=== expect\nexit 0\n", 1,
     ":5: expected: exit 0\n  came:\n    | 1\n"},
    {"output", "# t\n=== run\ntackle run 'echo a; echo why >&2'\n=== expect\nexit 0\nstdout is b\n",
     1, "| why"},
    {"request that never came",
     "# t\n=== run\ntackle run true\n=== expect\nexit 0\nrequest 1 body present\n", 1,
     "there was no such request"},
    {"too much memory",
     "# t\n=== run\ntackle run 'head -c 90000000 /dev/zero | tail -n 1 | wc -c'\n=== memory 64\n"
     "=== expect\nexit 0\n",
     1, "at most 64 MiB of memory"},
    {"descriptors that are left open",
     "# t\n=== reply\njson 1\n=== reply\njson 1\n=== run\ntackle run \"ask '{}' '' 1; sleep 0.1; "
     "for i in {20..99}; do eval 'exec '$i'<.'; done; ask '{}' '' 1; sleep 0.1\"\n"
     "=== expect\nexit 0\n",
     1, "no descriptor is left open"},
    {"a change beside the workspace",
     "# t\n=== dir {root}/workspace-evil\n=== run\ntackle run 'touch ../workspace-evil/x'\n"
     "=== expect\nexit 0\n",
     1, "/workspace-evil/x"},
    {"the time limit",
     "# t\n=== run\ntackle run 'sleep 30'\n=== limit 200ms\n=== expect\nexit signal 9\n", 1,
     "an end within 200 ms"},
    {"a process that survives",
     "# t\n=== run\ntackle run 'setsid sleep 30 >/dev/null 2>&1 & disown'\n=== expect\nexit 0\n", 1,
     "no process of the run is alive"},
    {"a script that is exhausted", "# t\n=== run\ntackle run \"ask '{}'\"\n=== expect\nexit 0\n", 1,
     "a reply in the script for request 1"},
    {"a request that is no JSON",
     "# t\n=== reply\njson 1\n=== run\ntackle run \"ask '{' '' 1\"\n=== expect\nexit 0\n", 1,
     "the body of request 1 is JSON"},
    {"a call without its answer",
     "# t\n=== reply\njson 1\n=== run\ntackle run \"ask '{\\\"messages\\\":[{\\\"role\\\":"
     "\\\"assistant\\\",\\\"tool_calls\\\":[{\\\"id\\\":\\\"c\\\"}]},{\\\"role\\\":\\\"user\\\"}]}'"
     " "
     "'' 1\"\n=== expect\nexit 0\n",
     1, "is the tool message for the call c"},
    {"an answer without its call",
     "# t\n=== reply\njson 1\n=== run\ntackle run \"ask '{\\\"messages\\\":[{\\\"role\\\":"
     "\\\"tool\\\"}]}' '' 1\"\n=== expect\nexit 0\n",
     1, "answers a call before it"},
    {"the key on stdout", "# t\n=== run\ntackle run 'echo $TACKLE_API_KEY'\n=== expect\nexit 0\n",
     1, "in stdout"},
    {"the key in base64",
     "# t\n=== run\ntackle run 'printf %s $TACKLE_API_KEY | base64 >&2'\n=== expect\nexit 0\n", 1,
     "in stderr"},
    {"the key in a request",
     "# t\n=== reply\njson 1\n=== run\ntackle run \"ask '{\\\"a\\\":\\\"{key}\\\"}' '' 1\"\n"
     "=== expect\nexit 0\n",
     1, "in request 1 of model"},
    {"the key in another header",
     "# t\n=== reply\njson 1\n=== run\ntackle run \"ask '{}' $'X-Key: {key}\\\\r\\\\n' 1\"\n"
     "=== expect\nexit 0\n",
     1, "in request 1 of model"},
    {"a secret in a file",
     "# t\n=== run\ntackle run 'cp {home}/.ssh/id_ed25519 {state}/x'\n=== expect\nexit 0\n", 1,
     "/state/x"},
    {"a change outside",
     "# t\n=== run\ntackle run 'echo x >> {outside}/secret.txt'\n=== expect\nexit 0\n", 1,
     "nothing changes in home, outside"},
    {"a temporary file that is left",
     "# t\n=== run\ntackle run 'touch $TMPDIR/x'\n=== expect\nexit 0\n", 1,
     "nothing is left in $TMPDIR"},
    {"a sanitizer",
     "# t\n=== run\ntackle run 'echo x.c:1: runtime error: bad >&2'\n=== expect\nexit 0\n", 1,
     "no \"runtime error: \""},
    {"a gap in seq",
     "# t\n=== run\ntackle run 'echo "
     "\"{\\\"v\\\":1,\\\"seq\\\":2,\\\"type\\\":\\\"result\\\",\\\"exit_code\\\":0}\"' "
     "--output-format=stream-json\n=== expect\nexit 0\n",
     1, "event 1 has seq 1"},
    {"an exit code that lies",
     "# t\n=== run\ntackle run 'echo \"{\\\"type\\\":\\\"result\\\",\\\"exit_code\\\":0}\"; exit "
     "5' "
     "--output-format json\n=== expect\nexit 5\n",
     1, "the result's exit_code (0) is the exit code (5)"},
    {"an event of another form",
     "# t\n=== run\ntackle run 'echo "
     "\"{\\\"v\\\":1,\\\"seq\\\":1,\\\"type\\\":\\\"result\\\",\\\"exit_code\\\":0}\"' "
     "--output-format=stream-json\n=== expect\nexit 0\n",
     1, "each event fits docs/events.schema.json"},
    {"text among events",
     "# t\n=== run\ntackle run 'echo hello' --output-format stream-json\n=== expect\nexit 0\n", 1,
     "each line of stdout is JSON: 1 lines, 0 are"},
    {"a trigger that is never pulled",
     "# t\n=== run\ntackle run true\n=== signal INT after request 1\n=== expect\nexit 0\n", 1,
     "that signal 1 was reached"},
};

/* Each cannot be read. */
static const struct sample broken[] = {
    {"no title", "=== run\ntackle run true\n=== expect\nexit 0\n", 2, "the first line says"},
    {"no run", "# t\n=== file a\nb\n", 2, "has no section run"},
    {"no exit code", "# t\n=== run\ntackle run true\n", 2, ":2: expects no exit code"},
    {"unknown section", "# t\n=== rum\n", 2, ":2: \"rum\" is no section of a case"},
    {"unknown subject", "# t\n=== run\ntackle run true\n=== expect\ncolour is red\n", 2,
     ":5: \"colour is red\" is no expectation"},
    {"unknown condition", "# t\n=== run\ntackle run true\n=== expect\nstdout equals x\n", 2,
     ":5: \"equals x\" is no condition"},
    {"a script that fails",
     "# t\n=== prepare\necho one\nfalse\n=== run\ntackle run true\n=== expect\nexit 0\n", 2,
     ":2: the script of === prepare failed"},
    {"expect before run", "# t\n=== expect\nexit 0\n", 2, "belongs to the run above it"},
    {"a wrong signal", "# t\n=== run\ntackle run true\n=== signal BANG after 1s\n", 2,
     "write === signal INT"},
    {"an open quotation mark", "# t\n=== run\ntackle run 'x\n", 2, "is not closed"},
    {"a wrong reply", "# t\n=== reply\nsay x\n=== run\ntackle run true\n=== expect\nexit 0\n", 2,
     ":3: \"say x\" is no line of a reply"},
    {"a wrong environment", "# t\n=== env\nX\n=== run\ntackle run true\n=== expect\nexit 0\n", 2,
     ":2: write NAME=value"},
};

/* Each passes as an ordinary user. */
static const struct sample of_user[] = {
    {"all of the place is the user's",
     "# t\n=== also user\n=== file f mode=0600\nown\n=== prepare\necho more >> f\nid -u > who\n"
     "=== run\ntackle run 'cat f who; id -u; id -g; id -G; cat /etc/shadow 2>&1 | grep -o denied; "
     "cat {outside}/secret.txt > /dev/null && touch $TMPDIR/x && rm $TMPDIR/x'\n=== expect\nexit "
     "0\n"
     "stdout is \"own\\nmore\\n54321\\n54321\\n54321\\n54321\\ndenied\\n\"\n",
     0, NULL},
    {"the user is not root", "# t\n=== needs root\n=== run\ntackle run x\n=== expect\nexit 0\n", 77,
     "needs root"},
    {"copies of what the user may not read",
     "# t\n=== run\ntackle run 'test -x \"$TACKLE_HOST_PROGRAM\" && test -r "
     "$TACKLE_PLUGIN_PATH/file.so && test -x {tools}/swap'\n=== expect\nexit 0\n",
     0, NULL},
};

static char *run_sample(const char *bin, const char *options, const char *path, int *code)
{
    char command[1024];
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    int len = snprintf(command, sizeof command, "'%s' --bin '%s' %s '%s' 2>&1", CASE_RUNNER, bin,
                       options, path);
    assert_true(len > 0 && (size_t)len < sizeof command);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    size_t used = fread(text, 1, (1 << 20) - 1, pipe);
    text[used] = '\0';
    int status = pclose(pipe);
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return text;
}

static void try_samples(const struct sample *samples, size_t count, const char *options)
{
    char *dir = test_temp_dir();
    char *program = test_join(dir, "tackle");
    char *path = test_join(dir, "sample.case");
    test_write_file(program, fake_program, sizeof fake_program - 1);
    assert_int_equal(chmod(program, 0755), 0);
    for (size_t i = 0; i < count; i++) {
        int code;
        test_write_file(path, samples[i].text, strlen(samples[i].text));
        char *said = run_sample(dir, options, path, &code);
        if (code != samples[i].code || (samples[i].says && !strstr(said, samples[i].says)))
            fail_msg("%s: code %d, wanted %d and \"%s\":\n%s", samples[i].name, code,
                     samples[i].code, samples[i].says ? samples[i].says : "", said);
        free(said);
    }
    test_remove_tree(dir);
    free(path);
    free(program);
    free(dir);
}

static void good_cases_pass(void **state)
{
    (void)state;
    try_samples(good, sizeof good / sizeof *good, "");
}

static void bad_runs_fail(void **state)
{
    (void)state;
    try_samples(bad, sizeof bad / sizeof *bad, "");
}

static void broken_cases_are_explained(void **state)
{
    (void)state;
    try_samples(broken, sizeof broken / sizeof *broken, "");
}

static void cases_run_as_an_ordinary_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        test_skip("needs root, to become another user");
    try_samples(of_user, sizeof of_user / sizeof *of_user, "--user");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_cases_pass),
        cmocka_unit_test(bad_runs_fail),
        cmocka_unit_test(broken_cases_are_explained),
        cmocka_unit_test(cases_run_as_an_ordinary_user),
    };
    /* What the caller has set must not reach a case. */
    if (setenv("LEAKED", "leaked", 1) != 0)
        return 1;
    return cmocka_run_group_tests_name("case-runner", tests, NULL, NULL);
}
