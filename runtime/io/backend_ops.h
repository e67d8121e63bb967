/* What each kind of back end brings. */
#ifndef IO_BACKEND_OPS_H
#define IO_BACKEND_OPS_H

#include "io/backend.h"

struct backend_ops {
    struct backend_ask *(*ask)(struct backend *backend, const struct chat_body *body,
                               const struct backend_events *events, struct err *err);
    void (*cancel)(struct backend_ask *ask);
    void (*free)(struct backend *backend);
};

/* The first member of each kind's struct. */
struct backend {
    const struct backend_ops *ops;
};

struct backend_ask {
    const struct backend_ops *ops;
    struct backend_events events;
    struct chat_reply *reply; /* owned; NULL before the first bytes */
};

/* The next bytes of a response of this status. 0, or -1 when there is no use in more. */
int backend_receive(struct backend_ask *ask, int status, const char *data, size_t len);

/* Ends an answer: reads the turn out of ask->reply and hands it on, or the error that came instead
 * of one. */
void backend_finish(struct backend_ask *ask, const struct backend_end *end);

#endif
