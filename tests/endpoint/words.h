/* Reading what a person wrote in a line: words, values, durations. */
#ifndef ENDPOINT_WORDS_H
#define ENDPOINT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct words {
    char **items; /* ended by NULL */
    size_t count;
};

/* Splits at white space. '...' is taken as it stands, in "..." a backslash escapes `"` and `\`,
 * elsewhere it escapes any character. Nothing is expanded. 0 or -1. */
int words_split(const char *line, struct words *out, struct err *err);
void words_release(struct words *words);

/* Takes the first word of *line (no quotes): *line is moved behind it and the white space that
 * follows. The word is malloc'd, "" when there is none. */
char *words_take(const char **line);

/* Does *line start with this word? Then it is skipped as words_take() does. */
bool words_skip(const char **line, const char *word);

/* The value that the rest of a line gives, malloc'd: a JSON string when it begins with a quotation
 * mark, else the text as it stands. *len may be NULL. 0 or -1. */
int words_value(const char *rest, char **out, size_t *len, struct err *err);

/* "200ms", "2s", "1m". 0 or -1. */
int words_duration(const char *text, int64_t *ms, struct err *err);

/* A number from 0 to max. 0 or -1. */
int words_number(const char *text, long max, long *out, struct err *err);

#endif
