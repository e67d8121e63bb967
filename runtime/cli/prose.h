/* Text of the model as it is being written: streamed, cleaned, without blank lines at either end.
 */
#ifndef CLI_PROSE_H
#define CLI_PROSE_H

#include <stdbool.h>
#include <stddef.h>

#include "stream.h"

struct prose {
    struct stream *to; /* NULL: not shown */
    enum style style;
    struct clean clean;
    bool open;       /* something was written and the line is not ended */
    size_t newlines; /* held back until more text comes */
};

void prose_init(struct prose *p, struct stream *to, enum style style);
void prose_feed(struct prose *p, const char *text, size_t len);

/* Ends the text with one newline, when there was any. */
void prose_end(struct prose *p);

#endif
