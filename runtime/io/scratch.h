/* A private folder of a runtime, 0700, gone at its end, or at the start of another one when it was
 * killed: for what programs started by tools leave
 * behind, and for results too large for a conversation. */
#ifndef IO_SCRATCH_H
#define IO_SCRATCH_H

#include "base/err.h"

struct scratch {
    const char *parent; /* borrowed: where it is made; NULL: /tmp */
    char *root;         /* owned; NULL before the first scratch_dir() */
    int lock;           /* held while it is in use; of no meaning without a root; -1: none */
};

/* The path of a folder in it, malloc'd; both are made when they are not there. NULL with *err. */
char *scratch_dir(struct scratch *s, const char *name, struct err *err);

/* Deletes a folder with all that is in it, links not followed. What cannot be deleted stays. */
void scratch_delete(const char *dir);

/* Deletes it all. */
void scratch_remove(struct scratch *s);

#endif
