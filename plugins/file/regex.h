/* PCRE2 for patterns and lines that nobody has vetted: every match is bounded in steps and memory,
 * and text that is no UTF-8 is searched too. The only file that includes pcre2.h. */
#ifndef FILE_REGEX_H
#define FILE_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#define REGEX_PATTERN_MAX  4096
#define REGEX_PROBLEM_SIZE 256

#define REGEX_ANY_CASE (1u << 0)
#define REGEX_FIXED    (1u << 1) /* the pattern is plain text */

struct regex;

/* NULL with `problem` saying what is wrong with the pattern and where, or that memory is out. */
struct regex *regex_new(const char *pattern, size_t len, unsigned flags,
                        char problem[REGEX_PROBLEM_SIZE]);
void regex_free(struct regex *r);

/* Looks in one line. 1: found, *at is where it starts; 0: not; -1: given up, it would take too many
 * steps or too much memory. */
int regex_find(struct regex *r, const char *line, size_t len, size_t *at);

#endif
