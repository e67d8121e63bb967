/* Where what a plugin says goes: tackle-host writes it to the link, tests collect it. */
#ifndef HOST_SINK_H
#define HOST_SINK_H

#include <stddef.h>
#include <stdint.h>

#include <tackle/plugin.h>

#include "base/buf.h"
#include "base/err.h"

#define FETCH_REPLY_MAX    (8u << 20)
#define FETCH_LOCATION_MAX 8192u

/* The answer to one fetch. The caller initialises and releases it. */
struct fetch_reply {
    int32_t status;
    struct buf content_type;
    struct buf location; /* of a redirect */
    struct buf body;
    struct buf message; /* why there is no answer */
};

struct sink {
    void *user;
    /* A piece of the result that the model reads. */
    void (*output)(void *user, const char *data, size_t len);
    void (*progress)(void *user, const char *text, size_t len);
    void (*log)(void *user, int32_t level, const char *text);
    /* `what` is TACKLE_CHANGED_..., `path` is relative to the workspace. */
    void (*changed)(void *user, uint32_t what, const char *path);
    /* Returns 0 once the note is on disk, or -1. */
    int (*remember)(void *user, const char *note, size_t len, struct err *err);
    /* Any status is TACKLE_OK; a negative code leaves the reason in reply->message. */
    int32_t (*fetch)(void *user, const tackle_http_request *request, struct fetch_reply *reply);
};

#endif
