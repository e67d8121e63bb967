/* A run of the past, to be gone on with: its journal, opened and handed to a new struct run. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/runtime.h"
#include "base/beneath.h"
#include "base/path.h"
#include "engine/run_restore.h"
#include "io/journal_store.h"

#define JOURNAL_MAX (1u << 30)

/* The members of a record as an object; a new reference, NULL with *err. */
static json_t *members(const char *dir, const struct journal_record *record, struct buf *body,
                       struct err *err)
{
    buf_clear(body);
    if (buf_byte(body, '{') != 0 || journal_file_body(dir, record, body, err) != 0 ||
        buf_byte(body, '}') != 0)
        return NULL;
    return json_loadb(body->data, body->len, JSON_ALLOW_NUL, NULL);
}

/* The first record of a journal's text. */
static json_t *first_record(const char *dir, const struct buf *text, struct err *err)
{
    struct journal_reader reader = {.data = text->data, .len = text->len};
    struct journal_record record;
    struct buf body;
    json_t *value = NULL;
    err_set(err, ERR_SESSION, "the run in %s had not begun; there is nothing in it", dir);
    buf_init(&body, JOURNAL_LINE_MAX + 16);
    if (journal_next(&reader, &record, err) == JOURNAL_RECORD &&
        journal_check_version(&record, err) == 0)
        value = members(dir, &record, &body, err);
    buf_release(&body);
    return value;
}

/* ---- Which run ---- */

/* The workspace that the settings name, without links. */
static int find_workspace(const struct tackle_runtime *rt, const char *const *extra,
                          char out[BENEATH_PATH_MAX], struct err *err)
{
    const char *path = settings_text(&rt->settings, SET_WORKSPACE);
    for (; extra && *extra; extra++)
        if (strncmp(*extra, "workspace=", 10) == 0)
            path = *extra + 10;
    int fd = beneath_open_root(path, out, err);
    if (fd < 0)
        return err_prefix(err, "workspace");
    (void)close(fd);
    return 0;
}

static bool is_of(const char *runs, const char *id, const char *workspace)
{
    struct buf text;
    struct err ignored;
    json_t *first = NULL;
    char *dir = path_join(runs, id);
    buf_init(&text, JOURNAL_MAX);
    if (dir && journal_file_read(runs, id, &text, &ignored) == 0)
        first = first_record(dir, &text, &ignored);
    const char *place = json_string_value(json_object_get(first, "workspace"));
    bool same = place && strcmp(place, workspace) == 0;
    json_decref(first);
    buf_release(&text);
    free(dir);
    return same;
}

static int find_newest(const struct tackle_runtime *rt, const char *runs, const char *const *extra,
                       char out[32], struct err *err)
{
    char workspace[BENEATH_PATH_MAX];
    char **ids = NULL;
    size_t count = 0;
    if (find_workspace(rt, extra, workspace, err) != 0 ||
        journal_store_list(runs, &ids, &count, err) != 0)
        return -1;
    size_t at = count;
    while (at > 0 && !is_of(runs, ids[at - 1], workspace))
        at--;
    bool found = at > 0 && strlen(ids[at - 1]) < 32;
    if (found)
        memcpy(out, ids[at - 1], strlen(ids[at - 1]) + 1);
    journal_store_free(ids, count);
    return found ? 0
                 : err_set(err, ERR_SESSION,
                           "no run of the folder %s was recorded; 'tackle runs ls' lists all",
                           workspace);
}

/* ---- Opening ---- */

/* What it had been given; the workspace is part of it. */
static int take_settings(struct past *past, json_t *first, struct err *err)
{
    json_t *settings = json_object_get(first, "settings");
    json_t *workspace = json_object_get(first, "workspace");
    const char *tools = json_string_value(json_object_get(first, "tools"));
    if (!json_is_object(settings) || !json_is_string(workspace) || !tools ||
        json_object_set(settings, "workspace", workspace) != 0)
        return err_set(err, ERR_SESSION, "the first record of the run cannot be understood");
    past->settings = json_incref(settings);
    memcpy(past->tools, tools, strnlen(tools, sizeof past->tools - 1));
    return 0;
}

int past_open(struct tackle_runtime *rt, const char *const *extra, const char *id, struct past *out,
              struct err *err)
{
    struct past *p = out;
    json_t *first = NULL;
    int status = -1;
    *p = (struct past){.id = ""};
    buf_init(&p->text, JOURNAL_MAX);
    char *runs = journal_folder(rt, &rt->settings, err);
    if (!runs) {
        if (err->code == ERR_NONE)
            err_set(err, ERR_SESSION,
                    "no runs are recorded: neither XDG_STATE_HOME nor HOME is "
                    "set, and state_dir is not either");
    } else if (strlen(id) >= sizeof p->id) {
        err_set(err, ERR_SESSION, "there is no run '%.64s'; 'tackle runs ls' lists them", id);
    } else {
        memcpy(p->id, id, strlen(id) + 1);
        if (*id || find_newest(rt, runs, extra, p->id, err) == 0)
            p->file = journal_file_open(runs, p->id, journal_durability(&rt->settings), &p->text,
                                        &p->torn, err);
        if (p->file)
            first = first_record(journal_file_dir(p->file), &p->text, err);
        if (first)
            status = take_settings(p, first, err);
    }
    json_decref(first);
    free(runs);
    if (status != 0)
        past_release(p);
    return status;
}

void past_release(struct past *past)
{
    journal_file_close(past->file);
    buf_release(&past->text);
    json_decref(past->settings);
    *past = (struct past){.id = ""};
    buf_init(&past->text, JOURNAL_MAX);
}

int past_restore(const struct past *past, struct run *run, struct err *err)
{
    const char *dir = journal_file_dir(past->file);
    struct journal_reader reader = {.data = past->text.data, .len = past->text.len};
    struct journal_record record;
    struct buf body;
    int status = run_restore_begin(run, past->id, err);
    buf_init(&body, JOURNAL_BODY_MAX);
    while (status == 0 && journal_next(&reader, &record, err) == JOURNAL_RECORD) {
        buf_clear(&body);
        status = journal_file_body(dir, &record, &body, err);
        if (status == 0 && record.number > 1)
            status = run_restore(run, record.kind, body.data, body.len, err);
    }
    buf_release(&body);
    return status;
}
