/* Serialising messages, tools and the head of a request. */
#include "wire/chat_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/text.h"

#define HEAD_MAX     (1u << 20)
#define NAME_MAX_LEN 64u /* of a function, at OpenAI and Gemini */

/* The comma between two elements. */
static int begin(struct buf *out)
{
    return out->len > 0 ? buf_byte(out, ',') : 0;
}

static int finish(struct buf *out, size_t before, int status)
{
    if (status)
        buf_cut(out, before);
    return status ? -1 : 0;
}

static int add_plain(struct buf *messages, const char *role, const char *text, size_t len)
{
    size_t before = messages->len;
    int status = begin(messages) || buf_format(messages, "{\"role\":\"%s\",\"content\":", role) ||
                 json_quote(messages, text, len) || buf_byte(messages, '}');
    return finish(messages, before, status);
}

int chat_add_system(struct buf *messages, const char *text, size_t len)
{
    return add_plain(messages, "system", text, len);
}

int chat_add_user(struct buf *messages, const char *text, size_t len)
{
    return add_plain(messages, "user", text, len);
}

int chat_add_user_parts(struct buf *messages, const struct chat_part *parts, size_t count)
{
    size_t before = messages->len;
    int status = begin(messages) || buf_text(messages, "{\"role\":\"user\",\"content\":[");
    for (size_t i = 0; i < count && status == 0; i++) {
        const struct chat_part *part = &parts[i];
        const char *head = part->text ? "{\"type\":\"text\",\"text\":"
                                      : "{\"type\":\"image_url\",\"image_url\":{\"url\":";
        status = (i > 0 && buf_byte(messages, ',')) || buf_text(messages, head) ||
                 json_quote(messages, part->text ? part->text : part->url, part->len) ||
                 buf_text(messages, part->text ? "}" : "}}");
    }
    return finish(messages, before, status || buf_text(messages, "]}"));
}

/* A function's name as the endpoints allow it. The model may have made up any; one that is refused
 * in the history would fail every later request. */
static int append_name(struct buf *out, const char *name)
{
    char clean[NAME_MAX_LEN + 1];
    size_t len = 0;
    for (; name[len] && len < NAME_MAX_LEN; len++) {
        char c = name[len];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-';
        clean[len] = good ? c : '_';
    }
    return len ? json_quote(out, clean, len) : buf_text(out, "\"unknown\"");
}

/* The members of a JSON object, each with a comma in front. */
static int append_members(struct buf *out, const json_t *object)
{
    if (json_object_size(object) == 0)
        return 0;
    char *text = json_dumps(object, JSON_COMPACT);
    if (!text)
        return -1;
    size_t len = strlen(text);
    int status = buf_byte(out, ',') || buf_append(out, text + 1, len - 2);
    free(text);
    return status;
}

static int append_call(struct buf *out, const struct chat_call *call)
{
    const char *args = call->args ? call->text : "{}";
    size_t len = call->args ? call->len : 2;
    return buf_text(out, "{\"id\":") || json_quote(out, call->id, strlen(call->id)) ||
           buf_text(out, ",\"type\":\"function\",\"function\":{\"name\":") ||
           append_name(out, call->name) || buf_text(out, ",\"arguments\":") ||
           json_quote(out, args, len) || buf_byte(out, '}') || append_members(out, call->extra) ||
           buf_byte(out, '}');
}

int chat_add_assistant(struct buf *messages, const struct chat_turn *turn)
{
    size_t before = messages->len;
    if (turn->text.len == 0 && turn->call_count == 0)
        return 0;
    int status = begin(messages) || buf_text(messages, "{\"role\":\"assistant\",\"content\":");
    if (status == 0)
        status = turn->text.len ? json_quote(messages, turn->text.data, turn->text.len)
                                : buf_text(messages, "null");
    for (size_t i = 0; i < turn->call_count && status == 0; i++)
        status = buf_text(messages, i ? "," : ",\"tool_calls\":[") ||
                 append_call(messages, &turn->calls[i]);
    if (status == 0 && turn->call_count > 0)
        status = buf_byte(messages, ']');
    status = status || append_members(messages, turn->echo) || buf_byte(messages, '}');
    return finish(messages, before, status);
}

int chat_add_tool(struct buf *messages, const char *call_id, const char *name, const char *text,
                  size_t len)
{
    static const char nothing[] = "(no output)";
    size_t before = messages->len;
    int status = begin(messages) || buf_text(messages, "{\"role\":\"tool\",\"tool_call_id\":") ||
                 json_quote(messages, call_id, strlen(call_id)) ||
                 buf_text(messages, ",\"name\":") || append_name(messages, name) ||
                 buf_text(messages, ",\"content\":") ||
                 json_quote(messages, len ? text : nothing, len ? len : strlen(nothing)) ||
                 buf_byte(messages, '}');
    return finish(messages, before, status);
}

/* A JSON object from text, again as compact text; NULL when it is none. */
static char *compact_object(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, 0, &error);
    char *compact = json_is_object(value) ? json_dumps(value, JSON_COMPACT) : NULL;
    json_decref(value);
    return compact;
}

int chat_add_function(struct buf *tools, const char *name, const char *description,
                      const char *params)
{
    size_t before = tools->len;
    char *schema = compact_object(params ? params : "{\"type\":\"object\",\"properties\":{}}");
    if (!schema)
        return -1;
    int status =
        begin(tools) || buf_text(tools, "{\"type\":\"function\",\"function\":{\"name\":") ||
        append_name(tools, name) || buf_text(tools, ",\"description\":") ||
        json_quote(tools, description ? description : "", description ? strlen(description) : 0) ||
        buf_text(tools, ",\"parameters\":") || buf_text(tools, schema) || buf_text(tools, "}}");
    free(schema);
    return finish(tools, before, status);
}

int chat_add_google_search(struct buf *tools)
{
    return buf_text(tools, "{\"type\":\"function\",\"function\":{\"name\":\"googleSearch\"}}");
}

/* Adds the members of a JSON text to the head; `key` NULL: as its own members. */
static int add_json(json_t *head, const char *key, const char *text, struct err *err)
{
    json_error_t error;
    if (!text)
        return 0;
    json_t *value = json_loads(text, 0, &error);
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(err, ERR_USAGE, "%s must be a JSON object%s%s",
                       key ? key : "the extra members of a request", value ? "" : ": ",
                       value ? "" : error.text);
    }
    if (!key && (json_object_get(value, "messages") || json_object_get(value, "tools"))) {
        json_decref(value);
        return err_set(err, ERR_USAGE,
                       "the extra members of a request cannot be messages or tools");
    }
    int status = key ? json_object_set(head, key, value) : json_object_update(head, value);
    json_decref(value);
    return status ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static bool has(const struct buf *b)
{
    return b && b->len > 0;
}

/* Everything of the body but tools and messages. */
static json_t *build_head(const struct chat_request *request, struct err *err)
{
    json_t *head = json_object();
    int bad = json_object_set_new(head, "model", json_string(request->model));
    bad |= json_object_set_new(head, "stream", json_boolean(request->stream));
    if (request->stream && request->want_usage)
        bad |= json_object_set_new(head, "stream_options", json_pack("{s:b}", "include_usage", 1));
    if (request->effort)
        bad |= json_object_set_new(head, "reasoning_effort", json_string(request->effort));
    if (request->include_thoughts)
        bad |= json_object_set_new(head, "include_thoughts",
                                   json_boolean(request->include_thoughts == CHAT_CHOICE_TRUE));
    if (request->max_tokens > 0)
        bad |= json_object_set_new(head, "max_tokens", json_integer(request->max_tokens));
    if (request->tool_choice && has(request->tools))
        bad |= json_object_set_new(head, "tool_choice", json_string(request->tool_choice));
    if (bad)
        (void)err_set(err, ERR_NOMEM, "the request's settings are no valid text, or memory is out");
    if (bad || add_json(head, "response_format", request->response_format, err) ||
        add_json(head, NULL, request->extra, err)) {
        json_decref(head);
        return NULL;
    }
    return head;
}

static void add_slice(struct chat_body *body, const char *data, size_t len)
{
    body->slices[body->count++] = (struct chat_slice){.data = data, .len = len};
    body->len += len;
}

int chat_body_init(struct chat_body *body, const struct chat_request *request, struct err *err)
{
    static const char tools_key[] = ",\"tools\":[", messages_key[] = "],\"messages\":[";
    *body = (struct chat_body){0};
    buf_init(&body->head, HEAD_MAX);
    if (!request->model || !*request->model)
        return err_set(err, ERR_USAGE, "a request needs the name of a model");
    if (!has(request->messages))
        return err_set(err, ERR_USAGE, "a request needs at least one message");
    json_t *head = build_head(request, err);
    if (!head)
        return -1;
    char *text = json_dumps(head, JSON_COMPACT);
    json_decref(head);
    int status = !text || buf_append(&body->head, text, strlen(text) - 1) ||
                 buf_text(&body->head, has(request->tools) ? tools_key : ",\"messages\":[");
    free(text);
    if (status) {
        chat_body_release(body);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    add_slice(body, body->head.data, body->head.len);
    if (has(request->tools)) {
        add_slice(body, request->tools->data, request->tools->len);
        add_slice(body, messages_key, strlen(messages_key));
    }
    add_slice(body, request->messages->data, request->messages->len);
    add_slice(body, "]}", 2);
    return 0;
}

void chat_body_release(struct chat_body *body)
{
    buf_release(&body->head);
    body->count = 0;
    body->len = 0;
}
