/* Processes: what a command inside can see of others, do to them, leave behind, and ask of the
 * kernel. */
#include "test_support.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_peer.h"

#define ATTEMPT TEST_BUILD_DIR "/tests/tools/attempt"
#define SECRET  "CANARY-ENVIRONMENT"

static void each(const char *tier, const char *more, void (*attack)(struct host_inside *in))
{
    uid_t users[2];
    size_t count = host_users(users);
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        host_inside_start(&in, users[i], tier, more);
        attack(&in);
        host_inside_end(&in);
    }
}

static void refused(struct host_peer *p, const char *what, long argument)
{
    char command[256], expected[64];
    (void)snprintf(command, sizeof command, ATTEMPT " %s %ld", what, argument);
    (void)snprintf(expected, sizeof expected, "%s: refused", what);
    host_peer_says(p, command, expected);
}

/* SBX-11, SBX-12, SBX-13: this test is the agent, and has a secret in its environment. */
static void attack_the_agent(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    char command[256];
    host_peer_hides(p, "cat /proc/*/environ /proc/self/task/*/environ", SECRET);
    host_peer_hides(p, "cat /proc/$PPID/environ; cat /proc/1/environ; strings /proc/1/environ",
                    SECRET);
    (void)snprintf(command, sizeof command, "cat /proc/%d/environ", (int)getpid());
    host_peer_hides(p, command, SECRET);
    (void)snprintf(command, sizeof command,
                   "head -c 1 /proc/%d/mem && echo READ; readlink /proc/%d/fd/1 && echo LISTED",
                   (int)getpid(), (int)getpid());
    host_peer_hides(p, command, "READ");
    host_peer_hides(p, command, "LISTED");
    refused(p, "attach", getpid());
    refused(p, "memory", getpid());
    refused(p, "signal", getpid());
}

static void sbx_11_12_13_t3(void **state)
{
    (void)state;
    each("t3", NULL, attack_the_agent);
}

static void sbx_11_12_13_t2(void **state)
{
    (void)state;
    each("t2", NULL, attack_the_agent);
}

/* The process that serves holds the link: nobody inside may take it from there. */
static void attack_the_server(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    refused(p, "attach", 1);
    refused(p, "attach", 2);
    refused(p, "memory", 2);
    host_peer_hides(p, "ls -l /proc/2/fd/ && echo LISTED", "LISTED");
    host_peer_hides(p, "head -c 1 /proc/2/environ && echo READ", "READ");
    host_peer_hides(p, "head -c 1 /proc/2/mem && echo READ", "READ");
    host_peer_hides(p, "echo x > /proc/2/fd/3 && echo WRITTEN", "WRITTEN");
    host_peer_says(p, "kill -9 1; kill -TERM 1; sleep 0.1; echo alive", "alive");
}

static void the_server_is_closed(void **state)
{
    (void)state;
    each("t3", NULL, attack_the_server);
}

/* SBX-20 */
static void leave_the_namespaces(struct host_inside *in)
{
    static const long kinds[] = {0x10000000, 0x00020000, 0x20000000, 0x40000000,
                                 0x08000000, 0x04000000, 0x02000000};
    struct host_peer *p = &in->peer;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        refused(p, "clone", kinds[i]);
    host_peer_says(p, ATTEMPT " clone 0", "clone: done");
    host_peer_says(p, ATTEMPT " clone3", "clone3: refused (ENOSYS)");
    host_peer_says(p, ATTEMPT " mount /tmp", "mount: refused");
    host_peer_says(p, ATTEMPT " chroot /tmp", "chroot: refused (EPERM)");
    host_peer_hides(p, "unshare -Ur true && echo LEFT", "LEFT");
    refused(p, "call", SYS_unshare);
    refused(p, "call", SYS_setns);
    refused(p, "call", SYS_pivot_root);
}

static void sbx_20_t3(void **state)
{
    (void)state;
    each("t3", NULL, leave_the_namespaces);
}

static void sbx_20_t2(void **state)
{
    (void)state;
    each("t2", NULL, leave_the_namespaces);
}

/* SBX-21: refused as such, not for their wrong arguments. */
static void ask_the_kernel(struct host_inside *in)
{
    static const long forbidden[] = {SYS_bpf,
                                     SYS_perf_event_open,
                                     SYS_userfaultfd,
                                     SYS_open_by_handle_at,
                                     SYS_kexec_load,
                                     SYS_init_module,
                                     SYS_finit_module,
                                     SYS_mount,
                                     SYS_umount2,
                                     SYS_open_tree,
                                     SYS_move_mount,
                                     SYS_fsopen,
                                     SYS_mount_setattr,
                                     SYS_reboot,
                                     SYS_swapon,
                                     SYS_clock_settime,
                                     467};
    static const long absent[] = {SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
                                  SYS_keyctl,         SYS_add_key,        SYS_request_key};
    char command[128];
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        (void)snprintf(command, sizeof command, ATTEMPT " call %ld", forbidden[i]);
        host_peer_says(&in->peer, command, "call: refused (EPERM)");
    }
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        (void)snprintf(command, sizeof command, ATTEMPT " call %ld", absent[i]);
        host_peer_says(&in->peer, command, "call: refused (ENOSYS)");
    }
    host_peer_says(&in->peer, ATTEMPT " type", "type: refused (EPERM)");
}

static void sbx_21(void **state)
{
    (void)state;
    each("t3", NULL, ask_the_kernel);
}

/* SBX-22 */
static void use_other_numbers(struct host_inside *in)
{
#ifdef __x86_64__
    host_peer_says(&in->peer, ATTEMPT " call-32", "call-32: refused (ENOSYS)");
    host_peer_says(&in->peer, ATTEMPT " call-x32", "call-x32: refused (ENOSYS)");
#else
    (void)in;
    test_skip("this machine has one set of system calls only");
#endif
}

static void sbx_22(void **state)
{
    (void)state;
    each("t3", NULL, use_other_numbers);
}

/* SBX-23, SBX-24 */
static void count_rights(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    host_peer_says(p, "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1");
    host_peer_says(p, "grep CapEff /proc/self/status", "CapEff:\t0000000000000000");
    host_peer_says(p, "grep CapPrm /proc/self/status", "CapPrm:\t0000000000000000");
    host_peer_says(p, "grep CapAmb /proc/self/status", "CapAmb:\t0000000000000000");
    host_peer_says(p, "grep -E '^Seccomp:' /proc/self/status", "Seccomp:\t2");
    host_peer_says(p, "ulimit -c", "\n0");
    host_peer_hides(p, "sudo -n id && echo GAINED; su -c id </dev/null && echo GAINED", "GAINED");
}

/* Without a capability to do so, the bounding set cannot be emptied; in a namespace it can. */
static void count_rights_t3(struct host_inside *in)
{
    count_rights(in);
    host_peer_says(&in->peer, "grep CapBnd /proc/self/status", "CapBnd:\t0000000000000000");
}

static void sbx_23_24_t3(void **state)
{
    (void)state;
    each("t3", NULL, count_rights_t3);
}

static void sbx_23_24_t2(void **state)
{
    (void)state;
    each("t2", NULL, count_rights);
}

/* Debuggers and leak checkers of what is tested work in t3; in t2 nothing traces anything. */
static void trace_own(struct host_inside *in)
{
    host_peer_says(&in->peer, ATTEMPT " trace-child", "trace-child: done");
}

static void trace_none(struct host_inside *in)
{
    host_peer_says(&in->peer, ATTEMPT " trace-child", "trace-child: refused (EPERM)");
}

static void tracing(void **state)
{
    (void)state;
    each("t3", NULL, trace_own);
    each("t2", NULL, trace_none);
}

/* What a call leaves behind is gone when its result is there, however it hid. */
static void leave_something(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    char start[256], look[256], sleeper[64];
    int own = (int)getpid(); /* t2 sees the processes of other tests, too */
    (void)snprintf(sleeper, sizeof sleeper, "sleep 611.%d ", own);
    (void)snprintf(start, sizeof start,
                   "setsid %s & nohup %s >/dev/null 2>&1 & (setsid sh -c '%s & %s' &) ; "
                   "echo started",
                   sleeper, sleeper, sleeper, sleeper);
    (void)snprintf(look, sizeof look,
                   "grep -ls 'sleep.611.%d' /proc/[0-9]*/cmdline | grep -v /self/ | while read f; "
                   "do tr '\\0' ' ' < $f; done 2>/dev/null",
                   own);
    host_peer_says(p, start, "started");
    host_peer_hides(p, look, sleeper);
}

/* The process that watches a command is of the same user, so the command can kill it. */
static void kill_the_watcher(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    host_peer_says(p, "setsid sleep 613 & kill -9 $PPID; sleep 614", "unknown");
    host_peer_hides(p, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", "sleep 613 ");
    host_peer_hides(p, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", "sleep 614 ");
}

static void nothing_is_left_of_a_lost_command(void **state)
{
    (void)state;
    each("t3", NULL, kill_the_watcher);
}

static void nothing_is_left(void **state)
{
    (void)state;
    each("t3", NULL, leave_something);
    each("t2", NULL, leave_something);
}

static size_t count_processes(const char *marker)
{
    size_t found = 0;
    DIR *dir = opendir("/proc");
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char path[300];
        size_t len = 0;
        (void)snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        char *text =
            entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? test_read_file(path, &len) : NULL;
        found += text && memmem(text, len, marker, strlen(marker)) != NULL;
        free(text);
    }
    assert_int_equal(closedir(dir), 0);
    return found;
}

/* The runtime is killed in the middle of a call: all of it goes. */
static void killed_from_outside(void **state)
{
    uid_t users[2];
    size_t count = host_users(users);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        char marker[32];
        int status;
        (void)snprintf(marker, sizeof marker, "6%d", (int)getpid() + 100000);
        host_inside_start(&in, users[i], "t3", NULL);
        pid_t caller = fork(); /* waits for the call's end, which does not come */
        assert_true(caller >= 0);
        if (caller == 0) {
            char command[128];
            (void)snprintf(command, sizeof command, "setsid sleep %s & sleep %s", marker, marker);
            free(host_peer_shell(&in.peer, command));
            _exit(0);
        }
        for (int tries = 0; tries < 500 && count_processes(marker) == 0; tries++)
            (void)usleep(10000);
        assert_true(count_processes(marker) > 0);
        assert_int_equal(kill(in.peer.pid, SIGKILL), 0); /* the outer process alone */
        for (int tries = 0; tries < 500 && count_processes(marker) > 0; tries++)
            (void)usleep(10000);
        assert_int_equal(count_processes(marker), 0);
        assert_int_equal(waitpid(caller, &status, 0), caller);
        assert_true(WIFSIGNALED(host_peer_end(&in.peer)));
        host_box_release(&in.box);
    }
}

/* How the plugin ended is told as it was, through two processes that wait. */
static void ends_are_told(void **state)
{
    static const char *const tiers[] = {"t3", "t2", "off"};
    (void)state;
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers; i++) {
        struct host_box box;
        struct host_peer peer;
        struct host_setup setup = {.plugin = TEST_BUILD_DIR "/abi/acts.so",
                                   .sandbox = host_sandbox(tiers[i], NULL)};
        host_box_init(&box, geteuid());
        host_peer_start(&peer, &box, &setup);
        assert_true(peer.opened);
        assert_null(host_peer_call(&peer, "act", json_pack("{s:s}", "do", "abort"), NULL));
        int status = host_peer_end(&peer);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("%s: the status is 0x%x", tiers[i], (unsigned)status);

        setup.sandbox = host_sandbox(tiers[i], NULL);
        host_peer_start(&peer, &box, &setup);
        status = host_peer_end(&peer);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        host_box_release(&box);
    }
}

/* Root at the top of the old hierarchy of process counts: there it can make a group. */
static bool has_pids_to_divide(void)
{
    char *own = test_read_file("/proc/self/cgroup", NULL);
    bool top = own && strstr(own, ":pids:/\n");
    free(own);
    return top && access("/sys/fs/cgroup/pids", W_OK) == 0;
}

/* A fork bomb hits a limit: the cgroup's or, for an ordinary user, the process limit. */
static void bomb(struct host_inside *in)
{
    const char *cgroup = json_string_value(json_object_get(in->peer.answer, "cgroup"));
    if (in->box.uid == 0 && !strstr(cgroup, "pids") && !has_pids_to_divide()) {
        print_message("root has no cgroup to divide here: nothing limits its processes\n");
        return;
    }
    host_peer_says(&in->peer, ATTEMPT " forks 60", "forks: refused (EAGAIN)");
    host_peer_says(&in->peer, "echo still here", "still here");
    host_peer_says(&in->peer, ATTEMPT " forks 8", "forks: done");
}

static void processes_are_limited(void **state)
{
    (void)state;
    each("t3", "{\"processes\":20}", bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sbx_11_12_13_t3),
        cmocka_unit_test(sbx_11_12_13_t2),
        cmocka_unit_test(the_server_is_closed),
        cmocka_unit_test(sbx_20_t3),
        cmocka_unit_test(sbx_20_t2),
        cmocka_unit_test(sbx_21),
        cmocka_unit_test(sbx_22),
        cmocka_unit_test(sbx_23_24_t3),
        cmocka_unit_test(sbx_23_24_t2),
        cmocka_unit_test(tracing),
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(nothing_is_left_of_a_lost_command),
        cmocka_unit_test(killed_from_outside),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(processes_are_limited),
    };
    /* In the environment from the start: what /proc shows. */
    if (!getenv("TACKLE_TEST_SECRET")) {
        (void)setenv("TACKLE_TEST_SECRET", SECRET, 1);
        (void)execl("/proc/self/exe", "test_processes", (char *)NULL);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
