/* Events: what happened in a run, one JSON object each, numbered without gaps. */
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json_text.h"
#include "base/redact.h"

/* Where events go; `json` has no newline. text is set for message.delta and reasoning.delta. All
 * is borrowed for the time of the call. */
typedef void (*event_sink)(void *user, uint64_t seq, const char *type, const char *json,
                           size_t json_len, const char *text, size_t text_len);

#define EVENT_RUN_ID_SIZE 24

struct events {
    char run[EVENT_RUN_ID_SIZE];
    uint64_t seq;    /* of the last event */
    event_sink sink; /* NULL: nothing is built */
    void *user;
    const struct redact *redact; /* borrowed: is taken out of every line; NULL: nothing is */
    struct buf line;
    struct json_members members; /* of an event that has begun */
    const char *type;            /* its; static */
};

/* A run's id: short, unique, sortable by time: "r" and 18 characters of Crockford's base 32. */
void event_make_run_id(char out[EVENT_RUN_ID_SIZE]);

void events_init(struct events *e, event_sink sink, void *user);
void events_release(struct events *e);

/* Emits {"v":1,"seq":n,"ts":"...","run":"...","type":type, ...fields}. Takes `fields` (an object,
 * or NULL for none, or the NULL of a failed json_pack, which emits the event without them). */
void event_emit(struct events *e, const char *type, json_t *fields);

/* The same for what comes with every step, without a tree of JSON values: the fields are put
 * between the two. Between them no other event may be emitted. */
struct json_members *event_begin(struct events *e, const char *type);
void event_end(struct events *e);

/* message.delta and reasoning.delta, many a second: built without a JSON tree. The text has no
 * secrets any more: a piece of one could not be told here. */
void event_delta(struct events *e, const char *type, long step, const char *text, size_t len);

#endif
