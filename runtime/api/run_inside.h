/* The inside of tackle_run, shared by run_start.c (how it begins) and run.c (how it goes on). */
#ifndef API_RUN_INSIDE_H
#define API_RUN_INSIDE_H

#include "api/runtime.h"
#include "api/tape.h"
#include "io/tripwire.h"

struct tackle_run {
    struct tackle_runtime *rt;
    struct tackle_run *next, *prev;
    tackle_event_fn on_event;
    void *user;
    struct prepared prepared;
    struct provider provider, fallback;
    struct backend *backend, *fallback_backend; /* the second is NULL when there is no fallback */
    struct tape tape;
    struct results results;
    struct journal_file *journal; /* NULL: none is kept */
    bool unattended;              /* nobody answers: it never waits for that */
    bool resumed;                 /* it goes on from a journal of the past */
    char forked_from[32];         /* which is a copy of that of this run; "": it is not */
    char *schema;                 /* owned text of --output-schema; NULL */
    json_t *sandbox;              /* owned: how tools are held */
    struct tripwire *tripwire; /* owned: the workspace before the first command; NULL: none ran */
    struct run *run;
    struct chat_body body; /* of the request in flight */
    bool body_in_use;
    struct backend_ask *ask;
    struct loop_task drive;
    struct loop_timer wake;  /* between two tries */
    struct loop_timer limit; /* max_time */
    int64_t started_ms;
    bool active; /* counted in rt->active: it has begun and has not ended */
    bool finished;
};

/* No text, or nothing but white space. */
bool api_is_blank(const char *text);

/* ---- run.c ---- */

/* An empty run that can be freed. */
void api_run_init(struct tackle_run *r, struct tackle_runtime *rt);

/* Starts the clock of a run that has its first message, and drives it from the loop's next turn on.
 * `first` comes before anything else and calls api_run_drive() itself; NULL: nothing does. */
void api_run_begin(struct tackle_run *r, void (*first)(void *user));

/* Does what the state machine asks for; `user` is the run. */
void api_run_drive(void *user);

#endif
