/* http/1 as the runtime serves it to plugins: one request, to the tool's hosts only. */
#ifndef IO_FETCH_H
#define IO_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "io/http.h"

#define FETCH_BODY_MAX (8u << 20)

struct fetch;

/* code 0: an answer came, with its status; else a negative TACKLE_E_ code and a message. All is
 * borrowed until the callback returns. */
struct fetch_result {
    int32_t code;
    const char *message;
    int status;
    const char *content_type;
    const char *body;
    size_t len;
};

typedef void (*fetch_done)(void *user, const struct fetch_result *result);

/* `head` is the JSON object {"method","url","headers"} that came from the plugin; `hosts` are the
 * names it may ask, NULL-terminated. Calls `done` exactly once, never before it returns; NULL when
 * out of memory, without a call. */
struct fetch *fetch_start(struct http *http, struct loop *loop, const char *head, size_t head_len,
                          const char *body, size_t body_len, const char *const *hosts,
                          int64_t timeout_ms, fetch_done done, void *user);

/* Drops it without a callback. */
void fetch_cancel(struct fetch *fetch);

#endif
