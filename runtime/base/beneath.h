/* The one resolver for paths in a workspace. Every open goes through openat2(2) with
 * RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS on a directory descriptor that was opened once, so
 * neither links nor races lead outside. Without openat2 (Linux < 5.6) a walk without any links. */
#ifndef BASE_BENEATH_H
#define BASE_BENEATH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define BENEATH_PATH_MAX 4096

/* Opens the workspace directory: O_PATH | O_DIRECTORY | O_CLOEXEC. `real` (BENEATH_PATH_MAX bytes)
 * receives its absolute path without links. Returns the descriptor or -1. */
int beneath_open_root(const char *dir, char *real, struct err *err);

/* Makes `path` relative to the root: a relative path is normalised ("a//./b" is "a/b", "" and "."
 * are "."), an absolute one must start with `root_real`. ".." is kept for the kernel to judge.
 * Refuses NUL-free but hopeless input: empty text, over-long names, control characters. `out` has
 * BENEATH_PATH_MAX bytes. 0 or -1. Errors: ERR_DENIED, ERR_LIMIT, ERR_USAGE. */
int beneath_relative(const char *root_real, const char *path, char *out, struct err *err);

/* Among the flags of what follows: other file systems, and other places of this one, that are
 * mounted below the root may be entered. Without it they are ERR_DENIED. */
#define BENEATH_MOUNTS (1u << 2)

/* Opens a regular file for reading (never blocks on a FIFO, never opens a device). *st may be NULL.
 * Descriptor or -1. */
int beneath_open_file(int root, const char *relative, unsigned how, struct stat *st,
                      struct err *err);

/* Opens a directory for reading and openat(). Descriptor or -1. */
int beneath_open_dir(int root, const char *relative, unsigned how, struct err *err);

/* The path below the root of what a descriptor stands for, links gone; "" is the root itself. `out`
 * has BENEATH_PATH_MAX bytes. 0 or -1. */
int beneath_name(int root, int fd, char *out, struct err *err);

/* The same of a path; what does not exist yet is below what does. A name that leads outside, or
 * up from what does not exist, has none: -1. */
int beneath_real(int root, const char *relative, char *out, struct err *err);

/* Is this path one that no tool may write: .git and .tackle at any depth, whatever their case? */
bool beneath_is_protected(const char *relative);
bool beneath_is_protected_name(const char *name, size_t len); /* one part of a path */

#define BENEATH_NEW     (1u << 0) /* the file must not exist */
#define BENEATH_PARENTS (1u << 1) /* make missing directories, 0777 & ~umask */

/* Replaces or creates a file through a temporary one and rename(2): old content or new, never a
 * mix, on disk when it returns; nothing is left behind when the process dies on the way, unless the
 * file system has no O_TMPFILE. A link inside the workspace is followed to the file it names. Mode
 * bits but set-id, user.* attributes and, where it can be done, the owner are kept; a new file gets
 * 0666 & ~umask. Protected paths are refused, whatever links lead to them, and so is a file without
 * write permission. *created tells which it was; it may be NULL. 0 or -1. */
int beneath_replace(int root, const char *relative, const void *data, size_t len, unsigned flags,
                    bool *created, struct err *err);

/* The same, if `check` returns 0 for the path below the root that would be written, links gone;
 * else it has filled *err. */
struct beneath_guard {
    int (*check)(void *user, const char *path, struct err *err);
    void *user;
};
int beneath_replace_guarded(int root, const char *relative, const void *data, size_t len,
                            unsigned flags, const struct beneath_guard *guard, bool *created,
                            struct err *err);

/* Reads a regular file whole, up to `max` bytes: over it ERR_LIMIT. *data is malloc'd, has a zero
 * byte after *len, and is the caller's. 0 or -1. */
int beneath_read(int root, const char *relative, size_t max, char **data, size_t *len,
                 struct err *err);

#endif
