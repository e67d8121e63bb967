/* The inside of the calls into plugins, shared by toolhost.c (calls and who serves them),
 * toolhost_process.c (one process) and toolhost_frames.c (what it says). */
#ifndef IO_TOOLHOST_STATE_H
#define IO_TOOLHOST_STATE_H

#include <tackle/plugin.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/fetch.h"
#include "io/spawn.h"
#include "io/toolhost.h"
#include "wire/link.h"

#define PRINTED_MAX 2048 /* of what a plugin prints, kept for the message when it dies */

enum process_state {
    STARTING, /* OPEN is on its way */
    IDLE,
    BUSY,
    ENDING /* killed, or its socket is closed: waits to be reaped */
};

/* The processes for one plugin in one place, and the calls that wait for one. */
struct group {
    struct toolhost *hosts;
    struct group *next;
    char *path, *name, *workspace; /* owned */
    json_t *options;               /* owned */
    json_t *file;                  /* owned: which file was described; see plugin.h */
    int workspace_fd;              /* owned */
    json_t *confine;               /* owned: the members of OPEN, an object */
    bool runs;                     /* its tools start programs */
    struct process *processes;
    size_t process_count;
    struct toolhost_call *waiting, **waiting_end;
    struct loop_task serve; /* a new call waits */
};

struct process {
    struct group *group;
    struct process *next;
    enum process_state state;
    bool recycle; /* it leaks: use another for the next call */
    struct spawned spawned;
    struct loop_watch socket, ended, printed;
    bool writing; /* the socket is watched for room */
    struct loop_timer idle;
    int cancel_fd;
    struct buf in, out;
    char tail[PRINTED_MAX + 1]; /* the last of what it printed */
    size_t tail_len;
    char problem[512]; /* why it is ENDING; "" */
    struct toolhost_call *call;
};

struct toolhost_call {
    struct toolhost *hosts;
    struct group *group;
    struct process *process; /* NULL while it waits */
    struct toolhost_call *next;
    const struct tool *tool;
    struct toolhost_events events; /* all NULL once abandoned */
    char *args;                    /* NULL once they are sent */
    size_t args_len;
    char *key;
    bool probe; /* is it done? with `note`, owned, which may be NULL */
    char *note;
    uint32_t number;
    int64_t timeout_ms, started_ms, deadline_ms;
    bool cancelled, expired;
    bool killed;             /* it did not end by itself */
    struct loop_timer timer; /* deadline, then deadline plus grace */
    struct buf output;
    uint64_t omitted;
    const struct network *network; /* NULL: none, or the call is abandoned */
    struct hosts granted;          /* those of the URLs in its arguments */
    struct fetch *fetch;
};

struct toolhost {
    struct loop *loop;
    struct http *http;
    char *program;
    struct scratch *scratch;
    char *home, *tmp; /* of programs; made when the first plugin that runs some starts */
    struct group *groups;
    uint32_t calls;
};

/* ---- toolhost.c ---- */

/* Gives waiting calls to idle processes, and starts more when they are too few. */
void toolhost_serve(struct group *group);

/* The call's result: tells its owner and frees it. */
void toolhost_end_call(struct toolhost_call *call, int32_t code, const char *message, bool died);

/* The call is not run at all: it cannot be confined as it has to be. */
void toolhost_refuse_call(struct toolhost_call *call, const char *message);
void toolhost_free_call(struct toolhost_call *call);

/* Takes a call out of its group's line. */
void toolhost_unlink(struct toolhost_call *call);

/* ---- toolhost_process.c ---- */

int toolhost_process_start(struct group *group, struct err *err);

/* Hands a call to an idle process. */
void toolhost_process_give(struct process *p, struct toolhost_call *call);

/* No more frames from it: it is killed if it still lives. Its call ends when it is reaped.
 * `problem` says what rule it broke; NULL: none. */
void toolhost_process_kill(struct process *p, const char *problem);

/* Asks an idle process to run its plugin's close() and exit. */
void toolhost_process_close(struct process *p);

/* The running call is over: the process waits for the next. */
void toolhost_process_rest(struct process *p);

/* Sends what is in p->out, now or when there is room. */
void toolhost_process_flush(struct process *p);

/* Kills, reaps and frees, at once and without a result for its call. */
void toolhost_process_destroy(struct process *p);

/* ---- toolhost_frames.c ---- */

void toolhost_take_frame(struct process *p, const struct link_frame *frame);

#endif
