/* Exact search and replace on bytes, for edit_file. Pure: no file, no call. */
#ifndef FILE_REPLACE_H
#define FILE_REPLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

#define REPLACE_PLACES_MAX 10

struct replace_order {
    const char *old_text; /* not empty */
    size_t old_len;
    const char *new_text;
    size_t new_len;
    bool all; /* every occurrence; else there must be exactly one */
};

#define REPLACE_DONE      0
#define REPLACE_MISSING   1
#define REPLACE_AMBIGUOUS 2
#define REPLACE_FAILED    3 /* out->failed: over its cap or out of memory */

struct replace_places {
    size_t count;                  /* occurrences; when ambiguous, at least so many */
    size_t at[REPLACE_PLACES_MAX]; /* where the first of them are: done, in the new text; ambiguous,
                                    * in the old one */
    size_t len;                    /* done: bytes of what was put in at each */
};

/* Puts the changed text into `out`; all other bytes stay as they are. Texts given with plain
 * newlines fit a file whose lines end in CRLF: they are taken with CRLF there. */
int replace_text(const char *text, size_t len, const struct replace_order *order, struct bytes *out,
                 struct replace_places *places);

#endif
