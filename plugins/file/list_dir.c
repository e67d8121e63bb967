/* list_dir: what is in a directory, one entry a line. */
#include "file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"
#include "walk.h"

static void put_link(struct bytes *out, const struct walk_entry *entry)
{
    char target[4096];
    ssize_t n = readlinkat(entry->dir_fd, entry->name, target, sizeof target - 1);
    bytes_text(out, " -> ");
    target[n > 0 ? n : 0] = '\0';
    show_name(out, target);
}

static void put_entry(struct bytes *out, const struct walk_entry *entry)
{
    struct stat st;
    show_name(out, entry->path);
    switch (entry->type) {
    case DT_DIR:
        bytes_text(out, "/");
        break;
    case DT_LNK:
        put_link(out, entry);
        break;
    case DT_REG:
        if (fstatat(entry->dir_fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            bytes_format(out, "  %lld", (long long)st.st_size);
        break;
    case DT_FIFO:
        bytes_text(out, "  (fifo)");
        break;
    case DT_SOCK:
        bytes_text(out, "  (socket)");
        break;
    case DT_BLK:
    case DT_CHR:
        bytes_text(out, "  (device)");
        break;
    default:
        bytes_text(out, "  (gone)");
        break;
    }
    bytes_text(out, "\n");
}

static void list(struct walk *w, unsigned depth, struct bytes *out)
{
    struct walk_entry entry;
    size_t total = 0, shown = 0;
    bool git = false;
    while (walk_next(w, &entry)) {
        total++;
        git = git || (depth > 1 && entry.type == DT_DIR && walk_is_git(entry.name));
        if (shown < FILE_ENTRIES_MAX && out->len < FILE_RESULT_MAX) {
            put_entry(out, &entry);
            shown++;
        }
    }
    if (total == 0)
        bytes_text(out, "[empty directory]\n");
    if (shown < total)
        bytes_format(out, "[%zu of %zu entries shown; find_files with a pattern shows fewer]\n",
                     shown, total);
    if (git)
        bytes_text(out, "[the inside of .git is not listed]\n");
    walk_write_notes(w, out);
}

int32_t list_dir_call(void *self, tackle_call *call)
{
    const char *path = call->api->arg_text(call, "path", NULL);
    struct walk_options options = {.show_git = true};
    struct pace pace;
    struct walk *w;
    int64_t depth;
    int32_t code = file_arg_int(call, "depth", 1, 5, 1, &depth);
    if (code != TACKLE_OK)
        return code;
    options.depth = (unsigned)depth;
    pace_start(&pace, call);
    code = walk_open(self, call, path ? path : ".", &options, &pace, &w);
    if (code != TACKLE_OK)
        return code;
    struct bytes out;
    bytes_init(&out, 4 * FILE_RESULT_MAX);
    list(w, options.depth, &out);
    code = file_send(call, &out);
    bytes_release(&out);
    walk_free(w);
    return code;
}
