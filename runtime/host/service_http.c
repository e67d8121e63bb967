/* http/1: the request is checked for form here and done by the runtime, which knows the tool's
 * hosts. */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"
#include "base/url.h"
#include "host/call.h"
#include "host/services.h"

#define REQUEST_1_0 (offsetof(tackle_http_request, body_len) + sizeof(size_t))
#define URL_MAX     8192u
#define HEADER_MAX  8192u
#define HEADERS_MAX 64u

static bool is_ascii(const char *text)
{
    while (*text && (unsigned char)*text < 0x80)
        text++;
    return !*text;
}

/* ASCII only: what else a URL holds must come percent-encoded. */
static bool is_url(const char *url)
{
    struct url_parts parts;
    size_t len = strnlen(url, URL_MAX + 1);
    return len <= URL_MAX && url_split(url, &parts) == 0 && is_ascii(url);
}

static bool is_method(const char *method)
{
    size_t len = strnlen(method, 17);
    return len > 0 && len <= 16 && strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

/* "Name: value" with nothing that could end the line: RFC 9110, section 5.1 and 5.5. */
static bool is_header(const char *header)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "!#$%&'*+-.^_`|~";
    size_t len = strnlen(header, HEADER_MAX + 1);
    size_t name = strspn(header, token);
    if (len > HEADER_MAX || name == 0 || header[name] != ':' || !text_is_utf8(header, len))
        return false;
    for (size_t i = name; i < len; i++) {
        unsigned char c = (unsigned char)header[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int32_t check(struct call *call, const tackle_http_request *request)
{
    if (request->method && !is_method(request->method))
        return call_fail(call, TACKLE_E_ARGS, "no HTTP method: '%.40s'", request->method);
    if (!request->url || !is_url(request->url))
        return call_fail(call, TACKLE_E_ARGS,
                         "no URL that can be asked: '%.200s'; it must be http:// or https://, "
                         "percent-encoded, at most %u bytes",
                         request->url ? request->url : "", URL_MAX);
    if (request->body_len > FETCH_REPLY_MAX || (!request->body && request->body_len > 0))
        return call_fail(call, TACKLE_E_LIMIT, "the request's body is over %u bytes",
                         FETCH_REPLY_MAX);
    for (size_t i = 0; request->headers && request->headers[i]; i++) {
        if (i == HEADERS_MAX)
            return call_fail(call, TACKLE_E_LIMIT, "over %u request headers", HEADERS_MAX);
        if (!is_header(request->headers[i]))
            return call_fail(call, TACKLE_E_ARGS, "request header %zu is not \"Name: value\"",
                             i + 1);
    }
    return TACKLE_OK;
}

static int32_t fetch(tackle_call *base, const tackle_http_request *given,
                     tackle_http_response *response)
{
    struct call *call = call_of(base);
    struct fetch_reply *reply = &call->fetched;
    tackle_http_request request;
    int32_t code = call_may(call, TACKLE_NETWORK, "talks to other machines (TACKLE_NETWORK)");
    if (code == TACKLE_OK)
        code = call_copy(call, given, REQUEST_1_0, &request, sizeof request);
    if (code == TACKLE_OK)
        code = check(call, &request);
    if (code == TACKLE_OK)
        code = call_ended(call);
    if (code != TACKLE_OK)
        return code;
    if (!response)
        return call_fail(call, TACKLE_E_ARGS, "the plugin passes no room for the answer");
    if (!request.method)
        request.method = "GET";
    reply->status = 0;
    buf_clear(&reply->content_type);
    buf_clear(&reply->location);
    buf_clear(&reply->body);
    buf_clear(&reply->message);
    code = call->session->sink.fetch(call->session->sink.user, &request, reply);
    if (code < 0) {
        int32_t ended = call_ended(call); /* then that is why there is no answer */
        return ended ? ended : call_fail(call, code, "%s", reply->message.data);
    }
    tackle_http_response own = {
        .status = reply->status,
        .content_type = reply->content_type.data,
        .body = reply->body.data,
        .body_len = reply->body.len,
        .location = reply->location.data,
    };
    call_give(&own, sizeof own, response);
    return TACKLE_OK;
}

const tackle_http_v1 service_http = {.size = sizeof(tackle_http_v1), .fetch = fetch};
