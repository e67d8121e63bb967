/* The endpoint behind HTTP: one POST a request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/backend_ops.h"

struct http_backend {
    struct backend base;
    struct http *http;
    const struct provider *provider;
    char *url;
    int64_t silence_ms;
};

struct http_ask {
    struct backend_ask base;
    struct http_backend *backend;
    struct http_transfer *transfer;
};

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    struct http_ask *a = user;
    return backend_receive(&a->base, http_status(transfer), data, len);
}

static void ask_free(struct http_ask *a)
{
    chat_reply_free(a->base.reply);
    free(a);
}

/* http_header() keeps one value at a time. */
static char *copy_header(const struct http_transfer *transfer, const char *name)
{
    const char *value = http_header(transfer, name);
    return value ? strdup(value) : NULL;
}

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct http_ask *a = user;
    char *values[5] = {copy_header(transfer, "retry-after-ms"),
                       copy_header(transfer, "retry-after"),
                       copy_header(transfer, "x-ratelimit-reset"),
                       copy_header(transfer, "x-should-retry"), copy_header(transfer, "location")};
    const struct backend_end all = {.status = end->status,
                                    .error = end->error,
                                    .worth_retrying = end->worth_retrying,
                                    .headers = {values[0], values[1], values[2], values[3]},
                                    .location = values[4]};
    backend_finish(&a->base, &all);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        free(values[i]);
    ask_free(a);
}

static struct backend_ask *http_ask(struct backend *backend, const struct chat_body *body,
                                    const struct backend_events *events, struct err *err)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: text/event-stream, application/json", NULL};
    struct http_backend *b = (struct http_backend *)backend;
    struct http_slice slices[CHAT_BODY_SLICES];
    struct http_ask *a = calloc(1, sizeof *a);
    if (!a) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    a->base.ops = backend->ops;
    a->base.events = *events;
    a->backend = b;
    for (size_t i = 0; i < CHAT_BODY_SLICES; i++)
        slices[i] = (struct http_slice){body->slices[i].data, body->slices[i].len};
    const struct http_request request = {
        .url = b->url,
        .headers = headers,
        .bearer = b->provider->key,
        .proxy = b->provider->proxy,
        .body = slices,
        .body_count = CHAT_BODY_SLICES,
        .first_byte_ms = b->silence_ms,
        .idle_ms = b->silence_ms,
        .data = on_data,
        .done = on_done,
        .user = a,
    };
    a->transfer = http_start(b->http, &request, err);
    if (!a->transfer) {
        ask_free(a);
        return NULL;
    }
    return &a->base;
}

static void http_ask_cancel(struct backend_ask *ask)
{
    struct http_ask *a = (struct http_ask *)ask;
    http_cancel(a->transfer);
    ask_free(a);
}

static void http_backend_free(struct backend *backend)
{
    struct http_backend *b = (struct http_backend *)backend;
    free(b->url);
    free(b);
}

struct backend *backend_http_new(struct http *http, const struct provider *provider,
                                 int64_t silence_ms, struct err *err)
{
    static const struct backend_ops ops = {http_ask, http_ask_cancel, http_backend_free};
    struct http_backend *b = calloc(1, sizeof *b);
    size_t size = strlen(provider->base_url) + sizeof "/chat/completions";
    char *url = malloc(size);
    if (!b || !url) {
        free(b);
        free(url);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    (void)snprintf(url, size, "%s/chat/completions", provider->base_url);
    *b = (struct http_backend){
        .base = {&ops}, .http = http, .provider = provider, .url = url, .silence_ms = silence_ms};
    return &b->base;
}
