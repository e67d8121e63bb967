#include "io/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"

#define PREFIX    "tackle-run-"
#define STALE_MAX 8
#define YOUNG_S   60

/* A folder is locked for as long as its owner lives. The descriptor, or -1: it is not ours, no
 * folder, or locked. */
static int lock_folder(int dir, const char *name)
{
    struct stat st;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* What runtimes that were killed have left. A few at a time, so that no start takes long; one that
 * is being made has no lock yet, and is left alone for its first minute. */
static void remove_stale(const char *parent)
{
    struct stat st;
    int left = STALE_MAX;
    DIR *dir = opendir(parent);
    for (struct dirent *entry; dir && left > 0 && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0 ||
            strlen(entry->d_name) != sizeof PREFIX - 1 + 6)
            continue;
        int fd = lock_folder(dirfd(dir), entry->d_name);
        char *path = fd >= 0 ? path_join(parent, entry->d_name) : NULL;
        if (path && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700 &&
            (time(NULL) - st.st_mtime > YOUNG_S || st.st_nlink > 2)) {
            scratch_delete(path);
            left--;
        }
        free(path);
        if (fd >= 0)
            (void)close(fd);
    }
    if (dir)
        (void)closedir(dir);
}

static int make_root(struct scratch *s, struct err *err)
{
    bool absolute = s->parent && s->parent[0] == '/';
    char *root = path_join(absolute ? s->parent : "/tmp", PREFIX "XXXXXX");
    if (!root)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!mkdtemp(root)) {
        err_set(err, ERR_IO, "cannot make a folder like %s: %s", root, strerror(errno));
        free(root);
        return -1;
    }
    s->root = root;
    s->lock = lock_folder(AT_FDCWD, root);
    remove_stale(absolute ? s->parent : "/tmp");
    return 0;
}

char *scratch_dir(struct scratch *s, const char *name, struct err *err)
{
    if (!s->root && make_root(s, err) != 0)
        return NULL;
    char *path = path_join(s->root, name);
    if (!path) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        err_set(err, ERR_IO, "cannot make %s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    return path;
}

/* Package managers leave folders without write permission (Go's module cache). */
static int open_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type == FTW_D || type == FTW_DNR)
        (void)chmod(path, 0700);
    return 0;
}

static int delete_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path); /* what cannot be removed must not keep the rest */
    return 0;
}

void scratch_delete(const char *dir)
{
    (void)nftw(dir, open_folder, 16, FTW_PHYS | FTW_MOUNT);
    (void)nftw(dir, delete_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void scratch_remove(struct scratch *s)
{
    if (s->root) {
        scratch_delete(s->root);
        if (s->lock >= 0)
            (void)close(s->lock);
    }
    free(s->root);
    s->root = NULL;
}
