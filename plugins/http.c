/* http_get and http_post: what the model asks for by URL, from hosts that the person allows with
 * allow_host and no others. The runtime makes the requests and judges each one; redirects are
 * followed here, as requests of their own, so that each hop is judged like the first. */
#include <tackle/plugin.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOPS_MAX      5
#define SHOWN_BYTES   65536
#define SHOWN_MAX     1048576
#define URL_MAX_BYTES 8192
#define ERROR_BYTES   500

/* ---- What came back ---- */

static bool begins_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

static bool is_text(const tackle_http_response *r)
{
    static const char *const types[] = {"application/json", "application/xml",
                                        "application/javascript", "application/yaml",
                                        "application/x-www-form-urlencoded"};
    const char *type = r->content_type;
    const char *end = type + strcspn(type, "; \t");
    if (memchr(r->body, '\0', r->body_len))
        return false;
    bool named = *type == '\0' || begins_with(type, "text/");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        named = named || begins_with(type, types[i]);
    return named || (end - type > 5 && strncasecmp(end - 5, "+json", 5) == 0) ||
           (end - type > 4 && strncasecmp(end - 4, "+xml", 4) == 0);
}

/* A part of a page that nobody reads: how it begins and how it ends. */
struct part {
    const char *begin, *end;
};

static const char *find(const char *text, const char *what)
{
    size_t len = strlen(what);
    while (*text && strncasecmp(text, what, len) != 0)
        text++;
    return *text ? text : NULL;
}

/* Takes scripts, styles, drawings and comments out of a page. Returns the length that is left. */
static size_t cut_page(char *page, size_t len)
{
    static const struct part parts[] = {
        {"<script", "</script"}, {"<style", "</style"}, {"<svg", "</svg"}, {"<!--", "--"}};
    char *out = page;
    const char *end = page + len;
    for (const char *in = page; in < end;) {
        const struct part *part = NULL;
        for (size_t i = 0; *in == '<' && !part && i < sizeof parts / sizeof *parts; i++)
            if (begins_with(in, parts[i].begin))
                part = &parts[i];
        if (!part) {
            *out++ = *in++;
            continue;
        }
        const char *close = find(in + strlen(part->begin), part->end);
        close = close ? strchr(close, '>') : NULL;
        in = close ? close + 1 : end;
    }
    *out = '\0';
    return (size_t)(out - page);
}

/* At the edge of a character of UTF-8. */
static size_t edge(const char *text, size_t len)
{
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static int32_t write_text(tackle_call *call, const char *text, size_t len, size_t shown)
{
    size_t part = len > shown ? edge(text, shown) : len;
    int32_t status = call->api->write(call, text, part);
    if (status == TACKLE_OK && part < len)
        status = tackle_writef(call, "\n[%zu of %zu bytes; max_bytes shows up to %d]\n", part, len,
                               SHOWN_MAX);
    return status;
}

static int32_t write_page(tackle_call *call, const tackle_http_response *r, size_t shown)
{
    char *page = malloc(r->body_len + 1);
    if (!page)
        return TACKLE_E_NOMEM;
    memcpy(page, r->body, r->body_len);
    page[r->body_len] = '\0';
    int32_t status = write_text(call, page, cut_page(page, r->body_len), shown);
    free(page);
    return status;
}

static int32_t write_answer(tackle_call *call, const char *url, const tackle_http_response *r)
{
    int64_t shown = SHOWN_BYTES;
    (void)call->api->arg_int(call, "max_bytes", &shown); /* absent: the default */
    const char *type = *r->content_type ? r->content_type : "no type";
    if (r->status >= 300 && r->status < 400 && r->location && *r->location)
        return tackle_writef(call, "HTTP %d: redirects to %s\n", (int)r->status, r->location);
    if (r->status < 200 || r->status >= 300)
        return tackle_failf(
            call, r->status == 404 ? TACKLE_E_NOT_FOUND : TACKLE_E_FAILED,
            "%s answered HTTP %d: %.*s", url, (int)r->status,
            is_text(r) ? (int)edge(r->body, r->body_len < ERROR_BYTES ? r->body_len : ERROR_BYTES)
                       : 0,
            r->body);
    int32_t status = tackle_writef(call, "HTTP %d, %s, %zu bytes, from %s\n", (int)r->status, type,
                                   r->body_len, url);
    if (status != TACKLE_OK)
        return status;
    if (!is_text(r))
        return tackle_writef(call, "[binary: not shown]\n");
    if (begins_with(r->content_type, "text/html"))
        return write_page(call, r, (size_t)shown);
    return write_text(call, r->body, r->body_len, (size_t)shown);
}

/* ---- http_get ---- */

static int32_t too_long(tackle_call *call)
{
    return tackle_failf(call, TACKLE_E_ARGS, "url must have at most %d bytes", URL_MAX_BYTES);
}

static int32_t http_get(void *self, tackle_call *call)
{
    const tackle_http_v1 *http = self;
    char url[URL_MAX_BYTES + 1];
    size_t len = 0;
    const char *asked = call->api->arg_text(call, "url", &len);
    if (len > URL_MAX_BYTES)
        return too_long(call);
    memcpy(url, asked, len + 1);
    for (int hop = 0; hop <= HOPS_MAX; hop++) {
        const tackle_http_request request = {
            .size = sizeof request,
            .url = url,
            .headers = (const char *const[]){"Accept: text/*, application/json, */*;q=0.5", NULL}};
        tackle_http_response response = {.size = sizeof response};
        int32_t status = http->fetch(call, &request, &response);
        if (status != TACKLE_OK)
            return status;                    /* it says why, for this hop */
        const char *next = response.location; /* NULL in a tackle older than this plugin */
        if (response.status < 300 || response.status >= 400 || !next || !*next)
            return write_answer(call, url, &response);
        len = strlen(next);
        if (len > URL_MAX_BYTES)
            return too_long(call);
        memcpy(url, next, len + 1);
    }
    return tackle_failf(call, TACKLE_E_FAILED, "%s redirects more than %d times", asked, HOPS_MAX);
}

/* ---- http_post ---- */

static int32_t http_post(void *self, tackle_call *call)
{
    const tackle_http_v1 *http = self;
    char type[256 + sizeof "Content-Type: "], key[256 + sizeof "Idempotency-Key: "];
    size_t body_len = 0;
    const char *url = call->api->arg_text(call, "url", NULL);
    const char *body = call->api->arg_text(call, "body", &body_len);
    const char *content_type = call->api->arg_text(call, "content_type", NULL);
    (void)snprintf(type, sizeof type, "Content-Type: %.256s",
                   content_type ? content_type : "application/json");
    /* A server that knows the header does the same request once, also when it is sent again after a
     * crash. */
    (void)snprintf(key, sizeof key, "Idempotency-Key: %.256s", call->api->call_key(call));
    const tackle_http_request request = {.size = sizeof request,
                                         .method = "POST",
                                         .url = url,
                                         .headers = (const char *const[]){type, key, NULL},
                                         .body = body,
                                         .body_len = body_len};
    tackle_http_response response = {.size = sizeof response};
    int32_t status = http->fetch(call, &request, &response);
    return status == TACKLE_OK ? write_answer(call, url, &response) : status;
}

static int32_t http_open(const tackle_host *host, void **self)
{
    *self = (void *)(uintptr_t)host->service(host, "http/1"); /* there: it is in .needs */
    return TACKLE_OK;
}

#define URL_PARAM                                                                                  \
    "\"url\":{\"type\":\"string\",\"format\":\"url\",\"minLength\":8,\"maxLength\":8192,"          \
    "\"description\":\"https://...\"}"
#define MAX_PARAM                                                                                  \
    "\"max_bytes\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1048576,"                       \
    "\"description\":\"How much of the answer to show; default 65536\"}"

static const char *const allowed_hosts[] = {"*", NULL};

static const tackle_tool get_tool = {
    .size = sizeof get_tool,
    .does = TACKLE_NETWORK | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "http_get",
    .description = "Get a page or file of text by its URL. Only hosts that the person allowed.",
    .params = "{\"type\":\"object\",\"properties\":{" URL_PARAM "," MAX_PARAM "},"
              "\"required\":[\"url\"],\"additionalProperties\":false}",
    .call = http_get,
    .hosts = allowed_hosts,
};

static const tackle_tool post_tool = {
    .size = sizeof post_tool,
    .does = TACKLE_NETWORK,
    .effect = TACKLE_EFFECT_KEYED,
    .name = "http_post",
    .description = "Post a body to a URL and read the answer. Only hosts that the person allowed.",
    .params = "{\"type\":\"object\",\"properties\":{" URL_PARAM ","
              "\"body\":{\"type\":\"string\",\"maxLength\":1048576},"
              "\"content_type\":{\"type\":\"string\",\"maxLength\":200,"
              "\"pattern\":\"^[ -~]*$\",\"description\":\"Default application/json\"}," MAX_PARAM
              "},\"required\":[\"url\",\"body\"],\"additionalProperties\":false}",
    .call = http_post,
    .hosts = allowed_hosts,
};

TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "http",
    .version = "0.1.0",
    .description = "Pages and services by URL, from hosts that you allow",
    .needs = (const char *const[]){"http/1", NULL},
    .tools = (const tackle_tool *const[]){&get_tool, &post_tool, NULL},
    .open = http_open,
};
