/* The plugin that `tackle plugins new` writes. */
#ifndef CLI_PLUGIN_SKELETON_H
#define CLI_PLUGIN_SKELETON_H

#include <stdbool.h>

#include <tackle/tackle.h>

#include "stream.h"

/* [a-z][a-z0-9_-]*, at most 32 bytes, as <tackle/plugin.h> wants it. */
bool skeleton_name_is_good(const char *name);

/* The C source of a plugin with one tool; malloc'd. */
char *skeleton_source(const char *name);

/* Writes NAME.c into the current folder; a file that is there stays. 0, or -1 with `error`. */
int skeleton_write(const char *name, tackle_error *error);

/* The commands that compile and try it. */
void skeleton_explain(const char *name, struct stream *to);

#endif
