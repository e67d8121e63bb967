#include "io/fetch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <tackle/plugin.h>

#include "base/url.h"

struct fetch {
    struct loop *loop;
    struct http_transfer *transfer;
    struct loop_task refusal; /* posted when the request is not made at all */
    struct buf request_body;
    struct buf answer;
    int32_t code;
    char message[512];
    fetch_done done;
    void *user;
};

static void fetch_free(struct fetch *f)
{
    loop_unpost(&f->refusal);
    buf_release(&f->request_body);
    buf_release(&f->answer);
    free(f);
}

void fetch_cancel(struct fetch *fetch)
{
    if (fetch->transfer)
        http_cancel(fetch->transfer);
    fetch_free(fetch);
}

static void report_refusal(void *user)
{
    struct fetch *f = user;
    struct fetch_result result = {
        .code = f->code, .message = f->message, .content_type = "", .body = ""};
    f->done(f->user, &result);
    fetch_free(f);
}

static void refuse(struct fetch *f, int32_t code, const char *what, const char *why)
{
    f->code = code;
    (void)snprintf(f->message, sizeof f->message, "%.200s: %.300s", what, why);
    loop_post(f->loop, &f->refusal);
}

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    (void)transfer;
    struct fetch *f = user;
    return buf_append(&f->answer, data, len);
}

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct fetch *f = user;
    const char *type = http_header(transfer, "content-type");
    struct fetch_result result = {.status = end->status,
                                  .content_type = type ? type : "",
                                  .body = f->answer.data,
                                  .len = f->answer.len};
    if (end->error) {
        result.code = TACKLE_E_FAILED;
        result.message = end->error;
    }
    f->done(f->user, &result);
    fetch_free(f);
}

static bool is_allowed(const char *const *hosts, const char *host, size_t len)
{
    for (; hosts && *hosts; hosts++)
        if (strlen(*hosts) == len && strncasecmp(*hosts, host, len) == 0)
            return true;
    return false;
}

/* Is it "Name: value", with a name that all servers read alike (RFC 9110, section 5.6.2)? */
static bool is_header(const char *text)
{
    size_t len = strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return len > 0 && text[len] == ':';
}

/* The plugin's headers, but for those that the client makes itself. */
static size_t collect_headers(const json_t *list, const char *out[], size_t max)
{
    static const char *const ours[] = {
        "host:", "content-length:", "transfer-encoding:", "connection:", "expect:"};
    size_t count = 0, index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        const char *text = json_string_value(item);
        bool is_ours = false;
        for (size_t i = 0; text && i < sizeof ours / sizeof *ours; i++)
            is_ours = is_ours || strncasecmp(text, ours[i], strlen(ours[i])) == 0;
        if (text && is_header(text) && !is_ours && count + 1 < max)
            out[count++] = text;
    }
    out[count] = NULL;
    return count;
}

struct fetch *fetch_start(struct http *http, struct loop *loop, const char *head, size_t head_len,
                          const char *body, size_t body_len, const char *const *hosts,
                          int64_t timeout_ms, fetch_done done, void *user)
{
    const char *headers[32];
    struct url_parts parts;
    struct err err;
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->loop = loop;
    f->done = done;
    f->user = user;
    f->refusal = (struct loop_task){.run = report_refusal, .user = f};
    buf_init(&f->request_body, FETCH_BODY_MAX);
    buf_init(&f->answer, FETCH_BODY_MAX);
    json_t *spec = json_loadb(head, head_len, 0, NULL);
    const char *url = json_string_value(json_object_get(spec, "url"));
    if (!url || url_split(url, &parts) != 0) {
        refuse(f, TACKLE_E_ARGS, url ? url : "(no URL)", "not a plain http or https URL");
    } else if (!is_allowed(hosts, parts.host, parts.host_len)) {
        refuse(f, TACKLE_E_DENIED, url, "this tool may not ask that host");
    } else if (buf_append(&f->request_body, body, body_len) != 0) {
        refuse(f, TACKLE_E_LIMIT, url, "the request's body is too large");
    } else {
        struct http_slice slice = {f->request_body.data, f->request_body.len};
        (void)collect_headers(json_object_get(spec, "headers"), headers,
                              sizeof headers / sizeof *headers);
        struct http_request request = {
            .method = json_string_value(json_object_get(spec, "method")),
            .url = url,
            .headers = headers,
            .body = &slice,
            .body_count = body_len ? 1 : 0,
            .max_bytes = FETCH_BODY_MAX,
            .total_ms = timeout_ms > 0 ? timeout_ms : 1,
            .data = on_data,
            .done = on_done,
            .user = f,
        };
        f->transfer = http_start(http, &request, &err);
        if (!f->transfer)
            refuse(f, TACKLE_E_FAILED, url, err.text);
    }
    json_decref(spec);
    return f;
}
