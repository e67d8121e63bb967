/* Closing the sandbox: every step that can fail does, and then nothing of the plugin has run. */
#include "test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_peer.h"

#define HOST   TEST_BUILD_DIR "/bin/tackle-host"
#define STRACE "/usr/bin/strace"
#define BWRAP  "/usr/bin/bwrap"
/* tackle-host looks for bubblewrap with it: then there is none. */
#define NO_BWRAP "inject=access,faccessat,faccessat2:error=ENOENT"

static void needs_strace(void)
{
    if (access(STRACE, X_OK) != 0)
        test_skip("there is no strace");
    if (system(STRACE " -o /dev/null true") != 0)
        test_skip("strace does not work here");
}

/* What it prints as JSON, and its exit status. */
static json_t *probe(const char *before, const char *tier, int *status)
{
    char command[1024], text[4096];
    (void)snprintf(command, sizeof command, "%s " HOST " probe %s 2>/dev/null", before, tier);
    FILE *out = popen(command, "re"); /* the texts are this file's */
    assert_non_null(out);
    size_t len = fread(text, 1, sizeof text - 1, out);
    text[len] = '\0';
    int ended = pclose(out);
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    return json_loads(text, 0, NULL);
}

static const char *text_of(const json_t *answer, const char *name)
{
    const char *text = json_string_value(json_object_get(answer, name));
    return text ? text : "";
}

/* SBX-30: what is told is what there is. */
static void a_probe_tells_what_there_is(void **state)
{
    static const char *const tiers[] = {"t3", "t2", "external", "off"};
    (void)state;
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        int status;
        json_t *answer = probe("", tiers[i], &status);
        assert_int_equal(status, 0);
        assert_string_equal(text_of(answer, "tier"), tiers[i]);
        assert_int_equal(json_is_true(json_object_get(answer, "seccomp")), i < 2);
        assert_int_equal(json_integer_value(json_object_get(answer, "landlock")) > 0, i < 2);
        json_decref(answer);
    }
    int status;
    json_t *none = probe("", "t4", &status);
    assert_null(none);
    assert_int_equal(status, 2);
}

/* SBX-29 */
static void every_step_that_fails_is_told(void **state)
{
    static const struct {
        const char *tier, *call;
        int least;        /* of its calls that the set-up cannot do without */
        int step;         /* from one that is tried to the next: mounts are many, and alike */
        const char *name; /* of the step when the first fails; NULL: whichever */
    } rows[] = {
        {"t3", "clone", 1, 1, "clone"},
        {"t3", "mount", 5, 1, "private mounts"},
        {"t3", "pivot_root", 1, 1, "pivot_root"},
        {"t3", "open_tree", 3, 7, NULL},
        {"t3", "mount_setattr", 3, 7, NULL},
        {"t3", "move_mount", 3, 7, NULL},
        {"t3", "umount2", 1, 1, "leave old root"},
        {"t3", "symlink", 1, 3, NULL},
        {"t3", "ioctl", 1, 1, "loopback"},
        {"t3", "capset", 1, 1, "capset"},
        {"t3", "landlock_create_ruleset", 2, 1, "landlock"},
        {"t3", "landlock_add_rule", 2, 4, "landlock"},
        {"t3", "landlock_restrict_self", 1, 1, "landlock"},
        {"t2", "capset", 1, 1, "capset"},
        {"t2", "landlock_create_ruleset", 2, 1, "landlock"},
        {"t2", "landlock_add_rule", 2, 8, "landlock"},
        {"t2", "landlock_restrict_self", 1, 1, "landlock"},
    };
    (void)state;
    needs_strace();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int failed = 0, status = 12, clean;
        json_t *whole = probe("", rows[i].tier, &clean);
        assert_int_equal(clean, 0);
        for (int nth = 1; status != 0; nth += rows[i].step) {
            char before[256];
            (void)snprintf(before, sizeof before,
                           STRACE " -f -o /dev/null -e " NO_BWRAP
                                  " -e inject=%s:error=EPERM:when=%d",
                           rows[i].call, nth);
            json_t *answer = probe(before, rows[i].tier, &status);
            if (status == 0) {
                /* It was not called so often: nothing failed, and nothing less was done. */
                assert_true(json_equal(answer, whole));
            } else if (status != 12 || !*text_of(answer, "step") || !*text_of(answer, "problem")) {
                fail_msg("%s %d: exit %d", rows[i].call, nth, status);
            } else if (nth == 1 && rows[i].name) {
                assert_string_equal(text_of(answer, "step"), rows[i].name);
            }
            failed += status != 0;
            json_decref(answer);
        }
        if (failed < rows[i].least)
            fail_msg("%s fails %d times only", rows[i].call, failed);
        json_decref(whole);
    }
}

/* libseccomp has two ways to set a filter; both fail, but none of what is called before. */
static void seccomp_that_fails_is_told(void **state)
{
    char before[512];
    char *last = test_read_file("/proc/sys/kernel/cap_last_cap", NULL);
    int status;
    (void)state;
    needs_strace();
    assert_non_null(last);
    /* Each capability is asked for and dropped. */
    (void)snprintf(before, sizeof before,
                   STRACE " -f -o /dev/null -e " NO_BWRAP " -e inject=seccomp:error=EPERM "
                          "-e inject=prctl:error=EPERM:when=%ld+",
                   2 * (strtol(last, NULL, 10) + 1) + 6);
    free(last);
    json_t *answer = probe(before, "t3", &status);
    assert_int_equal(status, 12);
    assert_string_equal(text_of(answer, "step"), "seccomp");
    json_decref(answer);
}

/* SBX-30: a kernel of an older version. */
static void older_landlock(void **state)
{
    static const char before[] =
        STRACE " -f -o /dev/null -e inject=landlock_create_ruleset:retval=2:when=1";
    static const char none[] =
        STRACE " -f -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS:when=1";
    int status;
    (void)state;
    needs_strace();
    json_t *answer = probe(before, "t3", &status);
    assert_int_equal(status, 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "landlock")), 2);
    json_decref(answer);
    answer = probe(none, "t3", &status);
    assert_int_equal(status, 0);
    assert_int_equal(json_integer_value(json_object_get(answer, "landlock")), 0);
    json_decref(answer);
    /* Which t2 has nothing beside. */
    answer = probe(before, "t2", &status);
    assert_int_equal(status, 12);
    assert_string_equal(text_of(answer, "step"), "landlock");
    json_decref(answer);
}

/* SBX-28: over the link, with a plugin whose constructor would be seen. */
static void no_namespaces_no_plugin(void **state)
{
    static const char *const before[] = {
        STRACE, "-f", "-o", "/dev/null", "-e", "inject=clone:error=EPERM:when=1", NULL};
    struct host_box box;
    struct host_peer peer;
    struct host_setup setup = {.plugin = TEST_BUILD_DIR "/abi/loud.so",
                               .sandbox = host_sandbox("t3", NULL),
                               .before = before};
    char *path;
    (void)state;
    needs_strace();
    host_box_init(&box, geteuid());
    path = test_join(box.root, "printed");
    int saved = dup(STDOUT_FILENO);
    int printed = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && printed >= 0 && dup2(printed, STDOUT_FILENO) >= 0);
    host_peer_start(&peer, &box, &setup);
    assert_false(peer.opened);
    assert_true(json_is_true(json_object_get(peer.answer, "sandbox")));
    assert_string_equal(text_of(peer.answer, "step"), "clone");
    assert_non_null(strstr(text_of(peer.answer, "problem"), "Operation not permitted"));
    int status = host_peer_end(&peer);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    char *text = test_read_file(path, NULL);
    assert_non_null(text);
    assert_null(strstr(text, "impostor"));
    free(text);
    free(path);
    (void)close(printed);
    (void)close(saved);
    host_box_release(&box);
}

/* Where only bubblewrap may make namespaces, it does, and what comes of it is as closed. */
static void bubblewrap(void **state)
{
    static const char *const before[] = {
        STRACE, "-o", "/dev/null", "-e", "inject=clone:error=EPERM:when=1", NULL};
    uid_t users[2];
    size_t count = host_users(users);
    (void)state;
    needs_strace();
    if (access(BWRAP, X_OK) != 0)
        test_skip("there is no bubblewrap");
    for (size_t i = 0; i < count; i++) {
        struct host_box box;
        struct host_peer peer;
        struct host_setup setup = {.sandbox = host_sandbox("t3", "{\"hide\":[\".env\"]}"),
                                   .before = before};
        host_box_init(&box, users[i]);
        char *env = test_join(box.work, ".env"), *config = test_join(box.work, ".git/config");
        test_write_file(env, "CANARY-ENV\n", 11);
        test_write_file(config, "[core]\n", 7);
        host_peer_start(&peer, &box, &setup);
        if (!peer.opened)
            fail_msg("%s", text_of(peer.answer, "problem"));
        assert_string_equal(text_of(peer.answer, "via"), "bwrap");
        assert_string_equal(text_of(peer.answer, "tier"), "t3");
        host_peer_hides(&peer, "cat .env ../outside/secret.txt ../person/.ssh/id_ed25519",
                        "CANARY");
        host_peer_hides(&peer, "echo x > .git/config && echo WRITTEN", "WRITTEN");
        host_peer_hides(&peer, "mv .git x && echo WRITTEN", "WRITTEN");
        host_peer_says(&peer, "echo yes > new && cat new file.txt", "yes\nin the workspace");
        host_peer_says(
            &peer, "grep -E 'CapBnd|CapEff' /proc/self/status | grep -c 0000000000000000", "\n2");
        host_peer_says(&peer, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1");
        host_peer_says(&peer, "grep -c : /proc/net/dev", "\n1");
        host_peer_says(&peer, TEST_BUILD_DIR "/tests/tools/attempt call-32", "refused (ENOSYS)");
        host_peer_says(&peer, "touch /x 2>&1; ls -d /home 2>&1", "No such file");
        host_peer_says(&peer, "sleep 612 & echo started", "started");
        host_peer_hides(&peer, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", "sleep 612 ");
        (void)host_peer_end(&peer);
        free(env);
        free(config);
        host_box_release(&box);
    }
}

/* Another folder was put in the workspace's place after the run began. */
static void the_workspace_is_the_one_that_was_opened(void **state)
{
    static const char *const before[] = {"/bin/sh", "-c",
                                         "mv \"$TACKLE_TEST_WORK\" \"$TACKLE_TEST_WORK.old\" && "
                                         "mkdir \"$TACKLE_TEST_WORK\" && exec \"$0\" \"$@\"",
                                         NULL};
    struct host_box box;
    struct host_peer peer;
    struct host_setup setup = {.sandbox = host_sandbox("t3", NULL), .before = before};
    (void)state;
    host_box_init(&box, geteuid());
    assert_int_equal(setenv("TACKLE_TEST_WORK", box.work, 1), 0);
    host_peer_start(&peer, &box, &setup);
    /* It is found by its descriptor, whatever its path leads to. */
    assert_true(peer.opened);
    host_peer_says(&peer, "cat file.txt", "in the workspace");
    (void)host_peer_end(&peer);
    host_box_release(&box);
}

/* bubblewrap knows paths only: then the change is seen, and refused. */
static void another_workspace_is_refused(void **state)
{
    static const char *const before[] = {
        "/bin/sh", "-c",
        "mv \"$TACKLE_TEST_WORK\" \"$TACKLE_TEST_WORK.old\" && mkdir \"$TACKLE_TEST_WORK\" && "
        "exec " STRACE " -o /dev/null -e inject=clone:error=EPERM:when=1 \"$0\" \"$@\"",
        NULL};
    struct host_box box;
    struct host_peer peer;
    struct host_setup setup = {.sandbox = host_sandbox("t3", NULL), .before = before};
    (void)state;
    needs_strace();
    if (access(BWRAP, X_OK) != 0)
        test_skip("there is no bubblewrap");
    host_box_init(&box, geteuid());
    assert_int_equal(setenv("TACKLE_TEST_WORK", box.work, 1), 0);
    host_peer_start(&peer, &box, &setup);
    assert_false(peer.opened);
    assert_non_null(strstr(text_of(peer.answer, "problem"), "reopen workspace"));
    (void)host_peer_end(&peer);
    host_box_release(&box);
}

/* Places that would bring everything back. */
static void workspaces_that_cannot_be(void **state)
{
    static const char *const places[] = {"/", "/proc", "/dev"};
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct host_box box;
        struct host_peer peer;
        struct host_setup setup = {.sandbox = host_sandbox("t3", "{\"write\":false}")};
        host_box_init(&box, geteuid());
        char *work = box.work;
        char place[16];
        (void)snprintf(place, sizeof place, "%s", places[i]);
        box.work = place;
        host_peer_start(&peer, &box, &setup);
        assert_false(peer.opened);
        assert_string_equal(text_of(peer.answer, "step"), "plan");
        (void)host_peer_end(&peer);
        box.work = work;
        host_box_release(&box);
    }
}

static size_t count_inside(struct host_peer *peer)
{
    char *text = host_peer_shell(peer, "ls /proc | grep -c '^[0-9]'");
    assert_non_null(text);
    const char *line = strchr(text, '\n');
    assert_non_null(line);
    size_t count = strtoul(line, NULL, 10);
    free(text);
    return count;
}

/* SBX-32, without a clock: nothing adds up over many commands. */
static void many_commands(void **state)
{
    struct host_inside in;
    (void)state;
    host_inside_start(&in, geteuid(), "t3", NULL);
    size_t before = count_inside(&in.peer);
    assert_true(before >= 4);
    for (int i = 0; i < 100; i++)
        host_peer_says(&in.peer, "true & true", "exit 0");
    assert_int_equal(count_inside(&in.peer), before);
    host_inside_end(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_tells_what_there_is),
        cmocka_unit_test(every_step_that_fails_is_told),
        cmocka_unit_test(seccomp_that_fails_is_told),
        cmocka_unit_test(older_landlock),
        cmocka_unit_test(no_namespaces_no_plugin),
        cmocka_unit_test(bubblewrap),
        cmocka_unit_test(the_workspace_is_the_one_that_was_opened),
        cmocka_unit_test(another_workspace_is_refused),
        cmocka_unit_test(workspaces_that_cannot_be),
        cmocka_unit_test(many_commands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
