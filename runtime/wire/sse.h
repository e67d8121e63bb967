/* Server-sent events (WHATWG HTML, 9.2.6), fed in pieces of any size. Lenient where chat servers
 * need it: a field named `error` is an event, the end of the stream ends the last event, and lines
 * that are no event at all (a bare JSON error in mid-stream) are kept for the caller. */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SSE_LINE_MAX     (16u << 20) /* one line, and the joined data of one event */
#define SSE_UNFRAMED_MAX (64u << 10)

struct sse_event {
    const char *name; /* "message" when the stream gives none; ends with a zero byte */
    const char *id;   /* the last event id, "" when none */
    const char *data; /* not zero-terminated; valid during the callback; may hold any byte */
    size_t len;
};

/* Anything but 0 stops the parser: sse_feed() then returns -1 and must not be called again. */
typedef int (*sse_event_fn)(void *user, const struct sse_event *event);

struct sse {
    sse_event_fn on_event;
    void *user;
    struct buf line; /* a line whose end has not come yet */
    struct buf data; /* joined data lines of the pending event */
    struct buf name;
    struct buf id;
    struct buf unframed; /* lines that are no field and no comment, each with its \n */
    const char *held;    /* the only data line of the pending event, still in the caller's bytes */
    size_t held_len;
    bool has_data;
    bool after_cr; /* the last byte was CR: a LF that follows belongs to it */
    bool started;  /* past the place of a byte order mark */
};

void sse_init(struct sse *s, sse_event_fn on_event, void *user);
void sse_release(struct sse *s);

/* Takes the next bytes, calling on_event for each event that is complete. 0, or -1: stopped by the
 * callback (err untouched), or a line, an event or the unframed bytes over their cap (ERR_LIMIT).
 */
int sse_feed(struct sse *s, const char *data, size_t len, struct err *err);

/* The stream has ended: takes an unterminated line and delivers a pending event. (The standard
 * would drop both; chat servers do end this way.) As sse_feed(). */
int sse_end(struct sse *s, struct err *err);

#endif
