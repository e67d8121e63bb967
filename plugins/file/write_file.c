/* write_file: a whole file at once, atomically. */
#include "file.h"

#include "base/enforce.h"
#include "load.h"
#include "show.h"

/* More of an old file than this is not read just to be able to say later what it was. */
#define OLD_MAX (64u << 20)

/* Loads what is to be replaced. *there tells whether there is such a file; one too large has no
 * data but its status. */
static int32_t load_old(const struct file_plugin *plugin, tackle_call *call, const char *path,
                        struct load *old, bool *there)
{
    int32_t code = load_file(plugin, call, path, OLD_MAX, old);
    *there = code != TACKLE_E_NOT_FOUND;
    return code == TACKLE_E_NOT_FOUND || code == TACKLE_E_LIMIT ? TACKLE_OK : code;
}

static int32_t tell(tackle_call *call, const char *what, const char *path, const char *content,
                    size_t len, const char *note)
{
    size_t lines = show_count_lines(content, len);
    return tackle_writef(call, "%s %s: %zu byte%s, %zu line%s%s\n", what, path, len,
                         len == 1 ? "" : "s", lines, lines == 1 ? "" : "s", note);
}

int32_t write_file_call(void *self, tackle_call *call)
{
    const struct file_plugin *plugin = self;
    struct load old;
    size_t len;
    bool there;
    const char *path = call->api->arg_text(call, "path", NULL);
    const char *content = call->api->arg_text(call, "content", &len);
    if (ENFORCED(file_write_size) && len > FILE_WRITE_MAX)
        return tackle_failf(
            call, TACKLE_E_LIMIT,
            "content has %zu bytes; write_file takes %u MiB at most: nothing written", len,
            FILE_WRITE_MAX >> 20);
    int32_t code = load_old(plugin, call, path, &old, &there);
    if (code == TACKLE_OK)
        code = load_remember(call, there ? &old : NULL, content, len);
    if (code == TACKLE_OK)
        code = plugin->workspace->replace(call, path, content, len, TACKLE_REPLACE_PARENTS);
    if (code == TACKLE_OK)
        code = tell(call, there ? "replaced" : "created", path, content, len,
                    there ? file_link_note(&old.st) : "");
    load_release(&old);
    return code;
}

int32_t write_file_probe(void *self, tackle_call *call)
{
    const struct file_plugin *plugin = self;
    size_t len;
    const char *path = call->api->arg_text(call, "path", NULL);
    const char *content = call->api->arg_text(call, "content", &len);
    int32_t answer = load_probe(plugin, call, path);
    if (answer == TACKLE_PROBE_DONE)
        (void)tell(call, "wrote", path, content, len, "");
    return answer;
}
