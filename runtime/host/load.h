/* Gets a plugin file into the process: every check of the file, dlopen(), and the checks of what
 * the plugin says of itself. The only file that calls dlopen(); nothing is ever unloaded. */
#ifndef HOST_LOAD_H
#define HOST_LOAD_H

#include <sys/stat.h>

#include "host/manifest.h"
#include "host/problems.h"

/* Opens the file at `path` if it may be loaded: one that nobody but its owner and root can change
 * or replace. Runs nothing of it. The descriptor, with *file; or -1 with a problem. */
int load_open(const char *path, struct stat *file, struct problems *problems);

/* Loads that file, constructors included, and reads its manifest. The descriptor must stay open, so
 * that the name that the dynamic linker knows the file by is not used again. 0 with *manifest,
 * which the caller releases; or -1 with at least one problem. *manifest can be released in either
 * case. */
int load_object(int fd, struct manifest *manifest, struct problems *problems);

#endif
