#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/landlock.h"
#include "host/limits.h"
#include "host/mounts.h"
#include "host/namespaces.h"
#include "host/plan.h"
#include "host/rights.h"
#include "host/syscalls.h"

/* What the process inside tells the outer one, once. */
struct word {
    bool closed;
    struct sandbox_report report;
    struct step_failure failure;
};

/* ---- Inside ---- */

/* The steps that every way ends with. The order matters: the later ones forbid what the earlier
 * ones do. */
static int close_process(const struct sandbox_spec *spec, const struct plan *plan,
                         struct sandbox_report *report, struct step_failure *failure)
{
    return limits_set(spec, failure) || rights_forbid_new(failure) || rights_drop(failure) ||
                   landlock_close(spec, plan, &report->landlock, failure) ||
                   syscalls_close(spec, failure)
               ? -1
               : 0;
}

/* What the server's programs leave behind becomes its child, and is swept up after each call. */
static int adopt(struct step_failure *failure)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        return step_fail(failure, "subreaper", "processes could be left behind");
    return 0;
}

/* The outer one may have died before this process asked to be told. */
static int check_outer(int word_fd, struct step_failure *failure)
{
    struct pollfd outer = {.fd = word_fd, .events = POLLOUT};
    if (poll(&outer, 1, 0) < 0 || (outer.revents & (POLLERR | POLLNVAL)))
        return step_refuse(failure, "pdeathsig", "the runtime is gone");
    return 0;
}

static int close_t3(const struct sandbox_spec *spec, const struct plan *plan, uid_t uid, gid_t gid,
                    int word_fd, struct sandbox_report *report, struct step_failure *failure)
{
    limits_prefer_to_end();
    return namespaces_settle(uid, gid, spec->network, failure) || check_outer(word_fd, failure) ||
                   mounts_enter(spec, plan, failure) || mounts_check(spec, failure) ||
                   close_process(spec, plan, report, failure) || namespaces_split(failure) ||
                   adopt(failure)
               ? -1
               : 0;
}

static int close_t2(const struct sandbox_spec *spec, const struct plan *plan, int word_fd,
                    struct sandbox_report *report, struct step_failure *failure)
{
    limits_prefer_to_end();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return step_fail(failure, "pdeathsig", "it would outlive its runtime");
    return check_outer(word_fd, failure) || adopt(failure) ||
                   close_process(spec, plan, report, failure)
               ? -1
               : 0;
}

static void say(int fd, const struct word *word)
{
    ssize_t sent; /* below PIPE_BUF: whole or not at all */
    do
        sent = write(fd, word, sizeof *word);
    while (sent < 0 && errno == EINTR);
}

/* Returns in the process that serves. */
static void become_inner(const struct sandbox_spec *spec, const struct plan *plan, uid_t uid,
                         gid_t gid, int word_fd, struct sandbox_report *report)
{
    struct word word = {.closed = false};
    int status = spec->tier == TIER_T3
                     ? close_t3(spec, plan, uid, gid, word_fd, report, &word.failure)
                     : close_t2(spec, plan, word_fd, report, &word.failure);
    word.closed = status == 0;
    word.report = *report;
    say(word_fd, &word);
    (void)close(word_fd);
    if (status)
        _exit(EXIT_FAILURE);
}

/* ---- Outside ---- */

/* False when it ended without a word. */
static bool hear(int fd, struct word *word)
{
    ssize_t got;
    do
        got = read(fd, word, sizeof *word);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *word;
}

/* Returns in the process that serves with 0; in the outer one only with a failure. */
static int split(const struct sandbox_spec *spec, const struct plan *plan,
                 struct sandbox_report *report, struct step_failure *failure)
{
    struct word word = {.closed = false};
    int fds[2];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    if (pipe2(fds, O_CLOEXEC))
        return step_fail(failure, "pipe", "no pipe to the inside");
    /* The new namespaces get it as their current folder; elsewhere nothing depends on it. */
    if (spec->workspace && spec->tier == TIER_T3 && fchdir(spec->workspace_fd)) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        return step_fail(failure, "chdir", "%s", spec->workspace);
    }
    pid_t child = spec->tier == TIER_T3 ? namespaces_fork(spec->network) : fork();
    int why = errno;
    if (child == 0) {
        (void)close(fds[0]);
        become_inner(spec, plan, uid, gid, fds[1], report);
        return 0;
    }
    (void)close(fds[1]);
    errno = why;
    if (child < 0)
        (void)step_fail(failure, spec->tier == TIER_T3 ? "clone" : "fork", "no process");
    else if (!hear(fds[0], &word))
        (void)step_refuse(failure, "inside", "the process inside ended before it was closed");
    else
        *failure = word.failure;
    (void)close(fds[0]);
    if (child > 0 && word.closed)
        namespaces_mirror(child, NULL, NULL);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return -1;
}

static int enclose(const struct sandbox_spec *spec, struct sandbox_report *report,
                   struct step_failure *failure)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return step_refuse(failure, "plan", "out of memory");
    int status = plan_make(spec, plan, failure);
    report->cut = plan->cut;
    if (status == 0)
        status = split(spec, plan, report, failure);
    plan_release(plan);
    free(plan);
    return status;
}

int sandbox_enter(const struct sandbox_spec *spec, struct sandbox_report *report,
                  struct step_failure *failure)
{
    *report = (struct sandbox_report){.tier = spec->tier};
    *failure = (struct step_failure){{0}, {0}};
    if (spec->tier >= TIER_T2)
        return enclose(spec, report, failure);
    return limits_set(spec, failure) || rights_forbid_new(failure) ? -1 : 0;
}

int sandbox_describe(struct step_failure *failure)
{
    const struct sandbox_spec spec = {.tier = TIER_OFF};
    *failure = (struct step_failure){{0}, {0}};
    return limits_set(&spec, failure) || rights_forbid_new(failure) ? -1 : 0;
}
