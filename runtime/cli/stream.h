/* Standard output and standard error: what each can show, and a writer that loses nothing on a
 * non-blocking pipe and remembers the first error. */
#ifndef CLI_STREAM_H
#define CLI_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "clean.h"
#include "marks.h"

#define STREAM_HELD_MAX (1u << 20)

enum colour_choice { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

enum style { STYLE_NONE, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW };

struct stream {
    FILE *file; /* fully buffered; owned */
    int fd;
    int error;     /* errno of the first write that failed; 0: none */
    bool terminal; /* a person looks at it */
    bool held;     /* what is written waits in `waiting`: owned */
    char *waiting;
    size_t waiting_len;
    bool colour;
    bool utf8;            /* marks such as a tick can be shown */
    bool animate;         /* a line may be drawn over and over */
    enum clean_form form; /* how text from outside is written */
    bool ci_log;          /* a CI runner reads along, and obeys: nothing written may tell it to */
    bool to_runner;       /* but what is written now is for it: stream_to_runner() */
    struct marks marks;
};

/* Wraps a descriptor, which stays the caller's. `for_people`: it is cleaned even when it goes to a
 * file, because no program reads it. 0, or -1 with errno. */
int stream_init(struct stream *s, int fd, bool for_people);

/* Flushes and frees. */
void stream_release(struct stream *s);

/* --color, then NO_COLOR, FORCE_COLOR and CLICOLOR_FORCE, then TERM and terminal or not. */
void stream_set_colour(struct stream *s, enum colour_choice choice);

/* What is written goes to the log of a CI runner, which would obey commands in it. */
void stream_set_ci_log(struct stream *s);

/* What is written until it is called with false is meant for the runner. */
void stream_to_runner(struct stream *s, bool on);

/* 0, or -1 when this or an earlier write failed. */
int stream_flush(struct stream *s);

/* Keeps back what is written from now on, so that it does not run into what a person is typing;
 * false gives it out. At most STREAM_HELD_MAX bytes: what is more is written. */
void stream_hold(struct stream *s, bool hold);

/* Text from outside, cleaned as `form` says. */
void stream_text(struct stream *s, const char *text, size_t len);

/* The control sequence that begins a style, STYLE_NONE ends it; "" without colour. */
const char *stream_style(const struct stream *s, enum style style);

/* Columns of the terminal; 0 when there is none. */
size_t stream_columns(const struct stream *s);

#endif
