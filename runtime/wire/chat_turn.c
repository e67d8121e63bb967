/* The assistant's turn as data. */
#include "wire/chat_turn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/chat_reply.h"

#define WARNINGS_MAX (16u << 10)

void chat_turn_init(struct chat_turn *turn)
{
    *turn = (struct chat_turn){.usage = {-1, -1, -1, -1, -1}};
    buf_init(&turn->text, CHAT_TEXT_MAX);
    buf_init(&turn->reasoning, CHAT_TEXT_MAX);
    buf_init(&turn->warnings, WARNINGS_MAX);
    chat_error_init(&turn->error);
}

void chat_call_release(struct chat_call *call)
{
    free(call->id);
    free(call->name);
    free(call->text);
    free(call->problem);
    json_decref(call->args);
    json_decref(call->extra);
    *call = (struct chat_call){0};
}

void chat_turn_release(struct chat_turn *turn)
{
    for (size_t i = 0; i < turn->call_count; i++)
        chat_call_release(&turn->calls[i]);
    free(turn->calls);
    free(turn->finish_reason);
    buf_release(&turn->text);
    buf_release(&turn->reasoning);
    buf_release(&turn->warnings);
    chat_error_release(&turn->error);
    json_decref(turn->echo);
    chat_turn_init(turn);
}

int64_t chat_usage_output(const struct chat_usage *usage)
{
    int64_t completion = usage->completion > 0 ? usage->completion : 0;
    int64_t rest = usage->total >= 0 && usage->prompt >= 0 ? usage->total - usage->prompt : 0;
    return completion > rest ? completion : rest;
}

static bool is_id_usable(const struct chat_turn *turn, size_t at)
{
    const char *id = turn->calls[at].id;
    if (!id || !*id || strlen(id) > CHAT_CALL_ID_MAX)
        return false;
    for (size_t i = 0; i < at; i++)
        if (turn->calls[i].id && strcmp(turn->calls[i].id, id) == 0)
            return false;
    return true;
}

static bool is_id_taken(const struct chat_turn *turn, const char *id)
{
    for (size_t i = 0; i < turn->call_count; i++)
        if (turn->calls[i].id && strcmp(turn->calls[i].id, id) == 0)
            return true;
    return false;
}

int chat_turn_complete_ids(struct chat_turn *turn, unsigned long *next)
{
    for (size_t i = 0; i < turn->call_count; i++) {
        if (is_id_usable(turn, i))
            continue;
        char id[32];
        do
            (void)snprintf(id, sizeof id, "call_%lu", (*next)++);
        while (is_id_taken(turn, id));
        char *copy = strdup(id);
        if (!copy)
            return -1;
        free(turn->calls[i].id);
        turn->calls[i].id = copy;
    }
    return 0;
}

const char *chat_call_plain_name(const char *name)
{
    static const char *const prefixes[] = {"default_api:", "default_api.", "functions."};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return name + strlen(prefixes[i]);
    return name;
}

const char *chat_stop_name(enum chat_stop stop)
{
    static const char *const names[] = {
        [CHAT_STOP_INCOMPLETE] = "incomplete",
        [CHAT_STOP_STOP] = "stop",
        [CHAT_STOP_TOOL_CALLS] = "tool_calls",
        [CHAT_STOP_LENGTH] = "length",
        [CHAT_STOP_CONTENT_FILTER] = "content_filter",
        [CHAT_STOP_MALFORMED_TOOL_CALL] = "malformed_tool_call",
        [CHAT_STOP_EMPTY] = "empty",
        [CHAT_STOP_UNKNOWN] = "unknown",
        [CHAT_STOP_ERROR] = "error",
    };
    return names[stop];
}

/* Sets a member and remembers failure, so that an object is built without a branch a member. */
static void set(json_t *object, const char *key, json_t *value, bool *bad)
{
    if (json_object_set_new(object, key, value))
        *bad = true;
}

static json_t *whole_or_null(json_t *value, bool bad)
{
    if (!bad)
        return value;
    json_decref(value);
    return NULL;
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *call_json(const struct chat_call *call)
{
    bool bad = false;
    json_t *item = json_object();
    set(item, "id", text_or_null(call->id), &bad);
    set(item, "name", json_string(call->name), &bad);
    if (call->args) {
        set(item, "arguments", json_incref(call->args), &bad);
    } else {
        set(item, "arguments", json_null(), &bad);
        set(item, "arguments_text", json_stringn(call->text, call->len), &bad);
        set(item, "problem", text_or_null(call->problem), &bad);
    }
    if (call->extra && json_object_update_missing(item, call->extra))
        bad = true;
    return whole_or_null(item, bad);
}

static json_t *calls_json(const struct chat_turn *turn)
{
    bool bad = false;
    json_t *calls = json_array();
    for (size_t i = 0; i < turn->call_count; i++)
        if (json_array_append_new(calls, call_json(&turn->calls[i])))
            bad = true;
    return whole_or_null(calls, bad);
}

static json_t *usage_json(const struct chat_turn *turn)
{
    const struct chat_usage *u = &turn->usage;
    const struct {
        const char *key;
        int64_t value;
    } members[] = {{"prompt_tokens", u->prompt},
                   {"completion_tokens", u->completion},
                   {"total_tokens", u->total},
                   {"reasoning_tokens", u->reasoning},
                   {"cached_tokens", u->cached}};
    if (!turn->has_usage)
        return json_null();
    bool bad = false;
    json_t *usage = json_object();
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].value >= 0)
            set(usage, members[i].key, json_integer(members[i].value), &bad);
    return whole_or_null(usage, bad);
}

/* A code as it was: a number again when it was one. */
static json_t *scalar(const char *text, bool is_number)
{
    return text && is_number ? json_integer(strtoll(text, NULL, 10)) : text_or_null(text);
}

static json_t *error_json(const struct chat_turn *turn)
{
    const struct chat_error *e = &turn->error;
    if (e->class == CHAT_ERROR_NONE)
        return json_null();
    bool bad = false;
    json_t *error = json_object();
    set(error, "message", text_or_null(e->message), &bad);
    set(error, "type", text_or_null(e->type), &bad);
    set(error, "code", scalar(e->code, e->code_is_number), &bad);
    if (e->status)
        set(error, "status", scalar(e->status, e->status_is_number), &bad);
    if (e->param)
        set(error, "param", json_string(e->param), &bad);
    if (e->retry_delay)
        set(error, "retry_delay", json_string(e->retry_delay), &bad);
    if (e->detail)
        set(error, "detail", json_string(e->detail), &bad);
    if (e->http_status)
        set(error, "http_status", json_integer(e->http_status), &bad);
    set(error, "class", json_string(chat_error_class_name(e->class)), &bad);
    return whole_or_null(error, bad);
}

/* One text a line. */
static json_t *warnings_json(const struct chat_turn *turn)
{
    bool bad = false;
    json_t *list = json_array();
    const char *line = turn->warnings.data;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
        if (json_array_append_new(list, json_stringn(line, (size_t)(end - line))))
            bad = true;
    return whole_or_null(list, bad);
}

json_t *chat_turn_json(const struct chat_turn *turn)
{
    bool bad = false;
    json_t *out = json_object();
    set(out, "text", json_stringn(turn->text.data, turn->text.len), &bad);
    set(out, "reasoning", json_stringn(turn->reasoning.data, turn->reasoning.len), &bad);
    set(out, "tool_calls", calls_json(turn), &bad);
    set(out, "finish_reason", text_or_null(turn->finish_reason), &bad);
    set(out, "stop", json_string(chat_stop_name(turn->stop)), &bad);
    set(out, "usage", usage_json(turn), &bad);
    set(out, "error", error_json(turn), &bad);
    set(out, "echo", turn->echo ? json_incref(turn->echo) : json_null(), &bad);
    set(out, "done_marker", turn->stream ? json_boolean(turn->done_marker) : json_null(), &bad);
    if (turn->warnings.len)
        set(out, "warnings", warnings_json(turn), &bad);
    return whole_or_null(out, bad);
}
