#include "host/denied.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/deny.h"
#include "base/enforce.h"

/* ---- Lists ---- */

static int list_init(struct denied_list *list, const json_t *texts, struct err *err)
{
    size_t count = json_array_size(texts);
    if (texts && !json_is_array(texts))
        return err_set(err, ERR_USAGE, "a list of globs is wanted");
    if (count == 0)
        return 0;
    list->json = json_deep_copy(texts);
    list->globs = calloc(count, sizeof *list->globs);
    if (!list->json || !list->globs)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; list->count < count; list->count++) {
        const char *glob = json_string_value(json_array_get(list->json, list->count));
        if (!glob)
            return err_set(err, ERR_USAGE, "item %zu is no glob", list->count + 1);
        list->globs[list->count] = glob;
    }
    return 0;
}

int denied_init(struct denied *d, const json_t *read, const json_t *write, struct err *err)
{
    *d = (struct denied){0};
    if (list_init(&d->read, read, err) != 0)
        return err_prefix(err, "deny_read");
    return list_init(&d->write, write, err) == 0 ? 0 : err_prefix(err, "deny_write");
}

void denied_release(struct denied *d)
{
    free(d->read.globs);
    free(d->write.globs);
    json_decref(d->read.json);
    json_decref(d->write.json);
    free(d->files);
    *d = (struct denied){0};
}

void denied_forget(struct denied *d)
{
    free(d->files);
    d->files = NULL;
    d->file_count = 0;
    d->searched = d->incomplete = false;
}

static int refuse(struct err *err, const char *glob, const char *what, const char *path,
                  const char *tool)
{
    return err_set(err, ERR_DENIED,
                   "the policy denies %s this file (%s); --allow '%s(%s)' would "
                   "allow it, unless a rule denies it: %s",
                   what, glob, tool, path, path);
}

/* ---- Hard links ---- */

/* The walk for denied files. */
struct hunt {
    struct denied *d;
    char path[BENEATH_PATH_MAX];
    size_t entries;
    dev_t device;
};

static bool keep_file(struct denied *d, const struct stat *st)
{
    if ((d->file_count & (d->file_count - 1)) == 0) {
        size_t size = d->file_count ? 2 * d->file_count : 1;
        struct denied_file *larger = reallocarray(d->files, size, sizeof *larger);
        if (!larger)
            return false;
        d->files = larger;
    }
    d->files[d->file_count++] = (struct denied_file){st->st_dev, st->st_ino};
    return true;
}

static bool hunt_dir(struct hunt *h, int fd, size_t len, unsigned depth);

/* False: not all could be looked at. */
static bool hunt_entry(struct hunt *h, int dir, const char *name, size_t len, unsigned depth)
{
    struct stat st;
    int need = snprintf(h->path + len, sizeof h->path - len, "%s%s", len ? "/" : "", name);
    if (need < 0 || (size_t)need >= sizeof h->path - len || ++h->entries > DENIED_ENTRIES_MAX)
        return false;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT;
    if (S_ISREG(st.st_mode))
        return !deny_find(h->d->read.globs, h->d->read.count, h->path) || keep_file(h->d, &st);
    if (!S_ISDIR(st.st_mode) || st.st_dev != h->device)
        return true; /* a hard link stays on its file system */
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return hunt_dir(h, fd, len + (size_t)need, depth + 1);
}

/* Takes over fd. */
static bool hunt_dir(struct hunt *h, int fd, size_t len, unsigned depth)
{
    bool whole = depth < DENIED_DEPTH_MAX;
    DIR *dir = whole ? fdopendir(fd) : NULL;
    if (!dir) {
        (void)close(fd);
        return false;
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            whole = whole && errno == 0;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        whole = hunt_entry(h, fd, entry->d_name, len, depth) && whole;
        if (h->entries > DENIED_ENTRIES_MAX)
            break;
    }
    (void)closedir(dir);
    return whole;
}

static void search(struct denied *d, int root)
{
    struct hunt *h = calloc(1, sizeof *h);
    struct stat st;
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    d->searched = true;
    d->incomplete = true;
    if (h && fd >= 0 && fstat(fd, &st) == 0) {
        h->d = d;
        h->device = st.st_dev;
        d->incomplete = !hunt_dir(h, fd, 0, 0);
    } else if (fd >= 0) {
        (void)close(fd);
    }
    free(h);
}

/* Is the file, which has more names than one, a denied one under another of them? */
static int check_links(struct denied *d, int root, const struct stat *st, const char *path,
                       struct err *err)
{
    if (!d->searched)
        search(d, root);
    for (size_t i = 0; i < d->file_count; i++)
        if (d->files[i].dev == st->st_dev && d->files[i].ino == st->st_ino)
            return err_set(err, ERR_DENIED,
                           "the policy denies this file: it is a hard link to one that it denies: "
                           "%s",
                           path);
    if (!d->incomplete)
        return 0;
    return err_set(err, ERR_DENIED,
                   "the file has more names than one, and the workspace is too large to tell "
                   "whether the policy denies one of them; a copy of it can be read: %s",
                   path);
}

/* ---- Checks ---- */

int denied_check_read(struct denied *d, int root, int fd, const char *tool, struct err *err)
{
    char path[BENEATH_PATH_MAX];
    struct stat st;
    if (d->read.count == 0)
        return 0;
    if (beneath_name(root, fd, path, err) != 0)
        return -1;
    if (fstat(fd, &st) != 0)
        return err_set(err, ERR_IO, "%s: %s", strerror(errno), path);
    if (S_ISREG(st.st_mode) && st.st_nlink == 0)
        return err_set(err, ERR_IO, "replaced while it was opened; try again: %s", path);
    const char *glob = deny_find(d->read.globs, d->read.count, path);
    if (glob && ENFORCED(deny_read_resolved))
        return refuse(err, glob, "reading", path, tool);
    if (S_ISREG(st.st_mode) && st.st_nlink > 1 && ENFORCED(deny_read_hardlink))
        return check_links(d, root, &st, path, err);
    return 0;
}

int denied_check_write(const struct denied *d, const char *path, const char *tool, struct err *err)
{
    const char *glob = deny_find(d->write.globs, d->write.count, path);
    return glob && ENFORCED(deny_write_resolved) ? refuse(err, glob, "writing", path, tool) : 0;
}
