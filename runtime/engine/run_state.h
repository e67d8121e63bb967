/* The inside of struct run, shared by run.c (what happens next) and run_result.c (what is told). */
#ifndef ENGINE_RUN_STATE_H
#define ENGINE_RUN_STATE_H

#include "base/clock.h"
#include "engine/run.h"
#include "wire/schema.h"

enum run_state {
    STATE_ASK, /* the model is to be asked */
    STATE_ASKING,
    STATE_SLEEP, /* wait_ms have to pass before it is asked again */
    STATE_SLEEPING,
    STATE_CALLING, /* calls are ready, running or done */
    STATE_ENDED
};

#define LEFT_OUT_USAGE    (1u << 0) /* stream_options */
#define LEFT_OUT_THOUGHTS (1u << 1)
#define LEFT_OUT_EFFORT   (1u << 2)
#define LEFT_OUT_FORMAT   (1u << 3) /* response_format */

struct run {
    struct run_config config;
    enum run_state state;
    enum stop_reason reason;
    int signal;
    struct events events;
    struct buf messages;             /* the conversation, serialised */
    struct buf tools;                /* the offered tools, serialised */
    struct buf text;                 /* of the last turn that had any */
    int64_t step;                    /* since the prompt; counts.steps goes on */
    const struct provider *provider; /* that is asked now */
    struct schema *schema;           /* of the answer; owned; NULL */
    char *format;                    /* response_format for it; owned; NULL */
    bool structuring;   /* the answer is there and is asked for once more as JSON, without tools */
    bool corrected;     /* an answer that did not fit has been sent back once */
    unsigned left_out;  /* fields that the endpoint refused: LEFT_OUT_... */
    int64_t waited_ms;  /* for this request */
    double cost_usd;    /* so far; negative: not known */
    json_t *structured; /* the answer, checked; NULL */
    unsigned attempt;   /* retries of this request */
    unsigned reasks;    /* of this step, for answers without use */
    int64_t wait_ms;
    int64_t calls_used;
    bool calls_refused;
    unsigned long call_ids;
    struct run_call *calls; /* of this step */
    size_t call_count;
    int64_t step_input, step_output;
    struct run_counts counts;
    json_t *files;   /* [{"path","what"}], each path once */
    json_t *denials; /* [{"call","name","reason"}] */
    char *error;     /* why it ended; NULL */
    char *result;
};

#endif
