/* Inside chat_reply: tool calls while their pieces arrive. */
#ifndef WIRE_CHAT_CALLS_H
#define WIRE_CHAT_CALLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/chat_turn.h"

struct chat_draft {
    json_int_t index; /* the wire's; counts only with has_index */
    bool has_index;
    bool is_function; /* of a type that we can run */
    char *id;
    struct buf name;
    struct buf args;
    json_t *extra;
};

struct chat_calls {
    struct chat_draft *drafts;
    size_t count;
    struct chat_draft function_call; /* of the time before tools; counts when there are no drafts */
};

void chat_calls_init(struct chat_calls *calls);
void chat_calls_release(struct chat_calls *calls);

/* Takes one element of `tool_calls`. In a stream it is a piece, which belongs to the call with its
 * id, else with its index, else to the latest one; in a whole message it is a call. 0, or -1 with
 * ERR_LIMIT (too many calls, too many bytes of arguments) or ERR_NOMEM. */
int chat_calls_take(struct chat_calls *calls, const json_t *piece, bool whole, struct err *err);

/* Takes a `function_call` member. */
int chat_calls_take_function_call(struct chat_calls *calls, const json_t *piece, struct err *err);

/* Is there a call that has no arguments (yet)? */
bool chat_calls_any_without_args(const struct chat_calls *calls);

/* Moves the calls into the turn: reads the arguments, splits runs of objects into calls, notes what
 * was mended as warnings. 0 or -1 (ERR_NOMEM, ERR_LIMIT). */
int chat_calls_finish(struct chat_calls *calls, struct chat_turn *turn, struct err *err);

#endif
