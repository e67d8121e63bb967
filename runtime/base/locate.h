/* Finding things beneath a directory: what reading and writing in base/beneath.h share. An object
 * is first located, by an O_PATH descriptor that opens nothing, and looked at; only then is it
 * opened, through that descriptor. Nobody but the files beneath*.c includes this. */
#ifndef BASE_LOCATE_H
#define BASE_LOCATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define LOCATE_NAME_MAX 255 /* bytes of one name in a path */
#define LOCATE_FD_PATH  32

/* An O_PATH descriptor of what is there, links followed as long as they stay beneath the root. -1
 * with errno: EXDEV (outside), EREMOTE (on another mount; never with BENEATH_MOUNTS among `how`),
 * ESTALE (the root was removed), ELOOP, ENOENT, ... A .git or .tackle that is mounted, as the
 * sandbox does it on the very same one, is no other mount. */
int locate(int root, const char *relative, unsigned how);

/* "a//./b/" becomes "a/b", "/./" becomes "/". `out` has room for the whole of `path`. */
void locate_clean(const char *path, char *out);

/* The first name of a path into `name`; returns what follows it and its slashes, NULL when the name
 * is too long. */
const char *locate_split(const char *path, char name[LOCATE_NAME_MAX + 1]);

/* Is one of its parts ".."? What does not exist has no parent. */
bool locate_leads_up(const char *path);

/* "/proc/self/fd/7": the way from an O_PATH descriptor to one that reads. */
void locate_fd_path(int fd, char out[LOCATE_FD_PATH]);

/* "a directory", "a FIFO", ... */
const char *locate_kind(mode_t mode);

/* An errno about a path as an error, and returns -1. The path stands last in the text, so that a
 * long one cannot push the reason out. */
int locate_fail(struct err *err, int error, const char *relative);

#endif
