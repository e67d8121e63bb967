#include "io/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGH_FD 64 /* above every number a child is given */

/* Sources are moved out of the way first, so that no dup2 overwrites one that is still needed. What
 * the program that embeds us left open without O_CLOEXEC stays with it. */
static int plan_fds(posix_spawn_file_actions_t *actions, const struct spawn_fd *fds, size_t count,
                    int high[SPAWN_FDS_MAX])
{
    int past = STDERR_FILENO + 1;
    for (size_t i = 0; i < count; i++) {
        high[i] = fcntl(fds[i].from, F_DUPFD_CLOEXEC, HIGH_FD);
        if (high[i] < 0)
            return errno;
        int status = posix_spawn_file_actions_adddup2(actions, high[i], fds[i].to);
        if (status != 0)
            return status;
        if (fds[i].to >= past)
            past = fds[i].to + 1;
    }
    return posix_spawn_file_actions_addclosefrom_np(actions, past);
}

static int plan_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    int status = posix_spawnattr_setsigmask(attributes, &none);
    if (status == 0)
        status = posix_spawnattr_setsigdefault(attributes, &all);
    if (status == 0)
        status = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    return status;
}

int spawn_start(const char *const argv[], const char *const env[], const struct spawn_fd *fds,
                size_t count, struct spawned *out, struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int high[SPAWN_FDS_MAX];
    *out = (struct spawned){.pid = -1, .pidfd = -1};
    for (size_t i = 0; i < SPAWN_FDS_MAX; i++)
        high[i] = -1;
    if (count > SPAWN_FDS_MAX)
        return err_set(err, ERR_INTERNAL, "too many descriptors for a child");
    if (posix_spawn_file_actions_init(&actions) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    int status = plan_fds(&actions, fds, count, high);
    if (status == 0)
        status = plan_attributes(&attributes);
    if (status == 0)
        status = posix_spawn(&out->pid, argv[0], &actions, &attributes, (char *const *)argv,
                             (char *const *)env); /* the C signature lacks a const */
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    for (size_t i = 0; i < count; i++)
        if (high[i] >= 0)
            (void)close(high[i]);
    if (status != 0)
        return err_set(err, ERR_IO, "cannot start %s: %s", argv[0], strerror(status));
    out->pidfd = pidfd_open(out->pid, 0);
    if (out->pidfd < 0) {
        status = errno;
        (void)kill(out->pid, SIGKILL);
        (void)waitpid(out->pid, NULL, 0);
        return err_set(err, ERR_IO, "cannot watch %s: %s", argv[0], strerror(status));
    }
    return 0;
}

void spawn_reap(struct spawned *process, char *text, size_t size)
{
    siginfo_t info = {0};
    int status;
    do
        status = waitid(P_PID, (id_t)process->pid, &info, WEXITED);
    while (status != 0 && errno == EINTR);
    if (status != 0) /* the embedding program ignores SIGCHLD, or reaps what is not its own */
        (void)snprintf(text, size, "ended");
    else if (info.si_code == CLD_EXITED)
        (void)snprintf(text, size, "ended with exit status %d", info.si_status);
    else if (sigabbrev_np(info.si_status))
        (void)snprintf(text, size, "was killed by SIG%s", sigabbrev_np(info.si_status));
    else
        (void)snprintf(text, size, "was killed by signal %d", info.si_status);
    (void)close(process->pidfd);
    process->pidfd = -1;
    process->pid = -1;
}

void spawn_kill(const struct spawned *process)
{
    /* The pid is not reaped yet, so it cannot belong to anything else. */
    if (process->pid > 0) {
        (void)kill(-process->pid, SIGKILL);
        (void)kill(process->pid, SIGKILL);
    }
}
