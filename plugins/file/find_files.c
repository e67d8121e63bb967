/* find_files: paths that match a glob, one a line. */
#include "file.h"

#include <dirent.h>

#include "glob.h"
#include "show.h"
#include "walk.h"

static void find(struct walk *w, const struct glob_set *glob, struct bytes *out)
{
    struct walk_entry entry;
    size_t total = 0, shown = 0;
    while (walk_next(w, &entry)) {
        if ((entry.type == DT_DIR) != glob->dirs || !glob_set_match(glob, entry.relative))
            continue;
        total++;
        if (shown < FILE_ENTRIES_MAX && out->len < FILE_RESULT_MAX) {
            show_name(out, entry.path);
            bytes_text(out, glob->dirs ? "/\n" : "\n");
            shown++;
        }
    }
    if (total == 0)
        bytes_text(out, "[no match]\n");
    if (shown < total)
        bytes_format(out, "[%zu of %zu matches shown; give a narrower pattern]\n", shown, total);
    walk_write_notes(w, out);
}

int32_t find_files_call(void *self, tackle_call *call)
{
    const char *pattern = call->api->arg_text(call, "pattern", NULL);
    const char *path = call->api->arg_text(call, "path", NULL);
    struct walk_options options = {.depth = WALK_DEPTH_MAX,
                                   .obey_ignore = !file_arg_bool(call, "include_ignored")};
    const char *problem;
    struct glob_set glob;
    struct pace pace;
    struct walk *w;
    if (glob_set_init(&glob, pattern, &problem) != 0)
        return tackle_failf(call, TACKLE_E_ARGS, "pattern cannot be used: %s", problem);
    pace_start(&pace, call);
    int32_t code = walk_open(self, call, path ? path : ".", &options, &pace, &w);
    if (code == TACKLE_OK) {
        struct bytes out;
        bytes_init(&out, 4 * FILE_RESULT_MAX);
        find(w, &glob, &out);
        code = file_send(call, &out);
        bytes_release(&out);
        walk_free(w);
    }
    glob_set_release(&glob);
    return code;
}
