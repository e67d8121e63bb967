/* run_command through the real services: its arguments, and what the model reads. How programs are
 * run and ended is the matter of host/test_process.c. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_test.h"
#include "wire/sanitise.h"

#define LONG_ARG (128u << 10)

static int setup(void **state)
{
    *state = plugin_test_new(&tackle_plugin_v1, NULL);
    plugin_test_deadline(*state, 60000);
    return 0;
}

static int teardown(void **state)
{
    plugin_test_free(*state);
    return 0;
}

static const struct plugin_result *run(struct plugin_test *t, const char *args)
{
    return plugin_test_call(t, "run_command", args);
}

/* The call must succeed: whatever the program does, the model reads it. */
static const struct plugin_result *run_ok(struct plugin_test *t, const char *args)
{
    const struct plugin_result *r = run(t, args);
    if (r->code != TACKLE_OK)
        fail_msg("%s: code %d, %s", args, (int)r->code, r->message);
    return r;
}

static void expect_failure(const struct plugin_result *r, int32_t code, const char *part)
{
    if (r->code != code || !strstr(r->message, part))
        fail_msg("code %d \"%s\", not %d \"%s\"", (int)r->code, r->message, (int)code, part);
}

static void expect_start(const struct plugin_result *r, const char *start)
{
    if (strncmp(r->output, start, strlen(start)) != 0)
        fail_msg("\"%.200s\" does not start with \"%s\"", r->output, start);
}

/* What follows the first line, which tells the outcome. */
static const char *body(const struct plugin_result *r)
{
    const char *newline = strchr(r->output, '\n');
    assert_non_null(newline);
    return newline + 1;
}

/* ---- What the model reads ---- */

static void command_and_argv(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r = run_ok(t, "{\"command\":\"echo a $((1+1)) | tr a b\"}");
    expect_start(r, "exit 0 in ");
    assert_string_equal(body(r), "b 2\n");
    r = run_ok(t, "{\"argv\":[\"echo\",\"$HOME\",\"a  b\",\"\"]}");
    assert_string_equal(body(r), "$HOME a  b \n");
}

static void exit_status_is_not_a_failure(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r = run_ok(t, "{\"command\":\"echo no >&2; exit 3\"}");
    expect_start(r, "exit 3 in ");
    assert_string_equal(body(r), "no\n");
    r = run_ok(t, "{\"argv\":[\"false\"]}");
    expect_start(r, "exit 1 in ");
    assert_string_equal(body(r), "(no output)\n");
}

static void signals_have_names(void **state)
{
    struct plugin_test *t = *state;
    expect_start(run_ok(t, "{\"command\":\"kill -SEGV $$\"}"), "killed by SIGSEGV after ");
    expect_start(run_ok(t, "{\"command\":\"kill -9 $$\"}"), "killed by SIGKILL after ");
    expect_start(run_ok(t, "{\"command\":\"kill -40 $$\"}"), "killed by signal 40 after ");
}

static void time_limit_of_the_call(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r =
        run_ok(t, "{\"command\":\"echo begun; sleep 600\",\"timeout_s\":1}");
    expect_start(r, "timed out after 1 s and was ended; timeout_s can be up to 1800\n");
    assert_string_equal(body(r), "begun\n");
}

static void time_limit_of_the_run(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_deadline(t, 1000);
    const struct plugin_result *r = run_ok(t, "{\"argv\":[\"sleep\",\"600\"]}");
    expect_start(r, "timed out after 0.");
    assert_non_null(strstr(r->output, "this run allows no longer call\n"));
}

static void time_limit_by_option(void **state)
{
    (void)state;
    const char *const options[] = {"timeout_s=1", "shell=/bin/bash", NULL};
    struct plugin_test *t = plugin_test_new(&tackle_plugin_v1, options);
    plugin_test_deadline(t, 60000);
    expect_start(run_ok(t, "{\"argv\":[\"sleep\",\"600\"]}"), "timed out after 1 s");
    assert_string_equal(body(run_ok(t, "{\"command\":\"echo {a,b}$BASH_SUBSHELL\"}")), "a0 b0\n");
    plugin_test_free(t);
}

static void cancel_ends_the_call(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_cancel(t);
    assert_int_equal(run(t, "{\"argv\":[\"sleep\",\"600\"]}")->code, TACKLE_E_CANCELLED);
}

static void background_processes_do_not_hold_it_up(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r = run_ok(t, "{\"command\":\"sleep 600 & echo done\"}");
    expect_start(r, "exit 0 in ");
    assert_string_equal(body(r), "done\n");
}

static void input_is_empty(void **state)
{
    struct plugin_test *t = *state;
    assert_string_equal(body(run_ok(t, "{\"argv\":[\"cat\"]}")), "(no output)\n");
    expect_start(run_ok(t, "{\"command\":\"read line\"}"), "exit 1 in ");
}

/* ---- Output ---- */

static void long_output_keeps_both_ends(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r = run_ok(t, "{\"argv\":[\"seq\",\"100000\",\"199999\"]}");
    const char *gap = strstr(r->output, "\n[... ");
    assert_non_null(gap);
    assert_int_equal(strncmp(body(r), "100000\n100001\n", 14), 0);
    assert_non_null(strstr(gap, "199998\n199999\n"));
    unsigned long omitted = 0;
    assert_int_equal(sscanf(gap, "\n[... %lu bytes left out ...]", &omitted), 1);
    const char *tail = strstr(gap, "...]\n");
    assert_non_null(tail);
    assert_int_equal((size_t)(gap - body(r)) + omitted + strlen(tail + 5), 700000);
}

static void cuts_between_characters(void **state)
{
    struct plugin_test *t = *state;
    /* Characters of four bytes after 0 to 3 of one: each way the cuts can fall. */
    for (int shift = 0; shift < 4; shift++) {
        char args[160];
        (void)snprintf(args, sizeof args,
                       "{\"command\":\"printf %%.%ds xxx; yes "
                       "'\xf0\x9f\x98\x80\xf0\x9f\x98\x80' | head -n 40000 | tr -d '\\\\n'\"}",
                       shift);
        const struct plugin_result *r = run_ok(t, args);
        const char *at = body(r) + shift;
        const char *gap = strstr(at, "\n[... ");
        assert_non_null(gap);
        assert_int_equal((gap - at) % 4, 0);
        const char *tail = strstr(gap, "...]\n") + 5;
        assert_int_equal(strlen(tail) % 4, 0);
        assert_int_equal(strncmp(tail, "\xf0\x9f\x98\x80", 4), 0);
    }
}

static void endless_output_is_ended(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r = run_ok(t, "{\"argv\":[\"yes\"]}");
    expect_start(r, "wrote more than 64 MiB and was ended after ");
    assert_true(r->output_len < 140000);
}

static void binary_output_is_told_of(void **state)
{
    struct plugin_test *t = *state;
    const struct plugin_result *r =
        run_ok(t, "{\"argv\":[\"head\",\"-c\",\"65536\",\"/dev/urandom\"]}");
    expect_start(r, "exit 0 in ");
    assert_non_null(strstr(body(r), "(binary output of 65536 bytes, not shown"));
    r = run_ok(t, "{\"command\":\"printf 'a\\\\0b\\\\377'\"}"); /* short: shown, and no byte lost */
    size_t start = (size_t)(body(r) - r->output);
    assert_int_equal(r->output_len - start, 4);
    assert_memory_equal(body(r), "a\0b\xff", 4);
}

/* ---- Where, and with what ---- */

static void cwd_is_beneath_the_workspace(void **state)
{
    struct plugin_test *t = *state;
    test_needs_openat2();
    plugin_test_put(t, "sub/deep/file.txt", "x");
    char *root = realpath(plugin_test_root(t), NULL);
    char *sub = test_join(plugin_test_root(t), "sub");
    char *link = test_join(plugin_test_root(t), "out");
    char *inner = test_join(plugin_test_root(t), "in");
    assert_non_null(root);
    assert_int_equal(symlink("/tmp", link), 0);
    assert_int_equal(symlink("sub/deep", inner), 0);
    const struct plugin_result *r = run_ok(t, "{\"argv\":[\"pwd\",\"-P\"]}");
    assert_int_equal(strncmp(body(r), root, strlen(root)), 0);
    assert_string_equal(body(r) + strlen(root), "\n");
    assert_string_equal(body(run_ok(t, "{\"argv\":[\"ls\"],\"cwd\":\"sub/deep\"}")), "file.txt\n");
    assert_string_equal(body(run_ok(t, "{\"argv\":[\"ls\"],\"cwd\":\"in\"}")), "file.txt\n");
    assert_int_equal(run(t, "{\"argv\":[\"ls\"],\"cwd\":\"/\"}")->code, TACKLE_E_DENIED);
    assert_int_equal(run(t, "{\"argv\":[\"ls\"],\"cwd\":\"../\"}")->code, TACKLE_E_DENIED);
    assert_int_equal(run(t, "{\"argv\":[\"ls\"],\"cwd\":\"out\"}")->code, TACKLE_E_DENIED);
    expect_failure(run(t, "{\"argv\":[\"ls\"],\"cwd\":\"absent\"}"), TACKLE_E_NOT_FOUND, "absent");
    free(root);
    free(sub);
    free(link);
    free(inner);
}

static void environment_is_small_and_fixed(void **state)
{
    struct plugin_test *t = *state;
    assert_int_equal(setenv("TACKLE_API_KEY", "s3cret", 1), 0);
    char *path = strdup(getenv("PATH"));
    assert_non_null(path);
    assert_int_equal(setenv("PATH", ".:/nowhere", 1), 0);
    plugin_test_put(t, "uname", "#!/bin/sh\necho fake\n");
    char *fake = test_join(plugin_test_root(t), "uname");
    assert_int_equal(chmod(fake, 0755), 0);
    const struct plugin_result *r = run_ok(t, "{\"argv\":[\"env\"]}");
    assert_null(strstr(r->output, "s3cret"));
    assert_non_null(strstr(r->output, "PATH=/usr/local/bin:/usr/bin:/bin\n"));
    assert_non_null(strstr(r->output, "GIT_TERMINAL_PROMPT=0\n"));
    assert_string_equal(body(run_ok(t, "{\"argv\":[\"uname\"]}")), "Linux\n");
    assert_int_equal(setenv("PATH", path, 1), 0);
    assert_int_equal(unsetenv("TACKLE_API_KEY"), 0);
    free(path);
    free(fake);
}

/* ---- What is refused ---- */

static void exactly_one_of_command_and_argv(void **state)
{
    struct plugin_test *t = *state;
    expect_failure(run(t, "{}"), TACKLE_E_ARGS, "give command");
    expect_failure(run(t, "{\"command\":\"ls\",\"argv\":[\"ls\"]}"), TACKLE_E_ARGS, "not both");
    expect_failure(run(t, "{\"argv\":[]}"), TACKLE_E_ARGS, "argv is empty");
    assert_int_equal(run(t, "{\"argv\":[\"\"]}")->code, TACKLE_E_ARGS);
}

/* The runtime checks them against the schema; nothing bad happens to one that does not. */
static void bad_arguments_are_seen_here_too(void **state)
{
    struct plugin_test *t = *state;
    expect_failure(run(t, "{\"argv\":[\"ls\",5]}"), TACKLE_E_ARGS, "argv");
    expect_failure(run(t, "{\"command\":5}"), TACKLE_E_ARGS, "command");
    expect_failure(run(t, "{\"command\":\"ls\",\"timeout_s\":0}"), TACKLE_E_ARGS, "timeout_s");
    expect_failure(run(t, "{\"command\":\"ls\",\"timeout_s\":1801}"), TACKLE_E_ARGS, "timeout_s");
}

/* `len` letters in place of the @. */
static char *filled(const char *frame, size_t len)
{
    size_t before = strcspn(frame, "@");
    char *args = malloc(strlen(frame) + len);
    assert_non_null(args);
    memcpy(args, frame, before);
    memset(args + before, 'a', len);
    memcpy(args + before + len, frame + before + 1, strlen(frame + before));
    return args;
}

static void long_arguments_are_refused_not_cut(void **state)
{
    struct plugin_test *t = *state;
    static const char *const frames[] = {"{\"command\":\"@\"}", "{\"argv\":[\"echo\",\"@\"]}"};
    for (size_t i = 0; i < 2; i++) {
        char *fits = filled(frames[i], LONG_ARG - 1);
        char *over = filled(frames[i], LONG_ARG);
        expect_start(run_ok(t, fits), i == 0 ? "exit 127 in " : "exit 0 in ");
        expect_failure(run(t, over), TACKLE_E_ARGS, "write it to a file");
        free(fits);
        free(over);
    }
}

static void says_why_it_could_not_start(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, "plain", "#!/bin/sh\n");
    expect_failure(run(t, "{\"argv\":[\"no-such-program\"]}"), TACKLE_E_NOT_FOUND,
                   "there is no program \"no-such-program\"");
    expect_failure(run(t, "{\"argv\":[\"./plain\"]}"), TACKLE_E_DENIED, "chmod +x");
    expect_failure(run(t, "{\"argv\":[\"/etc\"]}"), TACKLE_E_DENIED, "is a directory");
    expect_start(run_ok(t, "{\"command\":\"no-such-program\"}"), "exit 127 in ");
    expect_start(run_ok(t, "{\"command\":\"./plain\"}"), "exit 126 in ");
}

/* The model pays for these in every request. */
/* The schema as the model gets it. */
static size_t offered_size(const char *params)
{
    struct err err;
    json_t *schema = json_loads(params, 0, NULL);
    json_t *clean = sanitise_schema(schema, NULL, &err);
    char *text = json_dumps(clean, JSON_COMPACT);
    assert_non_null(text);
    size_t size = strlen(text);
    free(text);
    json_decref(clean);
    json_decref(schema);
    return size;
}

static void what_the_model_reads_is_short(void **state)
{
    (void)state;
    const tackle_tool *tool = tackle_plugin_v1.tools[0];
    assert_true(strlen(tool->description) + offered_size(tool->params) <= 400);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(command_and_argv),
        CASE(exit_status_is_not_a_failure),
        CASE(signals_have_names),
        CASE(time_limit_of_the_call),
        CASE(time_limit_of_the_run),
        cmocka_unit_test(time_limit_by_option),
        CASE(cancel_ends_the_call),
        CASE(background_processes_do_not_hold_it_up),
        CASE(input_is_empty),
        CASE(long_output_keeps_both_ends),
        CASE(cuts_between_characters),
        CASE(endless_output_is_ended),
        CASE(binary_output_is_told_of),
        CASE(cwd_is_beneath_the_workspace),
        CASE(environment_is_small_and_fixed),
        CASE(exactly_one_of_command_and_argv),
        CASE(bad_arguments_are_seen_here_too),
        CASE(long_arguments_are_refused_not_cut),
        CASE(says_why_it_could_not_start),
        cmocka_unit_test(what_the_model_reads_is_short),
    };
    return cmocka_run_group_tests_name("plugins/shell", tests, NULL, NULL);
}
