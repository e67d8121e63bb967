/* The one line at the bottom of a terminal that says what is going on now. It is never part of
 * what stays on the screen. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "stream.h"

struct status {
    struct stream *to;
    bool enabled;
    bool shown;
    unsigned frame;
    int64_t drawn_ms;
    int64_t since_ms; /* when what it tells about began */
};

#define STATUS_PERIOD_MS 100

int64_t status_now_ms(void); /* CLOCK_MONOTONIC */

void status_init(struct status *s, struct stream *to, bool enabled);

/* A new thing begins: the time shown starts anew. */
void status_begin(struct status *s);

/* Draws, at most once in STATUS_PERIOD_MS. `what` is one line, safe to show. */
void status_draw(struct status *s, const char *what);

/* Takes the line away. Call it before anything else is written to the terminal. */
void status_hide(struct status *s);

#endif
