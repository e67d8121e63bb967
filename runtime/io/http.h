/* HTTP requests on the event loop. The only file that knows libcurl. Redirects are never followed,
 * cookies, .netrc and the environment's credentials never used. */
#ifndef IO_HTTP_H
#define IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "io/loop.h"

struct http;          /* the client: connections are kept and used again */
struct http_transfer; /* one request */

struct http_slice {
    const char *data;
    size_t len;
};

/* How a transfer ended. */
struct http_end {
    int status;          /* of the response; 0 when none came */
    const char *error;   /* NULL: the transfer ended as it should; else one line */
    bool worth_retrying; /* a broken connection, a timeout: another try may work */
};

/* Callbacks run inside loop_turn(). `data` may return -1 to stop the transfer, which then ends
 * with an error; it must not start or cancel transfers. `done` is the last one, and comes exactly
 * once unless the transfer is cancelled; the transfer is freed when it returns. */
struct http_request {
    const char *method; /* NULL: POST when there is a body, else GET */
    const char *url;
    const char *const *headers;    /* "Name: value", NULL-terminated; may be NULL */
    const char *bearer;            /* Authorization: Bearer ...; NULL: none; never logged, wiped */
    const struct http_slice *body; /* borrowed until the end */
    size_t body_count;
    size_t max_bytes;      /* of the decoded body; 0: no limit */
    int64_t connect_ms;    /* the longest wait for a connection, names included; 0: 10 s */
    int64_t first_byte_ms; /* the longest wait for the first byte of the answer */
    int64_t idle_ms;       /* the longest silence after that */
    int64_t total_ms;      /* 0: no limit */
    const char *proxy;     /* its URL; NULL or "": none. The environment's are never used */
    /* Asked for each address before it is connected. When it is given, the request has a connection
     * of its own, HTTP/1.1, and its body is not compressed. NULL: all may be. */
    bool (*may_connect)(void *user, const struct sockaddr *address, size_t len);
    int (*data)(void *user, struct http_transfer *transfer, const char *data, size_t len);
    void (*done)(void *user, struct http_transfer *transfer, const struct http_end *end);
    void *user;
};

/* Nothing is loaded or connected before the first request. */
struct http *http_new(struct loop *loop, struct err *err);
void http_free(struct http *http);

/* Starts; NULL with *err when the request cannot be made at all. */
struct http_transfer *http_start(struct http *http, const struct http_request *request,
                                 struct err *err);

/* Drops the transfer without a callback and frees it. Not from `data`. */
void http_cancel(struct http_transfer *transfer);

/* "libcurl/7.88.1 OpenSSL/3.0.11 ..." */
const char *http_version(void);

/* From `data` and `done`: the status, and a response header's value (NULL when absent; valid until
 * the next call). */
int http_status(const struct http_transfer *transfer);
const char *http_header(const struct http_transfer *transfer, const char *name);

/* From `done`: the absolute URL that a redirect points to; "" when it is none. */
const char *http_redirect(const struct http_transfer *transfer);

#endif
