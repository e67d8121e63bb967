/* Whole files in memory, with what is needed to see later whether they have changed. */
#ifndef FILE_LOAD_H
#define FILE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "file.h"
#include "hash.h"

struct load {
    char *data; /* owned; a zero byte follows it */
    size_t len;
    struct stat st; /* as it was when opened */
};

#define LOAD_ERROR   (-1) /* see errno */
#define LOAD_TOO_BIG (-2) /* out->st is set */

/* Reads the file behind `fd`, which it closes in any case. 0, or one of the above with nothing to
 * release. Ends also on a file that grows all the time. */
int load_fd(int fd, size_t max, struct load *out);

/* Reads a file of the workspace. TACKLE_OK, or a negative code with fail() called. */
int32_t load_file(const struct file_plugin *plugin, tackle_call *call, const char *path, size_t max,
                  struct load *out);

void load_release(struct load *file);

/* Is the file at `path` still the one that was loaded, unchanged? */
bool load_is_current(const struct file_plugin *plugin, tackle_call *call, const char *path,
                     const struct load *file);

/* ---- For the tools that write: telling after a crash whether the write was done ---- */

/* Notes in the journal what the file was (NULL: there was none) and what it will be. TACKLE_OK, or
 * a negative code with fail() called. */
int32_t load_remember(tackle_call *call, const struct load *old, const void *data, size_t len);

/* Compares the file at `path` with that note: a TACKLE_PROBE_ answer. */
int32_t load_probe(const struct file_plugin *plugin, tackle_call *call, const char *path);

#endif
