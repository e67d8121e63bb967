/* Chat completions as JSON or as server-sent events; see render.h. */
#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

static void end_piece(struct response *out)
{
    *(size_t *)memory_item(&out->ends, out->end_count++, sizeof(size_t)) = out->body.len;
}

/* Takes the reference to `value`. */
static void put_json(struct buf *out, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    put_text(out, text ? text : "null");
    free(text);
    json_decref(value);
}

static void put_event(struct response *out, json_t *value)
{
    put_text(&out->body, "data: ");
    put_json(&out->body, value);
    put_text(&out->body, "\n\n");
    end_piece(out);
}

static const char *finish_of(const struct reply *reply)
{
    if (reply->finish)
        return strcmp(reply->finish, "none") == 0 ? NULL : reply->finish;
    return reply->call_count > 0 ? "tool_calls" : "stop";
}

static json_t *usage_of(const struct reply *reply)
{
    const struct reply_usage *usage = &reply->usage;
    json_t *object = json_pack("{s:I, s:I, s:I}", "prompt_tokens", (json_int_t)usage->input,
                               "completion_tokens", (json_int_t)usage->output, "total_tokens",
                               (json_int_t)(usage->input + usage->output));
    if (usage->reasoning >= 0)
        (void)json_object_set_new(
            object, "completion_tokens_details",
            json_pack("{s:I}", "reasoning_tokens", (json_int_t)usage->reasoning));
    if (usage->cached >= 0)
        (void)json_object_set_new(object, "prompt_tokens_details",
                                  json_pack("{s:I}", "cached_tokens", (json_int_t)usage->cached));
    return object;
}

static json_t *envelope(const struct reply *reply, const struct request *request,
                        const char *object)
{
    json_t *value =
        json_pack("{s:o, s:s, s:i, s:s}", "id", json_sprintf("chatcmpl-%u", request->number),
                  "object", object, "created", 1700000000, "model", reply->model);
    return value;
}

/* ---- As JSON ---- */

static json_t *message_of(const struct reply *reply)
{
    json_t *message =
        json_pack("{s:s, s:o}", "role", "assistant", "content",
                  reply->has_text ? json_stringn(reply->text.data, reply->text.len) : json_null());
    if (reply->reasoning.len > 0)
        (void)json_object_set_new(message, reply->reasoning_field,
                                  json_stringn(reply->reasoning.data, reply->reasoning.len));
    if (reply->call_count == 0)
        return message;
    json_t *calls = json_array();
    for (size_t i = 0; i < reply->call_count; i++)
        (void)json_array_append_new(calls, json_pack("{s:s, s:s, s:{s:s, s:s}}", "id",
                                                     reply->calls[i].id, "type", "function",
                                                     "function", "name", reply->calls[i].name,
                                                     "arguments", reply->calls[i].arguments));
    (void)json_object_set_new(message, "tool_calls", calls);
    return message;
}

static void render_json(const struct reply *reply, const struct request *request,
                        struct response *out)
{
    json_t *value = envelope(reply, request, "chat.completion");
    json_t *choice = json_pack("{s:i, s:o, s:s?}", "index", 0, "message", message_of(reply),
                               "finish_reason", finish_of(reply));
    (void)json_object_set_new(value, "choices", json_pack("[o]", choice));
    if (!reply->usage.absent)
        (void)json_object_set_new(value, "usage", usage_of(reply));
    put_json(&out->body, value);
}

/* ---- As server-sent events ---- */

static void put_delta(const struct reply *reply, const struct request *request, json_t *delta,
                      const char *finish, struct response *out)
{
    json_t *value = envelope(reply, request, "chat.completion.chunk");
    json_t *choice = json_pack("{s:i, s:o}", "index", 0, "delta", delta);
    if (finish)
        (void)json_object_set_new(choice, "finish_reason", json_string(finish));
    (void)json_object_set_new(value, "choices", json_pack("[o]", choice));
    put_event(out, value);
}

/* The end of piece i of n equal pieces of a text, moved behind the character it falls in. */
static size_t piece_end(const char *text, size_t len, long i, long n)
{
    size_t at = len * (size_t)(i + 1) / (size_t)n;
    while (at < len && ((unsigned char)text[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static void put_text_deltas(const struct reply *reply, const struct request *request,
                            const char *field, const struct buf *text, struct response *out)
{
    size_t at = 0;
    long n = reply->pieces > 0 ? reply->pieces : 1;
    for (long i = 0; i < n; i++) {
        size_t end = piece_end(text->data, text->len, i, n);
        if (end == at && text->len > 0)
            continue;
        put_delta(reply, request,
                  json_pack("{s:o}", field, json_stringn(text->data + at, end - at)), NULL, out);
        at = end;
        if (text->len == 0)
            break;
    }
}

static void put_call_deltas(const struct reply *reply, const struct request *request, size_t index,
                            struct response *out)
{
    const struct reply_call *call = &reply->calls[index];
    size_t len = strlen(call->arguments), at = 0;
    long n = reply->pieces > 0 ? reply->pieces : 1;
    put_delta(reply, request,
              json_pack("{s:[{s:i, s:s, s:s, s:{s:s, s:s}}]}", "tool_calls", "index", (int)index,
                        "id", call->id, "type", "function", "function", "name", call->name,
                        "arguments", ""),
              NULL, out);
    for (long i = 0; i < n; i++) {
        size_t end = piece_end(call->arguments, len, i, n);
        if (end == at)
            continue;
        put_delta(reply, request,
                  json_pack("{s:[{s:i, s:{s:o}}]}", "tool_calls", "index", (int)index, "function",
                            "arguments", json_stringn(call->arguments + at, end - at)),
                  NULL, out);
        at = end;
    }
}

static void render_sse(const struct reply *reply, const struct request *request,
                       struct response *out)
{
    put_delta(reply, request, json_pack("{s:s, s:s}", "role", "assistant", "content", ""), NULL,
              out);
    if (reply->reasoning.len > 0)
        put_text_deltas(reply, request, reply->reasoning_field, &reply->reasoning, out);
    if (reply->has_text)
        put_text_deltas(reply, request, "content", &reply->text, out);
    for (size_t i = 0; i < reply->call_count; i++)
        put_call_deltas(reply, request, i, out);
    out->loop = out->body.len;
    if (finish_of(reply))
        put_delta(reply, request, json_object(), finish_of(reply), out);
    if (!reply->usage.absent) {
        json_t *value = envelope(reply, request, "chat.completion.chunk");
        (void)json_object_set_new(value, "choices", json_array());
        (void)json_object_set_new(value, "usage", usage_of(reply));
        put_event(out, value);
    }
    if (reply->done) {
        put_text(&out->body, "data: [DONE]\n\n");
        end_piece(out);
    }
}

/* ---- The response ---- */

/* The endpoint streams unless it is told not to: reference/endpoint.md. */
static bool wants_stream(const struct reply *reply, const struct request *request)
{
    if (reply->form != FORM_AS_ASKED)
        return reply->form == FORM_SSE;
    return !json_is_false(json_object_get(request->json, "stream"));
}

/* Pieces of equal size instead of one an event. */
static void cut_to_chunks(struct response *out, size_t chunk)
{
    out->end_count = 0;
    for (size_t at = 0; at < out->body.len;) {
        size_t left = out->body.len - at;
        at += left < chunk ? left : chunk;
        *(size_t *)memory_item(&out->ends, out->end_count++, sizeof(size_t)) = at;
    }
}

static void render_head(const struct reply *reply, const char *type, struct response *out)
{
    long status = reply ? reply->status : 500;
    put_format(&out->head, "HTTP/1.1 %ld Scripted\r\nContent-Type: %s\r\n", status, type);
    if (out->framing == FRAMING_LENGTH)
        put_format(&out->head, "Content-Length: %zu\r\n", out->body.len);
    else if (out->framing == FRAMING_CHUNKED)
        put_text(&out->head, "Transfer-Encoding: chunked\r\n");
    else
        put_text(&out->head, "Connection: close\r\n");
    for (size_t i = 0; reply && i < reply->header_count; i++)
        put_format(&out->head, "%s\r\n", reply->headers[i]);
    if (!reply)
        put_text(&out->head, "x-should-retry: false\r\n");
    put_text(&out->head, "\r\n");
}

static void render_exhausted(const struct request *request, struct response *out)
{
    put_json(&out->body,
             json_pack(
                 "{s:{s:s, s:o, s:s}}", "error", "code", "script_exhausted", "message",
                 json_sprintf("script exhausted: no reply is left for request %u", request->number),
                 "type", "script_error"));
}

void response_render(const struct reply *reply, const struct request *request, struct response *out)
{
    const char *type = "application/json";
    bool stream = reply && !reply->is_raw && wants_stream(reply, request);
    *out = (struct response){0};
    buf_init(&out->head, REQUEST_HEAD_MAX);
    buf_init(&out->body, SCRIPT_BODY_MAX);
    if (!reply) {
        render_exhausted(request, out);
    } else if (reply->is_raw) {
        put(&out->body, reply->raw.data, reply->raw.len);
        for (size_t i = 0; i < reply->raw_end_count; i++)
            *(size_t *)memory_item(&out->ends, out->end_count++, sizeof(size_t)) =
                reply->raw_ends[i];
        out->loop = out->body.len;
    } else if (stream) {
        type = "text/event-stream";
        render_sse(reply, request, out);
    } else {
        render_json(reply, request, out);
        out->loop = out->body.len;
    }
    if (reply && reply->chunk_bytes > 0)
        cut_to_chunks(out, (size_t)reply->chunk_bytes);
    if (out->end_count == 0 || out->ends[out->end_count - 1] < out->body.len)
        end_piece(out);
    out->framing = reply ? reply->framing : FRAMING_DEFAULT;
    if (out->framing == FRAMING_DEFAULT)
        out->framing = stream || (reply && (reply->endless || reply->raw_end_count > 0))
                           ? FRAMING_CHUNKED
                           : FRAMING_LENGTH;
    render_head(reply, reply && reply->type ? reply->type : type, out);
}

void response_release(struct response *response)
{
    buf_release(&response->head);
    buf_release(&response->body);
    free(response->ends);
    *response = (struct response){0};
}
