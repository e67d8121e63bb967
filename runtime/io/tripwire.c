#include "io/tripwire.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/enforce.h"
#include "engine/executed.h"

struct seen {
    char *path; /* owned */
    dev_t dev;
    ino_t ino;
    mode_t mode;
    off_t size;
    struct timespec modified, changed; /* the second cannot be set back */
};

struct tripwire {
    struct seen *files; /* owned, by path */
    size_t count;
    bool whole;
};

/* Folders that wait to be looked at, those near the root first. */
struct look {
    struct tripwire *wire;
    char **folders; /* owned; the root is "" */
    size_t first, count, entries;
    bool failed; /* out of memory */
};

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    return asprintf(&path, "%s%s%s", folder, *folder ? "/" : "", name) < 0 ? NULL : path;
}

static void add_folder(struct look *l, char *path)
{
    if (l->count == TRIPWIRE_FOLDERS || !executed_may_be_below(path)) {
        l->wire->whole = l->wire->whole && l->count < TRIPWIRE_FOLDERS;
        free(path);
        return;
    }
    l->folders[l->count++] = path;
}

static void add_file(struct look *l, char *path, int dir, const char *name)
{
    struct tripwire *w = l->wire;
    struct stat st;
    if (!executed_by(path) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        w->count == TRIPWIRE_FILES) {
        w->whole = w->whole && w->count < TRIPWIRE_FILES;
        free(path);
        return;
    }
    w->files[w->count++] = (struct seen){.path = path,
                                         .dev = st.st_dev,
                                         .ino = st.st_ino,
                                         .mode = st.st_mode,
                                         .size = st.st_size,
                                         .modified = st.st_mtim,
                                         .changed = st.st_ctim};
}

static bool is_folder(int dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void look_into(struct look *l, const char *folder, DIR *dir)
{
    const struct dirent *entry;
    while (!l->failed && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (l->entries++ >= TRIPWIRE_ENTRIES) {
            l->wire->whole = false;
            return;
        }
        char *path = join(folder, name);
        l->failed = !path;
        if (path && is_folder(dirfd(dir), entry))
            add_folder(l, path);
        else if (path)
            add_file(l, path, dirfd(dir), name);
    }
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct seen *)a)->path, ((const struct seen *)b)->path);
}

/* A folder that may not be read is no reason to stop, but not all was seen then. */
static void look_around(struct look *l, int workspace_fd)
{
    struct err ignored;
    for (; l->first < l->count && !l->failed; l->first++) {
        const char *folder = l->folders[l->first];
        int fd = beneath_open_dir(workspace_fd, *folder ? folder : ".", 0, &ignored);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        if (!dir) {
            l->wire->whole = false;
            if (fd >= 0)
                (void)close(fd);
            continue;
        }
        look_into(l, folder, dir);
        (void)closedir(dir);
    }
}

struct tripwire *tripwire_set(int workspace_fd)
{
    struct tripwire *w = calloc(1, sizeof *w);
    struct look l = {.wire = w, .failed = true};
    if (!w)
        return NULL;
    w->whole = true;
    w->files = calloc(TRIPWIRE_FILES, sizeof *w->files);
    l.folders = calloc(TRIPWIRE_FOLDERS, sizeof *l.folders);
    if (w->files && l.folders && (l.folders[0] = strdup(""))) {
        l.count = 1;
        l.failed = false;
        look_around(&l, workspace_fd);
    }
    for (size_t i = 0; i < l.count; i++)
        free(l.folders[i]);
    free(l.folders);
    if (l.failed) {
        tripwire_free(w);
        return NULL;
    }
    qsort(w->files, w->count, sizeof *w->files, by_path);
    return w;
}

void tripwire_free(struct tripwire *wire)
{
    if (!wire)
        return;
    for (size_t i = 0; i < wire->count; i++)
        free(wire->files[i].path);
    free(wire->files);
    free(wire);
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool is_same(const struct seen *a, const struct seen *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->mode == b->mode && a->size == b->size &&
           is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

bool tripwire_compare(const struct tripwire *wire, int workspace_fd,
                      void (*tell)(void *user, const char *path, const char *what), void *user)
{
    struct tripwire *now = tripwire_set(workspace_fd);
    size_t a = 0, b = 0;
    if (!now)
        return false;
    while (ENFORCED(tripwire_tells) && (a < wire->count || b < now->count)) {
        int order = a == wire->count  ? 1
                    : b == now->count ? -1
                                      : strcmp(wire->files[a].path, now->files[b].path);
        if (order < 0)
            tell(user, wire->files[a].path, "deleted");
        else if (order > 0)
            tell(user, now->files[b].path, "created");
        else if (!is_same(&wire->files[a], &now->files[b]))
            tell(user, now->files[b].path, "modified");
        a += order <= 0;
        b += order >= 0;
    }
    bool whole = wire->whole && now->whole;
    tripwire_free(now);
    return whole;
}
