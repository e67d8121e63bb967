/* Things said in one line: text cut to columns, a tool call with its telling arguments, times,
 * counts. All text that comes out is safe to show. */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Columns that UTF-8 text takes on a terminal. */
size_t line_columns(const char *text);

/* How many bytes of UTF-8 text fit into so many columns; at least one character, if there is any.
 */
size_t line_fit(const char *text, size_t columns);

/* `text` cleaned, its white space folded, cut to `columns` (0: not cut) with an ellipsis.
 * malloc'd. */
char *line_make(const char *text, size_t len, size_t columns, bool utf8);

/* What a tool call is about: `src/main.c`, `make test`, `"fix: off by one"`, from the argument
 * object (or the text that should have been one). malloc'd, not cut, "" when there is nothing. */
char *line_call(json_t *arguments);

/* Why a call failed, from its output: what follows the last "error: " at the beginning of a line,
 * or all of it. Borrowed from `output`. */
const char *line_failure(const char *output);

/* The first line of `text` that is not blank, cleaned and cut like line_make(). malloc'd. */
char *line_first(const char *text, size_t len, size_t columns, bool utf8);

#define LINE_SHORT 32

/* "3 ms", "8.2 s", "2 m 05 s". */
void line_duration(int64_t ms, char out[LINE_SHORT]);

/* "950", "12.3k", "1.2M". */
void line_count(int64_t n, char out[LINE_SHORT]);

#endif
