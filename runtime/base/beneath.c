/* Every path is first located: an O_PATH descriptor, which opens nothing, is found beneath the
 * root and looked at; only then is the object itself opened, through that descriptor. */
#include "base/beneath.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"

#define NAME_BYTES_MAX 255
#define TRIES          64 /* openat2 says EAGAIN when something is being renamed on the way */
#define FD_PATH_SIZE   32

static void fd_path(int fd, char out[FD_PATH_SIZE])
{
    (void)snprintf(out, FD_PATH_SIZE, "/proc/self/fd/%d", fd);
}

/* The path stands last, so that a long one cannot push the reason out of the message. */
static int fail_errno(struct err *err, int error, const char *relative)
{
    switch (error) {
    case EXDEV:
        return err_set(err, ERR_DENIED, "outside the workspace: %s", relative);
    case ELOOP:
        return err_set(err, ERR_DENIED, "goes through a link that cannot be followed here: %s",
                       relative);
    case ENOENT:
        return err_set(err, ERR_NOT_FOUND, "no such file or directory: %s", relative);
    case ENOTDIR:
        return err_set(err, ERR_NOT_FOUND, "not a directory, or a part of it is not: %s", relative);
    case ENAMETOOLONG:
        return err_set(err, ERR_LIMIT, "the path is too long: %s", relative);
    case ENOMEM:
        return err_set(err, ERR_NOMEM, "out of memory");
    default:
        return err_set(err, ERR_IO, "%s: %s", strerror(error), relative);
    }
}

/* ---- Names ---- */

/* "a//./b/" becomes "a/b", "/./" becomes "/". `out` has room for the whole of `path`. */
static void normalise(const char *path, char *out)
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

static int check_name(const char *path, struct err *err)
{
    if (!*path)
        return err_set(err, ERR_USAGE, "the path is empty; \".\" is the workspace itself");
    if (strlen(path) >= BENEATH_PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path is too long: over %d bytes", BENEATH_PATH_MAX - 1);
    for (const char *c = path; *c; c++) {
        if (iscntrl((unsigned char)*c))
            return err_set(err, ERR_USAGE,
                           "the path has a control character (0x%02x), which no path here may have",
                           (unsigned)(unsigned char)*c);
    }
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, "/");
        if (len > NAME_BYTES_MAX)
            return err_set(err, ERR_LIMIT, "a name in the path is too long: over %d bytes",
                           NAME_BYTES_MAX);
        part += len;
        part += strspn(part, "/");
    }
    return 0;
}

int beneath_relative(const char *root_real, const char *path, char *out, struct err *err)
{
    if (check_name(path, err))
        return -1;
    char clean[BENEATH_PATH_MAX];
    normalise(path, clean);
    const char *relative = clean;
    if (*clean == '/') {
        size_t len = strcmp(root_real, "/") == 0 ? 0 : strlen(root_real);
        if (strncmp(clean, root_real, len) != 0 || (clean[len] != '/' && clean[len] != '\0'))
            return err_set(err, ERR_DENIED, "outside the workspace %s: %s", root_real, clean);
        relative = clean + len;
        relative += *relative == '/';
    }
    (void)snprintf(out, BENEATH_PATH_MAX, "%s", *relative ? relative : ".");
    return 0;
}

bool beneath_is_protected(const char *relative)
{
    while (*relative) {
        size_t len = strcspn(relative, "/");
        if ((len == 4 && strncasecmp(relative, ".git", len) == 0) ||
            (len == 7 && strncasecmp(relative, ".tackle", len) == 0))
            return true;
        relative += len;
        relative += strspn(relative, "/");
    }
    return false;
}

/* ---- Finding ---- */

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
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 0);
    while (dir >= 0 && *relative) {
        char name[NAME_BYTES_MAX + 1];
        size_t len = strcspn(relative, "/");
        if (len > NAME_BYTES_MAX) {
            (void)close(dir);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(name, relative, len);
        name[len] = '\0';
        int next = step_into(dir, name);
        int error = errno;
        (void)close(dir);
        errno = error;
        dir = next;
        relative += len;
        relative += strspn(relative, "/");
    }
    return dir;
}

/* An O_PATH descriptor of what is there, links followed as long as they stay inside. -1: errno. */
static int locate(int root, const char *relative)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < TRIES; i++) {
        long fd = syscall(SYS_openat2, root, relative, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    /* EPERM: container filters older than the system call. O_PATH itself never gives it. */
    if (errno == ENOSYS || errno == EPERM)
        return locate_by_walk(root, relative);
    return -1;
}

int beneath_open_root(const char *dir, char *real, struct err *err)
{
    char link[FD_PATH_SIZE];
    struct stat opened, named;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", dir,
                       strerror(errno));
    fd_path(fd, link);
    ssize_t len = readlink(link, real, BENEATH_PATH_MAX - 1);
    if (len < 0) {
        err_set(err, ERR_IO, "%s: cannot read %s: %s", dir, link, strerror(errno));
        goto fail;
    }
    real[len] = '\0';
    if (fstat(fd, &opened) || stat(real, &named) || opened.st_dev != named.st_dev ||
        opened.st_ino != named.st_ino) {
        err_set(err, ERR_IO, "%s: has no usable path (over %d bytes, or removed)", dir,
                BENEATH_PATH_MAX - 1);
        goto fail;
    }
    return fd;
fail:
    (void)close(fd);
    return -1;
}

/* ---- Reading ---- */

static const char *kind_of(mode_t mode)
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

int beneath_open_file(int root, const char *relative, struct stat *st, struct err *err)
{
    char path[FD_PATH_SIZE];
    struct stat found;
    int fd = -1;
    int located = locate(root, relative);
    if (located < 0)
        return fail_errno(err, errno, relative);
    if (fstat(located, &found)) {
        fail_errno(err, errno, relative);
        goto out;
    }
    if (!S_ISREG(found.st_mode)) {
        err_set(err, ERR_USAGE, "%s, not a file that can be read: %s", kind_of(found.st_mode),
                relative);
        goto out;
    }
    fd_path(located, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        fail_errno(err, errno, relative);
    else if (st)
        *st = found;
out:
    (void)close(located);
    return fd;
}

int beneath_open_dir(int root, const char *relative, struct err *err)
{
    int located = locate(root, relative);
    if (located < 0)
        return fail_errno(err, errno, relative);
    int fd = openat(located, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fail_errno(err, errno, relative);
    (void)close(located);
    return fd;
}

/* The size that fstat told is only a hint: the file may grow, or tell none at all. */
static int read_all(int fd, struct buf *out, struct err *err)
{
    char piece[16384];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_IO, "%s", strerror(errno));
        if (got == 0)
            return 0;
        if ((size_t)got > out->max - out->len)
            return err_set(err, ERR_LIMIT, "the file is over the limit of %zu bytes", out->max);
        if (buf_append(out, piece, (size_t)got))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
}

int beneath_read(int root, const char *relative, size_t max, char **data, size_t *len,
                 struct err *err)
{
    struct stat st;
    struct buf bytes;
    int status = -1;
    int fd = beneath_open_file(root, relative, &st, err);
    if (fd < 0)
        return -1;
    buf_init(&bytes, max);
    if ((uintmax_t)st.st_size > max) {
        err_set(err, ERR_LIMIT, "the file has %jd bytes, over the limit of %zu: %s",
                (intmax_t)st.st_size, max, relative);
        goto out;
    }
    if (buf_reserve(&bytes, (size_t)st.st_size)) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto out;
    }
    if (read_all(fd, &bytes, err))
        goto out;
    *len = bytes.len;
    *data = buf_take(&bytes);
    status = *data ? 0 : err_set(err, ERR_NOMEM, "out of memory");
out:
    buf_release(&bytes);
    (void)close(fd);
    return status;
}

/* ---- Writing ---- */

/* Where a replacement goes: a directory beneath the root and a name in it that is no link. */
struct target {
    int dir;
    char name[NAME_BYTES_MAX + 1];
    bool exists;
    struct stat st; /* when it exists */
};

/* The path of a descriptor below the root as the kernel knows it, links gone. */
static int path_below(int root, int fd, char *out, struct err *err)
{
    char link[FD_PATH_SIZE], top[BENEATH_PATH_MAX], full[BENEATH_PATH_MAX];
    fd_path(root, link);
    ssize_t top_len = readlink(link, top, sizeof top - 1);
    fd_path(fd, link);
    ssize_t full_len = readlink(link, full, sizeof full - 1);
    if (top_len < 0 || full_len < 0)
        return err_set(err, ERR_IO, "cannot read %s: %s", link, strerror(errno));
    top[top_len] = full[full_len] = '\0';
    if (strcmp(top, "/") == 0)
        top_len = 0;
    if (strncmp(full, top, (size_t)top_len) != 0 || (full[top_len] != '/' && full[top_len] != '\0'))
        return err_set(err, ERR_DENIED, "moved out of the workspace meanwhile: %s", full);
    const char *below = full + top_len;
    (void)snprintf(out, BENEATH_PATH_MAX, "%s", below + (*below == '/'));
    return 0;
}

/* Protected by the name that was given, or by where links have led. */
static int check_protected(int root, int dir, const char *name, const char *relative,
                           struct err *err)
{
    char real[BENEATH_PATH_MAX];
    if (!beneath_is_protected(relative) && !beneath_is_protected(name)) {
        if (path_below(root, dir, real, err))
            return -1;
        if (!beneath_is_protected(real))
            return 0;
    }
    return err_set(err, ERR_DENIED, "files under .git and .tackle are never written: %s", relative);
}

/* Makes the directories below `*dir` that `path` names, and moves *dir down to the last one. They
 * did not exist a moment ago, so a link among them is somebody's trick and is not followed. */
static int make_down(int *dir, const char *path, const char *relative, struct err *err)
{
    while (*path) {
        char name[NAME_BYTES_MAX + 1];
        size_t len = strcspn(path, "/");
        if (len > NAME_BYTES_MAX)
            return fail_errno(err, ENAMETOOLONG, relative);
        memcpy(name, path, len);
        name[len] = '\0';
        if (strcmp(name, "..") == 0)
            return fail_errno(err, ENOENT, relative);
        if (mkdirat(*dir, name, 0777) && errno != EEXIST)
            return fail_errno(err, errno, relative);
        int next = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return fail_errno(err, errno, relative);
        (void)close(*dir);
        *dir = next;
        path += len;
        path += strspn(path, "/");
    }
    return 0;
}

/* Opens the directory `path`, which is made when `make` says so. Nothing is made below a
 * protected one. */
static int open_parent(int root, const char *path, bool make, const char *relative, struct err *err)
{
    char have[BENEATH_PATH_MAX];
    (void)snprintf(have, sizeof have, "%s", path);
    const char *missing = path + strlen(path);
    int dir = locate(root, *have ? have : ".");
    while (dir < 0 && errno == ENOENT && make && *have) {
        char *slash = strrchr(have, '/');
        size_t len = slash ? (size_t)(slash - have) : 0;
        have[len] = '\0';
        missing = path + len + (slash ? 1 : 0);
        dir = locate(root, *have ? have : ".");
    }
    if (dir < 0)
        return fail_errno(err, errno, relative);
    if (check_protected(root, dir, missing, relative, err) ||
        make_down(&dir, missing, relative, err)) {
        (void)close(dir);
        return -1;
    }
    return dir;
}

/* Splits the path at its last name. The name must be able to be a file's. */
static int split(const char *path, char *parent, char *name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    const char *last = slash ? slash + 1 : path;
    if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return err_set(err, ERR_USAGE, "a directory, not a file that can be written: %s", path);
    if (strlen(last) > NAME_BYTES_MAX)
        return fail_errno(err, ENAMETOOLONG, path);
    (void)snprintf(name, NAME_BYTES_MAX + 1, "%s", last);
    (void)snprintf(parent, BENEATH_PATH_MAX, "%.*s", slash ? (int)(slash - path) : 0, path);
    return 0;
}

/* `path` becomes what the link target->name stands for. The kernel then judges it from the start,
 * so a link that leads outside is refused like any other path. */
static int follow(const struct target *target, const char *parent, char *path, struct err *err)
{
    char to[BENEATH_PATH_MAX];
    ssize_t len = readlinkat(target->dir, target->name, to, sizeof to - 1);
    if (len < 0)
        return fail_errno(err, errno, path);
    to[len] = '\0';
    if (to[0] == '/')
        return fail_errno(err, EXDEV, path);
    char joined[2 * BENEATH_PATH_MAX];
    int need = snprintf(joined, sizeof joined, "%s%s%s", parent, *parent ? "/" : "", to);
    if (need < 0 || need >= BENEATH_PATH_MAX)
        return fail_errno(err, ENAMETOOLONG, path);
    normalise(joined, path);
    return 0;
}

/* Finds the directory and the name that a write to `relative` ends at. The caller closes
 * target->dir, which is -1 after a failure. */
static int find_target(int root, const char *relative, bool make, struct target *target,
                       struct err *err)
{
    char path[BENEATH_PATH_MAX], parent[BENEATH_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", relative);
    for (int hops = 0; hops < 40; hops++) {
        target->dir = -1;
        if (split(path, parent, target->name, err))
            return -1;
        target->dir = open_parent(root, parent, make, relative, err);
        if (target->dir < 0)
            return -1;
        if (check_protected(root, target->dir, target->name, relative, err))
            goto fail;
        target->exists = fstatat(target->dir, target->name, &target->st, AT_SYMLINK_NOFOLLOW) == 0;
        if (!target->exists && errno != ENOENT) {
            fail_errno(err, errno, relative);
            goto fail;
        }
        if (!target->exists || !S_ISLNK(target->st.st_mode))
            return 0;
        if (follow(target, parent, path, err))
            goto fail;
        (void)close(target->dir);
    }
    target->dir = -1;
    return fail_errno(err, ELOOP, relative);
fail:
    (void)close(target->dir);
    target->dir = -1;
    return -1;
}

static int check_target(const struct target *target, const char *relative, unsigned flags,
                        struct err *err)
{
    if (!target->exists)
        return 0;
    if (!S_ISREG(target->st.st_mode))
        return err_set(err, ERR_USAGE, "%s, not a file that can be written: %s",
                       kind_of(target->st.st_mode), relative);
    if (flags & BENEATH_NEW)
        return err_set(err, ERR_IO, "the file exists already: %s", relative);
    if (faccessat(target->dir, target->name, W_OK, AT_EACCESS))
        return fail_errno(err, errno, relative);
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        data += put;
        len -= (size_t)put;
    }
    return 0;
}

static int temporary_name(char out[NAME_BYTES_MAX + 1])
{
    unsigned char random[8];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    uint64_t number = 0;
    memcpy(&number, random, sizeof random);
    (void)snprintf(out, NAME_BYTES_MAX + 1, ".tackle-%016" PRIx64, number);
    return 0;
}

/* A file without a name is gone when this process dies half way; where the file system has no
 * such files it gets a name at once. temporary[0] tells which. */
static int open_temporary(int dir, mode_t mode, char temporary[NAME_BYTES_MAX + 1])
{
    temporary[0] = '\0';
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
        return fd;
    if (temporary_name(temporary))
        return -1;
    return openat(dir, temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode);
}

/* Owner first: changing it clears mode bits. Where the owner cannot be kept the file is ours, as
 * with any program that replaces files. */
static int keep_mode(int fd, const struct stat *old)
{
    struct stat st;
    if (fstat(fd, &st))
        return -1;
    if ((st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) && errno != EPERM && errno != EINVAL)
        return -1;
    return fchmod(fd, old->st_mode & 01777);
}

static int link_unnamed(int fd, int dir, const char *name)
{
    char path[FD_PATH_SIZE];
    fd_path(fd, path);
    return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

/* Gives the written file its name. A file that must be new is linked, which fails when the name
 * is taken; all others are renamed over what is there. */
static int put_in_place(int fd, const struct target *target, bool must_be_new,
                        char temporary[NAME_BYTES_MAX + 1])
{
    if (must_be_new && !temporary[0])
        return link_unnamed(fd, target->dir, target->name);
    if (must_be_new)
        return linkat(target->dir, temporary, target->dir, target->name, 0) ||
               unlinkat(target->dir, temporary, 0);
    if (!temporary[0]) {
        if (temporary_name(temporary) || link_unnamed(fd, target->dir, temporary)) {
            temporary[0] = '\0';
            return -1;
        }
    }
    return renameat(target->dir, temporary, target->dir, target->name);
}

/* Some file systems cannot sync a directory and say EINVAL. */
static int sync_dir(int dir)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : -1;
    int error = fsync(fd) && errno != EINVAL ? errno : 0;
    (void)close(fd);
    errno = error;
    return error ? -1 : 0;
}

static int write_target(const struct target *target, const void *data, size_t len, unsigned flags)
{
    char temporary[NAME_BYTES_MAX + 1];
    int fd = open_temporary(target->dir, target->exists ? 0600 : 0666, temporary);
    if (fd < 0)
        return -1;
    int status = -1;
    if (write_all(fd, data, len) || (target->exists && keep_mode(fd, &target->st)) || fsync(fd) ||
        put_in_place(fd, target, flags & BENEATH_NEW, temporary) || sync_dir(target->dir))
        goto out;
    temporary[0] = '\0';
    status = 0;
out:;
    int error = errno;
    (void)close(fd);
    if (temporary[0])
        (void)unlinkat(target->dir, temporary, 0);
    errno = error;
    return status;
}

int beneath_replace(int root, const char *relative, const void *data, size_t len, unsigned flags,
                    bool *created, struct err *err)
{
    struct target target;
    if (find_target(root, relative, flags & BENEATH_PARENTS, &target, err))
        return -1;
    int status = check_target(&target, relative, flags, err);
    if (status == 0 && write_target(&target, data, len, flags))
        status = errno == EEXIST ? err_set(err, ERR_IO, "the file exists already: %s", relative)
                                 : fail_errno(err, errno, relative);
    if (status == 0 && created)
        *created = !target.exists;
    (void)close(target.dir);
    return status;
}
