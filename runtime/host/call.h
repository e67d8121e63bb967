/* The inside of a session and of its running call, for the files that implement what a plugin can
 * ask of them: call.c and service_NAME.c. Nobody else includes this. */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <tackle/plugin.h>

#include "base/err.h"
#include "host/denied.h"
#include "host/process.h"
#include "host/session.h"

struct call {
    tackle_call base; /* first: a tackle_call * points to a struct call */
    struct session *session;
    const struct session_call *spec;
    const tackle_tool *tool;
    json_t *args;
    int64_t deadline_ms; /* on the monotonic clock */
    size_t written;
    uint64_t omitted;
    bool noted;         /* remember() was called */
    struct buf message; /* of fail() */
    struct fetch_reply fetched;
    struct process_outcome ran;
};

struct session {
    tackle_host host; /* first: a tackle_host * points to a struct session */
    const struct manifest *manifest;
    void *self; /* of the plugin */
    bool opened;
    char **options; /* a value for each of manifest->options, NULL: unset */
    char *workspace;
    int workspace_fd;
    bool write;
    bool mounts;
    struct denied denied;
    int cancel_fd;
    int timer_fd; /* the deadline of the running call */
    int end_fd;   /* epoll: cancel_fd and timer_fd */
    char *home;
    char *tmp;
    struct sink sink;
    struct buf open_error;
    struct call call; /* in here, so that a pointer kept too long points to memory */
};

extern const tackle_call_api call_api;

static inline struct call *call_of(tackle_call *call)
{
    return (struct call *)(void *)call;
}

static inline const struct session *session_of(const tackle_host *host)
{
    return (const struct session *)(const void *)host;
}

/* fail() for services: keeps the message and returns `code`. */
int32_t call_fail(struct call *call, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with an error of ours; the code follows from err->code. */
int32_t call_fail_err(struct call *call, const struct err *err);

/* 0 while the call may go on; else TACKLE_E_CANCELLED or TACKLE_E_TIMEOUT, with fail() done. */
int32_t call_ended(struct call *call);

/* May this tool do that? `does` are TACKLE_ bits, one of which it must have declared. 0, or
 * TACKLE_E_DENIED with fail() done. */
int32_t call_may(struct call *call, uint32_t does, const char *what);

int64_t call_ms_left(const struct call *call);

/* Puts text that the plugin wrote into `out`: valid UTF-8, at most SESSION_MESSAGE_MAX bytes of it.
 * Out of memory leaves less or nothing. */
void call_keep_text(struct buf *out, const char *text, size_t len);

/* Copies a size-first struct that the plugin made; missing fields are zero. 0, or TACKLE_E_ARGS
 * with fail() done when it is NULL or smaller than `least`. */
int32_t call_copy(struct call *call, const void *from, size_t least, void *own, size_t own_size);

/* The other way: fills the plugin's struct as far as its size goes. */
void call_give(const void *own, size_t own_size, void *to);

#endif
