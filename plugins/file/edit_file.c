/* edit_file: exact search and replace in one file. */
#include "file.h"

#include <string.h>

#include "load.h"
#include "nearest.h"
#include "replace.h"
#include "show.h"

#define AROUND      3u  /* lines shown before and after a change */
#define REGION_MAX  40u /* lines shown of one change */
#define REGIONS_MAX 3u  /* changes shown */

struct edit {
    const struct file_plugin *plugin;
    tackle_call *call;
    const char *path;
    struct replace_order order;
    struct load file;
    struct bytes text; /* the new content */
    struct replace_places places;
};

/* ---- What went wrong ---- */

static int32_t fail_missing(struct edit *e)
{
    struct nearest near;
    struct bytes out;
    nearest_find(e->file.data, e->file.len, e->order.old_text, e->order.old_len, &near);
    if (near.first > 0) {
        size_t last = near.last - near.first < REGION_MAX ? near.last : near.first + REGION_MAX;
        bytes_init(&out, 4 * FILE_RESULT_MAX);
        bytes_format(&out, "The closest text in %s:\n", e->path);
        show_lines(&out, e->file.data, e->file.len, near.first, last);
        int32_t code = file_send(e->call, &out);
        bytes_release(&out);
        if (code != TACKLE_OK)
            return code;
    }
    return tackle_failf(e->call, TACKLE_E_FAILED, "old_text is not in %s: %s", e->path, near.why);
}

static int32_t fail_ambiguous(struct edit *e)
{
    struct bytes where;
    size_t last = 0;
    bytes_init(&where, 1024);
    for (size_t i = 0; i < e->places.count; i++) {
        size_t line = show_line_of(e->file.data, e->places.at[i]);
        if (line != last)
            bytes_format(&where, "%s%zu", i > 0 ? ", " : "", line);
        last = line;
    }
    bool more = e->places.count == REPLACE_PLACES_MAX;
    int32_t code = tackle_failf(
        e->call, TACKLE_E_FAILED,
        "old_text occurs %s%zu times in %s, on lines %s%s: give more of the text around it, or "
        "replace_all",
        more ? "at least " : "", e->places.count, e->path, bytes_str(&where), more ? " ..." : "");
    bytes_release(&where);
    return code;
}

/* ---- The change ---- */

static int32_t show_change(struct edit *e)
{
    struct bytes out;
    const char *text = bytes_str(&e->text);
    size_t shown_to = 0;
    bytes_init(&out, 4 * FILE_RESULT_MAX);
    bytes_format(&out, "edited %s: %zu replacement%s%s\n", e->path, e->places.count,
                 e->places.count == 1 ? "" : "s", file_link_note(&e->file.st));
    for (size_t i = 0; i < e->places.count && i < REGIONS_MAX; i++) {
        size_t start = show_line_of(text, e->places.at[i]);
        size_t end = show_line_of(text, e->places.at[i] + e->places.len);
        size_t from = start > AROUND ? start - AROUND : 1;
        size_t to = end - start < REGION_MAX ? end + AROUND : start + REGION_MAX;
        if (from > shown_to + 1 && shown_to > 0)
            bytes_text(&out, "[...]\n");
        show_lines(&out, text, e->text.len, from > shown_to ? from : shown_to + 1, to);
        shown_to = to > shown_to ? to : shown_to;
    }
    if (e->places.count > REGIONS_MAX)
        bytes_format(&out, "[%zu more replacements further down]\n", e->places.count - REGIONS_MAX);
    int32_t code = file_send(e->call, &out);
    bytes_release(&out);
    return code;
}

static int32_t write_change(struct edit *e)
{
    int32_t code = load_remember(e->call, &e->file, bytes_str(&e->text), e->text.len);
    if (code != TACKLE_OK)
        return code;
    if (!load_is_current(e->plugin, e->call, e->path, &e->file))
        return tackle_failf(e->call, TACKLE_E_FAILED,
                            "%s changed while editing: nothing written; read it again", e->path);
    code = e->plugin->workspace->replace(e->call, e->path, bytes_str(&e->text), e->text.len, 0);
    return code == TACKLE_OK ? show_change(e) : code;
}

static int32_t edit_loaded(struct edit *e)
{
    switch (replace_text(e->file.data, e->file.len, &e->order, &e->text, &e->places)) {
    case REPLACE_DONE:
        return write_change(e);
    case REPLACE_MISSING:
        return fail_missing(e);
    case REPLACE_AMBIGUOUS:
        return fail_ambiguous(e);
    default:
        return tackle_failf(e->call, TACKLE_E_LIMIT,
                            "%s would become larger than %u MiB: nothing written", e->path,
                            FILE_WRITE_MAX >> 20);
    }
}

static int32_t check_order(const struct edit *e)
{
    const struct replace_order *o = &e->order;
    if (o->old_len == 0)
        return e->call->api->fail(e->call, TACKLE_E_ARGS,
                                  "old_text is empty: give the text to replace, or use write_file");
    if (o->old_len == o->new_len && memcmp(o->old_text, o->new_text, o->old_len) == 0)
        return e->call->api->fail(e->call, TACKLE_E_ARGS,
                                  "old_text and new_text are the same: nothing to change");
    return TACKLE_OK;
}

int32_t edit_file_call(void *self, tackle_call *call)
{
    struct edit e = {.plugin = self, .call = call};
    e.path = call->api->arg_text(call, "path", NULL);
    e.order.old_text = call->api->arg_text(call, "old_text", &e.order.old_len);
    e.order.new_text = call->api->arg_text(call, "new_text", &e.order.new_len);
    e.order.all = file_arg_bool(call, "replace_all");
    bytes_init(&e.text, FILE_WRITE_MAX);
    int32_t code = check_order(&e);
    if (code == TACKLE_OK)
        code = load_file(e.plugin, call, e.path, FILE_WRITE_MAX, &e.file);
    if (code == TACKLE_OK)
        code = edit_loaded(&e);
    load_release(&e.file);
    bytes_release(&e.text);
    return code;
}

int32_t edit_file_probe(void *self, tackle_call *call)
{
    const char *path = call->api->arg_text(call, "path", NULL);
    int32_t answer = load_probe(self, call, path);
    if (answer == TACKLE_PROBE_DONE)
        (void)tackle_writef(call, "edited %s\n", path);
    return answer;
}
