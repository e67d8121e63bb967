#include "host/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* As shells tell of it, and bubblewrap too. */
#define BY_SIGNAL 128

pid_t namespaces_fork(bool network)
{
    unsigned long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                          CLONE_NEWCGROUP | SIGCHLD;
    if (!network)
        flags |= CLONE_NEWNET;
    /* Not unshare(): the outer process must stay as it is, to see to what is left and to try
     * bubblewrap. What libc does in fork() matters to callers with threads or handlers; and the
     * child forks by libc's way before it does anything that depends on it. */
    return (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t written = write(fd, text, strlen(text));
    int why = errno;
    (void)close(fd);
    errno = why;
    return written == (ssize_t)strlen(text) ? 0 : -1;
}

static int map_ids(uid_t uid, gid_t gid, struct step_failure *failure)
{
    char line[64];
    /* The kernel wants it before a group map of somebody who is not root. */
    if (write_file("/proc/self/setgroups", "deny"))
        return step_fail(failure, "setgroups", "groups cannot be kept from changing");
    (void)snprintf(line, sizeof line, "%u %u 1\n", (unsigned)uid, (unsigned)uid);
    if (write_file("/proc/self/uid_map", line))
        return step_fail(failure, "uid_map", "no user in the new namespace");
    (void)snprintf(line, sizeof line, "%u %u 1\n", (unsigned)gid, (unsigned)gid);
    if (write_file("/proc/self/gid_map", line))
        return step_fail(failure, "gid_map", "no group in the new namespace");
    return 0;
}

static int raise_loopback(struct step_failure *failure)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int status = fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0 ? -1 : 0;
    request.ifr_flags |= IFF_UP;
    if (status == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        status = -1;
    if (status)
        (void)step_fail(failure, "loopback", "no loopback device");
    if (fd >= 0)
        (void)close(fd);
    return status;
}

int namespaces_settle(uid_t uid, gid_t gid, bool network, struct step_failure *failure)
{
    /* What sweeps processes away later relies on it. */
    if (getpid() != 1)
        return step_refuse(failure, "clone", "the kernel gave no process numbers of its own");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return step_fail(failure, "pdeathsig", "it would outlive its runtime");
    if (map_ids(uid, gid, failure))
        return -1;
    return network ? 0 : raise_loopback(failure);
}

int namespaces_split(struct step_failure *failure)
{
    pid_t server = fork();
    if (server < 0)
        return step_fail(failure, "fork", "no second process");
    if (server > 0)
        namespaces_mirror(server, NULL, NULL);
    return 0;
}

/* The outer process and process 1 hold nothing: what they had of the link would keep it open. */
static void let_go(void)
{
    (void)close_range(3, ~0u, 0);
}

static _Noreturn void end_by(int sig)
{
    sigset_t only;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, sig);
    (void)signal(sig, SIG_DFL);
    (void)sigprocmask(SIG_UNBLOCK, &only, NULL);
    (void)raise(sig);
    _exit(BY_SIGNAL + sig); /* process 1, which is immune to itself; or not a deadly signal */
}

_Noreturn void namespaces_mirror(pid_t child, void (*before)(void *user), void *user)
{
    int status = 0;
    let_go();
    while (waitpid(-1, &status, 0) != child)
        if (errno == ECHILD)
            _exit(EXIT_FAILURE);
    if (before)
        before(user);
    if (WIFSIGNALED(status))
        end_by(WTERMSIG(status));
    if (getpid() != 1 && WEXITSTATUS(status) > BY_SIGNAL && WEXITSTATUS(status) < BY_SIGNAL + NSIG)
        end_by(WEXITSTATUS(status) - BY_SIGNAL);
    _exit(WEXITSTATUS(status));
}
