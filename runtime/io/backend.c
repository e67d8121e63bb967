#include "io/backend_ops.h"

void backend_free(struct backend *backend)
{
    if (backend)
        backend->ops->free(backend);
}

struct backend_ask *backend_ask(struct backend *backend, const struct chat_body *body,
                                const struct backend_events *events, struct err *err)
{
    return backend->ops->ask(backend, body, events, err);
}

void backend_cancel(struct backend_ask *ask)
{
    ask->ops->cancel(ask);
}

void backend_finish(struct backend_ask *ask, const char *transfer_error,
                    const struct chat_wait_headers *headers)
{
    struct chat_turn turn;
    chat_turn_init(&turn);
    chat_reply_end(ask->reply, transfer_error, &turn);
    bool nothing = turn.text.len == 0 && turn.reasoning.len == 0 && turn.call_count == 0;
    if (turn.stop == CHAT_STOP_INCOMPLETE && turn.error.class == CHAT_ERROR_NONE)
        chat_error_set(&turn.error, CHAT_ERROR_TRANSIENT, "%s",
                       transfer_error ? transfer_error
                       : nothing      ? "the answer is empty"
                                      : "the answer broke off before its end");
    ask->events.done(ask->events.user, &turn, headers);
    chat_turn_release(&turn);
}
