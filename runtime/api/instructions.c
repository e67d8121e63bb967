/* AGENTS.md: what a repository tells agents that work in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/runtime.h"
#include "base/beneath.h"
#include "base/crc32c.h"
#include "base/enforce.h"
#include "base/path.h"
#include "base/text.h"
#include "io/small_file.h"

#define FILE_NAME "AGENTS.md"

static bool has_entry(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The repository's root: the nearest folder from the workspace up that has a .git; the workspace
 * itself when there is none. Returns its length within `workspace`. */
static size_t root_length(const char *workspace)
{
    char path[BENEATH_PATH_MAX];
    size_t len = strlen(workspace);
    if (len >= sizeof path)
        return len;
    memcpy(path, workspace, len + 1);
    for (size_t at = len; at > 0;) {
        int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool found = dir >= 0 && has_entry(dir, ".git");
        if (dir >= 0)
            (void)close(dir);
        if (found)
            return at;
        while (at > 0 && path[at] != '/')
            at--;
        path[at] = '\0';
    }
    return len;
}

static int add_block(struct buf *out, const char *name, const char *text, size_t len)
{
    if (buf_format(out, "\n\n<instructions file=\"%s\">\n", name) != 0 ||
        text_for_model(out, text, len) != 0)
        return -1;
    if (out->len && out->data[out->len - 1] != '\n' && buf_byte(out, '\n') != 0)
        return -1;
    return buf_text(out, "</instructions>");
}

/* ---- Files that a run left behind ----
 *
 * $XDG_STATE_HOME/tackle/instructions.json: {path: {"run","bytes","sum","mtime_ns"}}. A file that
 * somebody has written or touched since is no longer as the run left it. */

#define NOTES_BYTES_MAX (256u << 10)
#define NOTES_MAX       256

static char *notes_path(const struct tackle_runtime *rt, const struct settings *s)
{
    const char *state = settings_text(s, SET_STATE_DIR);
    state = state ? state : rt->state_dir;
    return state ? path_join(state, "instructions.json") : NULL;
}

/* Of the first INSTRUCTIONS_MAX bytes. */
static uint32_t sum_of(int fd)
{
    char block[4096];
    uint32_t sum = 0;
    off_t at = 0;
    while (at < INSTRUCTIONS_MAX) {
        ssize_t got = pread(fd, block, sizeof block, at);
        if (got <= 0)
            break;
        sum = crc32c(sum, block, (size_t)got);
        at += got;
    }
    return sum;
}

/* How a file is now. */
static json_t *describe(int fd, const struct stat *st, const char *run)
{
    return json_pack("{s:s, s:I, s:I, s:I}", "run", run, "bytes", (json_int_t)st->st_size, "sum",
                     (json_int_t)sum_of(fd), "mtime_ns",
                     (json_int_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec);
}

/* The run that left it so; NULL: none. Borrowed from `notes`. */
static json_t *left_by(const json_t *notes, const char *path, int fd, const struct stat *st)
{
    const json_t *then = json_object_get(notes, path);
    json_t *run = json_object_get(then, "run");
    if (!json_is_string(run))
        return NULL;
    json_t *now = describe(fd, st, json_string_value(run));
    bool same = json_equal(now, then);
    json_decref(now);
    return same ? run : NULL;
}

/* ---- Reading ---- */

struct reading {
    int root;
    const char *root_path;
    json_t *notes; /* owned; NULL: none */
    size_t left;   /* bytes that may still be read */
    struct buf *out;
    json_t *list;
};

/* At most `max` bytes and one more, which tells that there are others. NULL: out of memory. */
static char *read_start(int fd, size_t max, size_t *len)
{
    char *text = malloc(max + 1);
    ssize_t got = 1;
    *len = 0;
    while (text && got > 0 && *len < max + 1) {
        got = read(fd, text + *len, max + 1 - *len);
        if (got > 0)
            *len += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    return text;
}

static json_t *changed_by(const struct reading *r, const char *relative, int fd,
                          const struct stat *st)
{
    char *path = r->notes ? path_join(r->root_path, relative) : NULL;
    json_t *run =
        path && ENFORCED(instructions_changed_by) ? left_by(r->notes, path, fd, st) : NULL;
    free(path);
    return run;
}

/* One file, as far as there is room. That it is missing or unreadable is no error. */
static int read_one(struct reading *r, const char *relative, struct err *err)
{
    struct stat st;
    struct err ignored;
    size_t used;
    int fd = beneath_open_file(r->root, relative, 0, &st, &ignored);
    if (fd < 0)
        return 0;
    char *text = read_start(fd, r->left, &used);
    json_t *run = changed_by(r, relative, fd, &st);
    (void)close(fd);
    bool cut = used > r->left;
    if (cut)
        used = text_edge(text, used, r->left);
    int status = text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    bool blank = used == 0 || text_is_binary(text, used);
    if (status == 0 && !blank && add_block(r->out, relative, text, used) != 0)
        status = err_set(err, ERR_LIMIT, "%s is too large", relative);
    if (status == 0 && !blank)
        (void)json_array_append_new(r->list,
                                    json_pack("{s:s, s:I, s:b, s:O?}", "path", relative, "bytes",
                                              (json_int_t)used, "cut", cut, "changed_by", run));
    r->left = cut ? 0 : r->left - used; /* not the last byte of what is left from the next file */
    free(text);
    return status;
}

int instructions_read(const struct tackle_runtime *rt, const struct settings *s,
                      const char *workspace, struct buf *out, json_t **list, struct err *err)
{
    char root_path[BENEATH_PATH_MAX], real[BENEATH_PATH_MAX], relative[BENEATH_PATH_MAX];
    size_t root_len = root_length(workspace);
    *list = json_array();
    if (!*list)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(root_path, workspace, root_len);
    root_path[root_len] = '\0';
    struct reading r = {.root = beneath_open_root(root_path, real, err),
                        .root_path = real,
                        .left = INSTRUCTIONS_MAX,
                        .out = out,
                        .list = *list};
    if (r.root < 0)
        return -1;
    char *notes = notes_path(rt, s);
    r.notes = notes ? small_file_read_json(notes, NOTES_BYTES_MAX) : NULL;
    free(notes);
    const char *below = workspace + root_len;
    below += *below == '/';
    int status = 0;
    for (size_t at = 0; status == 0 && r.left > 0;) {
        size_t len = at;
        if (len + sizeof "/" FILE_NAME > sizeof relative)
            break;
        memcpy(relative, below, len);
        memcpy(relative + len, "/" FILE_NAME, sizeof "/" FILE_NAME);
        status = read_one(&r, len ? relative : FILE_NAME, err);
        if (below[at] == '\0')
            break;
        at += below[at] == '/';
        at += strcspn(below + at, "/");
    }
    json_decref(r.notes);
    (void)close(r.root);
    return status;
}

/* ---- Noting ---- */

struct noting {
    const struct prepared *p;
    const char *run;
    json_t *changed; /* {path: note} */
};

static void note_one(void *user, const char *relative)
{
    const struct noting *n = user;
    struct stat st;
    struct err ignored;
    int fd = beneath_open_file(n->p->workspace_fd, relative, 0, &st, &ignored);
    char *path = path_join(n->p->workspace, relative);
    if (fd >= 0 && path)
        (void)json_object_set_new(n->changed, path, describe(fd, &st, n->run));
    free(path);
    if (fd >= 0)
        (void)close(fd);
}

/* The oldest go first. */
static void forget_some(json_t *notes)
{
    const char *key;
    json_t *note;
    void *next;
    json_object_foreach_safe(notes, next, key, note)
    {
        if (json_object_size(notes) <= NOTES_MAX)
            return;
        (void)json_object_del(notes, key);
    }
}

void instructions_note(const struct tackle_runtime *rt, const struct prepared *p,
                       const struct run *run)
{
    struct noting n = {.p = p, .run = run_id(run), .changed = json_object()};
    run_changed_instructions(run, note_one, &n);
    char *path = json_object_size(n.changed) > 0 ? notes_path(rt, &p->settings) : NULL;
    json_t *notes = path ? small_file_read_json(path, NOTES_BYTES_MAX) : NULL;
    if (path && !json_is_object(notes)) {
        json_decref(notes);
        notes = json_object();
    }
    if (path && json_object_update(notes, n.changed) == 0) {
        forget_some(notes);
        (void)small_file_write_json(path, notes); /* it is said in this run's report as well */
    }
    json_decref(notes);
    json_decref(n.changed);
    free(path);
}
