/* A scripted endpoint that is never the slow part: one thread, epoll, thousands of connections, no
 * JSON parser. What a request is answered with follows from its last tool result alone: `steps`
 * turns with one call each, then an answer.
 *
 * Every conversation has a number, which is in its URL, so that many may share connections:
 * server_url() plus "/17/v1". A URL with "/floor/" counts the requests of its connection instead of
 * looking for results. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SERVER_URL_SIZE 64

struct server;

struct server_script {
    long steps;       /* turns with a call, before the answer */
    const char *tool; /* the tool called; borrowed */
    const char *path; /* its arguments are {"path","limit"}; NULL: {"run","step"} */
};

struct server_request {
    long run;         /* from the URL */
    long step;        /* results that the conversation has so far */
    size_t body_len;  /* bytes */
    size_t bytes;     /* of head and body */
    int64_t at_ns;    /* CLOCK_MONOTONIC when it was whole */
    int64_t since_ns; /* since the end of the answer before it; -1 for the first */
};

/* Called for each whole request, before it is answered. */
typedef void (*server_request_fn)(void *user, const struct server_request *request);

/* Listens on 127.0.0.1, any port. NULL with *err. */
struct server *server_new(struct err *err);
void server_free(struct server *server);

/* "http://127.0.0.1:41234" */
const char *server_url(const struct server *server);

/* Begins a measurement: what to answer, whom to tell (may be NULL). */
void server_script(struct server *server, const struct server_script *script,
                   server_request_fn on_request, void *user);

/* From now on the body of the last request is kept in this file, -1: no longer. Slow: for requests
 * that are not measured. */
void server_record(struct server *server, int fd);

/* Readable when server_step() has something to do. */
int server_fd(const struct server *server);

/* Does what is to do, without waiting. */
void server_step(struct server *server);

/* CLOCK_MONOTONIC. */
int64_t server_now_ns(void);

#endif
