#include "io/fetch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <tackle/plugin.h>

#include "base/address.h"
#include "base/enforce.h"

#define REQUEST_HEADERS_MAX 32
#define URL_MAX             8192u

struct fetch {
    struct loop *loop;
    struct http_transfer *transfer;
    struct loop_task refusal; /* posted when the request is not made at all */
    struct reach_target target;
    bool told; /* contacted() was called */
    struct buf request_body;
    struct buf answer;
    int32_t code;
    char message[512];
    struct err refused; /* the last address that was not connected */
    struct fetch_events events;
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

static void tell(struct fetch *f, bool allowed)
{
    if (!f->told && f->events.contacted && *f->target.shown)
        f->events.contacted(f->events.user, f->target.shown, allowed);
    f->told = true;
}

/* ---- Without a request ---- */

static void report_refusal(void *user)
{
    struct fetch *f = user;
    struct fetch_result result = {
        .code = f->code, .message = f->message, .content_type = "", .location = "", .body = ""};
    if (f->code == TACKLE_E_DENIED)
        tell(f, false);
    f->events.done(f->events.user, &result);
    fetch_free(f);
}

static void refuse(struct fetch *f, int32_t code, const char *why)
{
    f->code = code;
    (void)snprintf(f->message, sizeof f->message, "%s", why);
    loop_post(f->loop, &f->refusal);
}

/* ---- The request ---- */

static bool may_connect(void *user, const struct sockaddr *socket_address, size_t len)
{
    struct fetch *f = user;
    struct address address;
    bool proxied = f->target.proxy && *f->target.proxy; /* and then looks up the name itself */
    if (ENFORCED(fetch_address) && !proxied &&
        (address_from_socket(socket_address, len, &address) != 0 ||
         !reach_may_connect(&f->target, &address, &f->refused)))
        return false;
    tell(f, true);
    return true;
}

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    (void)transfer;
    struct fetch *f = user;
    return buf_append(&f->answer, data, len);
}

/* One that the plugin could ask for. */
static const char *location_of(const struct http_transfer *transfer)
{
    const char *location = http_redirect(transfer);
    const char *p = location;
    while (*p > ' ' && *p < 0x7f)
        p++;
    return *p || p - location > (ptrdiff_t)URL_MAX ? "" : location;
}

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct fetch *f = user;
    const char *type = http_header(transfer, "content-type");
    struct fetch_result result = {.status = end->status,
                                  .content_type = type ? type : "",
                                  .location = location_of(transfer),
                                  .body = f->answer.data,
                                  .len = f->answer.len};
    if (end->error) {
        bool refused = !f->told && f->refused.code == ERR_DENIED;
        (void)snprintf(f->message, sizeof f->message, "%s: %.200s", f->target.shown,
                       refused ? f->refused.text : end->error);
        result.code = refused ? TACKLE_E_DENIED : TACKLE_E_FAILED;
        result.message = f->message;
        if (refused)
            tell(f, false);
    }
    f->events.done(f->events.user, &result);
    fetch_free(f);
}

/* Is it "Name: value", with a name that all servers read alike (RFC 9110, section 5.6.2)? */
static bool is_header(const char *text)
{
    size_t len = strspn(text, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return len > 0 && text[len] == ':';
}

/* The plugin's headers, but for those that the client makes itself. */
static void collect_headers(const json_t *list, const char *out[REQUEST_HEADERS_MAX])
{
    static const char *const ours[] = {
        "host:",    "content-length:", "transfer-encoding:",   "connection:",
        "expect:",  "user-agent:",     "keep-alive:",          "te:",
        "trailer:", "upgrade:",        "proxy-authorization:", "proxy-connection:"};
    size_t count = 0, index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        const char *text = json_string_value(item);
        bool is_ours = false;
        for (size_t i = 0; text && i < sizeof ours / sizeof *ours; i++)
            is_ours = is_ours || strncasecmp(text, ours[i], strlen(ours[i])) == 0;
        if (text && is_header(text) && !is_ours && count + 1 < REQUEST_HEADERS_MAX)
            out[count++] = text;
    }
    out[count] = NULL;
}

/* What a tool sends to hosts of its own, its key perhaps, is its business. */
static int check_secrets(const struct fetch *f, const struct reach *reach, const char *url,
                         struct err *err)
{
    const struct redact *set = reach->any && reach->network ? reach->network->secrets : NULL;
    if (!ENFORCED(fetch_secrets) || !set)
        return 0;
    const char *name = redact_find(set, url, strlen(url));
    if (!name)
        name = redact_find(set, f->request_body.data, f->request_body.len);
    return name ? err_set(err, ERR_DENIED, "the request has the secret %s in it, and is not sent",
                          name)
                : 0;
}

static int32_t code_of(const struct err *err)
{
    return err->code == ERR_DENIED  ? TACKLE_E_DENIED
           : err->code == ERR_USAGE ? TACKLE_E_ARGS
           : err->code == ERR_LIMIT ? TACKLE_E_LIMIT
                                    : TACKLE_E_FAILED;
}

static int send_request(struct fetch *f, struct http *http, const json_t *spec, const char *url,
                        int64_t timeout_ms, struct err *err)
{
    const char *headers[REQUEST_HEADERS_MAX];
    struct http_slice slice = {f->request_body.data, f->request_body.len};
    collect_headers(json_object_get(spec, "headers"), headers);
    const struct http_request request = {
        .method = json_string_value(json_object_get(spec, "method")),
        .url = url,
        .headers = headers,
        .body = &slice,
        .body_count = f->request_body.len ? 1 : 0,
        .max_bytes = ENFORCED(fetch_size) ? FETCH_BODY_MAX : 0,
        .first_byte_ms = FETCH_FIRST_BYTE_MS,
        .idle_ms = FETCH_IDLE_MS,
        .total_ms = timeout_ms > 0 ? timeout_ms : 1,
        .proxy = f->target.proxy,
        .may_connect = may_connect,
        .data = on_data,
        .done = on_done,
        .user = f,
    };
    f->transfer = http_start(http, &request, err);
    return f->transfer ? 0 : -1;
}

struct fetch *fetch_start(struct http *http, struct loop *loop, const char *head, size_t head_len,
                          const char *body, size_t body_len, const struct reach *reach,
                          int64_t timeout_ms, const struct fetch_events *events)
{
    struct err err = {.code = ERR_NONE};
    struct buf url;
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->loop = loop;
    f->events = *events;
    f->refusal = (struct loop_task){.run = report_refusal, .user = f};
    buf_init(&f->request_body, FETCH_BODY_MAX);
    buf_init(&f->answer, FETCH_BODY_MAX + 1);
    buf_init(&url, URL_MAX);
    json_t *spec = json_loadb(head, head_len, 0, NULL);
    const char *text = json_string_value(json_object_get(spec, "url"));
    if (!text)
        err_set(&err, ERR_USAGE, "a request without a URL");
    else if (buf_append(&f->request_body, body, body_len) != 0)
        err_set(&err, ERR_LIMIT, "the request's body is over %u bytes", FETCH_BODY_MAX);
    else if (reach_judge(reach, text, &f->target, &url, &err) == 0 &&
             check_secrets(f, reach, url.data, &err) == 0)
        (void)send_request(f, http, spec, url.data, timeout_ms, &err);
    if (!f->transfer)
        refuse(f, code_of(&err), err.text);
    buf_release(&url);
    json_decref(spec);
    return f;
}
