/* The one walk through directories. */
#include "walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enforce.h"
#include "ignore.h"
#include "load.h"

#define WALK_PATH_MAX (4096 + (WALK_DEPTH_MAX + 1) * 256)

/* An entry of a directory that has been read: its name lies in `names` of the frame. */
struct walk_item {
    uint32_t name;
    unsigned char type;
};

/* A directory the walk is in. */
struct walk_frame {
    DIR *dir; /* owned; kept for its descriptor */
    struct walk_item *items;
    size_t count;
    size_t next;
    struct bytes names;
    size_t path_len; /* of this directory's path, with the slash at its end */
    size_t rules;    /* rules in force before this directory's own */
};

/* What was left out. */
struct walk_notes {
    size_t unreadable; /* directories */
    size_t too_deep;
    size_t other_mounts;
    bool too_many; /* a cap on entries or memory was reached */
    bool stopped;  /* time was up, or cancelled */
};

/* What a directory is mounted from: a bind mount shows another place of the same device. */
struct mount {
    dev_t device;
    uint64_t id; /* 0: Linux before 5.8 does not tell */
};

struct walk {
    struct walk_options options;
    struct pace *pace;
    struct walk_frame frames[WALK_DEPTH_MAX];
    size_t depth; /* frames in use */
    struct ignore ignore;
    struct bytes path;
    size_t place_len; /* of the part of `path` that leads to the start */
    struct mount mount;
    size_t entries;     /* seen so far */
    size_t names_bytes; /* held by all frames */
    bool enter;         /* the last entry is a directory that comes next */
    struct walk_notes notes;
};

/* ---- Reading one directory ---- */

static int open_subdir(int fd, const char *name)
{
    return openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

static unsigned char type_at(int fd, const char *name)
{
    struct stat st;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return DT_UNKNOWN;
    return (unsigned char)IFTODT(st.st_mode);
}

/* Directories sort as if a slash stood at their end: then the order of the walk is the byte order
 * of whole paths. */
static int compare_items(const void *a, const void *b, void *names)
{
    const struct walk_item *x = a, *y = b;
    const unsigned char *s = (const unsigned char *)names + x->name;
    const unsigned char *t = (const unsigned char *)names + y->name;
    while (*s && *s == *t) {
        s++;
        t++;
    }
    int c = *s ? *s : x->type == DT_DIR ? '/' : 0;
    int d = *t ? *t : y->type == DT_DIR ? '/' : 0;
    return c - d;
}

/* False: no more of this directory is taken. */
static bool frame_add(struct walk *w, struct walk_frame *frame, const struct dirent *item,
                      size_t *size)
{
    size_t bytes = strlen(item->d_name) + 1;
    if (frame->count == *size) {
        size_t larger = *size ? *size * 2 : 64;
        struct walk_item *items = realloc(frame->items, larger * sizeof *items);
        if (!items)
            return false;
        frame->items = items;
        *size = larger;
    }
    size_t at = frame->names.len;
    if (w->entries == WALK_ENTRIES_MAX || w->names_bytes + bytes > WALK_NAMES_MAX ||
        !bytes_add(&frame->names, item->d_name, bytes))
        return false;
    unsigned char type = item->d_type;
    if (type == DT_UNKNOWN)
        type = type_at(dirfd(frame->dir), item->d_name);
    frame->items[frame->count++] = (struct walk_item){(uint32_t)at, type};
    w->entries++;
    w->names_bytes += bytes;
    return true;
}

static void frame_read(struct walk *w, struct walk_frame *frame)
{
    size_t size = 0;
    bytes_init(&frame->names, WALK_NAMES_MAX);
    for (;;) {
        errno = 0;
        const struct dirent *item = readdir(frame->dir);
        if (!item) {
            w->notes.unreadable += errno != 0;
            break;
        }
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        if (pace_tick(w->pace)) {
            w->notes.stopped = true;
            break;
        }
        if (!frame_add(w, frame, item, &size)) {
            w->notes.too_many = true;
            break;
        }
    }
    if (frame->count > 1)
        qsort_r(frame->items, frame->count, sizeof *frame->items, compare_items, frame->names.data);
}

/* Adds the rules of the file `name` in the directory fd; one that is missing, no regular file or
 * too large has none. Links are not followed here, as git does not. */
static void add_rules(struct ignore *ignore, int dir_fd, const char *name, size_t base_len)
{
    struct walk_entry entry = {.name = name, .dir_fd = dir_fd, .type = DT_REG};
    struct load file;
    int fd = walk_open_file(&entry);
    if (fd < 0)
        return;
    if (load_fd(fd, IGNORE_FILE_MAX, &file) != 0 ||
        ignore_add(ignore, base_len, file.data, file.len) != 0)
        ignore->cut = true;
    load_release(&file);
}

/* Takes over `fd`, whose path, with the slash at its end, is w->path. */
static void push_frame(struct walk *w, int fd)
{
    struct walk_frame *frame = &w->frames[w->depth];
    *frame = (struct walk_frame){.path_len = w->path.len, .rules = w->ignore.count};
    frame->dir = fdopendir(fd);
    if (!frame->dir) {
        (void)close(fd);
        w->notes.unreadable++;
        return;
    }
    w->depth++;
    if (w->options.obey_ignore)
        add_rules(&w->ignore, fd, ".gitignore", w->path.len);
    frame_read(w, frame);
}

static void pop_frame(struct walk *w)
{
    struct walk_frame *frame = &w->frames[--w->depth];
    w->names_bytes -= frame->names.len;
    ignore_drop(&w->ignore, frame->rules);
    (void)closedir(frame->dir);
    free(frame->items);
    bytes_release(&frame->names);
}

/* ---- Going on ---- */

static int mount_of(int fd, struct mount *out)
{
    struct stat st;
    struct statx more;
    if (fstat(fd, &st) != 0)
        return -1;
    *out = (struct mount){.device = st.st_dev};
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &more) == 0 && (more.stx_mask & STATX_MNT_ID))
        out->id = more.stx_mnt_id;
    return 0;
}

static bool leaves(const struct walk *w, const struct mount *mount)
{
    return mount->device != w->mount.device || mount->id != w->mount.id;
}

/* Goes into the directory that was the last entry. */
static void enter_last(struct walk *w)
{
    struct walk_frame *frame = &w->frames[w->depth - 1];
    const char *name = frame->names.data + frame->items[frame->next - 1].name;
    struct mount mount;
    if (w->depth == w->options.depth) {
        w->notes.too_deep += w->options.depth == WALK_DEPTH_MAX;
        return;
    }
    int fd = open_subdir(dirfd(frame->dir), name);
    if (fd < 0 || mount_of(fd, &mount) != 0 || (ENFORCED(walk_mounts) && leaves(w, &mount))) {
        w->notes.unreadable += fd < 0;
        w->notes.other_mounts += fd >= 0;
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    if (!bytes_text(&w->path, "/")) {
        (void)close(fd);
        w->path.failed = false;
        w->notes.too_deep++;
        return;
    }
    push_frame(w, fd);
}

/* Makes the item the current entry; false when it is left out. */
static bool take_item(struct walk *w, struct walk_frame *frame, const struct walk_item *item,
                      struct walk_entry *entry)
{
    const char *name = frame->names.data + item->name;
    bool git = walk_is_git(name);
    bool dir = item->type == DT_DIR;
    if (git && !w->options.show_git)
        return false;
    bytes_cut(&w->path, frame->path_len);
    if (!bytes_text(&w->path, name)) {
        w->path.failed = false;
        w->notes.too_deep++;
        return false;
    }
    if (w->options.obey_ignore && ignore_match(&w->ignore, w->path.data, dir))
        return false;
    *entry = (struct walk_entry){
        .path = w->path.data,
        .relative = w->path.data + w->place_len,
        .name = name,
        .dir_fd = dirfd(frame->dir),
        .type = item->type,
    };
    w->enter = dir && !git;
    return true;
}

int walk_next(struct walk *w, struct walk_entry *entry)
{
    if (w->enter) {
        w->enter = false;
        enter_last(w);
    }
    while (w->depth > 0) {
        struct walk_frame *frame = &w->frames[w->depth - 1];
        if (w->notes.stopped || pace_tick(w->pace)) {
            w->notes.stopped = true;
            return 0;
        }
        if (frame->next == frame->count)
            pop_frame(w);
        else if (take_item(w, frame, &frame->items[frame->next++], entry))
            return 1;
    }
    return 0;
}

bool walk_is_git(const char *name)
{
    return strcmp(name, ".git") == 0;
}

int walk_open_file(const struct walk_entry *entry)
{
    struct stat st;
    if (entry->type != DT_REG ||
        fstatat(entry->dir_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return -1;
    int fd = openat(entry->dir_fd, entry->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static const char *directories(size_t count)
{
    return count == 1 ? "directory" : "directories";
}

void walk_write_notes(const struct walk *w, struct bytes *out)
{
    const struct walk_notes *n = &w->notes;
    if (n->unreadable > 0)
        bytes_format(out, "[%zu %s cannot be read]\n", n->unreadable, directories(n->unreadable));
    if (n->too_deep > 0)
        bytes_format(out, "[%zu %s deeper than %d levels: give one as path]\n", n->too_deep,
                     n->too_deep == 1 ? "directory is" : "directories are", WALK_DEPTH_MAX);
    if (n->other_mounts > 0)
        bytes_format(out, "[%zu %s on other file systems left out]\n", n->other_mounts,
                     directories(n->other_mounts));
    if (n->too_many)
        bytes_text(out, "[too many entries: not all were looked at; give a path further down]\n");
    if (w->ignore.cut)
        bytes_text(out, "[too many ignore rules: some were not applied]\n");
    if (n->stopped)
        bytes_text(out, "[time was up: not all was looked at; give a path further down]\n");
}

/* ---- Starting ---- */

static bool same_directory(int a, int b)
{
    struct stat x, y;
    return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* .git/info/exclude of the top: the weakest rules. A .git that is a link or a file is elsewhere. */
static void add_exclude(struct walk *w, int root)
{
    int git = open_subdir(root, ".git");
    int info = git >= 0 ? open_subdir(git, "info") : -1;
    if (info >= 0)
        add_rules(&w->ignore, info, "exclude", 0);
    if (info >= 0)
        (void)close(info);
    if (git >= 0)
        (void)close(git);
}

/* Opens the first part of `path` below fd, never upwards. Closes fd. */
static int step_down(int fd, const char *path, size_t len)
{
    char name[NAME_MAX + 1];
    int next = -1;
    if (len <= NAME_MAX) {
        memcpy(name, path, len);
        name[len] = '\0';
        next = strcmp(name, "..") == 0 ? -1 : open_subdir(fd, name);
    }
    (void)close(fd);
    return next;
}

/* Adds the rules between the workspace and the start. A place that is reached through a link or
 * ".." lies elsewhere in truth, so none of them hold there: git itself follows no link. */
static void add_rules_above(struct walk *w, int root, int start)
{
    const char *place = bytes_str(&w->path);
    int fd = open_subdir(root, ".");
    add_exclude(w, root);
    for (const char *part = place; fd >= 0 && *part;) {
        size_t len = strcspn(part, "/");
        add_rules(&w->ignore, fd, ".gitignore", (size_t)(part - place));
        fd = step_down(fd, part, len);
        part += len + 1;
    }
    if (fd < 0 || !same_directory(fd, start))
        ignore_drop(&w->ignore, 0);
    if (fd >= 0)
        (void)close(fd);
}

struct walk *walk_new(int fd, int root, const char *place, const struct walk_options *options,
                      struct pace *pace)
{
    struct walk *w = calloc(1, sizeof *w);
    if (!w || mount_of(fd, &w->mount) != 0)
        goto failed;
    w->options = *options;
    w->pace = pace;
    ignore_init(&w->ignore);
    bytes_init(&w->path, WALK_PATH_MAX);
    bytes_text(&w->path, place);
    bytes_text(&w->path, *place ? "/" : "");
    w->place_len = w->path.len;
    if (w->path.failed)
        goto failed;
    if (options->obey_ignore)
        add_rules_above(w, root, fd);
    push_frame(w, fd);
    return w;
failed:
    (void)close(fd);
    walk_free(w);
    return NULL;
}

void walk_free(struct walk *w)
{
    if (!w)
        return;
    while (w->depth > 0)
        pop_frame(w);
    ignore_release(&w->ignore);
    bytes_release(&w->path);
    free(w);
}

void walk_place(const char *root, const char *path, struct bytes *out)
{
    size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool absolute = *path == '/';
    if (absolute && strncmp(path, root, len) == 0 && (path[len] == '/' || !path[len])) {
        path += len;
        absolute = false;
    }
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part > 0 && !(part == 1 && *path == '.')) {
            if (out->len > 0 || absolute)
                bytes_text(out, "/");
            bytes_add(out, path, part);
        }
        path += part + (path[part] == '/');
    }
}

int32_t walk_open(const struct file_plugin *plugin, tackle_call *call, const char *path,
                  const struct walk_options *options, struct pace *pace, struct walk **out)
{
    struct bytes place;
    int32_t root = -1, fd = plugin->workspace->open(call, path, TACKLE_OPEN_DIR);
    *out = NULL;
    if (fd < 0)
        return fd;
    root = plugin->workspace->open(call, ".", TACKLE_OPEN_DIR);
    if (root < 0) {
        (void)close(fd);
        return root;
    }
    bytes_init(&place, WALK_PATH_MAX);
    walk_place(plugin->workspace->root(plugin->host), path, &place);
    *out = walk_new(fd, root, bytes_str(&place), options, pace);
    (void)close(root);
    bytes_release(&place);
    if (!*out)
        return call->api->fail(call, TACKLE_E_NOMEM, "out of memory");
    return TACKLE_OK;
}
