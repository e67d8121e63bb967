/* Where a text that was looked for in vain comes closest, and what is different there: so that the
 * next try of edit_file fits. Pure: no file, no call. */
#ifndef FILE_NEAREST_H
#define FILE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

struct nearest {
    size_t first; /* lines of the text, from 1; 0: nothing is alike */
    size_t last;
    char why[200]; /* one line; valid UTF-8 */
};

/* Takes time in proportion to len; of a very long text only the first part is compared line by
 * line. */
void nearest_find(const char *text, size_t len, const char *wanted, size_t wanted_len,
                  struct nearest *out);

#endif
