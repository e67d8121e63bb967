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

#include "base/enforce.h"
#include "host/bwrap.h"
#include "host/cgroup.h"
#include "host/landlock.h"
#include "host/limits.h"
#include "host/mounts.h"
#include "host/namespaces.h"
#include "host/plan.h"
#include "host/rights.h"
#include "host/syscalls.h"

#define DESCRIBE_MEMORY_MIB 1024
#define DESCRIBE_PROCESSES  64
#define DESCRIBE_FILE_MIB   64

/* What the process inside tells the outer one, once. */
struct word {
    bool closed;
    struct step_failure failure;
};

/* What the outer process has prepared. */
struct closing {
    const struct sandbox_spec *spec;
    struct plan plan;
    struct cgroup cgroup;
    bool network; /* that of the machine */
    uid_t uid;
    gid_t gid;
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

static int close_t3(const struct closing *c, int word_fd, struct sandbox_report *report,
                    struct step_failure *failure)
{
    const struct sandbox_spec *spec = c->spec;
    return namespaces_settle(c->uid, c->gid, c->network, failure) ||
                   check_outer(word_fd, failure) || mounts_enter(spec, &c->plan, failure) ||
                   mounts_check(spec, failure) || close_process(spec, &c->plan, report, failure) ||
                   namespaces_split(failure) || adopt(failure)
               ? -1
               : 0;
}

static int close_t2(const struct closing *c, int word_fd, struct sandbox_report *report,
                    struct step_failure *failure)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return step_fail(failure, "pdeathsig", "it would outlive its runtime");
    return check_outer(word_fd, failure) || adopt(failure) ||
                   close_process(c->spec, &c->plan, report, failure)
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

/* Limits that are counted from the first instruction inside. */
static void join(struct closing *c, struct sandbox_report *report)
{
    limits_prefer_to_end();
    cgroup_join(&c->cgroup);
    (void)snprintf(report->cgroup, sizeof report->cgroup, "%s", c->cgroup.controllers);
}

/* Returns in the process that serves. */
static void become_inner(struct closing *c, int word_fd, struct sandbox_report *report)
{
    struct word word = {.closed = false};
    join(c, report);
    int status = c->spec->tier == TIER_T3 ? close_t3(c, word_fd, report, &word.failure)
                                          : close_t2(c, word_fd, report, &word.failure);
    word.closed = status == 0;
    report->own_pids = c->spec->tier == TIER_T3; /* namespaces_settle() has seen to it */
    say(word_fd, &word);
    (void)close(word_fd);
    for (size_t i = 0; i < c->cgroup.count; i++)
        (void)close(c->cgroup.groups[i].procs_fd);
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

/* The end of the outer process, or its part in a failure. */
static int attend(struct closing *c, pid_t child, int word_fd, struct step_failure *failure)
{
    struct word word = {.closed = false};
    bool heard = hear(word_fd, &word);
    (void)close(word_fd);
    if (heard && word.closed)
        namespaces_mirror(child, cgroup_remove, &c->cgroup);
    if (heard)
        *failure = word.failure;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    return heard ? -1
                 : step_refuse(failure, "inside", "the process inside ended before it said why");
}

/* Returns in the process that serves with 0; in the outer one only with a failure. */
static int split(struct closing *c, struct sandbox_report *report, struct step_failure *failure)
{
    const struct sandbox_spec *spec = c->spec;
    bool own = spec->tier == TIER_T3;
    int fds[2];
    /* The new mount namespace gets it as its current folder. */
    if (own && spec->workspace && fchdir(spec->workspace_fd))
        return step_fail(failure, "chdir", "%s", spec->workspace);
    if (pipe2(fds, O_CLOEXEC))
        return step_fail(failure, "pipe", "no pipe to the inside");
    pid_t child = own ? namespaces_fork(c->network) : fork();
    if (child < 0)
        (void)step_fail(failure, own ? "clone" : "fork", "no process");
    (void)close(fds[child == 0 ? 0 : 1]);
    if (child > 0)
        return attend(c, child, fds[0], failure);
    if (child == 0) {
        become_inner(c, fds[1], report);
        return 0;
    }
    (void)close(fds[0]);
    return -1;
}

/* Never returns with 0: the process that serves is another program by then. */
static int split_bwrap(struct closing *c, struct sandbox_report *report,
                       struct step_failure *failure)
{
    struct word word = {.closed = false};
    int fds[2];
    if (pipe2(fds, O_CLOEXEC))
        return step_fail(failure, "pipe", "no pipe to the inside");
    pid_t child = fork();
    if (child == 0) {
        join(c, report);
        (void)bwrap_exec(c->spec, &c->plan, report->cgroup, fds[1], &word.failure);
        say(fds[1], &word);
        _exit(EXIT_FAILURE);
    }
    (void)close(fds[1]);
    if (child > 0)
        return attend(c, child, fds[0], failure);
    (void)close(fds[0]);
    return step_fail(failure, "fork", "no process");
}

/* Inside bubblewrap, which has seen to namespaces and mounts. Failures are heard by the outer
 * process. */
static void finish(const struct closing *c, struct sandbox_report *report)
{
    const struct sandbox_spec *spec = c->spec;
    struct word word = {.closed = false};
    report->bwrap = true;
    (void)snprintf(report->cgroup, sizeof report->cgroup, "%s", spec->cgroup);
    word.closed = bwrap_check(spec, &word.failure) == 0 && mounts_check(spec, &word.failure) == 0 &&
                  close_process(spec, &c->plan, report, &word.failure) == 0 &&
                  adopt(&word.failure) == 0;
    report->own_pids = true; /* bwrap_check() has seen to it */
    say(BWRAP_WORD_FD, &word);
    (void)close(BWRAP_WORD_FD);
    if (!word.closed)
        _exit(EXIT_FAILURE);
}

static int close_by_plan(struct closing *c, struct sandbox_report *report,
                         struct step_failure *failure)
{
    struct step_failure second = {{0}, {0}};
    if (c->spec->inside) {
        finish(c, report);
        return 0;
    }
    cgroup_make(c->spec, &c->cgroup);
    if (split(c, report, failure) == 0)
        return 0;
    if (bwrap_can(c->spec) && split_bwrap(c, report, &second)) {
        size_t used = strlen(failure->text);
        (void)snprintf(failure->text + used, sizeof failure->text - used,
                       "; bubblewrap does not help (%.64s)", second.step);
    }
    cgroup_remove(&c->cgroup);
    return -1;
}

static int enclose(const struct sandbox_spec *spec, struct sandbox_report *report,
                   struct step_failure *failure)
{
    struct closing *c = calloc(1, sizeof *c);
    if (!c)
        return step_refuse(failure, "plan", "out of memory");
    c->spec = spec;
    c->network = spec->network || !ENFORCED(sandbox_network);
    c->uid = geteuid();
    c->gid = getegid();
    int status = plan_make(spec, &c->plan, failure);
    report->cut = c->plan.cut;
    if (status == 0)
        status = close_by_plan(c, report, failure);
    plan_release(&c->plan);
    free(c);
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

int sandbox_describe(const char *plugin, int plugin_fd, struct step_failure *failure)
{
    struct sandbox_spec spec = {.workspace_fd = -1,
                                .plugin = plugin,
                                .plugin_fd = plugin_fd,
                                .memory_mib = DESCRIBE_MEMORY_MIB,
                                .processes = DESCRIBE_PROCESSES,
                                .file_mib = DESCRIBE_FILE_MIB};
    static const enum sandbox_tier tiers[] = {TIER_T3, TIER_T2, TIER_EXTERNAL};
    int status = -1;
    if (!ENFORCED(sandbox_describe))
        return 0;
    for (size_t i = 0; i < sizeof tiers / sizeof *tiers && status; i++) {
        struct sandbox_report report;
        spec.tier = tiers[i];
        status = sandbox_enter(&spec, &report, failure);
    }
    return status;
}
