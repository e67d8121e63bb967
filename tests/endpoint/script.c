/* Reads replies and chooses among them; see script.h. One table row a directive. */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "words.h"

struct reader {
    struct reply *reply;
    const char *dir;
    size_t reply_number;
};

typedef int (*directive_fn)(struct reader *reader, const char *rest, struct err *err);

static int add_value_line(struct buf *text, bool first, const char *rest, struct err *err)
{
    char *value;
    size_t len;
    if (words_value(rest, &value, &len, err))
        return -1;
    if (!first)
        put_text(text, "\n");
    put(text, value, len);
    free(value);
    return 0;
}

static int set_text(char **field, const char *rest, struct err *err)
{
    if (!*rest)
        return err_set(err, ERR_PARSE, "a value must follow");
    free(*field);
    *field = memory_text(rest);
    return 0;
}

static int do_when(struct reader *reader, const char *rest, struct err *err)
{
    struct reply *reply = reader->reply;
    struct condition *condition = condition_new(rest, err);
    if (!condition)
        return -1;
    *(struct condition **)memory_item(&reply->when, reply->when_count++, sizeof condition) =
        condition;
    return 0;
}

static int do_times(struct reader *reader, const char *rest, struct err *err)
{
    if (strcmp(rest, "forever") == 0) {
        reader->reply->times = REPLY_FOREVER;
        return 0;
    }
    return words_number(rest, 1000000, &reader->reply->times, err);
}

static int do_status(struct reader *reader, const char *rest, struct err *err)
{
    return words_number(rest, 999, &reader->reply->status, err);
}

static int do_header(struct reader *reader, const char *rest, struct err *err)
{
    struct reply *reply = reader->reply;
    if (!strchr(rest, ':'))
        return err_set(err, ERR_PARSE, "a header is written NAME: VALUE");
    *(char **)memory_item(&reply->headers, reply->header_count++, sizeof(char *)) =
        memory_text(rest);
    return 0;
}

static int do_type(struct reader *reader, const char *rest, struct err *err)
{
    return set_text(&reader->reply->type, rest, err);
}

static int do_text(struct reader *reader, const char *rest, struct err *err)
{
    bool first = !reader->reply->has_text;
    reader->reply->has_text = true;
    return add_value_line(&reader->reply->text, first, rest, err);
}

static int do_reasoning(struct reader *reader, const char *rest, struct err *err)
{
    struct buf *reasoning = &reader->reply->reasoning;
    return add_value_line(reasoning, reasoning->len == 0, rest, err);
}

static int do_reasoning_field(struct reader *reader, const char *rest, struct err *err)
{
    return set_text(&reader->reply->reasoning_field, rest, err);
}

static int do_call(struct reader *reader, const char *rest, struct err *err)
{
    struct reply *reply = reader->reply;
    struct buf id;
    buf_init(&id, 256);
    char *name = words_take(&rest);
    if (strncmp(name, "id=", 3) == 0) {
        put_text(&id, name + 3);
        free(name);
        name = words_take(&rest);
    } else {
        put_format(&id, "call_%zu_%zu", reader->reply_number, reply->call_count + 1);
    }
    if (!*name) {
        free(name);
        buf_release(&id);
        return err_set(err, ERR_PARSE, "write call [id=ID] NAME ARGUMENTS");
    }
    struct reply_call *call = memory_item(&reply->calls, reply->call_count++, sizeof *call);
    *call = (struct reply_call){.id = buf_take(&id), .name = name, .arguments = memory_text(rest)};
    return 0;
}

static int do_finish(struct reader *reader, const char *rest, struct err *err)
{
    return set_text(&reader->reply->finish, rest, err);
}

static int do_model(struct reader *reader, const char *rest, struct err *err)
{
    return set_text(&reader->reply->model, rest, err);
}

static int do_usage(struct reader *reader, const char *rest, struct err *err)
{
    struct reply_usage *usage = &reader->reply->usage;
    struct words words;
    usage->absent = strcmp(rest, "none") == 0;
    if (usage->absent)
        return 0;
    if (words_split(rest, &words, err))
        return -1;
    int status = words.count >= 2 ? 0 : -1;
    for (size_t i = 0; i < words.count && status == 0; i++) {
        const char *word = words.items[i];
        long *field = i == 0 ? &usage->input : i == 1 ? &usage->output : NULL;
        if (i > 1 && strncmp(word, "reasoning=", 10) == 0)
            field = &usage->reasoning;
        else if (i > 1 && strncmp(word, "cached=", 7) == 0)
            field = &usage->cached;
        const char *equals = strchr(word, '=');
        status = field ? words_number(equals ? equals + 1 : word, 1000000000, field, err) : -1;
    }
    words_release(&words);
    return status ? err_set(err, ERR_PARSE,
                            "write usage INPUT OUTPUT [reasoning=N] [cached=N], or usage none")
                  : 0;
}

static int do_pieces(struct reader *reader, const char *rest, struct err *err)
{
    return words_number(rest, 1000000, &reader->reply->pieces, err);
}

static int do_done(struct reader *reader, const char *rest, struct err *err)
{
    if (strcmp(rest, "no") != 0 && strcmp(rest, "yes") != 0)
        return err_set(err, ERR_PARSE, "write done yes or done no");
    reader->reply->done = *rest == 'y';
    return 0;
}

static int do_form(struct reader *reader, const char *rest, struct err *err)
{
    if (strcmp(rest, "sse") != 0 && strcmp(rest, "json") != 0)
        return err_set(err, ERR_PARSE, "write form sse or form json");
    reader->reply->form = *rest == 's' ? FORM_SSE : FORM_JSON;
    return 0;
}

static void set_raw(struct reply *reply, const char *type)
{
    reply->is_raw = true;
    if (!reply->type)
        reply->type = memory_text(type);
}

static int do_json(struct reader *reader, const char *rest, struct err *err)
{
    (void)err;
    set_raw(reader->reply, "application/json");
    put_text(&reader->reply->raw, rest);
    return 0;
}

static int do_body(struct reader *reader, const char *rest, struct err *err)
{
    set_raw(reader->reply, "text/plain");
    return add_value_line(&reader->reply->raw, true, rest, err);
}

static int do_sse(struct reader *reader, const char *rest, struct err *err)
{
    struct reply *reply = reader->reply;
    (void)err;
    set_raw(reply, "text/event-stream");
    put_format(&reply->raw, "data: %s\n\n", rest);
    *(size_t *)memory_item(&reply->raw_ends, reply->raw_end_count++, sizeof(size_t)) =
        reply->raw.len;
    return 0;
}

/* The error body of the default endpoint's documentation, with the status that goes with it. */
static int do_error(struct reader *reader, const char *rest, struct err *err)
{
    static const struct {
        const char *code, *type;
        long status;
    } known[] = {
        {"invalid_request", "invalid_request_error", 400},
        {"invalid_api_key", "authentication_error", 401},
        {"insufficient_credits", "billing_error", 402},
        {"ip_not_allowed", "permission_error", 403},
        {"model_not_found", "invalid_request_error", 404},
        {"rate_limit_exceeded", "rate_limit_error", 429},
        {"spend_limit_exceeded", "billing_error", 429},
        {"internal_error", "api_error", 500},
        {"upstream_error", "upstream_error", 503},
    };
    struct reply *reply = reader->reply;
    char *code = words_take(&rest);
    int status =
        err_set(err, ERR_PARSE,
                "\"%s\" is none of the documented error codes; write status and json", code);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].code, code) == 0) {
            json_t *body = json_pack("{s:{s:s, s:s, s:s}}", "error", "code", code, "message", rest,
                                     "type", known[i].type);
            char *text = json_dumps(body, JSON_COMPACT);
            status = text ? do_json(reader, text, err) : -1;
            reply->status = known[i].status;
            free(text);
            json_decref(body);
        }
    free(code);
    return status;
}

static int do_body_file(struct reader *reader, const char *rest, struct err *err)
{
    struct reply *reply = reader->reply;
    struct buf path;
    size_t got;
    buf_init(&path, 4096);
    put_format(&path, "%s%s%s", *rest == '/' ? "" : reader->dir, *rest == '/' ? "" : "/", rest);
    FILE *file = fopen(path.data, "rbe");
    int status = file ? 0 : err_set(err, ERR_IO, "%s: %s", path.data, strerror(errno));
    buf_release(&path);
    if (!file)
        return status;
    set_raw(reply, "application/octet-stream");
    do {
        char block[8192];
        got = fread(block, 1, sizeof block, file);
        put(&reply->raw, block, got);
    } while (got > 0);
    (void)fclose(file);
    return 0;
}

static int do_wait(struct reader *reader, const char *rest, struct err *err)
{
    return words_duration(rest, &reader->reply->wait_ms, err);
}

static int do_wait_body(struct reader *reader, const char *rest, struct err *err)
{
    return words_duration(rest, &reader->reply->wait_body_ms, err);
}

static int do_wait_chunk(struct reader *reader, const char *rest, struct err *err)
{
    return words_duration(rest, &reader->reply->wait_chunk_ms, err);
}

static int do_chunk(struct reader *reader, const char *rest, struct err *err)
{
    return words_number(rest, 1000000000, &reader->reply->chunk_bytes, err);
}

static int do_frame(struct reader *reader, const char *rest, struct err *err)
{
    static const char *const names[] = {"", "chunked", "length", "close"};
    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(rest, names[i]) == 0) {
            reader->reply->framing = (enum reply_framing)i;
            return 0;
        }
    return err_set(err, ERR_PARSE, "write frame chunked, frame length or frame close");
}

static int set_place(struct reply *reply, enum reply_break how, const char *rest, struct err *err)
{
    static const char *const names[] = {"", "start", "headers", "half"};
    reply->how = how;
    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(rest, names[i]) == 0) {
            reply->place = (enum reply_place)i;
            return 0;
        }
    long bytes;
    if (words_number(rest, SCRIPT_BODY_MAX, &bytes, NULL))
        return err_set(err, ERR_PARSE,
                       "say where: start, headers, half, or a number of bytes of the body");
    reply->place = PLACE_BYTES;
    reply->place_bytes = (size_t)bytes;
    return 0;
}

static int do_cut(struct reader *reader, const char *rest, struct err *err)
{
    return set_place(reader->reply, BREAK_CUT, rest, err);
}

static int do_reset(struct reader *reader, const char *rest, struct err *err)
{
    return set_place(reader->reply, BREAK_RESET, rest, err);
}

static int do_stall(struct reader *reader, const char *rest, struct err *err)
{
    return set_place(reader->reply, BREAK_STALL, *rest ? rest : "start", err);
}

static int do_endless(struct reader *reader, const char *rest, struct err *err)
{
    if (*rest)
        return err_set(err, ERR_PARSE, "nothing may follow endless");
    reader->reply->endless = true;
    return 0;
}

static const struct {
    const char *word;
    directive_fn act;
} directives[] = {
    {"when", do_when},
    {"times", do_times},
    {"text", do_text},
    {"reasoning", do_reasoning},
    {"reasoning-field", do_reasoning_field},
    {"call", do_call},
    {"finish", do_finish},
    {"usage", do_usage},
    {"model", do_model},
    {"pieces", do_pieces},
    {"done", do_done},
    {"form", do_form},
    {"status", do_status},
    {"header", do_header},
    {"type", do_type},
    {"error", do_error},
    {"json", do_json},
    {"sse", do_sse},
    {"body", do_body},
    {"body-file", do_body_file},
    {"wait", do_wait},
    {"wait-body", do_wait_body},
    {"wait-chunk", do_wait_chunk},
    {"chunk", do_chunk},
    {"frame", do_frame},
    {"cut", do_cut},
    {"reset", do_reset},
    {"stall", do_stall},
    {"endless", do_endless},
};

static int act_on_line(struct reader *reader, const char *line, struct err *err)
{
    for (size_t i = 0; i < sizeof directives / sizeof *directives; i++)
        if (words_skip(&line, directives[i].word))
            return directives[i].act(reader, line, err);
    return err_set(err, ERR_PARSE, "\"%s\" is no line of a reply", line);
}

static struct reply *add_reply(struct script *script, int line)
{
    struct reply *reply = memory_item(&script->replies, script->count++, sizeof *reply);
    reply->line = line;
    reply->times = 1;
    reply->status = 200;
    reply->pieces = 3;
    reply->done = true;
    reply->usage = (struct reply_usage){.input = 100, .output = 20, .reasoning = -1, .cached = -1};
    reply->model = memory_text("gemini-2.5-pro");
    reply->reasoning_field = memory_text("reasoning_content");
    buf_init(&reply->text, SCRIPT_BODY_MAX);
    buf_init(&reply->reasoning, SCRIPT_BODY_MAX);
    buf_init(&reply->raw, SCRIPT_BODY_MAX);
    return reply;
}

static int add_lines(struct reader *reader, const struct section *section, const char *path,
                     struct err *err)
{
    struct section_lines lines;
    int status = 0;
    section_lines_init(&lines, section);
    while (status == 0 && section_lines_next(&lines))
        if (act_on_line(reader, lines.text.data, err))
            status = err_prefix(err, "%s:%d", path, lines.line);
    section_lines_release(&lines);
    return status;
}

int script_add(struct script *script, const struct section *section, const char *path,
               const char *dir, struct err *err)
{
    if (strcmp(section->name, "body") == 0) {
        if (script->count == 0)
            return err_set(err, ERR_PARSE, "%s:%d: a body belongs to the reply above it", path,
                           section->line);
        struct reply *reply = &script->replies[script->count - 1];
        set_raw(reply, "text/plain");
        put(&reply->raw, section->body, section->body_len);
        return 0;
    }
    if (strcmp(section->name, "reply") != 0)
        return 1;
    struct reader reader = {
        .reply = add_reply(script, section->line), .dir = dir, .reply_number = script->count};
    if (*section->words)
        return err_set(err, ERR_PARSE, "%s:%d: nothing may follow \"=== reply\"", path,
                       section->line);
    return add_lines(&reader, section, path, err);
}

static void release_reply(struct reply *reply)
{
    for (size_t i = 0; i < reply->when_count; i++)
        condition_free(reply->when[i]);
    for (size_t i = 0; i < reply->header_count; i++)
        free(reply->headers[i]);
    for (size_t i = 0; i < reply->call_count; i++) {
        free(reply->calls[i].id);
        free(reply->calls[i].name);
        free(reply->calls[i].arguments);
    }
    free(reply->when);
    free(reply->headers);
    free(reply->calls);
    free(reply->type);
    free(reply->finish);
    free(reply->model);
    free(reply->reasoning_field);
    free(reply->raw_ends);
    buf_release(&reply->text);
    buf_release(&reply->reasoning);
    buf_release(&reply->raw);
}

void script_release(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        release_reply(&script->replies[i]);
    free(script->replies);
    *script = (struct script){0};
}

struct reply *script_choose(struct script *script, const struct request *request)
{
    for (size_t i = 0; i < script->count; i++) {
        struct reply *reply = &script->replies[i];
        bool fits = reply->times == REPLY_FOREVER || reply->used < reply->times;
        for (size_t j = 0; fits && j < reply->when_count; j++)
            fits = condition_holds(reply->when[j], request);
        if (fits) {
            reply->used++;
            return reply;
        }
    }
    return NULL;
}
