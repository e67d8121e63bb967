/* Questions to an endpoint beside the chat: one GET on the loop, waited for. */
#include <stdlib.h>
#include <string.h>

#include "api/runtime.h"
#include "base/text.h"
#include "wire/chat_error.h"
#include "wire/json_repair.h"

#define ANSWER_MAX ((size_t)8 << 20)
#define LINE_MAX   ((size_t)4 << 10)
#define TITLE_MAX  100

struct question {
    struct buf *body;
    int status;
    bool done;
    struct chat_error broken; /* when no answer came */
};

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    struct question *q = user;
    (void)transfer;
    return buf_append(q->body, data, len);
}

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct question *q = user;
    q->done = true;
    q->status = end->status;
    if (end->status >= 300 && end->status < 400)
        chat_error_from_redirect(&q->broken, http_header(transfer, "location"), end->status);
    else if (end->error)
        chat_error_set(&q->broken, end->worth_retrying ? CHAT_ERROR_TRANSIENT : CHAT_ERROR_FATAL,
                       "%s", end->error);
}

static int32_t fail(const struct tackle_runtime *rt, const struct provider *provider,
                    const struct chat_error *e, tackle_error *error)
{
    struct buf line;
    buf_init(&line, LINE_MAX);
    if (chat_error_text(e, provider->base_url, &line) != 0)
        buf_clear(&line);
    (void)api_fail_quoting(rt, error, outcome_of_answer(e->class),
                           line.len ? line.data : "the endpoint could not be asked");
    buf_release(&line);
    return -1;
}

static int get(struct tackle_runtime *rt, const struct provider *provider, const char *url,
               int64_t total_ms, struct question *q, struct err *err)
{
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct http_request request = {
        .url = url,
        .headers = headers,
        .bearer = provider->key,
        .proxy = provider->proxy,
        .max_bytes = ANSWER_MAX,
        .total_ms = total_ms,
        .data = on_data,
        .done = on_done,
        .user = q,
    };
    struct http_transfer *transfer = http_start(rt->http, &request, err);
    if (!transfer)
        return -1;
    int status = 0;
    rt->stepping = true;
    while (!q->done && status == 0)
        status = loop_turn(rt->loop, -1, err);
    rt->stepping = false;
    if (!q->done)
        http_cancel(transfer);
    return status;
}

int32_t api_ask_endpoint(struct tackle_runtime *rt, const struct provider *provider,
                         const char *path, int64_t total_ms, struct endpoint_answer *out,
                         tackle_error *error)
{
    struct err err;
    struct buf url;
    struct question q = {.body = &out->body};
    int32_t status = -1;
    *out = (struct endpoint_answer){0};
    buf_init(&out->body, ANSWER_MAX);
    buf_init(&url, 64u << 10);
    chat_error_init(&q.broken);
    if (rt->stepping)
        err_set(&err, ERR_USAGE, "an endpoint cannot be asked from a callback");
    else if (buf_format(&url, "%s%s", provider->base_url, path) != 0)
        err_set(&err, ERR_USAGE, "the endpoint's address is too long");
    else if (get(rt, provider, url.data, total_ms, &q, &err) == 0)
        status = 0;
    if (status != 0)
        (void)api_fail(rt, error, &err);
    else if (q.broken.class != CHAT_ERROR_NONE)
        status = fail(rt, provider, &q.broken, error);
    out->status = q.status;
    if (status == 0)
        out->value = json_parse_lenient(out->body.data, out->body.len, JSON_DECODE_ANY, NULL,
                                        &(json_error_t){0});
    chat_error_release(&q.broken);
    buf_release(&url);
    return status;
}

void endpoint_answer_release(struct endpoint_answer *answer)
{
    json_decref(answer->value);
    answer->value = NULL;
    buf_release(&answer->body);
}

/* A page for people in place of an answer: most often the address lacks its /v1. */
static int32_t fail_page(const struct tackle_runtime *rt, const struct provider *provider,
                         const char *title, tackle_error *error)
{
    struct err err;
    err_set(&err, ERR_API,
            "%s answers with a page, not with JSON (\"%.*s\"); is that the address of an API? Most "
            "end in /v1",
            provider->base_url, (int)text_edge(title, strlen(title), TITLE_MAX), title);
    return api_fail(rt, error, &err);
}

static int32_t fail_lacking(const struct tackle_runtime *rt, const struct provider *provider,
                            int status, const char *lack, tackle_error *error)
{
    struct err err;
    err_set(&err, ERR_API, "%s does not %s: it answered %d", provider->base_url, lack, status);
    return api_fail(rt, error, &err);
}

int32_t api_check_answer(const struct tackle_runtime *rt, const struct provider *provider,
                         const struct endpoint_answer *answer, const char *lack,
                         tackle_error *error)
{
    struct chat_error e;
    int32_t status = 0;
    chat_error_init(&e);
    bool failed = answer->status >= 400;
    if (answer->status == 404 || answer->status == 405) {
        status = fail_lacking(rt, provider, answer->status, lack, error);
    } else if (answer->value && chat_error_from_json(&e, answer->value, answer->status)) {
        /* {"code":200,"message":"ok"} looks like one, and is none */
        if (failed || e.http_status >= 400 || json_object_get(answer->value, "error"))
            status = fail(rt, provider, &e, error);
    } else if (failed || answer->body.len == 0) {
        chat_error_from_text(&e, answer->body.data, answer->body.len, answer->status);
        status = fail(rt, provider, &e, error);
    } else if (!answer->value && answer->body.data[strspn(answer->body.data, " \t\r\n")] == '<') {
        chat_error_from_text(&e, answer->body.data, answer->body.len, answer->status);
        status = fail_page(rt, provider, e.message ? e.message : "", error);
    }
    chat_error_release(&e);
    return status;
}
