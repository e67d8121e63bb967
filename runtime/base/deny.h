/* Lists of globs that deny paths, in the order in which they count: the last one that matches
 * decides. A glob denies a path, and all that is in a folder; "!glob" lifts what others before it
 * deny, of this very path. The engine decides by such lists on what a call names, workspace/1 in
 * the host on what is really opened. */
#ifndef BASE_DENY_H
#define BASE_DENY_H

#include <stdbool.h>
#include <stddef.h>

/* The glob that denies the path, NULL: none does. The path is relative and normalised. Letters of
 * ASCII are compared whatever their case, as some file systems do; base/glob has the rest. */
const char *deny_find(const char *const *globs, size_t count, const char *path);

/* Does one glob match the path or a folder that it is in, in this way? */
bool deny_matches(const char *glob, const char *path);

/* The same for a walk that has asked for each folder above: those are not tried again. */
const char *deny_find_next(const char *const *globs, size_t count, const char *path);

#endif
