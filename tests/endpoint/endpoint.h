/* A scripted stand-in for an OpenAI-compatible endpoint, for tests: real HTTP/1.1 on 127.0.0.1,
 * many connections on one thread, every request recorded.
 *
 * Either step it in a loop of your own (endpoint_fd, endpoint_step), or let it run in a child
 * process (endpoint_child_start) when the test itself blocks. */
#ifndef ENDPOINT_ENDPOINT_H
#define ENDPOINT_ENDPOINT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "request.h"
#include "script.h"

#define ENDPOINT_URL_SIZE        64
#define ENDPOINT_CONNECTIONS_MAX 1024

struct endpoint;

/* Listens on 127.0.0.1:port, 0 for any port. NULL with an error when that cannot be. */
struct endpoint *endpoint_new(unsigned port, struct err *err);

/* Binds a port without listening on it: connections are refused, and nobody else gets the port. */
struct endpoint *endpoint_new_refusing(struct err *err);
void endpoint_free(struct endpoint *endpoint);

/* "http://127.0.0.1:41234/v1" */
const char *endpoint_url(const struct endpoint *endpoint);
unsigned endpoint_port(const struct endpoint *endpoint);

/* The replies; empty at first. Add to it before requests come. */
struct script *endpoint_script(struct endpoint *endpoint);

/* Reads a script file: its sections must all be replies and bodies. 0 or -1. */
int endpoint_load(struct endpoint *endpoint, const char *path, struct err *err);
/* The same from memory; files named in it are looked for in the working directory. */
int endpoint_load_text(struct endpoint *endpoint, const char *text, struct err *err);

/* From now on each request is written to this descriptor as a line of JSON when it arrives. The
 * descriptor stays the caller's. */
void endpoint_record(struct endpoint *endpoint, int fd);

/* Readable when endpoint_step() has something to do, timers included. */
int endpoint_fd(const struct endpoint *endpoint);

/* Does what is to do, after waiting for at most timeout_ms (-1: without limit). 0 or -1. */
int endpoint_step(struct endpoint *endpoint, int timeout_ms, struct err *err);

/* What has been asked so far, in order. Valid until the next step. */
const struct request *endpoint_requests(const struct endpoint *endpoint, size_t *count);

/* ---- In a process of its own ---- */

struct endpoint_child {
    pid_t pid;
    int record_fd;
    char url[ENDPOINT_URL_SIZE];
};

/* Starts an endpoint that answers after `script` (text, as in a file). It dies with the caller.
 * 0 or -1. */
int endpoint_child_start(const char *script, struct endpoint_child *out, struct err *err);

/* Ends it. Returns the requests as an array of request_to_json() objects, each with its "body"
 * parsed as "json" when it is JSON; the caller owns it. */
json_t *endpoint_child_stop(struct endpoint_child *child);

#endif
