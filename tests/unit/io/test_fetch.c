/* http/1 for plugins: whom it asks, what it sends, what comes back. */
#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "endpoint/endpoint.h"
#include "io/fetch.h"

struct world {
    struct loop *loop;
    struct http *http;
    struct endpoint_child endpoint;
    int dones;
    int32_t code;
    int status;
    char *message, *type, *location, *body;
    int contacts;
    char contacted[300];
    struct redact *secrets;
    size_t len;
};

/* What the person allows; the tool says "*". */
static const char *const loopback[] = {"example.org", "127.0.0.1", NULL};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    assert_non_null(w);
    w->loop = loop_new(&err);
    w->http = http_new(w->loop, &err);
    assert_non_null(w->http);
    *state = w;
    return 0;
}

static void forget(struct world *w)
{
    free(w->message);
    free(w->type);
    free(w->location);
    free(w->body);
    w->message = w->type = w->location = w->body = NULL;
    w->dones = w->contacts = 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    if (w->endpoint.pid)
        json_decref(endpoint_child_stop(&w->endpoint));
    http_free(w->http);
    loop_free(w->loop);
    forget(w);
    free(w);
    return 0;
}

static void start_endpoint(struct world *w, const char *script)
{
    struct err err;
    if (endpoint_child_start(script, &w->endpoint, &err) != 0)
        fail_msg("%s", err.text);
}

static void on_contacted(void *user, const char *host, bool allowed)
{
    struct world *w = user;
    w->contacts++;
    (void)snprintf(w->contacted, sizeof w->contacted, "%s %s", allowed ? "to" : "not", host);
}

static void on_done(void *user, const struct fetch_result *r)
{
    struct world *w = user;
    w->dones++;
    w->code = r->code;
    w->status = r->status;
    w->message = strdup(r->message ? r->message : "");
    w->type = strdup(r->content_type);
    w->location = strdup(r->location);
    w->body = strndup(r->body, r->len);
    w->len = r->len;
}

static const char *no_variable(void *user, const char *name)
{
    (void)user;
    (void)name;
    return NULL;
}

static struct fetch *start(struct world *w, const char *head, const char *body, size_t len,
                           const char *const *allowed, int64_t timeout_ms)
{
    static char any[] = "*";
    static char *const hosts[] = {any, NULL};
    const struct tool tool = {.hosts = (char **)(uintptr_t)hosts};
    const struct fetch_events events = {on_contacted, on_done, w};
    struct network network = {.env = no_variable, .secrets = w->secrets};
    struct reach reach;
    struct err err;
    forget(w);
    for (; *allowed; allowed++)
        assert_int_equal(hosts_add(&network.allow, *allowed, &err), 0);
    assert_int_equal(reach_init(&reach, &network, &tool, NULL, NULL, NULL, &err), 0);
    struct fetch *f =
        fetch_start(w->http, w->loop, head, strlen(head), body, len, &reach, timeout_ms, &events);
    reach_release(&reach);
    network_release(&network);
    assert_non_null(f);
    assert_int_equal(w->dones, 0); /* never before it returns */
    return f;
}

static void fetch(struct world *w, const char *head, const char *body, const char *const *hosts,
                  int64_t timeout_ms)
{
    struct err err;
    (void)start(w, head, body, strlen(body), hosts, timeout_ms);
    while (!w->dones)
        assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
    assert_int_equal(w->dones, 1);
}

static void an_answer_comes_back_whole(void **state)
{
    struct world *w = *state;
    char head[300];
    start_endpoint(w, "=== reply\nstatus 404\ntype text/odd\nbody not here\n");
    (void)snprintf(
        head, sizeof head,
        "{\"method\":\"PUT\",\"url\":\"%s/x?y=z\",\"headers\":[\"X-Own: 1\",\"Host: evil\","
        "\"content-length: 99\",\"Transfer-Encoding: chunked\",\"Connection: close\","
        "\"Expect: 100-continue\",7]}",
        w->endpoint.url);
    fetch(w, head, "ask", loopback, 10000);
    assert_int_equal(w->code, 0);
    assert_int_equal(w->status, 404);
    assert_string_equal(w->body, "not here");
    assert_string_equal(w->type, "text/odd");
    json_t *all = endpoint_child_stop(&w->endpoint);
    w->endpoint.pid = 0;
    char *text = json_dumps(all, 0);
    assert_non_null(strstr(text, "\"PUT\""));
    assert_non_null(strstr(text, "/v1/x?y=z"));
    assert_non_null(strstr(text, "X-Own"));
    assert_non_null(strstr(text, "\"ask\""));
    assert_null(strstr(text, "evil"));
    assert_null(strstr(text, "\"99\""));
    assert_null(strstr(text, "chunked"));
    assert_null(strstr(text, "100-continue"));
    free(text);
    json_decref(all);
}

static void check_refused(struct world *w, const char *head, const char *const *hosts, int32_t code)
{
    fetch(w, head, "", hosts, 1000);
    if (w->code != code)
        fail_msg("%s: %d %s", head, w->code, w->message);
    assert_true(strlen(w->message) > 10);
    assert_int_equal(w->status, 0);
    assert_int_equal(w->len, 0);
}

static void only_its_own_hosts_are_asked(void **state)
{
    static const char *const none[] = {NULL};
    static const char *const other[] = {"example.org", "127.0.0.1.example.org", NULL};
    static const char *const urls[] = {
        "http://127.0.0.1:1/",         "http://localhost:1/",          "http://[::1]:1/",
        "http://evil.org/example.org", "http://example.org.evil.org/", "https://www.example.org/"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char head[200];
        (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", urls[i]);
        check_refused(w, head, other, TACKLE_E_DENIED);
        check_refused(w, head, none, TACKLE_E_DENIED);
        assert_non_null(strstr(w->message, "--allow-host"));
        assert_int_equal(w->contacts, 1);
        assert_memory_equal(w->contacted, "not ", 4);
    }
}

static void what_is_no_request_is_refused(void **state)
{
    static const char *const heads[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"url\":7}",
        "{\"url\":\"127.0.0.1\"}",
        "{\"url\":\"file:///etc/passwd\"}",
        "{\"url\":\"http://user@127.0.0.1/\"}",
        "{\"url\":\"http://127.0.0.1\\\\@evil.org/\"}",
        "{\"url\":\"http://127.1:1/\"}",
        "{\"url\":\"http://2130706433:1/\"}",
        "{\"url\":\"http://127.0.0.1/\\r\\nX: y\"}",
        "{\"url\":\"http://127.0.0.1/ HTTP/1.1\"}",
        "{\"url\":\"https://example.org./\"}",
        "{\"url\":\"https://ex\u0430mple.org/\"}",
        "{\"url\":\"https://a..b/\"}",
        "{\"url\":\"https://example.org/\u00e9\"}",
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        check_refused(w, heads[i], loopback, TACKLE_E_ARGS);
}

static void what_would_smuggle_is_not_sent(void **state)
{
    struct world *w = *state;
    char head[300];
    start_endpoint(w, "=== reply\nbody x\ntimes forever\n");
    (void)snprintf(head, sizeof head,
                   "{\"url\":\"%s\",\"method\":\"GET / HTTP/1.1\\r\\nHost: evil\\r\\n\\r\\nGET\"}",
                   w->endpoint.url);
    check_refused(w, head, loopback, TACKLE_E_ARGS);
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\",\"headers\":[\"X: y\\r\\nHost: evil\"]}",
                   w->endpoint.url);
    check_refused(w, head, loopback, TACKLE_E_ARGS);
    /* Names that a lax server would read as the ones that are ours. */
    (void)snprintf(head, sizeof head,
                   "{\"url\":\"%s\",\"headers\":[\"Host : evil\",\" Host: evil\",\"Host\\t: evil\","
                   "\"Content-Length ;\",\": evil\",\"evil\",\"Transfer-Encoding;\"]}",
                   w->endpoint.url);
    fetch(w, head, "", loopback, 10000);
    assert_int_equal(w->code, 0);
    json_t *all = endpoint_child_stop(&w->endpoint);
    w->endpoint.pid = 0;
    assert_int_equal(json_array_size(all), 1);
    char *text = json_dumps(all, 0);
    assert_null(strstr(text, "evil"));
    assert_null(strstr(text, "Transfer-Encoding"));
    free(text);
    json_decref(all);
}

static void a_service_that_fails_says_so(void **state)
{
    struct world *w = *state;
    struct err err;
    char head[300];
    struct endpoint *nobody = endpoint_new_refusing(&err);
    assert_non_null(nobody);
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", endpoint_url(nobody));
    check_refused(w, head, loopback, TACKLE_E_FAILED);
    endpoint_free(nobody);
    start_endpoint(
        w, "=== reply\nbody x\nstall start\n=== reply\nbody a long one\nframe length\ncut half\n");
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", w->endpoint.url);
    fetch(w, head, "", loopback, 50);
    assert_int_equal(w->code, TACKLE_E_FAILED);
    assert_true(strlen(w->message) > 0);
    fetch(w, head, "", loopback, 10000);
    assert_int_equal(w->code, TACKLE_E_FAILED);
}

static void sizes_are_limited(void **state)
{
    struct world *w = *state;
    struct err err;
    char head[300], dir[] = "/tmp/tackle-test-XXXXXX", path[100], script[200];
    size_t size = FETCH_BODY_MAX + 1;
    char *data = calloc(1, size);
    assert_non_null(data);
    memset(data, 'x', size);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/body", dir);
    test_write_file(path, data, size);
    (void)snprintf(script, sizeof script, "=== reply\nbody-file %s\n", path);
    start_endpoint(w, script);
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", w->endpoint.url);
    (void)start(w, head, data, size, loopback, 10000);
    while (!w->dones)
        assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
    assert_int_equal(w->code, TACKLE_E_LIMIT);
    fetch(w, head, "", loopback, 10000);
    assert_int_equal(w->code, TACKLE_E_FAILED);
    assert_non_null(strstr(w->message, "over"));
    free(data);
    test_remove_tree(dir);
}

static void a_redirect_is_an_answer(void **state)
{
    struct world *w = *state;
    char head[300];
    start_endpoint(w, "=== reply\nstatus 302\nheader Location: ../x\nbody there\n");
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", w->endpoint.url);
    fetch(w, head, "", loopback, 10000);
    assert_int_equal(w->code, 0);
    assert_int_equal(w->status, 302);
    assert_int_equal(w->contacts, 1);
    assert_memory_equal(w->contacted, "to 127.0.0.1:", 13);
    char *end = strstr(w->endpoint.url, "/v1");
    assert_non_null(end);
    size_t len = (size_t)(end - w->endpoint.url);
    assert_memory_equal(w->location, w->endpoint.url, len);
    assert_string_equal(w->location + len, "/x");
}

/* In the address or in the body, as it is or disguised a little. */
static void secrets_are_not_sent(void **state)
{
    struct world *w = *state;
    char head[300];
    start_endpoint(w, "=== reply\nbody x\n");
    w->secrets = redact_new();
    assert_non_null(w->secrets);
    assert_int_equal(redact_add(w->secrets, "DEPLOY_KEY", "CANARY-DEPLOY-0123"), 0);
    (void)snprintf(head, sizeof head, "{\"url\":\"%s?q=CANARY-DEPLOY-0123\"}", w->endpoint.url);
    check_refused(w, head, loopback, TACKLE_E_DENIED);
    assert_non_null(strstr(w->message, "DEPLOY_KEY"));
    assert_null(strstr(w->message, "CANARY"));
    (void)snprintf(head, sizeof head, "{\"url\":\"%s?q=43414e4152592d4445504c4f592d30313233\"}",
                   w->endpoint.url);
    check_refused(w, head, loopback, TACKLE_E_DENIED);
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\",\"method\":\"POST\"}", w->endpoint.url);
    fetch(w, head, "{\"a\":\"CANARY-DEPLOY-0123\"}", loopback, 10000);
    assert_int_equal(w->code, TACKLE_E_DENIED);
    fetch(w, head, "{\"a\":\"CANARY-OTHER\"}", loopback, 10000);
    assert_int_equal(w->code, 0);
    redact_free(w->secrets);
}

static void a_fetch_that_is_cancelled_says_nothing(void **state)
{
    struct world *w = *state;
    struct err err;
    char head[300];
    start_endpoint(w, "=== reply\nbody x\nstall start\ntimes forever\n");
    (void)snprintf(head, sizeof head, "{\"url\":\"%s\"}", w->endpoint.url);
    fetch_cancel(start(w, head, "", 0, loopback, 10000));
    fetch_cancel(start(w, "{}", "", 0, loopback, 10000));
    struct fetch *f = start(w, head, "", 0, loopback, 10000);
    assert_int_equal(loop_turn(w->loop, 50, &err), 0);
    fetch_cancel(f);
    assert_int_equal(loop_turn(w->loop, 50, &err), 0);
    assert_int_equal(w->dones, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_back_whole),
        TEST(only_its_own_hosts_are_asked),
        TEST(what_is_no_request_is_refused),
        TEST(what_would_smuggle_is_not_sent),
        TEST(a_service_that_fails_says_so),
        TEST(sizes_are_limited),
        TEST(a_redirect_is_an_answer),
        TEST(secrets_are_not_sent),
        TEST(a_fetch_that_is_cancelled_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
