/* Who answers a request: an endpoint over HTTP, or a recording. The run does not know which. */
#ifndef IO_BACKEND_H
#define IO_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/provider.h"
#include "io/cassette.h"
#include "io/http.h"
#include "io/loop.h"
#include "wire/chat_reply.h"
#include "wire/chat_request.h"

struct backend;
struct backend_ask;

/* How a response ended, besides its bytes: all that a replay needs to know of it. */
struct backend_end {
    int status;          /* 0: there was none */
    const char *error;   /* of the transfer; NULL: it ended as it should */
    bool worth_retrying; /* that error may pass */
    struct chat_wait_headers headers;
    const char *location; /* of a redirect; NULL */
};

struct backend_events {
    chat_delta_fn delta;
    /* For who records: the bytes of the response as they come, then its end, just before done. Both
     * may be NULL. */
    void (*received)(void *user, const char *data, size_t len);
    void (*ended)(void *user, const struct backend_end *end);
    /* The answer, or the error in its place: exactly once, never before backend_ask() returns. The
     * turn is released afterwards; headers are the response's. */
    void (*done)(void *user, struct chat_turn *turn, const struct chat_wait_headers *headers);
    /* Instead of done: a recording has no more replies, another request, or cannot be read. */
    void (*failed)(void *user, const struct err *err);
    void *user;
};

/* Asks provider->base_url; an endpoint that is silent for silence_ms has failed. Borrows http and
 * provider. */
struct backend *backend_http_new(struct http *http, const struct provider *provider,
                                 int64_t silence_ms, struct err *err);

/* Answers from a recording, which is borrowed, when the request is the recorded one. With speed 0
 * at once, else `speed` times as fast as the bytes once came. */
struct backend *backend_replay_new(struct loop *loop, struct cassette *cassette, int speed,
                                   struct err *err);

void backend_free(struct backend *backend);

/* Sends a request; the body is borrowed until the end. NULL with *err when it cannot be made. */
struct backend_ask *backend_ask(struct backend *backend, const struct chat_body *body,
                                const struct backend_events *events, struct err *err);

/* Drops it without a callback. */
void backend_cancel(struct backend_ask *ask);

#endif
