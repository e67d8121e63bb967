/* What went wrong at the endpoint: read from any form of error body, sorted into what to do about
 * it, and said in one line. */
#ifndef WIRE_CHAT_ERROR_H
#define WIRE_CHAT_ERROR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum chat_error_class {
    CHAT_ERROR_NONE = 0,
    CHAT_ERROR_AUTH,      /* key missing, refused or not for this address: never again */
    CHAT_ERROR_BILLING,   /* credits, quota or spending limit: never again */
    CHAT_ERROR_FATAL,     /* the request is wrong: never again */
    CHAT_ERROR_CONTEXT,   /* the conversation is too long: make it shorter once */
    CHAT_ERROR_RATE,      /* too many requests: wait */
    CHAT_ERROR_TRANSIENT, /* overloaded, cut off, unreachable: wait and repeat */
    CHAT_ERROR_MODEL,  /* the model failed (malformed call, empty answer): ask again, few times */
    CHAT_ERROR_REFUSED /* content refused: show it */
};

/* Texts are owned and may be NULL when the wire had none; all are valid UTF-8. */
struct chat_error {
    enum chat_error_class class;
    int http_status; /* of the response, else an integer code of 400..599 from the body; 0 */
    char *message;   /* the endpoint's own words as they came; never NULL in an error */
    char *detail;    /* the cause below: error.metadata.raw, an error inside the message */
    char *type;
    char *code; /* text also when it was a number */
    bool code_is_number;
    char *status; /* Google's "UNAVAILABLE"; text also when it was a number */
    bool status_is_number;
    char *param;
    char *retry_delay; /* as on the wire: "34.07s" */
    int64_t retry_ms;  /* a wait named in the body; -1: none */
};

void chat_error_init(struct chat_error *e);
void chat_error_release(struct chat_error *e);

/* Reads an error from a JSON value in any of the forms servers use (an object with `error`,
 * `detail`, `message`, or `code` and `msg`; these in an array; an error object itself). `status` is
 * that of the response. False when the value holds no error; *e is then untouched. */
bool chat_error_from_json(struct chat_error *e, const json_t *value, int status);

/* An error from a body that is no JSON: HTML (its title), plain text, nothing. */
void chat_error_from_text(struct chat_error *e, const char *body, size_t len, int status);

/* An error for an answer of 300..399, which is never followed. `target` is its Location; or NULL.
 */
void chat_error_from_redirect(struct chat_error *e, const char *target, int status);

/* An error of our own making: a failed transfer, a broken stream. */
void chat_error_set(struct chat_error *e, enum chat_error_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Header values of the response, NULL when absent. */
struct chat_wait_headers {
    const char *retry_after_ms;
    const char *retry_after;     /* seconds, also with a fraction, or an HTTP date (RFC 9110) */
    const char *ratelimit_reset; /* x-ratelimit-reset: epoch milliseconds */
    const char *should_retry;    /* x-should-retry: "true" or "false" */
};

/* How long to wait before the next try: what the headers or the body say, 0 for a time that is
 * past, -1 for no hint. `now_ms` is wall time. */
int64_t chat_error_wait_ms(const struct chat_error *e, const struct chat_wait_headers *headers,
                           int64_t now_ms);

/* May the request be repeated after a wait: rate limit and transient, unless x-should-retry says
 * otherwise (it wins, but for AUTH and BILLING). */
bool chat_error_may_retry(const struct chat_error *e, const struct chat_wait_headers *headers);

/* One line for the user: the endpoint's own words and what to do. `endpoint` is its name or URL. */
int chat_error_text(const struct chat_error *e, const char *endpoint, struct buf *out);

/* "auth", "billing", "fatal", "context", "rate", "transient", "model", "refused", "none". */
const char *chat_error_class_name(enum chat_error_class class);

#endif
