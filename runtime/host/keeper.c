/* The keeper: fork, exec, and the end of everything that came of it. It holds no lock and calls
 * only what is safe after fork(), so that the caller may have threads. */
#include "host/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

/* How long a killed process may take to go: one that hangs in the kernel never does. */
#define REAP_MS 5000

#define PARENT_DIED SIGUSR1 /* sent by the kernel */

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

enum stage {
    RUNNING,  /* the program runs */
    SETTLING, /* it has ended, what it started may end by itself */
    ENDING,   /* SIGTERM was sent */
    KILLING   /* SIGKILL is sent until nobody is left */
};

struct watch {
    pid_t parent;
    pid_t leader;   /* the program itself */
    int signals_fd; /* SIGCHLD, and PARENT_DIED */
    int hold_fd;    /* -1 once the parent has let go */
    int report_fd;
    enum stage stage;
    int64_t until_ms; /* when the stage ends; RUNNING has no end */
    bool ended;       /* the leader has */
    int status;       /* its wait status */
    int64_t ended_ms;
};

static void report(int fd, enum keeper_event event, int value, int64_t at_ms)
{
    struct keeper_report r = {.event = (int32_t)event, .value = value, .at_ms = at_ms};
    ssize_t sent; /* below PIPE_BUF: whole or not at all; with no reader nobody wants it */
    do
        sent = write(fd, &r, sizeof r);
    while (sent < 0 && errno == EINTR);
}

/* ---- The program, between fork() and execve(). ---- */

static const char *search_path(const char *const *env)
{
    for (; env && *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return DEFAULT_PATH;
}

/* "dir/name" for a whole path below PATH_MAX; only absolute directories count, so that no file of
 * the workspace can pass for a system program. */
static bool join(char out[PATH_MAX], const char *dir, size_t dir_len, const char *name)
{
    size_t name_len = strlen(name);
    if (dir_len == 0 || *dir != '/' || dir_len + 1 + name_len >= PATH_MAX)
        return false;
    memcpy(out, dir, dir_len);
    out[dir_len] = '/';
    memcpy(out + dir_len + 1, name, name_len + 1);
    return true;
}

static void exec_file(const char *file, const struct process_spec *spec)
{
    /* execve() takes both as they are declared for historical reasons and changes neither. */
    (void)execve(file, (char *const *)spec->argv, (char *const *)spec->env);
}

/* Returns only when no program could be started, with the errno that says most. */
static int exec_program(const struct process_spec *spec)
{
    const char *name = spec->argv[0];
    if (strchr(name, '/')) {
        exec_file(name, spec);
        return errno;
    }
    int why = ENOENT;
    for (const char *dir = search_path(spec->env); *dir; dir += *dir == ':') {
        size_t len = strcspn(dir, ":");
        char file[PATH_MAX];
        if (join(file, dir, len, name)) {
            exec_file(file, spec);
            if (errno == EACCES)
                why = EACCES; /* there may be a better one further on */
            else if (errno != ENOENT && errno != ENOTDIR)
                return errno;
        }
        dir += len;
    }
    return why;
}

/* Dispositions that are ignored and a blocked mask would survive execve(): `yes | head -1` would
 * then say "Broken pipe". */
static void reset_signals(void)
{
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL); /* fails for SIGKILL, SIGSTOP and two of libc's own */
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static noreturn void lead(const struct process_spec *spec, pid_t keeper, int report_fd)
{
    const struct rlimit no_core = {0, 0};
    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper ||
        setrlimit(RLIMIT_CORE, &no_core) != 0) {
        report(report_fd, KEEPER_NO_SETUP, errno, 0);
    } else if (fchdir(spec->cwd_fd) != 0) {
        report(report_fd, KEEPER_NO_CWD, errno, 0);
    } else if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
        report(report_fd, KEEPER_NO_SETUP, errno, 0);
    } else {
        reset_signals();
        int why = exec_program(spec);
        report(report_fd, KEEPER_NO_EXEC, why, 0);
    }
    _exit(127);
}

/* ---- The keeper. ---- */

/* Sends `sig` to the groups of all children. A child that is not reaped keeps the number of its
 * group in use, so that no stranger can be hit; and a group is signalled at once, so that a fork
 * bomb cannot outrun it. What is deeper becomes a child when its parent ends. */
static void signal_children(int sig)
{
    char list[16384];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, list, sizeof list);
    if (fd >= 0)
        (void)close(fd);
    pid_t pid = 0, last = 0;
    for (ssize_t i = 0; i < len; i++) {
        if (list[i] >= '0' && list[i] <= '9') {
            pid = pid * 10 + (list[i] - '0');
            continue;
        }
        pid_t group = pid > 1 ? getpgid(pid) : -1;
        if (group > 1 && group != getpgrp() && group != last) {
            (void)kill(-group, sig);
            if (sig != SIGKILL)
                (void)kill(-group, SIGCONT); /* a stopped process would not see the signal */
            last = group;
        } else if (group > 1 && group == getpgrp()) {
            (void)kill(pid, SIGKILL); /* has not come as far as setsid() */
        }
        pid = 0;
    }
}

static void enter(struct watch *w, enum stage stage, int64_t for_ms)
{
    w->stage = stage;
    w->until_ms = clock_ms() + for_ms;
    if (stage == ENDING)
        signal_children(SIGTERM);
}

/* The parent wants it to end. */
static void let_go(struct watch *w)
{
    w->hold_fd = -1;
    if (w->stage == RUNNING)
        enter(w, ENDING, PROCESS_KILL_GRACE_MS);
    else if (w->stage == SETTLING)
        enter(w, ENDING, PROCESS_SETTLE_MS);
}

/* Collects the children that have ended. False when none is left. */
static bool reap(struct watch *w)
{
    struct signalfd_siginfo info;
    ssize_t drained = read(w->signals_fd, &info, sizeof info);
    (void)drained; /* EAGAIN: woken by something else */
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            return true;
        if (pid < 0)
            return errno == EINTR;
        if (pid != w->leader)
            continue;
        w->ended = true;
        w->status = status;
        w->ended_ms = clock_ms();
        if (w->stage == RUNNING)
            enter(w, SETTLING, PROCESS_SETTLE_MS);
        else if (w->stage == ENDING)
            enter(w, ENDING, PROCESS_SETTLE_MS);
    }
}

static void wait_for_event(struct watch *w)
{
    struct pollfd fds[] = {{.fd = w->signals_fd, .events = POLLIN},
                           {.fd = w->hold_fd, .events = POLLIN}};
    int64_t left = w->stage == RUNNING ? -1 : w->until_ms - clock_ms();
    if (left < -1)
        left = 0;
    if (poll(fds, 2, (int)left) > 0 && fds[1].revents)
        let_go(w);
}

/* Until nothing is left of what the program started. When the parent is no more, nobody waits for a
 * clean end. */
static void watch_all(struct watch *w)
{
    while (reap(w)) {
        if (w->stage != KILLING && getppid() != w->parent)
            enter(w, KILLING, REAP_MS);
        if (w->stage != RUNNING && clock_ms() >= w->until_ms) {
            if (w->stage == KILLING)
                return;
            if (w->stage == SETTLING)
                enter(w, ENDING, PROCESS_SETTLE_MS);
            else
                enter(w, KILLING, REAP_MS);
        }
        if (w->stage == KILLING)
            signal_children(SIGKILL);
        wait_for_event(w);
    }
}

/* Closes all from 3 on but these: the caller's other descriptors must not live on in the keeper,
 * where they would keep its connections open. */
static int close_others(int a, int b, int c)
{
    int keep[] = {a, b, c};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2 - i; j++)
            if (keep[j] > keep[j + 1]) {
                int swap = keep[j];
                keep[j] = keep[j + 1];
                keep[j + 1] = swap;
            }
    int next = 3;
    for (int i = 0; i < 3; i++) {
        if (keep[i] > next && close_range((unsigned)next, (unsigned)keep[i] - 1, 0) != 0)
            return -1;
        next = keep[i] + 1;
    }
    return close_range((unsigned)next, ~0u, 0);
}

/* Makes this fork the keeper: /dev/null and the output pipe as 0, 1 and 2, one signal to read. */
static int become_keeper(const struct process_spec *spec, int output_fd, struct watch *w)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0)
        return -1;
    if (close_others(w->hold_fd, w->report_fd, spec->cwd_fd) != 0 || setsid() < 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || prctl(PR_SET_PDEATHSIG, PARENT_DIED) != 0)
        return -1;
    (void)prctl(PR_SET_NAME, "tackle-keeper"); /* for those who look at ps */
    sigset_t child;
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigaddset(&child, PARENT_DIED);
    (void)signal(SIGCHLD, SIG_DFL); /* were it ignored, nothing could be waited for */
    (void)signal(SIGPIPE, SIG_IGN);
    w->signals_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return w->signals_fd < 0 ? -1 : 0;
}

/* All signals are blocked here. */
static noreturn void keep(const struct process_spec *spec, struct watch *w, int output_fd)
{
    pid_t self = getpid();
    if (become_keeper(spec, output_fd, w) != 0 || (w->leader = fork()) < 0) {
        report(w->report_fd, KEEPER_NO_SETUP, errno, 0);
        _exit(1);
    }
    if (w->leader == 0)
        lead(spec, self, w->report_fd);
    (void)dup2(0, 1); /* the pipe belongs to the program alone */
    (void)dup2(0, 2);
    (void)close(spec->cwd_fd);
    watch_all(w);
    report(w->report_fd, KEEPER_ENDED, w->ended ? w->status : SIGKILL,
           w->ended ? w->ended_ms : clock_ms());
    _exit(0);
}

/* ---- The caller. ---- */

static void close_pair(const int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

static int make_pipe(int fds[2], struct err *err)
{
    if (pipe2(fds, O_CLOEXEC) == 0) {
        if (fds[0] > 2 && fds[1] > 2)
            return 0;
        return err_set(err, ERR_INTERNAL, "descriptors 0 to 2 must be open to run a program");
    }
    return err_set(err, ERR_IO, "no pipe for a program's output: %s", strerror(errno));
}

/* Forks with every signal blocked, so that the keeper cannot be ended by one meant for the caller.
 */
static pid_t fork_blocked(void)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return -1;
    pid_t pid = fork();
    int why = errno;
    if (pid != 0)
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return pid;
}

int keeper_start(const struct process_spec *spec, struct keeper *keeper, struct err *err)
{
    int hold[2] = {-1, -1}, reports[2] = {-1, -1}, output[2] = {-1, -1};
    if (make_pipe(hold, err) || make_pipe(reports, err) || make_pipe(output, err))
        goto fail;
    if (fcntl(output[0], F_SETFL, O_NONBLOCK) != 0) {
        (void)err_set(err, ERR_IO, "a program's output cannot be read: %s", strerror(errno));
        goto fail;
    }
    struct watch watch = {.parent = getpid(), .hold_fd = hold[0], .report_fd = reports[1]};
    pid_t pid = fork_blocked();
    if (pid == 0)
        keep(spec, &watch, output[1]);
    if (pid < 0) {
        (void)err_set(err, ERR_LIMIT, "no more programs can be started: %s", strerror(errno));
        goto fail;
    }
    (void)close(hold[0]);
    (void)close(reports[1]);
    (void)close(output[1]);
    *keeper = (struct keeper){
        .pid = pid, .hold_fd = hold[1], .report_fd = reports[0], .output_fd = output[0]};
    return 0;
fail:
    close_pair(hold);
    close_pair(reports);
    close_pair(output);
    return -1;
}
