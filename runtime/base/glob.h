/* Globs on paths, for rules. `*` and `?` stop at a slash; `**` as a whole part stands for any
 * number of parts; [a-z] and [!a] for one character; {a,b/c} for either, nested too; a backslash
 * takes the next character as it is. `*` and `**` match names that begin with a dot: rules are
 * about all. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

#include "base/err.h"

#define GLOB_MAX 1024 /* bytes */

/* Does the glob match the whole path? The path is relative and normalised: "a/b". A glob without a
 * slash is about the last name of a path, at any depth; one with a slash is about the path from its
 * root on, and a slash in front does no more than say so. A slash at the end means nothing. "a/"
 * and two stars is what is below a, not a itself. A glob that glob_check() refuses matches nothing.
 * The time it takes is bounded by the product of both lengths, whatever the glob. */
bool glob_path(const char *glob, const char *path);

/* 0, or -1 with ERR_USAGE for what is no glob: empty, too long, a bracket or a brace that is not
 * closed, a class with other characters than those of ASCII, a backslash at the end. */
int glob_check(const char *glob, struct err *err);

#endif
