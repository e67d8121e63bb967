/* Runs the programs of a case: one, or several at the same time, with the endpoints served
 * meanwhile, all under a hard limit. */
#ifndef CASES_PROCESS_H
#define CASES_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "build.h"
#include "case.h"
#include "endpoint/endpoint.h"
#include "place.h"
#include "terminal.h"
#include "watch.h"

#define PROCESS_OUTPUT_MAX (64u << 20)

#define PROCESS_TOGETHER_MAX 8 /* programs at the same time */

/* How long a program's descendants may outlive it: security.md 2.0, G6. */
#define PROCESS_GRACE_MS 1000

/* A program that runs or has run. */
struct process {
    const struct run *run; /* borrowed */
    pid_t pid;
    int in_fd;  /* -1: nothing to write, or all written */
    int out_fd; /* -1: closed */
    int err_fd;
    pid_t besides[CASE_BESIDES_MAX];
    size_t beside_count;
    size_t written;
    struct buf out;
    struct buf err;
    bool flooded; /* more output than PROCESS_OUTPUT_MAX */
    bool ended;
    bool over_limit;
    int status; /* as waitpid() gives it */
    int64_t started_ms;
    uint32_t fired; /* one bit a trigger */
    struct typist typist;
    long peak_kib;        /* of its memory, and of what it waited for */
    size_t requests_seen; /* what it held when the first and the last of them came */
    struct watch at_first, at_last;
    long children_max;
};

struct endpoints {
    struct endpoint *items[CASE_ENDPOINTS_MAX]; /* [0] is the main one */
    const char *names[CASE_ENDPOINTS_MAX];
    int count;
};

/* Orphans of the programs become children of this process from now on, so that none gets away. */
int process_adopt_orphans(struct err *err);

/* Starts `run`, and what runs beside it, as the user of `build` in its folder with this environment
 * ("NAME=value", ended by NULL). 0 or -1. */
int process_start(struct process *process, const struct run *run, const struct place *place,
                  const struct endpoints *endpoints, const struct build *build,
                  char *const *environment, struct err *err);

/* Runs a script of `sh -e` in the workspace, and waits for it. 0, or -1 when it fails. */
int process_prepare(const char *script, const struct place *place, const struct build *build,
                    char *const *environment, struct err *err);

/* Serves and waits until all programs, at most PROCESS_TOGETHER_MAX, have ended and their
 * descendants too, at most one second longer. Programs over their limit are killed. Descendants
 * that are left are appended to `survivors`, one a line, and killed. 0 or -1. */
int process_wait(struct process *processes, size_t count, const struct endpoints *endpoints,
                 const struct place *place, struct buf *survivors, struct err *err);
void process_release(struct process *process);

/* "0", "130" or "signal 9" */
void process_exit_text(const struct process *process, char out[32]);

#endif
