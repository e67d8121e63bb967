#include "base/locate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/enforce.h"

#define TRIES 64 /* openat2 says EAGAIN when something is being renamed on the way */

const char *locate_split(const char *path, char name[LOCATE_NAME_MAX + 1])
{
    size_t len = strcspn(path, "/");
    if (len > LOCATE_NAME_MAX)
        return NULL;
    memcpy(name, path, len);
    name[len] = '\0';
    return path + len + strspn(path + len, "/");
}

/* One step of the walk: O_PATH | O_NOFOLLOW opens a link itself, which is then refused. */
static int step_into(int dir, const char *name)
{
    struct stat st;
    if (strcmp(name, "..") == 0) {
        errno = EXDEV;
        return -1;
    }
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int error = fstat(fd, &st) ? errno : S_ISLNK(st.st_mode) ? ELOOP : 0;
    if (!error)
        return fd;
    (void)close(fd);
    errno = error;
    return -1;
}

/* The way without openat2: part by part, no links, no "..". */
static int locate_by_walk(int root, const char *relative)
{
    char name[LOCATE_NAME_MAX + 1];
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (dir >= 0 && *relative) {
        relative = locate_split(relative, name);
        int next = relative ? step_into(dir, name) : -1;
        int error = relative ? errno : ENAMETOOLONG;
        (void)close(dir);
        errno = error;
        dir = next;
    }
    return dir;
}

/* A folder without a name is one that was removed; a name below it would only be missing. */
static bool is_gone(int root)
{
    struct stat st;
    return fstat(root, &st) == 0 && st.st_nlink == 0;
}

static int open_beneath(int root, const char *relative, uint64_t resolve)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};
    if (ENFORCED(path_beneath))
        how.resolve |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    long fd = -1;
    for (int i = 0; i < TRIES; i++) {
        fd = syscall(SYS_openat2, root, relative, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

/* Does the path leave the root's mount at a .git or .tackle, and not before? */
static bool is_pinned(int root, const char *relative)
{
    char before[BENEATH_PATH_MAX];
    const char *part = relative;
    while (*part && !beneath_is_protected_name(part, strcspn(part, "/"))) {
        part += strcspn(part, "/");
        part += strspn(part, "/");
    }
    if (!*part)
        return false;
    (void)snprintf(before, sizeof before, "%.*s", (int)(part - relative), relative);
    int fd = open_beneath(root, *before ? before : ".", RESOLVE_NO_XDEV);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* openat2 gives one error for what is outside and for what is on another mount. */
static int locate_mounted(int root, const char *relative)
{
    int fd = open_beneath(root, relative, 0);
    if (fd < 0 || is_pinned(root, relative))
        return fd;
    (void)close(fd);
    errno = EREMOTE;
    return -1;
}

int locate(int root, const char *relative, unsigned how)
{
    bool stay = ENFORCED(path_mounts) && !(how & BENEATH_MOUNTS);
    if (is_gone(root)) {
        errno = ESTALE;
        return -1;
    }
    int fd = open_beneath(root, relative, stay ? RESOLVE_NO_XDEV : 0);
    /* EPERM: container filters older than the system call. O_PATH itself never gives it. */
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return locate_by_walk(root, relative);
    return fd < 0 && errno == EXDEV && stay ? locate_mounted(root, relative) : fd;
}

void locate_clean(const char *path, char *out)
{
    size_t used = 0;
    if (*path == '/')
        out[used++] = '/';
    while (*path) {
        size_t len = strcspn(path, "/");
        bool skip = len == 0 || (len == 1 && path[0] == '.');
        if (!skip) {
            if (used > 0 && out[used - 1] != '/')
                out[used++] = '/';
            memcpy(out + used, path, len);
            used += len;
        }
        path += len;
        path += *path == '/';
    }
    out[used] = '\0';
}

bool locate_leads_up(const char *path)
{
    while (*path) {
        size_t len = strcspn(path, "/");
        if (len == 2 && memcmp(path, "..", 2) == 0)
            return true;
        path += len;
        path += strspn(path, "/");
    }
    return false;
}

void locate_fd_path(int fd, char out[LOCATE_FD_PATH])
{
    (void)snprintf(out, LOCATE_FD_PATH, "/proc/self/fd/%d", fd);
}

const char *locate_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return "no regular file";
    }
}

int locate_fail(struct err *err, int error, const char *relative)
{
    switch (error) {
    case EXDEV:
        return err_set(err, ERR_DENIED, "outside the workspace: %s", relative);
    case EREMOTE:
        return err_set(err, ERR_DENIED,
                       "on another file system, mounted below the workspace; --cross-mounts lets "
                       "tools in: %s",
                       relative);
    case ELOOP:
        return err_set(err, ERR_DENIED, "goes through a link that cannot be followed here: %s",
                       relative);
    case ENOENT:
        return err_set(err, ERR_NOT_FOUND, "no such file or directory: %s", relative);
    case ENOTDIR:
        return err_set(err, ERR_NOT_FOUND, "not a directory, or a part of it is not: %s", relative);
    case ENAMETOOLONG:
        return err_set(err, ERR_LIMIT, "the path is too long: %s", relative);
    case ESTALE:
        return err_set(err, ERR_NOT_FOUND, "the workspace was removed, and with it: %s", relative);
    case ENOMEM:
        return err_set(err, ERR_NOMEM, "out of memory");
    default:
        return err_set(err, ERR_IO, "%s: %s", strerror(error), relative);
    }
}
