/* The inside of struct run, shared by run.c (what happens next) and run_result.c (what is told). */
#ifndef ENGINE_RUN_STATE_H
#define ENGINE_RUN_STATE_H

#include "base/clock.h"
#include "engine/run.h"
#include "engine/run_report.h"
#include "wire/schema.h"

enum run_state {
    STATE_ASK, /* the model is to be asked */
    STATE_ASKING,
    STATE_SLEEP, /* wait_ms have to pass before it is asked again */
    STATE_SLEEPING,
    STATE_RESUMING, /* calls of another process are to be settled */
    STATE_CALLING,  /* calls are ready, running or done */
    STATE_ENDED
};

#define LEFT_OUT_USAGE    (1u << 0) /* stream_options */
#define LEFT_OUT_THOUGHTS (1u << 1)
#define LEFT_OUT_EFFORT   (1u << 2)
#define LEFT_OUT_FORMAT   (1u << 3) /* response_format */
#define LEFT_OUT_MAX      (1u << 4) /* max_tokens; max_completion_tokens takes its place */

#define RUN_LOOP_MEMORY  64
#define JOURNAL_CALL_MAX (64u << 20)

struct run {
    struct run_config config;
    enum run_state state;
    enum stop_reason reason;
    int signal;
    struct events events;
    struct buf messages;             /* the conversation, serialised */
    size_t recorded;                 /* bytes of it that are in the journal */
    size_t messages_clean;           /* bytes of it without secrets */
    struct redact_stream deltas[2];  /* of the reply that comes: text, thoughts */
    char *recorded_state;            /* owned: the last record of the state; NULL */
    bool restoring;                  /* from records: nothing is recorded or told */
    bool limited;                    /* the turn that was restored was the last of a budget */
    bool answered;                   /* the conversation ends with an answer */
    bool ended_before;               /* and it was told, by the process that was restored */
    struct buf tools;                /* the offered tools, serialised */
    struct buf text;                 /* of the last turn that had any */
    int64_t step;                    /* since the prompt; counts.steps goes on */
    const struct provider *provider; /* that is asked now */
    struct schema *schema;           /* of the answer; owned; NULL */
    char *format;                    /* response_format for it; owned; NULL */
    bool structuring;   /* the answer is there and is asked for once more as JSON, without tools */
    bool compacted;     /* older results were taken out for this request */
    bool corrected;     /* an answer that did not fit has been sent back once */
    unsigned left_out;  /* fields that the endpoint refused: LEFT_OUT_... */
    int64_t waited_ms;  /* for this request */
    double cost_usd;    /* so far; negative: not known */
    json_t *structured; /* the answer, checked; NULL */
    unsigned attempt;   /* retries of this request */
    unsigned reasks;    /* of this step, for answers without use */
    int64_t wait_ms;
    int64_t calls_used;
    bool offers_kept;         /* read_result is among the tools */
    bool calls_refused;       /* the limit was in the way */
    int64_t started_ms;       /* of this prompt */
    struct run_counts before; /* counts and cost at this prompt */
    double cost_before_usd;
    int64_t known_tokens;        /* of the last request that was measured, 0: none yet */
    size_t known_bytes;          /* that request's size */
    size_t request_bytes;        /* of the request in flight */
    int64_t output_limit;        /* tokens the next answer may have; 0: no limit */
    enum stop_reason limited_by; /* the budget behind output_limit */
    enum stop_reason landing;    /* the budget that makes this turn the last; 0: none */
    unsigned warned[5];          /* percent already told, for each budget */
    struct {
        uint64_t hash;
        unsigned count;
    } seen[RUN_LOOP_MEMORY]; /* calls with their results */
    size_t seen_count;
    unsigned long call_ids;
    struct run_call *calls; /* of this step */
    size_t call_count;
    int64_t step_input, step_output;
    struct run_counts counts;
    json_t *files; /* [{"path","what"}], each path once */
    struct run_report report;
    json_t *allowed; /* what a person allowed for this run: [{"tool","args","write"}] */
    json_t *denials; /* [{"call","name","reason"}] */
    char *error;     /* why it ended; NULL */
    char *diff;      /* owned: where a replay is not what was recorded; NULL */
    char *result;
};

/* What became of the question whether a call may run. */
struct call_ruling {
    bool allow;
    bool for_run;   /* and calls like it, from now on */
    bool write;     /* it may write, this once */
    const char *by; /* "policy", "person", "nobody" */
    const char *reason;
    const char *rule; /* of the policy */
    enum policy_verdict verdict;
};

/* ---- run.c ---- */

/* Ends the run, once; `message` may be NULL. */
void run_end(struct run *run, enum stop_reason reason, const char *message);

/* ---- run_calls.c ---- */

/* Takes the calls of a turn; then checks them: each is ready to run, or answered already. */
void run_take_calls(struct run *run, struct chat_turn *turn);
void run_check_calls(struct run *run, const struct chat_turn *turn);

/* One call: checks it as a new one; answers it in place of its tool. */
void run_check_call(struct run *run, struct run_call *call, const struct chat_call *asked);
void run_answer_call(struct run *run, struct run_call *call, int32_t code, const char *message);
void run_tell_call(struct run *run, const struct run_call *call, const struct chat_call *asked);

/* Starts the next call that may start now; false when there is none. */
bool run_start_call(struct run *run, struct run_action *action);
bool run_calls_done(const struct run *run);

/* Puts the results into the conversation, in the order asked, and forgets the calls. Those that
 * have none get `text`, so that the conversation stays one that an endpoint accepts: every call has
 * one result, right after it. */
void run_answer_calls(struct run *run, const char *text);
void run_forget_calls(struct run *run);

/* ---- run_restore.c ---- */

/* STATE_RESUMING: what becomes of each call that has no result. */
void run_settle_calls(struct run *run);

/* ---- run_budget.c ---- */

/* May the next request be sent? It may be the last one (run->landing), its output is limited to
 * what is left (run->output_limit), or it does not fit and the run ends: false. */
bool budget_before_request(struct run *run);

/* Why the last turn is the last; NULL when nothing makes it so. */
const char *run_landing_message(const struct run *run);

/* Tells of budgets that are nearly used up. */
void budget_warn(struct run *run);

/* A call gave a result: is it the same again and again? Adds a note to it, and ends the run when
 * that did not help. */
void budget_watch_loop(struct run *run, struct run_call *call);

#endif
