/* Runs one program to its end and leaves nothing of it behind: the work of the service process/1.
 *
 * The program is started and watched by a keeper, a fork of the caller that adopts whatever the
 * program starts (PR_SET_CHILD_SUBREAPER), so that setsid, nohup and double forks do not escape,
 * other children of the caller are left alone, and all of it goes when the caller is killed. */
#ifndef HOST_PROCESS_H
#define HOST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define PROCESS_READ_MAX      (64u << 20) /* a program that writes more is ended: `flooded` */
#define PROCESS_KEEP_MAX      (16u << 20) /* the most that head_bytes and tail_bytes may ask for */
#define PROCESS_KILL_GRACE_MS 2000        /* from SIGTERM to SIGKILL when its time is up */
#define PROCESS_SETTLE_MS     200         /* what a finished program's children have to end, too */

struct process_spec {
    const char *const *argv; /* argv[0] is looked for in the PATH of `env`, or in cwd_fd if it has
                                a slash; relative entries of PATH are passed over */
    int cwd_fd;              /* directory to run in; O_PATH is enough */
    const char *const *env;  /* the whole environment; NULL-terminated */
    int64_t timeout_ms;      /* from the start; 0 or less: ended as soon as it has started */
    int cancel_fd;           /* once readable the program is ended; -1: none */
    size_t head_bytes;       /* output kept from its beginning */
    size_t tail_bytes;       /* output kept from its end */
};

struct process_outcome {
    int exit_status; /* 0 to 255; -1 when a signal ended it */
    int signal;      /* 0, or the signal that ended it */
    bool timed_out;  /* these three: it was ended, and why; at most one is set */
    bool cancelled;
    bool flooded;
    int64_t duration_ms; /* until the program itself ended */
    struct buf head;     /* standard output and standard error as they came */
    struct buf tail;     /* what came last; empty when all fits into head */
    uint64_t omitted;    /* bytes between head and tail */
};

/* Runs it: standard input is /dev/null, output and errors share one pipe, a session of its own, no
 * other descriptor, signals as a fresh process has them, no core file. The time limit, a readable
 * cancel_fd or too much output end it: SIGTERM, then SIGKILL. Once the program itself has ended,
 * what it started has PROCESS_SETTLE_MS to end; then it is killed. A pipe that is still open is
 * never waited for.
 *
 * 0 for any exit, and *out is the caller's to release; -1 when it could not be run, with *out
 * empty. Errors: ERR_NOT_FOUND, ERR_DENIED (not executable), ERR_LIMIT, ERR_USAGE, ERR_NOMEM,
 * ERR_IO. */
int process_run(const struct process_spec *spec, struct process_outcome *out, struct err *err);

/* Safe on an outcome that process_run left behind in either case, and twice. */
void process_outcome_release(struct process_outcome *out);

/* The environment of a program: built from a fixed list, not filtered from the caller's. */
struct process_env {
    char **vars; /* "NAME=value", NULL-terminated: for process_spec.env; owned */
    size_t count;
};

/* PATH=/usr/local/bin:/usr/bin:/bin, a UTF-8 C locale, no colour, no pager, no prompt, no git
 * configuration from outside the repository; USER, TZ and CI as the caller has them.
 * home: HOME, NULL: /nonexistent. tmp: TMPDIR, NULL: unset. extra: "NAME=value", NULL-terminated,
 * added or put in the place of one of the list; may be NULL. All are copied. 0, or -1 with *env
 * empty. Errors: ERR_USAGE (no name), ERR_LIMIT (over 256 entries or 128 KiB), ERR_NOMEM. */
int process_env_init(struct process_env *env, const char *home, const char *tmp,
                     const char *const *extra, struct err *err);
void process_env_release(struct process_env *env);

#endif
