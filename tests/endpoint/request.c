/* Parses HTTP/1.1 requests; see request.h. Strict where that is simple: the client is ours. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "match.h"
#include "memory.h"
#include "words.h"

/* The end of the line that starts at *at (CRLF or LF), moved past it; NULL when there is none. */
static const char *take_line(const char **at, const char *end)
{
    const char *newline = memchr(*at, '\n', (size_t)(end - *at));
    if (!newline)
        return NULL;
    const char *stop = newline > *at && newline[-1] == '\r' ? newline - 1 : newline;
    *at = newline + 1;
    return stop;
}

static int parse_request_line(struct request *request, const char *start, const char *stop,
                              struct err *err)
{
    size_t len = (size_t)(stop - start);
    const char *space = memchr(start, ' ', len);
    const char *second = space ? memchr(space + 1, ' ', (size_t)(stop - space - 1)) : NULL;
    if (!second || stop - second != 9 || memcmp(second + 1, "HTTP/1.", 7) != 0)
        return err_set(err, ERR_PARSE, "the request line is no HTTP/1.1");
    request->method = memory_copy(start, (size_t)(space - start));
    request->path = memory_copy(space + 1, (size_t)(second - space - 1));
    return 0;
}

static int parse_header(struct request *request, const char *start, const char *stop,
                        struct err *err)
{
    const char *colon = memchr(start, ':', (size_t)(stop - start));
    if (!colon || colon == start)
        return err_set(err, ERR_PARSE, "a header line has no colon");
    struct request_header *header =
        memory_item(&request->headers, request->header_count++, sizeof *header);
    header->name = memory_copy(start, (size_t)(colon - start));
    for (colon++; colon < stop && (*colon == ' ' || *colon == '\t');)
        colon++;
    header->value = memory_copy(colon, (size_t)(stop - colon));
    return 0;
}

/* 1: the head is complete and *at is behind it; 0: more bytes needed; -1. */
static int parse_head(struct request *request, const char **at, const char *end, struct err *err)
{
    const char *start = *at;
    const char *stop = take_line(at, end);
    if (!stop)
        return 0;
    if (parse_request_line(request, start, stop, err))
        return -1;
    for (;;) {
        start = *at;
        stop = take_line(at, end);
        if (!stop)
            return 0;
        if (stop == start)
            return 1;
        if (parse_header(request, start, stop, err))
            return -1;
    }
}

static int parse_length(const struct request *request, long *out, struct err *err)
{
    const char *length = request_header(request, "Content-Length");
    *out = 0;
    return length ? words_number(length, REQUEST_BODY_MAX, out, err) : 0;
}

/* A body in chunks (RFC 9112, section 7.1). 1, 0 or -1 as above. */
static int parse_chunks(struct buf *body, const char **at, const char *end, struct err *err)
{
    for (;;) {
        const char *start = *at;
        const char *stop = take_line(at, end);
        if (!stop)
            return 0;
        char *size_end;
        unsigned long size = strtoul(start, &size_end, 16);
        if (size_end == start || size_end > stop || size > REQUEST_BODY_MAX - body->len)
            return err_set(err, ERR_PARSE, "the size of a chunk is wrong");
        if ((size_t)(end - *at) < size + 2)
            return 0;
        put(body, *at, size);
        *at += size;
        start = *at;
        stop = take_line(at, end);
        if (!stop || stop != start)
            return stop ? err_set(err, ERR_PARSE, "a chunk does not end where it says") : 0;
        if (size == 0)
            return 1;
    }
}

static int parse_body(struct request *request, const char **at, const char *end, struct err *err)
{
    const char *coding = request_header(request, "Transfer-Encoding");
    if (coding && strcasecmp(coding, "chunked") == 0) {
        struct buf body;
        buf_init(&body, REQUEST_BODY_MAX);
        int status = parse_chunks(&body, at, end, err);
        request->body_len = body.len;
        request->body = buf_take(&body);
        return status;
    }
    long length;
    if (parse_length(request, &length, err))
        return -1;
    if (end - *at < length)
        return 0;
    request->body = memory_copy(*at, (size_t)length);
    request->body_len = (size_t)length;
    *at += length;
    return 1;
}

int request_take(struct buf *in, struct request *out, bool *wants_continue, struct err *err)
{
    struct request request = {0};
    const char *at = in->data;
    const char *end = in->data + in->len;
    *wants_continue = false;
    int status = parse_head(&request, &at, end, err);
    if (status == 0 && in->len > REQUEST_HEAD_MAX)
        status =
            err_set(err, ERR_LIMIT, "the head of the request is over %u bytes", REQUEST_HEAD_MAX);
    if (status == 1) {
        const char *expect = request_header(&request, "Expect");
        *wants_continue = expect && strcasecmp(expect, "100-continue") == 0;
        status = parse_body(&request, &at, end, err);
    }
    if (status == 1) {
        buf_shift(in, (size_t)(at - in->data));
        request.json = json_loadb(request.body, request.body_len, JSON_ALLOW_NUL, NULL);
        *out = request;
    } else {
        request_release(&request);
    }
    return status;
}

void request_release(struct request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        free(request->headers[i].name);
        free(request->headers[i].value);
    }
    free(request->headers);
    free(request->method);
    free(request->path);
    free(request->body);
    json_decref(request->json);
    *request = (struct request){0};
}

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}

static json_t *hex(const char *data, size_t len)
{
    struct buf text;
    buf_init(&text, 2 * REQUEST_BODY_MAX);
    for (size_t i = 0; i < len; i++)
        put_format(&text, "%02x", (unsigned char)data[i]);
    json_t *value = json_stringn(text.data, text.len);
    buf_release(&text);
    return value;
}

/* Text as JSON; bytes that are no UTF-8 become a note, since jansson takes none. */
static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);
    return value ? value : json_string("(invalid UTF-8)");
}

json_t *request_to_json(const struct request *request)
{
    json_t *headers = json_array();
    for (size_t i = 0; i < request->header_count; i++) {
        const struct request_header *header = &request->headers[i];
        json_t *pair = json_pack("[o, o]", text_value(header->name), text_value(header->value));
        (void)json_array_append_new(headers, pair);
    }
    json_t *body = json_stringn(request->body, request->body_len);
    bool is_text = body != NULL;
    return json_pack("{s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "n", (int)request->number, "connection",
                     (int)request->connection, "reply", request->reply, "method",
                     text_value(request->method), "path", text_value(request->path), "headers",
                     headers, is_text ? "body" : "body_hex",
                     is_text ? body : hex(request->body, request->body_len));
}

enum subject { METHOD, PATH, BODY, CONNECTION, HEADER, POINTER };

struct condition {
    enum subject subject;
    char *name; /* of the header, or the pointer */
    struct match *match;
};

struct condition *condition_new(const char *text, struct err *err)
{
    static const char *const subjects[] = {"method", "path", "body", "connection", "header"};
    struct condition *condition = memory_new(sizeof *condition);
    condition->subject = POINTER;
    if (*text == '/')
        condition->name = words_take(&text);
    for (size_t i = 0; !condition->name && i < sizeof subjects / sizeof *subjects; i++)
        if (words_skip(&text, subjects[i])) {
            condition->subject = (enum subject)i;
            condition->name = i == HEADER ? words_take(&text) : memory_text("");
        }
    if (condition->name)
        condition->match = match_new(text, err);
    else
        (void)err_set(err, ERR_PARSE,
                      "\"%s\" is no condition on a request; it begins with method, path, body, "
                      "connection, header NAME or a JSON pointer",
                      text);
    if (condition->match)
        return condition;
    condition_free(condition);
    return NULL;
}

void condition_free(struct condition *condition)
{
    if (!condition)
        return;
    free(condition->name);
    match_free(condition->match);
    free(condition);
}

/* What the condition looks at when that is a text; NULL when it is not there. `number` is room. */
static const char *subject_text(const struct condition *condition, const struct request *request,
                                char number[16], size_t *len)
{
    const char *text = NULL;
    switch (condition->subject) {
    case METHOD:
        text = request->method;
        break;
    case PATH:
        text = request->path;
        break;
    case BODY:
        *len = request->body_len;
        return request->body;
    case CONNECTION:
        (void)snprintf(number, 16, "%u", request->connection);
        text = number;
        break;
    case HEADER:
        text = request_header(request, condition->name);
        break;
    case POINTER:
        break;
    }
    *len = text ? strlen(text) : 0;
    return text;
}

bool condition_holds(const struct condition *condition, const struct request *request)
{
    char number[16];
    size_t len;
    if (condition->subject == POINTER)
        return match_json(condition->match, request->json, condition->name);
    const char *text = subject_text(condition, request, number, &len);
    return match_text(condition->match, text, len);
}

void condition_show(const struct condition *condition, const struct request *request,
                    struct buf *out)
{
    char number[16];
    size_t len;
    if (condition->subject == POINTER) {
        match_show(out, request->json, condition->name);
        return;
    }
    const char *text = subject_text(condition, request, number, &len);
    if (text)
        put(out, text, len);
    else
        put_text(out, "(nothing)");
}
