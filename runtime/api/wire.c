/* What goes over the wire, shown to people: a response as the client reads it, a tool's schema as
 * endpoints get it. */
#include <stdlib.h>
#include <string.h>

#include "api/runtime.h"
#include "wire/chat_reply.h"
#include "wire/sanitise.h"

#define RANDOM_MOST 97u        /* bytes of a random piece */
#define CHANGES_MAX (1u << 20) /* bytes of all lines on what was changed in a schema */
#define EXACT_REAL  JSON_REAL_PRECISION(17)

/* Reals in the shortest form that reads back as the same number, where one form fits them all. */
static char *dump(const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_t *again = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;
    if (!again || !json_equal(again, value)) {
        free(text);
        text = json_dumps(value, JSON_COMPACT | EXACT_REAL);
    }
    json_decref(again);
    return text;
}

static int32_t give(json_t *value, char **json, tackle_error *error)
{
    *json = value ? dump(value) : NULL;
    json_decref(value);
    return *json ? 0 : api_fail_as(error, STOP_INTERNAL, "out of memory");
}

/* The next size, from 1 to RANDOM_MOST (the generator of C's own example). */
static size_t random_size(uint32_t *state)
{
    *state = *state * 1103515245u + 12345u;
    return 1 + (*state >> 16) % RANDOM_MOST;
}

static void feed(struct chat_reply *reply, const char *body, size_t len,
                 const tackle_wire_options *options)
{
    uint32_t state = options->random;
    size_t at = 0;
    int status = 0;
    while (at < len && status == 0) {
        size_t left = len - at, n = left;
        if (options->random)
            n = random_size(&state);
        else if (options->chunk > 0 && options->chunk < left)
            n = (size_t)options->chunk;
        n = n < left ? n : left;
        status = chat_reply_feed(reply, body + at, n); /* -1: the turn will say why */
        at += n;
    }
}

int32_t tackle_wire_parse(const char *body, size_t len, const tackle_wire_options *options,
                          char **json, tackle_error *error)
{
    static const tackle_wire_options none = {.size = sizeof none};
    struct chat_turn turn;
    if (!options)
        options = &none;
    if (options->size < sizeof *options)
        return api_fail_as(error, STOP_USAGE, "tackle_wire_options: size is not set");
    struct chat_reply *reply = chat_reply_new(options->status ? options->status : 200, NULL, NULL);
    if (!reply)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    feed(reply, body, len, options);
    chat_reply_end(reply, NULL, &turn);
    chat_reply_free(reply);
    json_t *shown = chat_turn_json(&turn);
    chat_turn_release(&turn);
    return give(shown, json, error);
}

/* The lines of a text as an array. */
static json_t *lines(const char *text)
{
    json_t *list = json_array();
    while (list && *text) {
        size_t len = strcspn(text, "\n");
        if (json_array_append_new(list, json_stringn(text, len)) != 0) {
            json_decref(list);
            return NULL;
        }
        text += len + (text[len] == '\n');
    }
    return list;
}

int32_t tackle_wire_schema(const char *schema, size_t len, char **json, tackle_error *error)
{
    struct err err = {0};
    struct buf changes;
    json_error_t where;
    json_t *given = json_loadb(schema, len, 0, &where);
    if (!given) {
        err_set(&err, ERR_CONFIG, "the schema is not JSON: line %d, column %d: %s", where.line,
                where.column, where.text);
        return api_fail_as(error, outcome_of_error(err.code), err.text);
    }
    buf_init(&changes, CHANGES_MAX);
    json_t *sent = sanitise_schema(given, &changes, &err);
    json_t *shown = NULL;
    if (sent)
        shown = json_pack("{s:o, s:o}", "schema", sent, "changes", lines(changes.data));
    buf_release(&changes);
    json_decref(given);
    return sent ? give(shown, json, error)
                : api_fail_as(error, outcome_of_error(err.code), err.text);
}
