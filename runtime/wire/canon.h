/* Requests in canonical form: what a recording keeps of them, and what a replay compares. */
#ifndef WIRE_CANON_H
#define WIRE_CANON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/chat_request.h"
#include "wire/volatile.h"

/*
 * A request holds the whole conversation, so its canonical form tells what is new since the request
 * before:
 *
 *     {"messages_before":4,"messages":[...],"model":"m","stream":true,"tools":[...]}
 *
 * The first messages_before messages are those of the request before; all others follow. A member
 * that is not there is as it was; null: it is gone. In all texts places of the machine are
 * placeholders and secrets are gone (volatile.h); the ids of calls are numbered, "${call-1}", since
 * servers make them at random.
 */

struct canon {
    struct volatile_rules *rules; /* borrowed */
    struct buf head, tools;       /* of the request before, as they were sent */
    struct buf messages;          /* likewise */
    size_t count;                 /* of these messages */
    json_t *members;              /* of the request before, in canonical form; owned */
    json_t *ids;                  /* of calls: {"call_abc":"${call-1}"}; owned */
};

/* 0 or -1 (out of memory). */
int canon_init(struct canon *canon, struct volatile_rules *rules);
void canon_release(struct canon *canon);

/* The next request of a run; a new reference. NULL with *err. */
json_t *canon_request(struct canon *canon, const struct chat_body *body, struct err *err);

/* Is the request the one that was recorded? When not, `where` gets a few words for the first place
 * where it is not ("message 3 (tool)") and `diff` the difference from the recorded one, for people;
 * both are strings that are appended to. */
bool canon_matches(const struct volatile_rules *rules, const json_t *recorded, const json_t *now,
                   struct buf *where, struct buf *diff);

/* The same for the arguments of a call. */
bool canon_arguments_match(const struct volatile_rules *rules, const json_t *recorded,
                           const json_t *now, struct buf *diff);

/* Replaces what is volatile or secret in all texts of a value, in place. `by_model` as in
 * volatile_mask(). 0 or -1. */
int canon_mask(struct volatile_rules *rules, json_t *value, bool by_model);

#endif
