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
    struct chat_reply *reply; /* owned */
};

/* Ends an answer: reads the turn out of ask->reply and hands it on. */
void backend_finish(struct backend_ask *ask, const char *transfer_error,
                    const struct chat_wait_headers *headers);

#endif
