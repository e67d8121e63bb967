/* How file content and file names are shown to the model: always valid UTF-8, a name always on one
 * line. What is done to control characters inside a line is the runtime's business. */
#ifndef FILE_SHOW_H
#define FILE_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* The length of the UTF-8 character (RFC 3629) that text starts with, 0 when it starts with none.
 * *code (may be NULL) receives the code point. */
size_t show_char(const char *text, size_t len, uint32_t *code);

/* Appends text as valid UTF-8: a byte that belongs to no character, and a NUL, become U+FFFD.
 * Returns how many were replaced. */
size_t show_text(struct bytes *out, const char *text, size_t len);

/* As above for one line of a file: no line end, and when it is longer than `max` bytes, the part
 * round byte `focus`, with "[...]" where something is left out. */
void show_line(struct bytes *out, const char *line, size_t len, size_t focus, size_t max);

/* Appends lines first to last (counted from 1) of a text, each with its number and a tab. */
void show_lines(struct bytes *out, const char *text, size_t len, size_t first, size_t last);

/* Appends a path or name. One that could break a line or be misread (control characters, bad
 * UTF-8, line separators, " -> ", spaces or a quote at its edges) comes in double quotes with C
 * escapes, as git shows it; any other comes as it is. */
void show_name(struct bytes *out, const char *name);

/* A NUL byte, or more than a tenth control characters, in the first 8 KiB: not text. */
bool show_is_binary(const char *data, size_t len);

/* The largest n <= len such that text[0..n) does not end inside a character. */
size_t show_edge(const char *text, size_t len);

/* The number of lines: newlines, and one more for text after the last. */
size_t show_count_lines(const char *text, size_t len);

/* The line, counted from 1, that holds byte `at`. */
size_t show_line_of(const char *text, size_t at);

#endif
