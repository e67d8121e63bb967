/* A run for a person to read: the answer on standard output; what the tools do, what goes on now
 * and what it came to on standard error. */
#ifndef CLI_RENDER_TEXT_H
#define CLI_RENDER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <tackle/tackle.h>

#include "prose.h"
#include "status.h"
#include "stream.h"

struct shown_call; /* a tool call that was asked for and has not ended */

struct render_text {
    struct stream *out, *err;
    bool quiet, verbose;
    bool replayed; /* the model's replies are recorded ones */
    struct status status;
    char *doing;              /* for the status line; owned */
    struct prose answer;      /* to the terminal, if there is one */
    struct prose reasoning;   /* with --verbose on a terminal */
    bool answer_streamed;     /* some of this message has been shown */
    char *on_stdout;          /* the last message that standard output has got; owned */
    struct shown_call *calls; /* owned */
    size_t call_count;
};

void render_text_init(struct render_text *r, struct stream *out, struct stream *err, bool quiet,
                      bool verbose);
void render_text_release(struct render_text *r);

/* `text` is the final answer, needed for the event "result" only. */
void render_text_event(struct render_text *r, const tackle_event *event, const char *text);

/* Call it now and then while waiting: draws the status line. */
void render_text_tick(struct render_text *r);

/* The person asked to stop. */
void render_text_stopping(struct render_text *r);

#endif
