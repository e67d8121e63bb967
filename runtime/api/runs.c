/* Runs that were recorded: which there are, what happened in one, removing, checking, repairing. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/runtime.h"
#include "base/path.h"
#include "io/journal_store.h"

#define JOURNAL_MAX (1u << 30)
#define HEAD_READ   (64u << 10) /* of a long journal: the first record is in it */
#define TAIL_READ   (192u << 10)

static char *folder(const tackle_runtime *rt, struct err *err)
{
    char *runs = journal_folder(rt, &rt->settings, err);
    if (!runs && err->code == ERR_NONE)
        err_set(err, ERR_SESSION,
                "no journals are kept: neither XDG_STATE_HOME nor HOME is set, "
                "and state_dir is not either");
    return runs;
}

/* ---- Reading ---- */

/* The record as an object: number, time, kind, and its members. */
static json_t *record_json(const char *dir, const struct journal_record *record, struct err *err)
{
    struct buf text;
    json_t *value = NULL;
    buf_init(&text, JOURNAL_BODY_MAX + 256);
    if (buf_format(&text, "{\"n\":%" PRIu64 ",\"t\":\"%.*s\",\"k\":\"%s\"%s", record->number,
                   (int)record->time_len, record->time, record->kind,
                   record->len ? "," : "") == 0 &&
        journal_file_body(dir, record, &text, err) == 0 && buf_byte(&text, '}') == 0) {
        value = json_loadb(text.data, text.len, JSON_ALLOW_NUL, NULL);
        if (!value)
            err_set(err, ERR_SESSION, "record %" PRIu64 " of the journal is no JSON",
                    record->number);
    }
    buf_release(&text);
    return value;
}

static bool is_wanted(const char *kind, const char *const *kinds)
{
    bool wanted = !kinds;
    for (; kinds && *kinds && !wanted; kinds++)
        wanted = strcmp(kind, *kinds) == 0;
    return wanted;
}

/* Appends the records of these kinds (NULL: of all) from where the reader stands; *found is what
 * stopped it. 0 or -1. */
static int add_records(json_t *list, const char *dir, struct journal_reader *reader,
                       const char *const *kinds, enum journal_found *found, struct err *err)
{
    struct journal_record record;
    int status = 0;
    while (status == 0 && (*found = journal_next(reader, &record, err)) == JOURNAL_RECORD) {
        json_t *value = NULL;
        if (record.number == 1)
            status = journal_check_version(&record, err);
        if (status == 0 && is_wanted(record.kind, kinds))
            status = (value = record_json(dir, &record, err)) ? 0 : -1;
        if (value && json_array_append_new(list, value) != 0)
            status = err_set(err, ERR_NOMEM, "out of memory");
    }
    return status;
}

/* A new reference, NULL with *err. */
static json_t *read_records(const char *runs, const char *id, const char *const *kinds,
                            struct err *err)
{
    struct buf text;
    enum journal_found found = JOURNAL_END;
    json_t *list = json_array();
    char *dir = path_join(runs, id);
    int status = -1;
    buf_init(&text, JOURNAL_MAX);
    if (!list || !dir) {
        err_set(err, ERR_NOMEM, "out of memory");
    } else if (journal_file_read(runs, id, &text, err) == 0) {
        struct journal_reader reader = {.data = text.data, .len = text.len};
        status = add_records(list, dir, &reader, kinds, &found, err);
    }
    buf_release(&text);
    free(dir);
    if (status == 0 && found != JOURNAL_DAMAGED)
        return list;
    json_decref(list);
    return NULL;
}

static bool tells_state(const json_t *list)
{
    size_t i;
    json_t *record;
    json_array_foreach(list, i, record)
    {
        if (json_object_get(record, "state"))
            return true;
    }
    return false;
}

/* The first record, and the last ones down to one that tells where the run stood; of a journal that
 * is not long, all. `kinds` as above. */
static json_t *read_ends(const char *runs, const char *id, const char *const *kinds, size_t tail,
                         bool *enough, struct err *err)
{
    static const char *const first[] = {"run_started", NULL};
    struct buf text, rest;
    enum journal_found found = JOURNAL_END;
    json_t *list = json_array();
    char *dir = path_join(runs, id);
    int status = list && dir ? 0 : err_set(err, ERR_NOMEM, "out of memory");
    buf_init(&text, JOURNAL_MAX);
    buf_init(&rest, JOURNAL_MAX);
    *enough = true;
    if (status == 0)
        status = journal_file_read_ends(runs, id, HEAD_READ, tail, &text, &rest, err);
    if (status == 0) {
        struct journal_reader reader = {.data = text.data, .len = text.len};
        status = add_records(list, dir, &reader, rest.len ? first : kinds, &found, err);
    }
    if (status == 0 && rest.len > 0) {
        struct journal_reader reader = {.data = rest.data, .len = rest.len};
        *enough = json_array_size(list) > 0 && journal_join(&reader);
        if (*enough)
            status = add_records(list, dir, &reader, kinds, &found, err);
        *enough = *enough && tells_state(list);
    }
    buf_release(&text);
    buf_release(&rest);
    free(dir);
    if (status == 0 && found != JOURNAL_DAMAGED)
        return list;
    *enough = true; /* more would be no better */
    json_decref(list);
    return NULL;
}

/* ---- What is told of a run ---- */

/* The last record that has this member, and that member. */
static const json_t *last_with(const json_t *records, const char *key, const json_t **record)
{
    for (size_t i = json_array_size(records); i > 0; i--) {
        *record = json_array_get(records, i - 1);
        const json_t *value = json_object_get(*record, key);
        if (value)
            return value;
    }
    *record = NULL;
    return NULL;
}

/* A copy of a member, null when it is not there. */
static json_t *member(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return value ? json_incref(value) : json_null();
}

/* {"id","started","status",...}: of a journal that can be read. */
static json_t *summary(const char *runs, const char *id, const json_t *records)
{
    const json_t *first = json_array_get(records, 0), *holder;
    const json_t *last = json_array_get(records, json_array_size(records) - 1);
    const json_t *state = last_with(records, "state", &holder);
    const json_t *result = last_with(records, "result", &holder);
    json_t *steps = json_array_get(json_object_get(state, "counts"), 0);
    if (holder != last ||
        strcmp(json_string_value(json_object_get(last, "k")), "run_finished") != 0)
        result = NULL; /* it went on after that */
    const char *status = json_string_value(json_object_get(result, "status"));
    if (!status)
        status = journal_store_in_use(runs, id) ? "running" : "unfinished";
    bool resumable = result ? json_is_true(json_object_get(result, "resumable"))
                            : strcmp(status, "unfinished") == 0;
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:b, s:o, s:o, s:o}", "id", id, "started",
        member(first, "t"), "agent", member(first, "agent"), "model", member(first, "model"),
        "workspace", member(first, "workspace"), "prompt", member(first, "prompt"), "status",
        status, "stop_reason", member(result, "stop_reason"), "resumable", resumable, "forked_from",
        member(first, "forked_from"), "steps", steps ? json_incref(steps) : json_integer(0),
        "cost_usd", member(state, "cost_usd"));
}

static json_t *summary_of(const char *runs, const char *id)
{
    static const char *const kinds[] = {
        "run_started", "state", "conversation", "messages", "tool_started", "run_finished", NULL};
    struct err err = {.text = ""};
    json_t *records = NULL;
    bool enough = false;
    for (size_t tail = TAIL_READ; !enough; tail *= 8) {
        json_decref(records);
        records = read_ends(runs, id, kinds, tail, &enough, &err);
    }
    json_t *value = json_array_size(records) ? summary(runs, id, records) : NULL;
    json_decref(records);
    if (value)
        return value;
    return json_pack("{s:s, s:s, s:s}", "id", id, "status", "damaged", "problem",
                     err.text[0] ? err.text : "it had not begun");
}

int32_t tackle_list_runs(tackle_runtime *rt, char **json, tackle_error *error)
{
    struct err err;
    char **ids = NULL;
    size_t count = 0;
    *json = NULL;
    char *runs = folder(rt, &err);
    if (!runs || journal_store_list(runs, &ids, &count, &err) != 0) {
        free(runs);
        return api_fail(rt, error, &err);
    }
    json_t *list = json_array();
    for (size_t i = count; list && i > 0; i--)
        (void)json_array_append_new(list, summary_of(runs, ids[i - 1]));
    journal_store_free(ids, count);
    free(runs);
    return api_give_json(rt, list, json, error);
}

int32_t tackle_show_run(tackle_runtime *rt, const char *id, char **json, tackle_error *error)
{
    struct err err;
    *json = NULL;
    char *runs = folder(rt, &err);
    json_t *records = runs ? read_records(runs, id, NULL, &err) : NULL;
    json_t *value = json_array_size(records) ? summary(runs, id, records) : NULL;
    if (records && !value)
        err_set(&err, ERR_SESSION, "the run %s had not begun; there is nothing in it", id);
    free(runs);
    if (!value) {
        json_decref(records);
        return api_fail(rt, error, &err);
    }
    (void)json_object_set_new(value, "records", records);
    return api_give_json(rt, value, json, error);
}

/* Both without secrets, as everything that is handed out: a journal may be older than a key. */
int32_t tackle_export_run(tackle_runtime *rt, const char *id, char **json, tackle_error *error)
{
    return tackle_show_run(rt, id, json, error);
}

/* ---- Keeping the store in order ---- */

int32_t tackle_remove_run(tackle_runtime *rt, const char *id, tackle_error *error)
{
    struct err err;
    char *runs = folder(rt, &err);
    int status = runs ? journal_store_remove(runs, id, &err) : -1;
    free(runs);
    return status == 0 ? 0 : api_fail(rt, error, &err);
}

static json_t *health_json(const char *id, const struct journal_health *h)
{
    return json_pack("{s:s, s:b, s:I, s:I, s:b, s:s?}", "id", id, "ok",
                     h->damage.code == ERR_NONE && h->records > 0, "records",
                     (json_int_t)h->records, "dropped_bytes", (json_int_t)(h->bytes - h->good),
                     "torn", h->torn, "problem", h->damage.code ? h->damage.text : NULL);
}

static int32_t examine(tackle_runtime *rt, const char *id,
                       int (*look)(const char *, const char *, struct journal_health *,
                                   struct err *),
                       char **json, tackle_error *error)
{
    struct err err;
    struct journal_health health;
    *json = NULL;
    char *runs = folder(rt, &err);
    int status = runs ? look(runs, id, &health, &err) : -1;
    free(runs);
    return status == 0 ? api_give_json(rt, health_json(id, &health), json, error)
                       : api_fail(rt, error, &err);
}

int32_t tackle_verify_run(tackle_runtime *rt, const char *id, char **json, tackle_error *error)
{
    return examine(rt, id, journal_store_verify, json, error);
}

int32_t tackle_repair_run(tackle_runtime *rt, const char *id, char **json, tackle_error *error)
{
    return examine(rt, id, journal_store_repair, json, error);
}
