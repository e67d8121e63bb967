/* Small JSON files of our own: caches and notes. Read only when they are a regular file of this
 * user; written whole or not at all. */
#ifndef IO_SMALL_FILE_H
#define IO_SMALL_FILE_H

#include <jansson.h>
#include <stddef.h>

/* A new reference; NULL when it is not there, is somebody else's, too large, or no JSON. */
json_t *small_file_read_json(const char *path, size_t max);

/* Makes the folders above it, 0700, when they are missing. 0 or -1. */
int small_file_write_json(const char *path, const json_t *value);

#endif
