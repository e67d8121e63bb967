/* Lists for people: columns as wide as they need, cleaned, cut at the terminal's edge. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>

#include "stream.h"

#define TABLE_COLUMNS_MAX 6

struct table {
    size_t columns;
    char **cells; /* row by row, the headings first; owned */
    size_t count;
};

/* `headings` are `columns` many. */
void table_init(struct table *t, const char *const *headings, size_t columns);
void table_release(struct table *t);

/* The next cell, from left to right; the text is copied. */
void table_cell(struct table *t, const char *text);

/* Writes it sorted by the first column. Only the last column is cut. */
void table_print(struct table *t, struct stream *to);

#endif
