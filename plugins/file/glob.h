/* Globs on paths: * and ? stop at a slash, ** as a whole part stands for any number of parts,
 * [a-z] [!a] [[:alpha:]], a backslash takes the next character as it is, {a,b} in sets only.
 * Characters are UTF-8. Matching takes polynomial time whatever the pattern. */
#ifndef FILE_GLOB_H
#define FILE_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#define GLOB_PATTERN_MAX 1024
#define GLOB_SET_MAX     256

/* Does the pattern match the whole path? "a/ ** /b" (without the spaces) matches "a/b" too; a
 * pattern that ends in a ** part matches what is below, not the directory itself. A malformed
 * pattern matches nothing. Braces have no meaning here. */
bool glob_match(const char *pattern, const char *path);

/* A pattern with its braces expanded. */
struct glob_set {
    char **patterns; /* owned */
    size_t count;
    bool dirs; /* the pattern ended in a slash: it is about directories */
};

/* Takes a pattern apart. 0, or -1 with *problem (static text) saying what is wrong; the set is then
 * empty. Limits: GLOB_PATTERN_MAX bytes, GLOB_SET_MAX patterns after expansion. */
int glob_set_init(struct glob_set *set, const char *pattern, const char **problem);
void glob_set_release(struct glob_set *set);

/* A pattern with a slash is matched against the whole path, one without against its last part. */
bool glob_set_match(const struct glob_set *set, const char *path);

#endif
