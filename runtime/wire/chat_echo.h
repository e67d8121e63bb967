/* Inside chat_reply: opaque members that come in pieces and have to go back whole. */
#ifndef WIRE_CHAT_ECHO_H
#define WIRE_CHAT_ECHO_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/* Sets `key` of the object to a copy of `value`; where both are objects their members are merged,
 * the later value winning. 0 or -1 (out of memory). */
int chat_echo_merge(json_t *object, const char *key, const json_t *value);

/* `reasoning_details` while its pieces arrive. */
struct chat_details {
    json_t *list;    /* NULL while there are none */
    struct buf text; /* of the last element, which is still growing */
    struct buf summary;
};

void chat_details_init(struct chat_details *details);
void chat_details_release(struct chat_details *details);

/* Appends copies of the elements of an array. In a stream, one that goes on with the last one (same
 * type, index and format, with text or summary) is joined to it; those of a `whole` message stay as
 * they are. 0 or -1 (full, or out of memory). */
int chat_details_add(struct chat_details *details, const json_t *pieces, bool whole);

/* The list, borrowed; NULL when there is none or memory is out. */
json_t *chat_details_list(struct chat_details *details);

#endif
