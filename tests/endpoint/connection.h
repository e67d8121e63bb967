/* One connection of the endpoint: reads requests, sends the scripted answers, pauses and breaks as
 * the script says. */
#ifndef ENDPOINT_CONNECTION_H
#define ENDPOINT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "render.h"
#include "request.h"
#include "script.h"

enum connection_phase { PHASE_READ, PHASE_HEAD, PHASE_BODY, PHASE_DRAIN, PHASE_SILENT, PHASE_END };

struct connection {
    int fd; /* owned */
    unsigned number;
    enum connection_phase phase;
    bool wants_write; /* output is waiting for room in the socket */
    bool continued;   /* "100 Continue" was sent for the request that is arriving */
    int64_t wake_ms;  /* clock_ms() at which to go on; 0: not waiting */
    struct buf in;
    struct buf out;
    const struct reply *reply; /* what is being answered with; NULL: the script had none */
    struct response response;
    bool has_response;
    size_t piece; /* the next one to send */
    size_t sent;  /* bytes of the body put into `out` */
};

/* Takes ownership of fd, a connected non-blocking socket. */
void connection_init(struct connection *connection, int fd, unsigned number);
void connection_release(struct connection *connection);

/* Called with each whole request; returns the reply to give, which outlives the answer. The
 * callee owns the request from then on, and sets *kept to where it keeps it. */
typedef const struct reply *(*connection_answer_fn)(void *user, struct request *request,
                                                    const struct request **kept);

/* Goes on as far as it can: `readable` says that bytes, or the end, have arrived. False when the
 * connection is over. */
bool connection_step(struct connection *connection, bool readable, connection_answer_fn answer,
                     void *user);

#endif
