/* http/1 as the runtime serves it to plugins: one request, to what the call may reach only. A
 * redirect is an answer: whoever follows it makes another request, which is judged like the first.
 */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "engine/reach.h"
#include "io/http.h"

#define FETCH_BODY_MAX      (8u << 20)
#define FETCH_FIRST_BYTE_MS 60000
#define FETCH_IDLE_MS       30000

struct fetch;

/* code 0: an answer came, with its status; else a negative TACKLE_E_ code and a message. All is
 * borrowed until the callback returns. */
struct fetch_result {
    int32_t code;
    const char *message;
    int status;
    const char *content_type;
    const char *location; /* the absolute URL that a redirect points to; "" */
    const char *body;
    size_t len;
};

struct fetch_events {
    /* At most once: "host" or "host:port" was connected, or was refused. May be NULL. Starts and
     * cancels nothing. */
    void (*contacted)(void *user, const char *host, bool allowed);
    /* Exactly once, never before fetch_start() returns. */
    void (*done)(void *user, const struct fetch_result *result);
    void *user;
};

/* `head` is the JSON object {"method","url","headers"} that came from the plugin; `reach` is
 * not used after this returns. NULL when out of memory,
 * without an event. */
struct fetch *fetch_start(struct http *http, struct loop *loop, const char *head, size_t head_len,
                          const char *body, size_t body_len, const struct reach *reach,
                          int64_t timeout_ms, const struct fetch_events *events);

/* Drops it without a callback. */
void fetch_cancel(struct fetch *fetch);

#endif
