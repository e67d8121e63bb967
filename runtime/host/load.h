/* Gets a plugin file into the process: every check of the file, dlopen(), and the checks of what
 * the plugin says of itself. The only file that calls dlopen(); nothing is ever unloaded. */
#ifndef HOST_LOAD_H
#define HOST_LOAD_H

#include <sys/stat.h>

#include "host/manifest.h"
#include "host/problems.h"

/* Loads the file at `path`, constructors included, and reads its manifest. The file that is checked
 * is the file that is loaded: both go through one descriptor, which stays open so that the name
 * that the dynamic linker knows the file by is not used again.
 *
 * 0 with *file (identity of the file) and *manifest, which the caller releases; or -1 with at least
 * one problem. *manifest can be released in either case. */
int load_plugin(const char *path, struct manifest *manifest, struct stat *file,
                struct problems *problems);

#endif
