/* HTTP/1.1 requests as they arrive (RFC 9112), and conditions on them. */
#ifndef ENDPOINT_REQUEST_H
#define ENDPOINT_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define REQUEST_HEAD_MAX (64u << 10)
#define REQUEST_BODY_MAX (64u << 20)

struct request_header {
    char *name;
    char *value;
};

struct request {
    unsigned number;     /* 1, 2, 3 ... in the order of arrival */
    unsigned connection; /* 1, 2, 3 ... */
    int64_t at_ms;       /* clock_ms() of its arrival */
    char *method;
    char *path; /* with the query */
    struct request_header *headers;
    size_t header_count;
    char *body;
    size_t body_len;
    json_t *json; /* the body as JSON; NULL when it is none, invalid UTF-8 included */
    int reply;    /* the line of the reply it got in the script; 0: the script had none */
};

/* Takes a whole request from the first bytes of `in`, which it drops. 1: *out is it (the caller
 * releases it); 0: more bytes are needed, and *wants_continue says whether the client waits for
 * "100 Continue"; -1: no HTTP/1.1, or over a limit. */
int request_take(struct buf *in, struct request *out, bool *wants_continue, struct err *err);
void request_release(struct request *request);

/* The value of a header, whatever the case of its name; NULL when absent. */
const char *request_header(const struct request *request, const char *name);

/* {"n","connection","reply","method","path","headers":[[name,value]...],"body"}, a new reference;
 * a body that is no UTF-8 is given as "body_hex". NULL when out of memory. */
json_t *request_to_json(const struct request *request);

/* A condition on a request:  method MATCH | path MATCH | body MATCH | header NAME MATCH |
 * connection MATCH | /JSON/POINTER MATCH, with MATCH as in match.h. */
struct condition;
struct condition *condition_new(const char *text, struct err *err);
void condition_free(struct condition *condition);
bool condition_holds(const struct condition *condition, const struct request *request);

/* Appends what the request has in the place that the condition looks at. */
void condition_show(const struct condition *condition, const struct request *request,
                    struct buf *out);

#endif
