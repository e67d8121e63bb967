/* The file of -o: found unwritable before the run, written whole or not at all after it. */
#ifndef CLI_OUTFILE_H
#define CLI_OUTFILE_H

#include <stddef.h>

#include <tackle/tackle.h>

/* Can `path` be written? 0, or -1 with `error` (TACKLE_EXIT_USAGE). Leaves nothing behind. */
int outfile_check(const char *path, tackle_error *error);

/* Writes `text`, which gets a final newline when it has none. A regular file is replaced in one
 * step and keeps its mode; links are followed; a device or pipe is written to. 0, or -1 with
 * `error` (TACKLE_EXIT_INTERNAL). */
int outfile_write(const char *path, const char *text, tackle_error *error);

#endif
