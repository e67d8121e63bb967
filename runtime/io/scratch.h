/* A private folder of a runtime, 0700, gone at its end: home/ and tmp/ for programs that tools
 * start, so that they neither see the person's own nor leave anything behind. */
#ifndef IO_SCRATCH_H
#define IO_SCRATCH_H

#include "base/err.h"

struct scratch {
    char *root, *home, *tmp; /* owned paths; NULL before scratch_make() */
};

/* Makes it below `parent` (NULL: /tmp). Nothing happens when it is there already. 0 or -1. */
int scratch_make(struct scratch *s, const char *parent, struct err *err);

/* Deletes the folder with all that is in it, without following links out of it. */
void scratch_remove(struct scratch *s);

#endif
