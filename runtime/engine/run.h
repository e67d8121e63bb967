/*
 * A run as a state machine: it decides what happens next and does none of it. The owner asks
 * run_next() what to do, does it, and reports what came of it:
 *
 * - RUN_ASK: send run_body() to the model; then run_delta() as text comes, run_reply() at the end
 * - RUN_SLEEP: wait action.wait_ms, then run_awake()
 * - RUN_CALL: start action.call; then run_call_done()
 * - RUN_WAIT: nothing until something that was started is reported, or somebody uses run_decide()
 * - RUN_ENDED: the result is there
 *
 * No descriptor and no process is known here, so all of it is tested without a world.
 */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/redact.h"
#include "engine/event.h"
#include "engine/outcome.h"
#include "engine/policy.h"
#include "engine/provider.h"
#include "engine/tool.h"
#include "wire/chat_request.h"
#include "wire/chat_reply.h"
#include "wire/chat_turn.h"

#define RUN_CALLS_AT_ONCE    8
#define RUN_RESULT_MAX       (264u << 10) /* of a tool's result, for the model: head and tail */
#define RUN_CONVERSATION_MAX (512u << 20)
#define RUN_EVENT_OUTPUT_MAX (64u << 10) /* of it in an event; a file has the rest */
#define RUN_REASK_MAX        2           /* empty answers and malformed calls are asked for again */
#define RUN_WAIT_MAX_MS      60000       /* a longer wait asked for by the endpoint ends the run */
#define RUN_WAITING_MAX_MS   300000      /* all waits for one request together */

/* Borrowed pointers must live as long as the run. */
struct run_config {
    const struct provider *provider;
    const struct tool *const *tools; /* all that are known; those the policy denies stay hidden */
    size_t tool_count;
    const struct policy *policy;
    const json_t *sandbox;           /* how tools are held, as the result tells it; NULL: null */
    const char *system;              /* the whole system prompt */
    const struct provider *fallback; /* asked when the provider fails for good; NULL: none */
    const char *answer_schema;       /* the answer must be JSON that fits; NULL: any text */
    bool google_search;              /* not together with tools */
    bool stream;
    const char *effort; /* NULL: unset */
    enum chat_choice thoughts;
    int64_t max_steps;
    int64_t max_tool_calls; /* this and the next three: 0 is no limit */
    int64_t max_tokens;     /* input and output of all requests together */
    double max_cost_usd;
    int64_t max_time_ms; /* ends the work in good time; the owner has the hard limit */
    int64_t loop_limit;  /* the same call with the same result so often is a loop; 0: never */
    int64_t retries;
    bool ask;            /* calls wait for run_decide() where the policy says so; else nobody is */
    bool on_deny_fail;   /* a denied call ends the run, one that would have to be asked for pauses
                            it; else the model is told and the run goes on */
    int64_t max_denials; /* 0: no limit */
    /* Keeps a large result: the path of its file, malloc'd, or NULL. read_result, which is then
     * offered when the model's copy is cut, reads it by `id`. NULL: results are only cut. */
    char *(*keep)(void *user, const char *id, const char *text, size_t len);
    void *keep_user;
    const struct tool *read_result;
    /* Writes a record of the journal (engine/run_journal.h): 0, or -1 with *err, which ends the run
     * before anything is done that is not recorded. `sync`: it must be on disk on return. NULL:
     * there is no journal. */
    int (*journal)(void *user, const char *kind, const char *body, size_t len, bool sync,
                   struct err *err);
    void *journal_user;
    const struct redact *redact; /* what is taken out of all that leaves the run; NULL: nothing */
    event_sink sink;
    void *user;
};

enum call_state {
    CALL_READY,
    CALL_ASKED, /* somebody has to say yes or no: run_decide() */
    CALL_RUNNING,
    CALL_DONE
};

/* A person's answer; 0 is none. */
enum run_choice {
    RUN_ALLOW_ONCE = 1,
    RUN_ALLOW_RUN, /* and what approval_shape() says is the same, as long as the run goes on */
    RUN_DENY
};

struct run_call {
    enum call_state state;
    const struct tool *tool; /* NULL: there is no such tool */
    char *id;                /* owned: as the model knows it */
    char *name;              /* owned */
    char key[48];            /* ours: run, step and place in it; the same after a resume */
    char *args;              /* owned JSON text of the arguments object */
    size_t args_len;
    void *handle;     /* the owner's, while it runs */
    char *note;       /* owned: what the tool noted for its probe() when it was begun; NULL */
    bool probe;       /* ask the tool whether it was done, with `note`; then run_call_probed() */
    bool begun;       /* in another process, which has ended; its effect was this: */
    char effect_then; /* the first letter of its name */
    bool unreadable;  /* its arguments were */
    bool told;        /* tool.started was emitted */
    bool write;       /* it may write although the run may not: a person said so */
    struct policy_decision *asked; /* owned: what the person was, or is, asked about; NULL */
    char *denied;                  /* owned: another process had denied it, for this reason */
    enum run_choice answer;        /* given before the run went on; 0: none */
    bool answer_writes;            /* and it was about writing */
    char *answer_reason;           /* owned; NULL */
    struct buf result;             /* what the model gets */
    struct redact_stream progress; /* of what it shows while it runs */
};

struct run_result_of_call {
    int32_t code; /* 0 or a negative TACKLE_E_ code */
    const char *output;
    size_t len;
    const char *message; /* of a failure */
    uint64_t omitted;
    bool killed;     /* its process did not end by itself */
    bool unconfined; /* nothing was run: the sandbox cannot be had, and the run ends */
    int64_t duration_ms;
};

enum run_action_kind { RUN_ASK, RUN_SLEEP, RUN_CALL, RUN_WAIT, RUN_ENDED };

struct run_action {
    enum run_action_kind kind;
    struct run_call *call; /* RUN_CALL */
    int64_t wait_ms;       /* RUN_SLEEP */
};

struct run_counts {
    int64_t steps, tool_calls, tool_errors, denials, retries;
    int64_t input_tokens, output_tokens, reasoning_tokens, cached_tokens;
};

struct run;

struct run *run_new(const struct run_config *config, struct err *err);
void run_free(struct run *run);

struct events *run_events(struct run *run);
const char *run_id(const struct run *run);

/* Adds the user's message; the run can then go on: at its start, and after its end. Limits on
 * steps and calls count from here. */
int run_prompt(struct run *run, const struct chat_part *parts, size_t count, struct err *err);

void run_next(struct run *run, struct run_action *action);

/* Who is to be asked: the provider of the configuration, or the fallback. */
const struct provider *run_provider(const struct run *run);

/* The request for RUN_ASK; the body borrows from the run until it is released. */
int run_body(struct run *run, struct chat_body *body, struct err *err);

void run_delta(struct run *run, enum chat_delta kind, const char *text, size_t len);

/* The answer, or the error that came instead. Takes nothing; `headers` may be NULL. */
void run_reply(struct run *run, struct chat_turn *turn, const struct chat_wait_headers *headers);

void run_awake(struct run *run);

/* Answers a call that waits (event approval.requested), or did when the run stopped that is about
 * to be resumed. `call` is its id, or what stands in it behind the run's; NULL: all that
 * have no answer.
 * `reason`, for the model when it is a no, may be NULL. ERR_USAGE: nothing of that name waits. */
int run_decide(struct run *run, const char *call, enum run_choice choice, const char *reason,
               struct err *err);

/* A call ended. Its handle is forgotten. */
void run_call_done(struct run *run, struct run_call *call, const struct run_result_of_call *result);
/* The answer to a call with `probe`: its code is a TACKLE_PROBE_ answer or negative. */
void run_call_probed(struct run *run, struct run_call *call,
                     const struct run_result_of_call *result);
void run_call_progress(struct run *run, struct run_call *call, const char *text, size_t len);
void run_file_changed(struct run *run, struct run_call *call, const char *path, const char *what);
/* What a tool notes for its probe(): recorded on return. */
int run_call_remember(struct run *run, const struct run_call *call, const char *note, size_t len,
                      struct err *err);
/* For the report: a request of a tool to a host; a file that commands changed and other programs
 * execute; and that not all such files could be looked at. */
void run_host_contacted(struct run *run, const char *host, bool allowed);
void run_tripped(struct run *run, const char *path, const char *what);
void run_tripped_unsure(struct run *run);
void run_warn(struct run *run, const char *text);

/* Ends the run now. What is in flight is the owner's to drop: see run_running(). */
void run_stop(struct run *run, enum stop_reason reason, int signal, const char *message);

/* The same, also for a run that has ended: what it ended with was not what it should have been. Not
 * after run_finish(). */
void run_overrule(struct run *run, enum stop_reason reason, const char *message);

/* Ends it so because a replay is not what was recorded; `diff`, "" for none, shows where. */
void run_mismatch(struct run *run, const char *message, const char *diff);

/* The next call after `after` (NULL: the first) that is running; NULL when there is none. */
struct run_call *run_running(struct run *run, const struct run_call *after);

bool run_is_ended(const struct run *run);
enum stop_reason run_stop_reason(const struct run *run); /* of one that has ended */
int run_exit_code(const struct run *run);
const char *run_text(const struct run *run); /* the final answer, or what there is of one */
const struct run_counts *run_counts(const struct run *run);

/* Makes the result and emits it as the event "result". Call once per end. */
void run_finish(struct run *run, int64_t duration_ms);

/* The files that this run changed and agents obey: tells of each, with its path in the workspace.
 */
void run_changed_instructions(const struct run *run, void (*tell)(void *user, const char *path),
                              void *user);

/* The result as JSON text, which the run owns; it is there already when the event is received. */
const char *run_result(const struct run *run);

#endif
