/* AGENTS.md: what a repository tells agents that work in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/runtime.h"
#include "base/beneath.h"
#include "base/text.h"

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

/* One file, as far as `*left` allows. That it is missing or unreadable is no error. */
static int read_one(int root, const char *relative, size_t *left, struct buf *out, json_t *list,
                    struct err *err)
{
    struct stat st;
    struct err ignored;
    int fd = beneath_open_file(root, relative, &st, &ignored);
    if (fd < 0)
        return 0;
    char *text = malloc(*left + 1);
    size_t used = 0;
    ssize_t got = 1;
    while (text && got > 0 && used < *left + 1) {
        got = read(fd, text + used, *left + 1 - used);
        if (got > 0)
            used += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    (void)close(fd);
    bool cut = used > *left;
    if (cut)
        used = text_edge(text, used, *left);
    int status = text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    bool blank = used == 0 || text_is_binary(text, used);
    if (status == 0 && !blank && add_block(out, relative, text, used) != 0)
        status = err_set(err, ERR_LIMIT, "%s is too large", relative);
    if (status == 0 && !blank)
        (void)json_array_append_new(list, json_pack("{s:s, s:I, s:b}", "path", relative, "bytes",
                                                    (json_int_t)used, "cut", cut));
    *left = cut ? 0 : *left - used; /* not the last byte of what is left from the next file */
    free(text);
    return status;
}

int instructions_read(const char *workspace, struct buf *out, json_t **list, struct err *err)
{
    char root_path[BENEATH_PATH_MAX], real[BENEATH_PATH_MAX], relative[BENEATH_PATH_MAX];
    size_t left = INSTRUCTIONS_MAX;
    size_t root_len = root_length(workspace);
    *list = json_array();
    if (!*list)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(root_path, workspace, root_len);
    root_path[root_len] = '\0';
    int root = beneath_open_root(root_path, real, err);
    if (root < 0)
        return -1;
    const char *below = workspace + root_len;
    below += *below == '/';
    int status = 0;
    for (size_t at = 0; status == 0 && left > 0;) {
        size_t len = at;
        if (len + sizeof "/" FILE_NAME > sizeof relative)
            break;
        memcpy(relative, below, len);
        memcpy(relative + len, "/" FILE_NAME, sizeof "/" FILE_NAME);
        status = read_one(root, len ? relative : FILE_NAME, &left, out, *list, err);
        if (below[at] == '\0')
            break;
        at += below[at] == '/';
        at += strcspn(below + at, "/");
    }
    (void)close(root);
    return status;
}
