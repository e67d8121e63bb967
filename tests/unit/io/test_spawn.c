/* Starting a process: what it inherits, how its end is told. */
#include "test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/spawn.h"

static const char *const no_env[] = {NULL};

/* Runs a shell script, its standard output into `out`; says how it ended. */
static void run(const char *script, const char *const *env, char *out, size_t size, char how[64])
{
    int fds[2];
    struct spawned process;
    struct err err;
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(null_fd >= 0);
    const struct spawn_fd map[] = {{null_fd, 0}, {fds[1], 1}, {null_fd, 2}};
    assert_int_equal(spawn_start(argv, env, map, 3, &process, &err), 0);
    (void)close(fds[1]);
    (void)close(null_fd);
    size_t used = 0;
    for (ssize_t got = 1; got > 0 && used + 1 < size; used += got > 0 ? (size_t)got : 0)
        got = read(fds[0], out + used, size - used - 1);
    out[used] = '\0';
    (void)close(fds[0]);
    struct pollfd ended = {.fd = process.pidfd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, -1), 1);
    spawn_reap(&process, how, 64);
    assert_int_equal(process.pidfd, -1);
    assert_int_equal(process.pid, -1);
    spawn_kill(&process); /* of no effect any more */
}

static void its_end_is_told(void **state)
{
    static const struct {
        const char *script, *how;
    } cases[] = {{"exit 0", "ended with exit status 0"},
                 {"exit 3", "ended with exit status 3"},
                 {"kill -SEGV $$", "was killed by SIGSEGV"},
                 {"kill -KILL $$", "was killed by SIGKILL"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[64], how[64];
        run(cases[i].script, no_env, out, sizeof out, how);
        assert_string_equal(how, cases[i].how);
    }
}

static void it_has_the_environment_it_is_given(void **state)
{
    static const char *const env[] = {"ONE=1", "TWO=2", NULL};
    char out[4096], how[64];
    (void)state;
    assert_int_equal(setenv("SECRET_OF_OURS", "x", 1), 0);
    run("echo \"$ONE-$TWO-$SECRET_OF_OURS-$HOME\"", env, out, sizeof out, how);
    assert_string_equal(out, "1-2--\n");
    (void)unsetenv("SECRET_OF_OURS");
}

/* Not even what somebody has left open for every child. */
static void it_has_the_descriptors_it_is_given_and_no_other(void **state)
{
    char out[4096], how[64];
    (void)state;
    int left_open = open("/dev/zero", O_RDONLY);
    assert_true(left_open >= 0);
    int high = fcntl(left_open, F_DUPFD, 200);
    run("exec ls /proc/self/fd", no_env, out, sizeof out, how);
    (void)close(left_open);
    (void)close(high);
    assert_string_equal(out, "0\n1\n2\n3\n"); /* 3: the folder that ls reads */
}

/* Numbers that are sources and targets at once. */
static void descriptors_may_change_places(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "cat <&6 >&2; echo -n ' '; cat <&5 >&2",
                                       NULL};
    struct spawned process;
    struct err err;
    int a[2], b[2], out[2];
    char how[64], text[64] = "";
    (void)state;
    assert_int_equal(pipe2(a, O_CLOEXEC), 0);
    assert_int_equal(pipe2(b, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(write(a[1], "a", 1), 1);
    assert_int_equal(write(b[1], "b", 1), 1);
    (void)close(a[1]);
    (void)close(b[1]);
    int five = fcntl(a[0], F_DUPFD_CLOEXEC, 20), six = fcntl(b[0], F_DUPFD_CLOEXEC, 20);
    const struct spawn_fd map[] = {{five, six}, {six, five}, {out[1], 1},
                                   {out[1], 2}, {five, 6},   {six, 5}};
    assert_int_equal(spawn_start(argv, no_env, map, 6, &process, &err), 0);
    (void)close(out[1]);
    struct pollfd ended = {.fd = process.pidfd, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, -1), 1);
    ssize_t got = read(out[0], text, sizeof text - 1);
    spawn_reap(&process, how, sizeof how);
    const int fds[] = {a[0], b[0], five, six, out[0]};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        (void)close(fds[i]);
    assert_int_equal(got, 3);
    assert_string_equal(text, "a b");
}

static void its_signals_are_as_in_a_fresh_session(void **state)
{
    char out[4096], how[64];
    sigset_t set, old;
    (void)state;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGUSR1);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    assert_ptr_not_equal(signal(SIGPIPE, SIG_IGN), SIG_ERR);
    run("exec grep -E '^Sig(Blk|Ign):' /proc/self/status", no_env, out, sizeof out, how);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    assert_non_null(strstr(out, "SigBlk:\t0000000000000000"));
    const char *ignored = strstr(out, "SigIgn:");
    assert_non_null(ignored);
    assert_int_equal(strtoull(ignored + strlen("SigIgn:"), NULL, 16) >> (SIGPIPE - 1) & 1, 0);
    long pid = 0, session = 0;
    run("exec cut -d' ' -f1,6 /proc/self/stat", no_env, out, sizeof out, how);
    assert_int_equal(sscanf(out, "%ld %ld", &pid, &session), 2);
    assert_int_equal(pid, session);
}

static void what_it_started_is_killed_with_it(void **state)
{
    static const char *const argv[] = {"/bin/sh", "-c", "sleep 1000 & echo $!; wait", NULL};
    struct spawned process;
    struct err err;
    int fds[2];
    char how[64], text[32] = "";
    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    const struct spawn_fd map[] = {{fds[1], 1}};
    assert_int_equal(spawn_start(argv, no_env, map, 1, &process, &err), 0);
    (void)close(fds[1]);
    assert_true(read(fds[0], text, sizeof text - 1) > 0);
    spawn_kill(&process);
    spawn_reap(&process, how, sizeof how);
    assert_string_equal(how, "was killed by SIGKILL");
    /* The pipe ends when the last one that holds it is gone. */
    assert_int_equal(read(fds[0], text, sizeof text), 0);
    (void)close(fds[0]);
}

static void what_cannot_start_says_why(void **state)
{
    static const char *const argv[] = {"/no/such/program", NULL};
    struct spawned process;
    struct err err;
    (void)state;
    assert_int_equal(spawn_start(argv, no_env, NULL, 0, &process, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "/no/such/program"));
    assert_non_null(strstr(err.text, strerror(ENOENT)));
    assert_int_equal(process.pidfd, -1);
    const struct spawn_fd closed[] = {{-1, 1}};
    assert_int_equal(spawn_start(argv, no_env, closed, 1, &process, &err), -1);
    struct spawn_fd many[SPAWN_FDS_MAX + 1] = {{0, 0}};
    assert_int_equal(spawn_start(argv, no_env, many, SPAWN_FDS_MAX + 1, &process, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_end_is_told),
        cmocka_unit_test(it_has_the_environment_it_is_given),
        cmocka_unit_test(it_has_the_descriptors_it_is_given_and_no_other),
        cmocka_unit_test(descriptors_may_change_places),
        cmocka_unit_test(its_signals_are_as_in_a_fresh_session),
        cmocka_unit_test(what_it_started_is_killed_with_it),
        cmocka_unit_test(what_cannot_start_says_why),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
