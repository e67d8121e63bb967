/* What a tool call would do, for the person who is asked whether it may: all of it, in lines that
 * are safe to look at and in which nothing hides. */
#ifndef CLI_PREVIEW_H
#define CLI_PREVIEW_H

#include <jansson.h>
#include <stddef.h>

#include "stream.h"

struct preview_line {
    enum style style;
    char *text; /* owned */
};

struct preview {
    struct preview_line *lines; /* owned */
    size_t count;
    size_t columns;
};

/* Makes the lines for the call of an event approval.requested, none wider than `columns`: the
 * command with its arguments quoted, what would change in a file of `workspace`, the arguments of
 * any other tool. Control and hidden characters are escaped; blanks at either end of a line, and
 * long runs of them, are counted. */
void preview_init(struct preview *p, const json_t *event, const char *workspace, size_t columns);
void preview_release(struct preview *p);

/* Adds text of any length as lines; what goes over `columns` goes on below, indented by the width
 * of `mark`, which stands before the first line. */
void preview_add(struct preview *p, enum style style, const char *mark, const char *text);

#endif
