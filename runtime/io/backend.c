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

int backend_receive(struct backend_ask *ask, int status, const char *data, size_t len)
{
    if (ask->events.received)
        ask->events.received(ask->events.user, data, len);
    if (!ask->reply)
        ask->reply = chat_reply_new(status, ask->events.delta, ask->events.user);
    return ask->reply ? chat_reply_feed(ask->reply, data, len) : -1;
}

/* What is no answer at all: where the bytes do not count. */
static bool read_failure(const struct backend_ask *ask, const struct backend_end *end,
                         struct chat_turn *turn)
{
    if (end->status >= 300 && end->status < 400)
        chat_error_from_redirect(&turn->error, end->location, end->status);
    else if (end->error && !end->worth_retrying && end->status == 0)
        chat_error_set(&turn->error, CHAT_ERROR_FATAL, "%s", end->error);
    else if (!ask->reply)
        chat_error_set(&turn->error, CHAT_ERROR_FATAL, "out of memory");
    else
        return false;
    turn->error.http_status = end->status;
    turn->stop = CHAT_STOP_ERROR;
    return true;
}

static void read_turn(const struct backend_ask *ask, const struct backend_end *end,
                      struct chat_turn *turn)
{
    chat_reply_end(ask->reply, end->error, turn);
    bool nothing = turn->text.len == 0 && turn->reasoning.len == 0 && turn->call_count == 0;
    if (turn->stop == CHAT_STOP_INCOMPLETE && turn->error.class == CHAT_ERROR_NONE)
        chat_error_set(&turn->error, CHAT_ERROR_TRANSIENT, "%s",
                       end->error ? end->error
                       : nothing  ? "the answer is empty"
                                  : "the answer broke off before its end");
}

void backend_finish(struct backend_ask *ask, const struct backend_end *end)
{
    struct chat_turn turn;
    chat_turn_init(&turn);
    if (ask->events.ended)
        ask->events.ended(ask->events.user, end);
    if (!ask->reply)
        ask->reply = chat_reply_new(end->status, NULL, NULL);
    bool failed = read_failure(ask, end, &turn);
    if (!failed)
        read_turn(ask, end, &turn);
    ask->events.done(ask->events.user, &turn, failed ? NULL : &end->headers);
    chat_turn_release(&turn);
}
