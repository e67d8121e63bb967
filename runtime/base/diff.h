/* What differs between two texts, line by line, for people: a unified diff. */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H

#include <stddef.h>

#include "base/buf.h"

/* Appends the difference from `before` to `after`: "@@" headings, lines with '-', '+' or ' ' in
 * front and three lines of context, each line cleaned as for a model (text.h) and ended by a
 * newline. A long line is cut to the part around its first difference. After max_lines lines comes
 * one that says how many are left out. Nothing when they are equal. 0, or -1 when the buffer is
 * full or memory is out. */
int diff_text(struct buf *out, const char *before, const char *after, size_t max_lines);

#endif
