/* One turn of the assistant, whatever way it came over the wire. */
#ifndef WIRE_CHAT_TURN_H
#define WIRE_CHAT_TURN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/chat_error.h"

#define CHAT_CALL_ID_MAX 128 /* a longer id is replaced by one of ours */

/* How the turn ended. Calls are to be run at CHAT_STOP_TOOL_CALLS and never else. */
enum chat_stop {
    CHAT_STOP_INCOMPLETE = 0,      /* the stream broke off: drop the turn, repeat the request */
    CHAT_STOP_STOP,                /* a final answer */
    CHAT_STOP_TOOL_CALLS,          /* calls to run */
    CHAT_STOP_LENGTH,              /* cut at the token limit */
    CHAT_STOP_CONTENT_FILTER,      /* refused */
    CHAT_STOP_MALFORMED_TOOL_CALL, /* the model wrote a call the server could not read: ask again */
    CHAT_STOP_EMPTY,               /* neither text nor calls: ask again */
    CHAT_STOP_UNKNOWN,             /* a finish_reason we do not know: final when there is text */
    CHAT_STOP_ERROR                /* see `error` */
};

struct chat_call {
    char *id;   /* NULL when the wire had none: see chat_turn_complete_ids() */
    char *name; /* "" when the wire had none */
    char *text; /* the arguments as they came, or as they were repaired or split; never NULL */
    size_t len;
    json_t *args;  /* the arguments as an object; NULL when they are none: see `problem` */
    char *problem; /* why not, one line for the model; NULL when args are there */
    json_t *extra; /* members the server put on the call and wants back (extra_content); or NULL */
};

/* Members are -1 where the wire said nothing. */
struct chat_usage {
    int64_t prompt;
    int64_t completion;
    int64_t total;
    int64_t reasoning;
    int64_t cached;
};

/* What output costs: max(completion, total - prompt), as some servers leave the thinking out of
 * completion but not out of total. 0 when nothing is known. */
int64_t chat_usage_output(const struct chat_usage *usage);

struct chat_turn {
    struct buf text;
    struct buf reasoning; /* for people; never sent back */
    struct chat_call *calls;
    size_t call_count;
    char *finish_reason; /* the last non-empty one on the wire; NULL */
    enum chat_stop stop;
    bool has_usage;
    struct chat_usage usage;
    struct chat_error error; /* class CHAT_ERROR_NONE unless the turn failed */
    json_t *echo;            /* members to send back on the assistant message; NULL */
    bool stream;             /* it came as events */
    bool done_marker;        /* [DONE] was seen */
    struct buf warnings;     /* what was mended, one a line */
};

void chat_call_release(struct chat_call *call);

void chat_turn_init(struct chat_turn *turn);
void chat_turn_release(struct chat_turn *turn);

/* Gives "call_<n>" to calls whose id is missing, doubled or too long, n counting up from *next: one
 * counter a conversation keeps them unique. 0 or -1 (out of memory). */
int chat_turn_complete_ids(struct chat_turn *turn, unsigned long *next);

/* The name without the prefix of Gemini's own ("default_api:") or OpenAI's ("functions."): to be
 * tried when no tool has the name as it came. */
const char *chat_call_plain_name(const char *name);

/* "stop", "tool_calls", "length", "content_filter", "malformed_tool_call", "empty", "incomplete",
 * "unknown", "error". */
const char *chat_stop_name(enum chat_stop stop);

/* The turn as one JSON object for people and tests: text, reasoning, tool_calls, finish_reason,
 * stop, usage, error, echo, done_marker (null unless it came as events), and a list of warnings
 * where there are any. A new reference; NULL when out of memory. */
json_t *chat_turn_json(const struct chat_turn *turn);

#endif
