/* A run of the past, to be gone on with: its journal, opened and handed to a new struct run. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* ---- A fork ---- */

/* The member that tells which call a record is of stands first in it. */
static int rename_call(const char *body, size_t len, const char *from, const char *to,
                       struct buf *out)
{
    char old[64], now[64];
    int old_len = snprintf(old, sizeof old, "\"call\":\"%s.", from);
    int now_len = snprintf(now, sizeof now, "\"call\":\"%s.", to);
    bool ours = old_len > 0 && now_len > 0 && len >= (size_t)old_len &&
                memcmp(body, old, (size_t)old_len) == 0;
    size_t skip = ours ? (size_t)old_len : 0;
    return buf_append(out, now, ours ? (size_t)now_len : 0) ||
                   buf_append(out, body + skip, len - skip)
               ? -1
               : 0;
}

/* A call that is repeated under another key is another call: its tool could not tell. */
static void forget_key(const char *kind, struct buf *body)
{
    static const char keyed[] = "\"effect\":\"keyed\"", never[] = "\"effect\":\"never\"";
    char *found = strcmp(kind, "tool_started") == 0 ? strstr(body->data, keyed) : NULL;
    if (found)
        memcpy(found, never, sizeof never - 1);
}

static int copy_first(struct journal_file *to, const char *dir, const struct journal_record *first,
                      const char *from, const char *run, struct err *err)
{
    struct buf body;
    buf_init(&body, JOURNAL_LINE_MAX + 16);
    json_t *record =
        journal_check_version(first, err) == 0 ? members(dir, first, &body, err) : NULL;
    buf_release(&body);
    int bad = record ? 0 : -1;
    if (bad == 0)
        bad = json_object_set_new(record, "run", json_string(run)) ||
              json_object_set_new(record, "forked_from", json_string(from));
    char *text = bad ? NULL : json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(15));
    int status =
        text ? journal_file_append(to, "run_started", text + 1, strlen(text) - 2, false, err) : -1;
    free(text);
    json_decref(record);
    return status;
}

static int copy_record(struct journal_file *to, const char *dir,
                       const struct journal_record *record, const char *from, const char *run,
                       struct err *err)
{
    struct buf body, renamed;
    buf_init(&body, JOURNAL_BODY_MAX);
    buf_init(&renamed, JOURNAL_BODY_MAX);
    int status = journal_file_body(dir, record, &body, err);
    if (status == 0 && rename_call(body.data, body.len, from, run, &renamed) != 0)
        status = err_set(err, ERR_NOMEM, "out of memory");
    if (status == 0) {
        forget_key(record->kind, &renamed);
        status = journal_file_append(to, record->kind, renamed.data, renamed.len, false, err);
    }
    buf_release(&body);
    buf_release(&renamed);
    return status;
}

static int copy_records(struct journal_file *to, const char *dir, const struct buf *text,
                        const char *from, const char *run, struct err *err)
{
    struct journal_reader reader = {.data = text->data, .len = text->len};
    struct journal_record record;
    enum journal_found found;
    int status = 0;
    while (status == 0 && (found = journal_next(&reader, &record, err)) != JOURNAL_END) {
        if (found == JOURNAL_TORN) /* it may be written this very moment */
            break;
        if (found == JOURNAL_DAMAGED)
            status = err_prefix(err, "%s", dir);
        else if (record.number == 1)
            status = copy_first(to, dir, &record, from, run, err);
        else
            status = copy_record(to, dir, &record, from, run, err);
    }
    if (status == 0 && reader.chain.number == 0)
        status =
            err_set(err, ERR_SESSION, "the run in %s had not begun; there is nothing in it", dir);
    return status;
}

/* Results that were too large for the conversation stay readable in both runs. How many are lost:
 * of these the new run has what is in the conversation. */
static unsigned share_results(const char *from, const char *to)
{
    unsigned lost = 0;
    char *old = path_join(from, "results"), *now = path_join(to, "results");
    DIR *stream = old && now ? opendir(old) : NULL;
    if (stream && mkdir(now, 0700) == 0)
        for (struct dirent *entry; (entry = readdir(stream));) {
            char *source = path_join(old, entry->d_name), *target = path_join(now, entry->d_name);
            bool shared = source && target && entry->d_name[0] != '.' &&
                          linkat(AT_FDCWD, source, AT_FDCWD, target, 0) == 0;
            lost += !shared && entry->d_name[0] != '.';
            free(source);
            free(target);
        }
    if (stream)
        (void)closedir(stream);
    free(old);
    free(now);
    return lost;
}

/* A new run with all that `id` has recorded, whose journal is not touched. */
static int fork_run(const char *runs, const char *id, enum durability durability, char out[32],
                    unsigned *lost, struct err *err)
{
    struct buf text;
    char run[EVENT_RUN_ID_SIZE];
    char *dir = path_join(runs, id);
    struct journal_file *to = NULL;
    int status = -1;
    event_make_run_id(run);
    buf_init(&text, JOURNAL_MAX);
    if (!dir)
        err_set(err, ERR_NOMEM, "out of memory");
    else if (journal_file_read(runs, id, &text, err) == 0)
        to = journal_file_create(runs, run, durability, err);
    if (to)
        status = copy_records(to, dir, &text, id, run, err);
    if (status == 0) {
        *lost = share_results(dir, journal_file_dir(to));
        memcpy(out, run, sizeof run);
        journal_file_close(to);
    } else if (to) {
        journal_file_discard(to);
    }
    buf_release(&text);
    free(dir);
    return status;
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
    const char *rules = json_string_value(json_object_get(first, "policy"));
    memcpy(past->policy, rules ? rules : "", strnlen(rules ? rules : "", sizeof past->policy - 1));
    return 0;
}

/* The journal of the run, or of its fork. NULL with *err. */
static struct journal_file *open_file(struct past *p, const char *runs, enum durability durability,
                                      bool fork, struct err *err)
{
    if (fork) {
        memcpy(p->forked_from, p->id, sizeof p->forked_from);
        if (fork_run(runs, p->forked_from, durability, p->id, &p->results_lost, err) != 0)
            return NULL;
    }
    return journal_file_open(runs, p->id, durability, &p->text, &p->torn, err);
}

int past_open(struct tackle_runtime *rt, const char *const *extra, const char *id, bool fork,
              struct past *out, struct err *err)
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
            p->file = open_file(p, runs, journal_durability(&rt->settings), fork, err);
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
    if (past->file && *past->forked_from) /* nothing came of it */
        journal_file_discard(past->file);
    else
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
