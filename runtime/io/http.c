#include "io/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/enforce.h"
#include "io/curl.h"

#define CONNECT_MS      10000
#define HEADERS_MAX     1000u /* lines, of 1xx answers too */
#define HEADER_BYTES    (256u << 10)
#define CONNECTIONS     64L /* kept at least */
#define LIFETIME_S      300L
#define SEND_BUFFER_MIN (16L << 10)
#define SEND_BUFFER_MAX (64L << 10)

struct http {
    struct loop *loop;
    struct curl curl; /* loaded before multi is made */
    CURLM *multi;     /* NULL before the first request */
    struct loop_timer timer;
    struct http_transfer *transfers;  /* doubly linked */
    long transfer_count, connections; /* that curl keeps */
};

struct http_transfer {
    struct http *http;
    struct http_transfer *next, *prev;
    CURL *easy;
    struct curl_slist *headers;
    struct http_slice *body; /* a copy of the array, not of the bytes */
    size_t body_count, body_index, body_offset;
    struct http_request request; /* only callbacks, user and limits are used after the start */
    struct loop_timer silence;
    size_t received;
    size_t header_count, header_bytes;
    int64_t started_ms;
    bool too_large, too_many_headers, refused, lost;
    char error[CURL_ERROR_SIZE];
};

/* One for each socket that curl wants watched. */
struct socket_watch {
    struct http *http;
    struct loop_watch watch;
};

static void finish_ended(struct http *http);
static void lose_all(struct http *http);

static void drive(struct http *http, curl_socket_t socket, int action)
{
    int running = 0;
    CURLMcode code = http->curl.multi_socket_action(http->multi, socket, action, &running);
    finish_ended(http);
    if (code != CURLM_OK)
        lose_all(http);
}

static void on_socket_ready(void *user, uint32_t events)
{
    struct socket_watch *s = user;
    int action = 0;
    if (events & (EPOLLIN | EPOLLHUP))
        action |= CURL_CSELECT_IN;
    if (events & EPOLLOUT)
        action |= CURL_CSELECT_OUT;
    if (events & EPOLLERR)
        action |= CURL_CSELECT_ERR;
    drive(s->http, s->watch.fd, action);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *assigned)
{
    (void)easy;
    struct http *http = user;
    struct socket_watch *s = assigned;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            loop_unwatch(http->loop, &s->watch);
            free(s);
        }
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
    if (s)
        return loop_rewatch(http->loop, &s->watch, events, NULL);
    s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->http = http;
    s->watch = (struct loop_watch){.fd = -1, .ready = on_socket_ready, .user = s};
    if (loop_watch(http->loop, &s->watch, fd, events, NULL) != 0 ||
        http->curl.multi_assign(http->multi, fd, s) != CURLM_OK) {
        loop_unwatch(http->loop, &s->watch);
        free(s);
        return -1;
    }
    return 0;
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *user)
{
    (void)multi;
    struct http *http = user;
    if (timeout_ms < 0) {
        loop_clear_timer(http->loop, &http->timer);
        return 0;
    }
    return loop_set_timer(http->loop, &http->timer, clock_ms() + timeout_ms);
}

static void on_timer(void *user)
{
    drive(user, CURL_SOCKET_TIMEOUT, 0);
}

struct http *http_new(struct loop *loop, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);
    if (!http) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    http->loop = loop;
    http->timer = (struct loop_timer){.due = on_timer, .user = http};
    return http;
}

static int load(struct http *http, struct err *err)
{
    if (http->multi)
        return 0;
    if (curl_load(&http->curl, err) != 0)
        return -1;
    if (http->curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl cannot start");
    http->multi = http->curl.multi_init();
    if (!http->multi ||
        http->curl.multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
        http->curl.multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) != CURLM_OK ||
        http->curl.multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted) !=
            CURLM_OK ||
        http->curl.multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) != CURLM_OK ||
        http->curl.multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS) != CURLM_OK) {
        (void)http->curl.multi_cleanup(http->multi);
        http->multi = NULL;
        http->curl.global_cleanup();
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    http->connections = CONNECTIONS;
    return 0;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->transfers)
        http_cancel(http->transfers);
    if (http->multi) {
        (void)http->curl.multi_cleanup(http->multi);
        http->curl.global_cleanup();
    }
    loop_clear_timer(http->loop, &http->timer);
    free(http);
}

/* Header texts may hold the key. */
static void free_headers(struct http_transfer *t)
{
    for (struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    t->http->curl.slist_free_all(t->headers);
}

static void transfer_free(struct http_transfer *t)
{
    if (t->prev)
        t->prev->next = t->next;
    else if (t->http->transfers == t)
        t->http->transfers = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->http->transfer_count--;
    loop_clear_timer(t->http->loop, &t->silence);
    if (t->easy) {
        (void)t->http->curl.multi_remove_handle(t->http->multi, t->easy);
        t->http->curl.easy_cleanup(t->easy);
    }
    free_headers(t);
    free(t->body);
    free(t);
}

void http_cancel(struct http_transfer *transfer)
{
    transfer_free(transfer);
}

/* ---- What curl asks for ---- */

static void expect_byte_within(struct http_transfer *t, int64_t ms)
{
    if (ENFORCED(http_silence) && ms > 0)
        (void)loop_set_timer(t->http->loop, &t->silence, clock_ms() + ms);
}

static size_t on_data(char *data, size_t size, size_t count, void *user)
{
    struct http_transfer *t = user;
    size_t len = size * count;
    t->received += len;
    if (ENFORCED(http_unpacked_size) && t->request.max_bytes &&
        t->received > t->request.max_bytes) {
        t->too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    expect_byte_within(t, t->request.idle_ms);
    if (t->request.data && t->request.data(t->request.user, t, data, len) != 0) {
        t->refused = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return len;
}

/* curl itself bounds a single line only. */
static size_t on_header_line(char *data, size_t size, size_t count, void *user)
{
    struct http_transfer *t = user;
    (void)data;
    t->header_count++;
    t->header_bytes += size * count;
    if (ENFORCED(http_headers) &&
        (t->header_count > HEADERS_MAX || t->header_bytes > HEADER_BYTES)) {
        t->too_many_headers = true;
        return CURL_WRITEFUNC_ERROR;
    }
    return size * count;
}

/* The one place where a connection begins: what was looked up, not what was written. */
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct http_transfer *t = user;
    (void)purpose;
    if (t->request.may_connect &&
        !t->request.may_connect(t->request.user, &address->addr, address->addrlen))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_body_wanted(char *out, size_t size, size_t count, void *user)
{
    struct http_transfer *t = user;
    size_t room = size * count, used = 0;
    while (used < room && t->body_index < t->body_count) {
        const struct http_slice *slice = &t->body[t->body_index];
        size_t part = slice->len - t->body_offset;
        if (part > room - used)
            part = room - used;
        if (part)
            memcpy(out + used, slice->data + t->body_offset, part);
        used += part;
        t->body_offset += part;
        if (t->body_offset == slice->len) {
            t->body_index++;
            t->body_offset = 0;
        }
    }
    return used;
}

/* curl rewinds when a kept connection turns out to be dead. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
    struct http_transfer *t = user;
    if (origin != SEEK_SET || offset != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    t->body_index = t->body_offset = 0;
    return CURL_SEEKFUNC_OK;
}

static void on_silence(void *user)
{
    struct http_transfer *t = user;
    char text[96];
    int64_t ms = t->received ? t->request.idle_ms : t->request.first_byte_ms;
    (void)snprintf(text, sizeof text,
                   t->received ? "no byte for %lld s in the middle of the answer"
                               : "no byte for %lld s: the answer did not begin",
                   (long long)(ms / 1000));
    struct http_end end = {.status = http_status(t), .error = text, .worth_retrying = true};
    if (t->request.done)
        t->request.done(t->request.user, t, &end);
    transfer_free(t);
}

/* ---- The end ---- */

static bool is_worth_retrying(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_HTTP2:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

/* In our own words where curl's do not tell which limit it was. */
static void explain(const struct http_transfer *t, CURLcode code, char *text, size_t size)
{
    if (t->too_large)
        (void)snprintf(text, size, "the body is over %zu bytes", t->request.max_bytes);
    else if (t->too_many_headers)
        (void)snprintf(text, size, "the answer has over %u header lines, or over %u KiB of them",
                       HEADERS_MAX, HEADER_BYTES >> 10);
    else if (code == CURLE_OPERATION_TIMEDOUT && t->request.total_ms > 0 &&
             clock_ms() - t->started_ms >= t->request.total_ms)
        (void)snprintf(text, size, "not done within %.3g s", (double)t->request.total_ms / 1000);
    else if (code == CURLE_OPERATION_TIMEDOUT)
        (void)snprintf(text, size, "no connection within %.3g s",
                       (double)t->request.connect_ms / 1000);
    else
        (void)snprintf(text, size, "%s",
                       t->error[0] ? t->error : t->http->curl.easy_strerror(code));
}

static void finish(struct http_transfer *t, CURLcode code)
{
    char text[CURL_ERROR_SIZE + 64];
    struct http_end end = {.status = http_status(t)};
    if (code != CURLE_OK) {
        explain(t, code, text, sizeof text);
        end.error = text;
        end.worth_retrying =
            !t->too_large && !t->too_many_headers && !t->refused && is_worth_retrying(code);
    }
    if (t->request.done)
        t->request.done(t->request.user, t, &end);
    transfer_free(t);
}

static void finish_ended(struct http *http)
{
    int left = 0;
    CURLMsg *message;
    while ((message = http->curl.multi_info_read(http->multi, &left))) {
        struct http_transfer *t = NULL;
        if (message->msg == CURLMSG_DONE &&
            http->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK && t)
            finish(t, message->data.result);
    }
}

/* A socket or a timer could not be watched: libcurl is dead until its last transfer is gone, and no
 * transfer would ever end by itself. What the callbacks start meanwhile is refused by libcurl. */
static void lose_all(struct http *http)
{
    struct http_transfer *t;
    for (t = http->transfers; t; t = t->next)
        t->lost = true;
    while ((t = http->transfers)) {
        while (t && !t->lost)
            t = t->next;
        if (!t)
            return;
        (void)snprintf(t->error, sizeof t->error, "the connection cannot be watched");
        finish(t, CURLE_ABORTED_BY_CALLBACK);
    }
}

int http_status(const struct http_transfer *transfer)
{
    long status = 0;
    if (transfer->http->curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) !=
        CURLE_OK)
        return 0;
    return (int)status;
}

const char *http_header(const struct http_transfer *transfer, const char *name)
{
    struct curl_header *header = NULL;
    if (transfer->http->curl.easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) !=
        CURLHE_OK)
        return NULL;
    return header->value;
}

const char *http_redirect(const struct http_transfer *transfer)
{
    char *url = NULL;
    if (transfer->http->curl.easy_getinfo(transfer->easy, CURLINFO_REDIRECT_URL, &url) != CURLE_OK)
        return "";
    return url ? url : "";
}

/* ---- The start ---- */

static int add_header(struct http_transfer *t, const char *line)
{
    struct curl_slist *headers = t->http->curl.slist_append(t->headers, line);
    if (!headers)
        return -1;
    t->headers = headers;
    return 0;
}

static int add_headers(struct http_transfer *t, const struct http_request *r, struct err *err)
{
    for (const char *const *h = r->headers; h && *h; h++) {
        if (strpbrk(*h, "\r\n"))
            return err_set(err, ERR_USAGE, "a header has a line break in it");
        if (add_header(t, *h) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    /* No "Expect: 100-continue": it costs a round trip, and some servers never answer it. */
    if (add_header(t, "Expect:") != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!r->bearer)
        return 0;
    if (strpbrk(r->bearer, "\r\n"))
        return err_set(err, ERR_USAGE, "the key has a line break in it");
    size_t size = strlen(r->bearer) + sizeof "Authorization: Bearer ";
    char *line = malloc(size);
    if (!line)
        return err_set(err, ERR_NOMEM, "out of memory");
    (void)snprintf(line, size, "Authorization: Bearer %s", r->bearer);
    int status = add_header(t, line);
    explicit_bzero(line, size);
    free(line);
    return status == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

#define SET(option, value)                                                                         \
    do {                                                                                           \
        if (t->http->curl.easy_setopt(t->easy, option, value) != CURLE_OK)                         \
            return err_set(err, ERR_INTERNAL, "libcurl refuses %s", #option);                      \
    } while (0)

static int set_body(struct http_transfer *t, const struct http_request *r, struct err *err)
{
    curl_off_t total = 0;
    if (r->body_count == 0)
        return 0;
    t->body = calloc(r->body_count, sizeof *t->body);
    if (!t->body)
        return err_set(err, ERR_NOMEM, "out of memory");
    memcpy(t->body, r->body, r->body_count * sizeof *t->body);
    t->body_count = r->body_count;
    for (size_t i = 0; i < r->body_count; i++)
        total += (curl_off_t)r->body[i].len;
    SET(CURLOPT_POST, 1L);
    SET(CURLOPT_POSTFIELDSIZE_LARGE, total);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, total < SEND_BUFFER_MIN   ? SEND_BUFFER_MIN
                                   : total > SEND_BUFFER_MAX ? SEND_BUFFER_MAX
                                                             : (long)total);
    SET(CURLOPT_READFUNCTION, on_body_wanted);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, t);
    return 0;
}

/* RFC 9110, section 9.1: a token. Curl would write anything into the request line. */
static int check_method(const char *method, struct err *err)
{
    size_t len =
        method ? strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_") : 0;
    if (method && (len == 0 || method[len] != '\0'))
        return err_set(err, ERR_USAGE, "'%.40s' is no HTTP method such as GET or POST", method);
    return 0;
}

/* Where it connects to, and how: nothing of the environment has a say in it. */
static int set_route(struct http_transfer *t, const struct http_request *r, struct err *err)
{
    SET(CURLOPT_PROTOCOLS_STR, ENFORCED(http_protocols) ? "http,https" : "all");
    SET(CURLOPT_FOLLOWLOCATION, ENFORCED(http_no_redirects) ? 0L : 1L);
    SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_SSL_VERIFYPEER, ENFORCED(tls_certificate) ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, ENFORCED(tls_host) ? 2L : 0L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->request.connect_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
    SET(CURLOPT_OPENSOCKETDATA, t);
    if (ENFORCED(http_proxy)) {
        SET(CURLOPT_PROXY, r->proxy ? r->proxy : "");
        SET(CURLOPT_NOPROXY, "");
    }
    SET(CURLOPT_HTTP_VERSION,
        (long)(r->may_connect ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS));
    if (!r->may_connect) {
        SET(CURLOPT_MAXLIFETIME_CONN, LIFETIME_S);
        SET(CURLOPT_ACCEPT_ENCODING, "");
        return 0;
    }
    if (ENFORCED(fetch_alone)) {
        SET(CURLOPT_FRESH_CONNECT, 1L); /* a kept one was made for another request */
        SET(CURLOPT_FORBID_REUSE, 1L);
    }
    return 0;
}

static int set_options(struct http_transfer *t, const struct http_request *r, struct err *err)
{
    if (check_method(r->method, err) != 0)
        return -1;
    SET(CURLOPT_PRIVATE, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_NOSIGNAL, 1L);
    if (set_route(t, r, err) != 0)
        return -1;
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_USERAGENT, "tackle/" TACKLE_VERSION_TEXT);
    SET(CURLOPT_URL, r->url);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header_line);
    SET(CURLOPT_HEADERDATA, t);
    if (r->total_ms > 0)
        SET(CURLOPT_TIMEOUT_MS, (long)r->total_ms);
    if (set_body(t, r, err) != 0)
        return -1;
    if (r->method && strcmp(r->method, "HEAD") == 0)
        SET(CURLOPT_NOBODY, 1L); /* else curl waits for a body that never comes */
    else if (r->method)
        SET(CURLOPT_CUSTOMREQUEST, r->method);
    if (add_headers(t, r, err) != 0)
        return -1;
    SET(CURLOPT_HTTPHEADER, t->headers);
    return 0;
}

/* As many connections are kept as have been in use at once: closing one between two steps of a run
 * costs the next step a handshake. */
static int keep_connections(struct http *http, struct err *err)
{
    if (http->transfer_count <= http->connections)
        return 0;
    long connections = http->connections * 2;
    if (http->curl.multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, connections) != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "libcurl cannot keep %ld connections", connections);
    http->connections = connections;
    return 0;
}

struct http_transfer *http_start(struct http *http, const struct http_request *request,
                                 struct err *err)
{
    if (load(http, err) != 0)
        return NULL;
    struct http_transfer *t = calloc(1, sizeof *t);
    if (!t) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    t->http = http;
    t->request = *request;
    if (t->request.connect_ms <= 0)
        t->request.connect_ms = CONNECT_MS;
    t->started_ms = clock_ms();
    t->silence = (struct loop_timer){.due = on_silence, .user = t};
    t->next = http->transfers;
    if (t->next)
        t->next->prev = t;
    http->transfers = t;
    http->transfer_count++;
    t->easy = http->curl.easy_init();
    if (!t->easy) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto fail;
    }
    if (keep_connections(http, err) != 0 || set_options(t, request, err) != 0)
        goto fail;
    if (http->curl.multi_add_handle(http->multi, t->easy) != CURLM_OK) {
        err_set(err, ERR_NOMEM, "libcurl cannot take another request");
        goto fail;
    }
    expect_byte_within(t, request->first_byte_ms);
    return t;
fail:
    transfer_free(t);
    return NULL;
}

const char *http_version(void)
{
    struct curl curl;
    struct err ignored;
    return curl_load(&curl, &ignored) == 0 ? curl.version() : "none";
}
