/* Who answers a request: an endpoint over HTTP, or a recording. The run does not know which. */
#ifndef IO_BACKEND_H
#define IO_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/provider.h"
#include "io/http.h"
#include "io/loop.h"
#include "wire/chat_reply.h"
#include "wire/chat_request.h"

struct backend;
struct backend_ask;

struct backend_events {
    chat_delta_fn delta;
    /* The answer, or the error in its place: exactly once, never before backend_ask() returns. The
     * turn is released afterwards; headers are the response's. */
    void (*done)(void *user, struct chat_turn *turn, const struct chat_wait_headers *headers);
    /* Instead of done: a recording has no more replies, or cannot be read. */
    void (*failed)(void *user, const struct err *err);
    void *user;
};

/* Asks provider->base_url; an endpoint that is silent for silence_ms has failed. Borrows http and
 * provider. */
struct backend *backend_http_new(struct http *http, const struct provider *provider,
                                 int64_t silence_ms, struct err *err);

/* Answers from the files of a directory, in the order of their names: 001.sse, 002.sse, ... one
 * response body each. With speed 0 at once, else in pieces, as if written by a model: `speed`
 * times as fast as usual. */
struct backend *backend_replay_new(struct loop *loop, const char *dir, int speed, struct err *err);

void backend_free(struct backend *backend);

/* Sends a request; the body is borrowed until the end. NULL with *err when it cannot be made. */
struct backend_ask *backend_ask(struct backend *backend, const struct chat_body *body,
                                const struct backend_events *events, struct err *err);

/* Drops it without a callback. */
void backend_cancel(struct backend_ask *ask);

#endif
