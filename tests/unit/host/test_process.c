/* Programs run to their end: output, limits, ways to die, and that nothing of them is left. */
#include "test_support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/process.h"

#define LONG_MS 60000

struct fixture {
    char *dir;
    int dir_fd;
    struct process_env env;
    struct process_outcome out;
    struct err err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->dir = test_temp_dir();
    f->dir_fd = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->dir_fd >= 0);
    assert_int_equal(process_env_init(&f->env, f->dir, f->dir, NULL, &f->err), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    process_outcome_release(&f->out);
    process_env_release(&f->env);
    assert_int_equal(close(f->dir_fd), 0);
    test_remove_tree(f->dir);
    free(f->dir);
    free(f);
    return 0;
}

static struct process_spec spec_of(struct fixture *f, const char *const *argv)
{
    return (struct process_spec){.argv = argv,
                                 .cwd_fd = f->dir_fd,
                                 .env = (const char *const *)f->env.vars,
                                 .timeout_ms = LONG_MS,
                                 .cancel_fd = -1,
                                 .head_bytes = 4096,
                                 .tail_bytes = 4096};
}

static int run_spec(struct fixture *f, const struct process_spec *spec)
{
    process_outcome_release(&f->out);
    f->err = (struct err){0};
    return process_run(spec, &f->out, &f->err);
}

/* Runs a command line of sh; it must start. */
static void sh_within(struct fixture *f, const char *command, int64_t timeout_ms)
{
    const char *const argv[] = {"sh", "-c", command, NULL};
    struct process_spec spec = spec_of(f, argv);
    spec.timeout_ms = timeout_ms;
    if (run_spec(f, &spec) != 0)
        fail_msg("%s", f->err.text);
}

static void sh(struct fixture *f, const char *command)
{
    sh_within(f, command, LONG_MS);
    assert_false(f->out.timed_out);
    assert_false(f->out.cancelled);
}

/* The file has one process number a line, `count` of them, and none is alive. */
static void assert_all_gone(struct fixture *f, const char *file, int count)
{
    char *path = test_join(f->dir, file);
    char *text = test_read_file(path, NULL);
    assert_non_null(text);
    int seen = 0;
    for (char *at = text; *at; seen++) {
        char *end;
        long pid = strtol(at, &end, 10);
        assert_ptr_not_equal(at, end);
        errno = 0;
        if (kill((pid_t)pid, 0) != -1 || errno != ESRCH)
            fail_msg("process %ld of %s is alive", pid, file);
        at = end + strspn(end, "\n");
    }
    assert_int_equal(seen, count);
    free(text);
    free(path);
}

static int open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    int count = 0;
    while (readdir(dir))
        count++;
    assert_int_equal(closedir(dir), 0);
    return count;
}

/* ---- Endings ---- */

static void tells_exit_status(void **state)
{
    struct fixture *f = *state;
    sh(f, "echo hello; exit 0");
    assert_int_equal(f->out.exit_status, 0);
    assert_int_equal(f->out.signal, 0);
    assert_string_equal(f->out.head.data, "hello\n");
    assert_int_equal(f->out.tail.len, 0);
    assert_int_equal(f->out.omitted, 0);
    sh(f, "exit 255");
    assert_int_equal(f->out.exit_status, 255);
}

static void tells_signals_and_leaves_no_core(void **state)
{
    struct fixture *f = *state;
    sh(f, "ulimit -c; kill -SEGV $$");
    assert_int_equal(f->out.signal, SIGSEGV);
    assert_int_equal(f->out.exit_status, -1);
    assert_string_equal(f->out.head.data, "0\n");
    sh(f, "kill -9 $$");
    assert_int_equal(f->out.signal, SIGKILL);
}

static void waits_for_a_program_that_closed_its_output(void **state)
{
    struct fixture *f = *state;
    sh(f, "exec >&- 2>&-; sleep 0.3; exit 7");
    assert_int_equal(f->out.exit_status, 7);
}

static void time_limit_ends_it(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "echo $$ > pids; echo before; sleep 600", 300);
    assert_true(f->out.timed_out);
    assert_int_equal(f->out.signal, SIGTERM);
    assert_string_equal(f->out.head.data, "before\n");
    assert_all_gone(f, "pids", 1);
    sh_within(f, "sleep 600", 0);
    assert_true(f->out.timed_out);
}

static void clean_end_after_sigterm_is_seen(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "trap 'echo bye; exit 4' TERM; sleep 600 & wait", 300);
    assert_true(f->out.timed_out);
    assert_int_equal(f->out.exit_status, 4);
    assert_string_equal(f->out.head.data, "bye\n");
}

static void deaf_to_sigterm_is_killed(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "trap '' TERM; echo $$ > pids; sleep 600; sleep 600", 200);
    assert_true(f->out.timed_out);
    assert_int_equal(f->out.signal, SIGKILL);
    assert_all_gone(f, "pids", 1);
}

static void stopped_program_is_ended(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "echo $$ > pids; kill -STOP $$", 200);
    assert_true(f->out.timed_out);
    assert_all_gone(f, "pids", 1);
}

static void cancel_ends_it(void **state)
{
    struct fixture *f = *state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    const char *const argv[] = {"sleep", "600", NULL};
    struct process_spec spec = spec_of(f, argv);
    spec.cancel_fd = fds[0];
    assert_int_equal(run_spec(f, &spec), 0);
    assert_true(f->out.cancelled);
    assert_false(f->out.timed_out);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

/* ---- What it leaves behind ---- */

static void background_child_does_not_delay_the_end(void **state)
{
    struct fixture *f = *state;
    sh(f, "sleep 600 & echo $! > pids; echo done");
    assert_int_equal(f->out.exit_status, 0);
    assert_string_equal(f->out.head.data, "done\n");
    assert_all_gone(f, "pids", 1);
}

static void daemons_do_not_escape(void **state)
{
    struct fixture *f = *state;
    sh(f, "setsid sh -c 'echo $$ >> pids; exec sleep 600' &\n"
          "nohup sh -c 'echo $$ >> pids; exec sleep 600' >/dev/null 2>&1 &\n"
          "(sh -c 'echo $$ >> pids; exec sleep 600' &)\n"
          "(setsid sh -c 'echo $$ >> pids; (trap \"\" TERM; sh -c \"echo \\$\\$ >> pids;"
          " exec sleep 600\") & sleep 600' &)\n"
          "while [ ! -f pids ] || [ $(wc -l < pids) -lt 5 ]; do sleep 0.02; done");
    assert_int_equal(f->out.exit_status, 0);
    assert_all_gone(f, "pids", 5);
}

static void daemons_of_a_hung_program_end_with_it(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "setsid sh -c 'echo $$ >> pids; exec sleep 600' & echo $$ >> pids; sleep 600",
              1000);
    assert_true(f->out.timed_out);
    assert_all_gone(f, "pids", 2);
}

static void blocked_pipes_end(void **state)
{
    struct fixture *f = *state;
    sh_within(f, "mkfifo p; (while true; do echo child; sleep 1; done) > p & echo $! > pids; cat p",
              400);
    assert_true(f->out.timed_out);
    assert_all_gone(f, "pids", 1);
}

static void output_of_what_it_piped_to_is_kept(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"bash", "-c", "exec > >(tee -a log) 2>&1 && echo ok", NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(run_spec(f, &spec), 0);
    assert_int_equal(f->out.exit_status, 0);
    assert_string_equal(f->out.head.data, "ok\n");
}

static void other_children_of_the_caller_are_left_alone(void **state)
{
    struct fixture *f = *state;
    pid_t other = fork();
    assert_true(other >= 0);
    if (other == 0) {
        (void)pause();
        _exit(0);
    }
    sh(f, "sleep 600 & exit 1");
    assert_int_equal(f->out.exit_status, 1);
    int status;
    assert_int_equal(waitpid(other, &status, WNOHANG), 0);
    assert_int_equal(kill(other, SIGKILL), 0);
    assert_int_equal(waitpid(other, &status, 0), other);
}

static void all_ends_when_the_caller_is_killed(void **state)
{
    struct fixture *f = *state;
    /* All of them hold the writing end, so that their end can be waited for. */
    const char *command = "exec 9>fifo; echo $$ >> pids; setsid sleep 600 & echo $! >> pids;"
                          " sleep 600";
    char *fifo = test_join(f->dir, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    int reader = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    pid_t caller = fork();
    assert_true(caller >= 0);
    if (caller == 0) {
        sh_within(f, command, LONG_MS);
        _exit(0);
    }
    char *pids = test_join(f->dir, "pids");
    char *text = NULL;
    while (!text || !strchr(text, '\n') || !strchr(strchr(text, '\n') + 1, '\n')) {
        free(text);
        text = test_read_file(pids, NULL);
        assert_int_equal(usleep(10000), 0);
    }
    free(text);
    assert_int_equal(kill(caller, SIGKILL), 0);
    assert_int_equal(waitpid(caller, NULL, 0), caller);
    assert_int_equal(fcntl(reader, F_SETFL, 0), 0);
    char byte;
    assert_int_equal(read(reader, &byte, 1), 0); /* the last holder is gone */
    assert_int_equal(close(reader), 0);
    free(pids);
    free(fifo);
}

static void a_program_that_kills_its_keeper_is_an_error(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"sh", "-c", "kill -9 $PPID; while :; do :; done", NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(run_spec(f, &spec), -1);
    assert_int_equal(f->err.code, ERR_IO);
    assert_non_null(strstr(f->err.text, "was killed"));
}

/* ---- Input, output, surroundings ---- */

static void standard_input_is_empty(void **state)
{
    struct fixture *f = *state;
    sh(f, "cat; read line; echo \"<$line>\"; readlink /proc/self/fd/0");
    assert_string_equal(f->out.head.data, "<>\n/dev/null\n");
}

static void has_no_other_descriptor(void **state)
{
    struct fixture *f = *state;
    int inheritable = dup(f->dir_fd); /* without O_CLOEXEC */
    assert_true(inheritable >= 0);
    const char *const argv[] = {"ls", "/proc/self/fd", NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(run_spec(f, &spec), 0);
    assert_string_equal(f->out.head.data, "0\n1\n2\n3\n"); /* 3 is the listing's own */
    assert_int_equal(close(inheritable), 0);
}

static void has_no_terminal_and_its_own_session(void **state)
{
    struct fixture *f = *state;
    sh(f, "(: < /dev/tty) 2>/dev/null && echo tty; set -- $(cat /proc/$$/stat); "
          "[ \"$5\" = $$ ] && [ \"$6\" = $$ ] && echo leader");
    assert_string_equal(f->out.head.data, "leader\n");
}

static void signals_are_reset(void **state)
{
    struct fixture *f = *state;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    sigset_t term, old;
    assert_int_equal(sigemptyset(&term), 0);
    assert_int_equal(sigaddset(&term, SIGUSR1), 0);
    assert_int_equal(sigprocmask(SIG_BLOCK, &term, &old), 0);
    sh(f, "yes | head -1; grep -E 'Sig(Blk|Ign)' /proc/self/status");
    assert_int_equal(f->out.exit_status, 0);
    assert_string_equal(f->out.head.data,
                        "y\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    assert_ptr_not_equal(signal(SIGPIPE, before), SIG_ERR);
}

static void runs_in_the_directory(void **state)
{
    struct fixture *f = *state;
    char *real = realpath(f->dir, NULL);
    assert_non_null(real);
    sh(f, "pwd -P | tr -d '\\n'");
    assert_string_equal(f->out.head.data, real);
    free(real);
}

static void both_streams_come_in_order(void **state)
{
    struct fixture *f = *state;
    sh(f, "echo 1; echo 2 >&2; echo 3; echo 4 >&2");
    assert_string_equal(f->out.head.data, "1\n2\n3\n4\n");
}

static void many_lines_on_both_streams(void **state)
{
    struct fixture *f = *state;
    sh(f, "awk 'BEGIN { for (i = 0; i < 200000; i++) { print \"out\"; print \"err\" > "
          "\"/dev/stderr\" } print \"end\" }'");
    assert_int_equal(f->out.exit_status, 0);
    assert_int_equal(f->out.head.len, 4096);
    assert_int_equal(f->out.tail.len, 4096);
    assert_int_equal(f->out.omitted, 200000 * 8 + 4 - 8192);
}

static void bytes_are_kept_as_they_are(void **state)
{
    struct fixture *f = *state;
    sh(f, "printf 'a\\0b\\377\\355\\240\\200'");
    assert_int_equal(f->out.head.len, 7);
    assert_memory_equal(f->out.head.data, "a\0b\xff\xed\xa0\x80", 7);
}

static void head_and_tail_frame_what_is_omitted(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"seq", "100000", "199999", NULL}; /* 7 bytes each */
    struct process_spec spec = spec_of(f, argv);
    spec.head_bytes = 14;
    spec.tail_bytes = 21;
    assert_int_equal(run_spec(f, &spec), 0);
    assert_string_equal(f->out.head.data, "100000\n100001\n");
    assert_string_equal(f->out.tail.data, "199997\n199998\n199999\n");
    assert_int_equal(f->out.omitted, 700000 - 35);
    spec.head_bytes = 0;
    spec.tail_bytes = 0;
    assert_int_equal(run_spec(f, &spec), 0);
    assert_int_equal(f->out.head.len + f->out.tail.len, 0);
    assert_int_equal(f->out.omitted, 700000);
    spec.head_bytes = 699995;
    spec.tail_bytes = 10;
    assert_int_equal(run_spec(f, &spec), 0);
    assert_int_equal(f->out.head.len, 699995);
    assert_string_equal(f->out.tail.data, "9999\n");
    assert_int_equal(f->out.omitted, 0);
}

static void endless_output_is_cut_off(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"yes", NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(run_spec(f, &spec), 0);
    if (!f->out.flooded)
        fail_msg("not flooded: exit %d, signal %d, timed out %d, %lld ms, %llu bytes omitted",
                 f->out.exit_status, f->out.signal, f->out.timed_out, (long long)f->out.duration_ms,
                 (unsigned long long)f->out.omitted);
    assert_false(f->out.timed_out);
    assert_true(f->out.omitted + f->out.head.len + f->out.tail.len >= PROCESS_READ_MAX);
    assert_int_equal(f->out.exit_status, -1);
}

static void one_long_line(void **state)
{
    struct fixture *f = *state;
    sh(f, "head -c 30000000 /dev/zero | tr '\\0' a");
    assert_int_equal(f->out.exit_status, 0);
    assert_int_equal(f->out.omitted, 30000000 - 8192);
}

/* ---- What cannot be started ---- */

static void expect_refusal(struct fixture *f, const char *program, enum err_code code,
                           const char *part)
{
    const char *const argv[] = {program, NULL};
    struct process_spec spec = spec_of(f, argv);
    int before = open_descriptors();
    assert_int_equal(run_spec(f, &spec), -1);
    if (f->err.code != code || !strstr(f->err.text, part))
        fail_msg("%s: %d \"%s\", not \"%s\"", program, (int)f->err.code, f->err.text, part);
    assert_int_equal(open_descriptors(), before);
}

static void put_script(struct fixture *f, const char *name, const char *text, mode_t mode)
{
    char *path = test_join(f->dir, name);
    test_write_file(path, text, strlen(text));
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

static void skip_under_valgrind(void)
{
    if (test_under_valgrind())
        test_skip("an execve() that fails late ends valgrind itself");
}

static void says_why_it_cannot_start(void **state)
{
    struct fixture *f = *state;
    skip_under_valgrind();
    put_script(f, "plain", "#!/bin/sh\necho plain\n", 0644);
    put_script(f, "headless", "echo headless\n", 0755);
    put_script(f, "orphan", "#!/no/such/interpreter\n", 0755);
    expect_refusal(f, "no-such-program", ERR_NOT_FOUND, "no program \"no-such-program\"");
    expect_refusal(f, "./absent", ERR_NOT_FOUND, "No such file");
    expect_refusal(f, "/etc", ERR_DENIED, "is a directory");
    expect_refusal(f, "./plain", ERR_DENIED, "chmod +x");
    expect_refusal(f, "./headless", ERR_DENIED, "#!");
    expect_refusal(f, "./orphan", ERR_NOT_FOUND, "interpreter");
    expect_refusal(f, "", ERR_USAGE, "no program");
}

static void too_many_arguments(void **state)
{
    struct fixture *f = *state;
    skip_under_valgrind();
    size_t len = 3u << 20;
    char *big = malloc(len + 1);
    assert_non_null(big);
    memset(big, 'a', len);
    big[len] = '\0';
    const char *const argv[] = {"echo", big, NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(run_spec(f, &spec), -1);
    assert_int_equal(f->err.code, ERR_LIMIT);
    free(big);

    const char **many = calloc(10002, sizeof *many);
    assert_non_null(many);
    many[0] = "true";
    for (int i = 1; i <= 10000; i++)
        many[i] = "x";
    spec = spec_of(f, many);
    assert_int_equal(run_spec(f, &spec), 0);
    assert_int_equal(f->out.exit_status, 0);
    free(many);
}

static void keeps_to_its_limits(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"true", NULL};
    struct process_spec spec = spec_of(f, argv);
    spec.head_bytes = PROCESS_KEEP_MAX + 1;
    assert_int_equal(run_spec(f, &spec), -1);
    assert_int_equal(f->err.code, ERR_USAGE);
    spec = spec_of(f, argv);
    spec.cwd_fd = -1;
    assert_int_equal(run_spec(f, &spec), -1);
    assert_int_equal(f->err.code, ERR_USAGE);
}

static void workspace_cannot_shadow_a_program(void **state)
{
    struct fixture *f = *state;
    put_script(f, "uname", "#!/bin/sh\necho fake\n", 0755);
    const char *const env[] = {"PATH=.::bin:/usr/bin:/bin", NULL};
    const char *const argv[] = {"uname", NULL};
    struct process_spec spec = spec_of(f, argv);
    spec.env = env;
    assert_int_equal(run_spec(f, &spec), 0);
    assert_string_equal(f->out.head.data, "Linux\n");
}

static void many_runs_leak_nothing(void **state)
{
    struct fixture *f = *state;
    sh(f, "true");
    int before = open_descriptors();
    struct rlimit old, few = {.rlim_cur = (rlim_t)before + 12};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    few.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < 50; i++) {
        sh(f, "echo x");
        assert_string_equal(f->out.head.data, "x\n");
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(open_descriptors(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void no_descriptors_left_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = (rlim_t)f->dir_fd + 4;
    const char *const argv[] = {"true", NULL};
    struct process_spec spec = spec_of(f, argv);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int status = run_spec(f, &spec);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(status, -1);
    assert_int_equal(f->err.code, ERR_IO);
}

/* ---- Environment ---- */

static const char *value_of(const struct process_env *env, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->vars[i], name, len) == 0 && env->vars[i][len] == '=')
            return env->vars[i] + len + 1;
    return NULL;
}

static void environment_is_built(void **state)
{
    (void)state;
    assert_int_equal(setenv("TACKLE_TEST_SECRET", "s3cret", 1), 0);
    assert_int_equal(setenv("TZ", "Europe/Berlin", 1), 0);
    const char *const extra[] = {"LANG=de_DE.UTF-8", "COLUMNS=", "A=b=c", NULL};
    struct process_env env;
    struct err err;
    assert_int_equal(process_env_init(&env, NULL, NULL, extra, &err), 0);
    assert_string_equal(value_of(&env, "PATH"), "/usr/local/bin:/usr/bin:/bin");
    assert_string_equal(value_of(&env, "HOME"), "/nonexistent");
    assert_string_equal(value_of(&env, "LANG"), "de_DE.UTF-8");
    assert_string_equal(value_of(&env, "TZ"), "Europe/Berlin");
    assert_string_equal(value_of(&env, "GIT_CONFIG_GLOBAL"), "/dev/null");
    assert_string_equal(value_of(&env, "COLUMNS"), "");
    assert_string_equal(value_of(&env, "A"), "b=c");
    assert_null(value_of(&env, "TMPDIR"));
    assert_null(value_of(&env, "TACKLE_TEST_SECRET"));
    assert_null(env.vars[env.count]);
    process_env_release(&env);
    process_env_release(&env);
    assert_int_equal(unsetenv("TACKLE_TEST_SECRET"), 0);
    assert_int_equal(unsetenv("TZ"), 0);
}

static void bad_environment_is_refused(void **state)
{
    (void)state;
    struct process_env env;
    struct err err;
    const char *const nameless[] = {"=x", NULL};
    assert_int_equal(process_env_init(&env, NULL, NULL, nameless, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    const char *const no_value[] = {"PATH", NULL};
    assert_int_equal(process_env_init(&env, NULL, NULL, no_value, &err), -1);
    assert_non_null(strstr(err.text, "NAME=value"));

    static char names[300][16];
    const char *many[301] = {NULL};
    for (int i = 0; i < 300; i++) {
        (void)snprintf(names[i], sizeof names[i], "V%d=x", i);
        many[i] = names[i];
    }
    assert_int_equal(process_env_init(&env, NULL, NULL, many, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);

    char *big = malloc((128u << 10) + 3);
    assert_non_null(big);
    memset(big, 'x', (128u << 10) + 2);
    big[1] = '=';
    big[(128u << 10) + 2] = '\0';
    const char *const large[] = {big, NULL};
    assert_int_equal(process_env_init(&env, NULL, NULL, large, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    free(big);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(tells_exit_status),
        CASE(tells_signals_and_leaves_no_core),
        CASE(waits_for_a_program_that_closed_its_output),
        CASE(time_limit_ends_it),
        CASE(clean_end_after_sigterm_is_seen),
        CASE(deaf_to_sigterm_is_killed),
        CASE(stopped_program_is_ended),
        CASE(cancel_ends_it),
        CASE(background_child_does_not_delay_the_end),
        CASE(daemons_do_not_escape),
        CASE(daemons_of_a_hung_program_end_with_it),
        CASE(blocked_pipes_end),
        CASE(output_of_what_it_piped_to_is_kept),
        CASE(other_children_of_the_caller_are_left_alone),
        CASE(all_ends_when_the_caller_is_killed),
        CASE(a_program_that_kills_its_keeper_is_an_error),
        CASE(standard_input_is_empty),
        CASE(has_no_other_descriptor),
        CASE(has_no_terminal_and_its_own_session),
        CASE(signals_are_reset),
        CASE(runs_in_the_directory),
        CASE(both_streams_come_in_order),
        CASE(many_lines_on_both_streams),
        CASE(bytes_are_kept_as_they_are),
        CASE(head_and_tail_frame_what_is_omitted),
        CASE(endless_output_is_cut_off),
        CASE(one_long_line),
        CASE(says_why_it_cannot_start),
        CASE(too_many_arguments),
        CASE(keeps_to_its_limits),
        CASE(workspace_cannot_shadow_a_program),
        CASE(many_runs_leak_nothing),
        CASE(no_descriptors_left_is_an_error),
        cmocka_unit_test(environment_is_built),
        cmocka_unit_test(bad_environment_is_refused),
    };
    return cmocka_run_group_tests_name("host/process", tests, NULL, NULL);
}
