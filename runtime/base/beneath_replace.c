/* beneath_replace(): a file is written whole beside its place, and then put there. */
#include "base/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/enforce.h"
#include "base/locate.h"

#define TEMPORARY_PREFIX ".tackle-"
#define SWEEP_MAX        4096 /* entries of a folder that are looked at for what was left there */

/* Where a replacement goes: a directory beneath the root and a name in it that is no link. */
struct target {
    int dir;
    char name[LOCATE_NAME_MAX + 1];
    bool exists;
    struct stat st; /* when it exists */
};

static int refuse_protected(struct err *err, const char *relative)
{
    return err_set(err, ERR_DENIED, "files under .git and .tackle are never written: %s", relative);
}

/* A name in a directory may be protected because of where links have led to. */
static int check_place(int root, int dir, const char *name, const char *relative, struct err *err)
{
    char real[BENEATH_PATH_MAX];
    if (beneath_is_protected(name))
        return refuse_protected(err, relative);
    if (beneath_name(root, dir, real, err))
        return -1;
    return beneath_is_protected(real) ? refuse_protected(err, relative) : 0;
}

/* Makes the directories below `*dir` that `path` names, and moves *dir down to the last one. They
 * did not exist a moment ago, so a link among them is somebody's trick and is not followed. */
static int make_down(int *dir, const char *path, const char *relative, struct err *err)
{
    char name[LOCATE_NAME_MAX + 1];
    while (*path) {
        path = locate_split(path, name);
        if (!path)
            return locate_fail(err, ENAMETOOLONG, relative);
        if (mkdirat(*dir, name, 0775) && errno != EEXIST)
            return locate_fail(err, errno, relative);
        int next = openat(*dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0)
            return locate_fail(err, errno, relative);
        (void)close(*dir);
        *dir = next;
    }
    return 0;
}

/* Opens the directory `path`, which is made when BENEATH_PARENTS says so. Nothing is made below a
 * protected one. */
static int open_parent(int root, const char *path, unsigned flags, const char *relative,
                       struct err *err)
{
    char have[BENEATH_PATH_MAX];
    (void)snprintf(have, sizeof have, "%s", path);
    const char *missing = path + strlen(path);
    int dir = locate(root, *have ? have : ".", flags);
    while (dir < 0 && errno == ENOENT && (flags & BENEATH_PARENTS) && *have) {
        char *slash = strrchr(have, '/');
        size_t len = slash ? (size_t)(slash - have) : 0;
        have[len] = '\0';
        missing = path + len + (slash ? 1 : 0);
        dir = locate(root, *have ? have : ".", flags);
    }
    if (dir < 0)
        return locate_fail(err, errno, relative);
    if (check_place(root, dir, missing, relative, err) ||
        (locate_leads_up(missing) && locate_fail(err, ENOENT, relative)) ||
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
    if (strlen(last) > LOCATE_NAME_MAX)
        return locate_fail(err, ENAMETOOLONG, path);
    (void)snprintf(name, LOCATE_NAME_MAX + 1, "%s", last);
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
        return locate_fail(err, errno, path);
    to[len] = '\0';
    if (to[0] == '/')
        return locate_fail(err, EXDEV, path);
    char joined[2 * BENEATH_PATH_MAX];
    int need = snprintf(joined, sizeof joined, "%s%s%s", parent, *parent ? "/" : "", to);
    if (need < 0 || need >= BENEATH_PATH_MAX)
        return locate_fail(err, ENAMETOOLONG, path);
    locate_clean(joined, path);
    return 0;
}

/* Finds the directory and the name that a write to `relative` ends at. The caller closes
 * target->dir, which is -1 after a failure. */
static int find_target(int root, const char *relative, unsigned flags, struct target *target,
                       struct err *err)
{
    char path[BENEATH_PATH_MAX], parent[BENEATH_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s", relative);
    for (int hops = 0; hops < 40; hops++) {
        target->dir = -1;
        if (beneath_is_protected(path))
            return refuse_protected(err, relative);
        if (split(path, parent, target->name, err))
            return -1;
        target->dir = open_parent(root, parent, flags, relative, err);
        if (target->dir < 0)
            return -1;
        if (check_place(root, target->dir, target->name, relative, err))
            goto fail;
        target->exists = fstatat(target->dir, target->name, &target->st, AT_SYMLINK_NOFOLLOW) == 0;
        if (!target->exists && errno != ENOENT) {
            locate_fail(err, errno, relative);
            goto fail;
        }
        if (!target->exists || !S_ISLNK(target->st.st_mode))
            return 0;
        if (follow(target, parent, path, err))
            goto fail;
        (void)close(target->dir);
    }
    target->dir = -1;
    return locate_fail(err, ELOOP, relative);
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
    if (ENFORCED(path_regular_write) && !S_ISREG(target->st.st_mode))
        return err_set(err, ERR_USAGE, "%s, not a file that can be written: %s",
                       locate_kind(target->st.st_mode), relative);
    if (flags & BENEATH_NEW)
        return err_set(err, ERR_IO, "the file exists already: %s", relative);
    if (faccessat(target->dir, target->name, W_OK, AT_EACCESS))
        return locate_fail(err, errno, relative);
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

static int temporary_name(char out[LOCATE_NAME_MAX + 1])
{
    unsigned char random[8];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return -1;
    uint64_t number = 0;
    memcpy(&number, random, sizeof random);
    (void)snprintf(out, LOCATE_NAME_MAX + 1, TEMPORARY_PREFIX "%016" PRIx64, number);
    return 0;
}

/* Removes what writers that were killed have left in a folder, between the moment at which their
 * file got its temporary name and the one at which it lost it. A writer that lives holds a lock. */
static void sweep(int dir)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    if (!entries && copy >= 0)
        (void)close(copy);
    for (int i = 0; entries && i < SWEEP_MAX; i++) {
        const struct dirent *entry = readdir(entries);
        struct stat st;
        if (!entry)
            break;
        if (strncmp(entry->d_name, TEMPORARY_PREFIX, sizeof TEMPORARY_PREFIX - 1) != 0 ||
            strlen(entry->d_name) != sizeof TEMPORARY_PREFIX - 1 + 16)
            continue;
        int fd = openat(dir, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
            flock(fd, LOCK_EX | LOCK_NB) == 0)
            (void)unlinkat(dir, entry->d_name, 0);
        (void)close(fd);
    }
    if (entries)
        (void)closedir(entries);
}

/* A file without a name is gone when this process dies half way; where the file system has no
 * such files it gets a name at once. temporary[0] tells which. */
static int open_temporary(int dir, mode_t mode, char temporary[LOCATE_NAME_MAX + 1])
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
    return fchmod(fd, old->st_mode & (ENFORCED(path_set_id) ? 01777 : 07777));
}

/* Attributes that belong to the content's owner; rights that come with a file (security.*) do not
 * go over to new content. Best effort: many file systems have none. */
static void keep_attributes(int fd, const struct target *target)
{
    char path[LOCATE_FD_PATH], names[4096], value[4096];
    int old = openat(target->dir, target->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (old < 0)
        return;
    locate_fd_path(old, path);
    ssize_t len = listxattr(path, names, sizeof names);
    for (const char *name = names; len > 0 && name < names + len; name += strlen(name) + 1) {
        if (strncmp(name, "user.", 5) != 0 && strcmp(name, "system.posix_acl_access") != 0)
            continue;
        ssize_t size = getxattr(path, name, value, sizeof value);
        if (size >= 0)
            (void)fsetxattr(fd, name, value, (size_t)size, 0);
    }
    (void)close(old);
}

static int keep_old(int fd, const struct target *target)
{
    if (!target->exists)
        return 0;
    if (keep_mode(fd, &target->st))
        return -1;
    keep_attributes(fd, target);
    return 0;
}

static int link_unnamed(int fd, int dir, const char *name)
{
    char path[LOCATE_FD_PATH];
    locate_fd_path(fd, path);
    return linkat(AT_FDCWD, path, dir, name, AT_SYMLINK_FOLLOW);
}

/* Gives the written file its name. A file that must be new is linked, which fails when the name
 * is taken; all others are renamed over what is there. */
static int put_in_place(int fd, const struct target *target, bool must_be_new,
                        char temporary[LOCATE_NAME_MAX + 1])
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
    char temporary[LOCATE_NAME_MAX + 1];
    sweep(target->dir);
    int fd = open_temporary(target->dir, target->exists ? 0600 : 0664, temporary);
    if (fd < 0)
        return -1;
    (void)flock(fd, LOCK_EX | LOCK_NB); /* for sweep(); some file systems have none */
    int status = -1;
    if (write_all(fd, data, len) || keep_old(fd, target) || fsync(fd) ||
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

/* Asks the guard about the place that was found. */
static int ask_guard(int root, const struct target *target, const struct beneath_guard *guard,
                     struct err *err)
{
    char dir[BENEATH_PATH_MAX], path[BENEATH_PATH_MAX + LOCATE_NAME_MAX + 1];
    if (!guard)
        return 0;
    if (beneath_name(root, target->dir, dir, err))
        return -1;
    (void)snprintf(path, sizeof path, "%s%s%s", dir, *dir ? "/" : "", target->name);
    return guard->check(guard->user, path, err);
}

int beneath_replace(int root, const char *relative, const void *data, size_t len, unsigned flags,
                    bool *created, struct err *err)
{
    return beneath_replace_guarded(root, relative, data, len, flags, NULL, created, err);
}

int beneath_replace_guarded(int root, const char *relative, const void *data, size_t len,
                            unsigned flags, const struct beneath_guard *guard, bool *created,
                            struct err *err)
{
    struct target target;
    if (find_target(root, relative, flags, &target, err))
        return -1;
    int status = ask_guard(root, &target, guard, err);
    if (status == 0)
        status = check_target(&target, relative, flags, err);
    if (status == 0 && write_target(&target, data, len, flags))
        status = errno == EEXIST ? err_set(err, ERR_IO, "the file exists already: %s", relative)
                                 : locate_fail(err, errno, relative);
    if (status == 0 && created)
        *created = !target.exists;
    (void)close(target.dir);
    return status;
}
