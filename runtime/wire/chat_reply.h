/* The response to a chat request, fed as the bytes arrive: an event stream, one JSON body, or an
 * error in any dress. Which of them it is is decided by looking at the bytes; content types lie. */
#ifndef WIRE_CHAT_REPLY_H
#define WIRE_CHAT_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "wire/chat_turn.h"

#define CHAT_BODY_MAX  (64u << 20) /* a body that is one JSON document */
#define CHAT_TEXT_MAX  (32u << 20) /* text of a turn; reasoning likewise */
#define CHAT_ARGS_MAX  (8u << 20)  /* arguments of one call */
#define CHAT_CALLS_MAX 64u         /* calls of a turn */

enum chat_delta { CHAT_DELTA_TEXT, CHAT_DELTA_REASONING };

/* New text of the turn, valid UTF-8, whole characters. It may have to be taken back: the turn can
 * still turn out to be incomplete. */
typedef void (*chat_delta_fn)(void *user, enum chat_delta kind, const char *text, size_t len);

struct chat_reply;

/* `http_status` is the response's; on_delta may be NULL. NULL when out of memory. */
struct chat_reply *chat_reply_new(int http_status, chat_delta_fn on_delta, void *user);

/* The next bytes of the body, in pieces of any size (after content decoding). 0, or -1 when there
 * is no use in reading on (a cap is reached): chat_reply_end() then gives the error. */
int chat_reply_feed(struct chat_reply *reply, const char *data, size_t len);

/* True once the answer is whole ([DONE] was read): the rest may be left unread. */
bool chat_reply_done(const struct chat_reply *reply);

/* The body has ended. `transfer_error` is NULL when the transfer ended as it should, else what
 * broke it ("connection reset"): an answer that was whole by then still counts. Fills *turn, which
 * the caller releases. Call once. */
void chat_reply_end(struct chat_reply *reply, const char *transfer_error, struct chat_turn *turn);

/* NULL is fine. */
void chat_reply_free(struct chat_reply *reply);

#endif
