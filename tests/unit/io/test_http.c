/* HTTP on the loop, against an endpoint in a process of its own. */
#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/endpoint.h"
#include "io/http.h"

struct world;

/* One transfer and what came of it. */
struct trip {
    struct world *world;
    struct http_transfer *transfer;
    struct buf body;
    int dones, status;
    bool failed, worth_retrying, refuse;
    char error[300];
    char header[200]; /* X-Test */
    struct trip *cancels;
    const char *then; /* another request from inside done */
    struct trip *then_trip;
};

struct world {
    struct loop *loop;
    struct http *http;
    struct endpoint_child endpoint;
    struct trip a, b;
};

static void start_endpoint(struct world *w, const char *script)
{
    struct err err;
    if (endpoint_child_start(script, &w->endpoint, &err) != 0)
        fail_msg("%s", err.text);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    assert_non_null(w);
    w->loop = loop_new(&err);
    assert_non_null(w->loop);
    w->http = http_new(w->loop, &err);
    assert_non_null(w->http);
    w->a.world = w->b.world = w;
    buf_init(&w->a.body, 64u << 20);
    buf_init(&w->b.body, 64u << 20);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    if (w->endpoint.pid)
        json_decref(endpoint_child_stop(&w->endpoint));
    http_free(w->http);
    loop_free(w->loop);
    buf_release(&w->a.body);
    buf_release(&w->b.body);
    free(w);
    return 0;
}

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    struct trip *t = user;
    assert_ptr_equal(transfer, t->transfer);
    assert_int_equal(t->dones, 0);
    if (t->refuse)
        return -1;
    return buf_append(&t->body, data, len);
}

static void start(struct world *w, struct trip *t, const char *path, struct http_request *r);

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct trip *t = user;
    t->dones++;
    t->transfer = NULL;
    t->status = end->status;
    assert_int_equal(http_status(transfer), end->status);
    t->failed = end->error != NULL;
    t->worth_retrying = end->worth_retrying;
    (void)snprintf(t->error, sizeof t->error, "%s", end->error ? end->error : "");
    const char *header = http_header(transfer, "x-TEST");
    (void)snprintf(t->header, sizeof t->header, "%s", header ? header : "(none)");
    assert_null(http_header(transfer, "x-no-such-header"));
    if (t->cancels) {
        http_cancel(t->cancels->transfer);
        t->cancels->transfer = NULL;
    }
    if (t->then)
        start(t->world, t->then_trip, t->then, &(struct http_request){0});
}

static void start(struct world *w, struct trip *t, const char *path, struct http_request *r)
{
    char url[300];
    struct err err;
    (void)snprintf(url, sizeof url, "%s%s", w->endpoint.url, path);
    r->url = url;
    r->data = on_data;
    r->done = on_done;
    r->user = t;
    buf_clear(&t->body);
    t->dones = 0;
    t->transfer = http_start(w->http, r, &err);
    if (!t->transfer)
        fail_msg("%s", err.text);
    assert_int_equal(t->dones, 0);
}

static void turn(struct world *w)
{
    struct err err;
    assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
}

static void finish(struct world *w, struct trip *t)
{
    while (!t->dones)
        turn(w);
    assert_int_equal(t->dones, 1);
}

static void fetch(struct world *w, struct trip *t, const char *path, struct http_request *r)
{
    start(w, t, path, r);
    finish(w, t);
}

static json_t *requests(struct world *w)
{
    json_t *all = endpoint_child_stop(&w->endpoint);
    w->endpoint.pid = 0;
    assert_non_null(all);
    return all;
}

static const char *sent_header(const json_t *request, const char *name)
{
    size_t index;
    json_t *pair;
    json_array_foreach(json_object_get(request, "headers"), index, pair)
    {
        if (strcasecmp(json_string_value(json_array_get(pair, 0)), name) == 0)
            return json_string_value(json_array_get(pair, 1));
    }
    return NULL;
}

static void a_body_of_slices_arrives_as_one(void **state)
{
    struct world *w = *state;
    const struct http_slice slices[] = {{"one ", 4}, {"", 0}, {NULL, 0}, {"two", 3}, {"!", 1}};
    static const char *const headers[] = {"Content-Type: text/plain", "X-Own: yes", NULL};
    start_endpoint(w, "=== reply\nbody Hello.\nheader X-Test: some value\n");
    fetch(w, &w->a, "/chat",
          &(struct http_request){.body = slices, .body_count = 5, .headers = headers});
    assert_int_equal(w->a.status, 200);
    assert_false(w->a.failed);
    assert_string_equal(w->a.body.data, "Hello.");
    assert_string_equal(w->a.header, "some value");
    json_t *all = requests(w);
    const json_t *request = json_array_get(all, 0);
    assert_string_equal(json_string_value(json_object_get(request, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(request, "path")), "/v1/chat");
    assert_string_equal(json_string_value(json_object_get(request, "body")), "one two!");
    assert_string_equal(sent_header(request, "content-length"), "8");
    assert_string_equal(sent_header(request, "x-own"), "yes");
    assert_null(sent_header(request, "expect"));
    assert_null(sent_header(request, "authorization"));
    assert_null(sent_header(request, "cookie"));
    assert_non_null(strstr(sent_header(request, "user-agent"), "tackle/"));
    json_decref(all);
}

static void the_key_is_sent_when_it_is_given(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\ntimes 2\n");
    fetch(w, &w->a, "/x", &(struct http_request){.bearer = "secret-key"});
    fetch(w, &w->a, "/x", &(struct http_request){.method = "DELETE"});
    json_t *all = requests(w);
    assert_string_equal(sent_header(json_array_get(all, 0), "authorization"), "Bearer secret-key");
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "method")),
                        "GET");
    assert_null(sent_header(json_array_get(all, 1), "authorization"));
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 1), "method")),
                        "DELETE");
    json_decref(all);
}

static void a_connection_is_used_again(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\ntimes 3\n");
    for (int i = 0; i < 3; i++)
        fetch(w, &w->a, "/x", &(struct http_request){0});
    json_t *all = requests(w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(json_integer_value(json_object_get(json_array_get(all, i), "connection")),
                         1);
    json_decref(all);
}

static void large_bodies_go_both_ways(void **state)
{
    struct world *w = *state;
    size_t size = (test_under_valgrind() ? 1u : 9u) << 20;
    char *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)('a' + i % 23);
    const struct http_slice slices[] = {{data, size / 3}, {data + size / 3, size - size / 3}};
    char dir[] = "/tmp/tackle-test-XXXXXX", path[100], script[200];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/body", dir);
    test_write_file(path, data, size);
    (void)snprintf(script, sizeof script, "=== reply\nbody-file %s\n", path);
    start_endpoint(w, script);
    fetch(w, &w->a, "/x", &(struct http_request){.body = slices, .body_count = 2});
    assert_int_equal(w->a.status, 200);
    assert_int_equal(w->a.body.len, size);
    assert_memory_equal(w->a.body.data, data, size);
    json_t *all = requests(w);
    const json_t *sent = json_object_get(json_array_get(all, 0), "body");
    assert_int_equal(json_string_length(sent), size);
    assert_memory_equal(json_string_value(sent), data, size);
    json_decref(all);
    free(data);
    test_remove_tree(dir);
}

static void many_at_once_all_end(void **state)
{
    struct world *w = *state;
    struct trip trips[40] = {{0}};
    start_endpoint(w, "=== reply\nbody Hello.\nwait 20ms\ntimes forever\n");
    for (size_t i = 0; i < 40; i++) {
        trips[i].world = w;
        buf_init(&trips[i].body, 100);
        start(w, &trips[i], "/x", &(struct http_request){0});
    }
    for (size_t i = 0; i < 40; i++) {
        finish(w, &trips[i]);
        assert_string_equal(trips[i].body.data, "Hello.");
        buf_release(&trips[i].body);
    }
}

static void one_may_cancel_another_when_it_is_done(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nwhen path is /v1/slow\nbody x\nstall headers\n"
                      "=== reply\nbody x\ntimes forever\n");
    start(w, &w->b, "/slow", &(struct http_request){0});
    w->a.cancels = &w->b;
    fetch(w, &w->a, "/x", &(struct http_request){0});
    w->a.cancels = NULL;
    assert_int_equal(w->b.dones, 0);
    fetch(w, &w->a, "/x", &(struct http_request){0}); /* the client is as good as before */
    assert_int_equal(w->b.dones, 0);
}

static void one_may_cancel_another_that_ends_in_the_same_turn(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\nwait 30ms\ntimes forever\n");
    for (int i = 0; i < 10; i++) {
        start(w, &w->b, "/x", &(struct http_request){0});
        w->a.cancels = &w->b;
        w->b.cancels = &w->a;
        start(w, &w->a, "/x", &(struct http_request){0});
        while (!w->a.dones && !w->b.dones)
            turn(w);
        assert_int_equal(w->a.dones + w->b.dones, 1);
        assert_null(w->a.transfer);
        assert_null(w->b.transfer);
    }
}

static void one_may_start_another_when_it_is_done(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\ntimes 2\n");
    w->a.then = "/second";
    w->a.then_trip = &w->b;
    fetch(w, &w->a, "/first", &(struct http_request){0});
    finish(w, &w->b);
    assert_int_equal(w->b.status, 200);
}

static void silence_before_the_first_byte_ends_it(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\nstall start\n");
    fetch(w, &w->a, "/x", &(struct http_request){.first_byte_ms = 50, .idle_ms = 60000});
    assert_true(w->a.failed);
    assert_true(w->a.worth_retrying);
    assert_int_equal(w->a.status, 0);
}

static void silence_in_the_middle_ends_it(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody Hello, and good bye.\nstall half\n");
    fetch(w, &w->a, "/x", &(struct http_request){.first_byte_ms = 60000, .idle_ms = 50});
    assert_true(w->a.failed);
    assert_true(w->a.worth_retrying);
    assert_int_equal(w->a.status, 200);
    assert_true(w->a.body.len > 0);
    assert_non_null(strstr(w->a.error, "no byte for"));
}

static void slow_is_not_silent(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody Hello, and good bye.\nchunk 1\nwait-chunk 15ms\n");
    fetch(w, &w->a, "/x", &(struct http_request){.first_byte_ms = 10000, .idle_ms = 10000});
    assert_false(w->a.failed);
    assert_string_equal(w->a.body.data, "Hello, and good bye.");
}

static void its_whole_time_may_be_limited(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\nendless\ntext a b c d\nwait-chunk 5ms\n");
    fetch(w, &w->a, "/x", &(struct http_request){.total_ms = 100});
    assert_true(w->a.failed);
    assert_true(w->a.worth_retrying);
}

static void its_size_may_be_limited(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody 12345678\ntimes 2\n");
    fetch(w, &w->a, "/x", &(struct http_request){.max_bytes = 8});
    assert_false(w->a.failed);
    fetch(w, &w->a, "/x", &(struct http_request){.max_bytes = 7});
    assert_true(w->a.failed);
    assert_false(w->a.worth_retrying);
    assert_non_null(strstr(w->a.error, "over 7 bytes"));
}

static void a_reader_may_have_enough(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\ntimes 2\n");
    w->a.refuse = true;
    fetch(w, &w->a, "/x", &(struct http_request){0});
    assert_true(w->a.failed);
    assert_false(w->a.worth_retrying);
    assert_int_equal(w->a.status, 200);
}

static void a_body_that_is_cut_is_an_error(void **state)
{
    static const char *const scripts[] = {
        "=== reply\nbody Hello, and good bye.\nframe length\ncut half\n",
        "=== reply\nbody Hello, and good bye.\nframe chunked\ncut half\n",
        "=== reply\nbody Hello, and good bye.\nreset half\n",
        "=== reply\nbody Hello, and good bye.\ncut start\n",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        struct world *w = *state;
        start_endpoint(w, scripts[i]);
        fetch(w, &w->a, "/x", &(struct http_request){0});
        if (!w->a.failed || !w->a.worth_retrying)
            fail_msg("%s", scripts[i]);
        json_decref(requests(w));
    }
}

static void a_refused_connection_is_worth_another_try(void **state)
{
    struct world *w = *state;
    struct err err;
    struct endpoint *nobody = endpoint_new_refusing(&err);
    assert_non_null(nobody);
    (void)snprintf(w->endpoint.url, sizeof w->endpoint.url, "%s", endpoint_url(nobody));
    fetch(w, &w->a, "/x", &(struct http_request){0});
    endpoint_free(nobody);
    assert_true(w->a.failed);
    assert_true(w->a.worth_retrying);
    assert_int_equal(w->a.status, 0);
    assert_true(strlen(w->a.error) > 0);
}

static void a_redirect_is_not_followed(void **state)
{
    struct world *w = *state;
    char script[300];
    start_endpoint(w, "=== reply\nbody x\n");
    (void)snprintf(script, sizeof script,
                   "=== reply\nstatus 307\nbody gone\nheader Location: %s/other\n"
                   "header X-Test: here\n",
                   w->endpoint.url);
    json_decref(requests(w));
    start_endpoint(w, script);
    fetch(w, &w->a, "/x", &(struct http_request){.bearer = "k"});
    assert_int_equal(w->a.status, 307);
    assert_false(w->a.failed);
    assert_string_equal(w->a.body.data, "gone");
    json_t *all = requests(w);
    assert_int_equal(json_array_size(all), 1);
    json_decref(all);
}

/* There is no body to wait for, whatever length is announced. */
static void a_head_request_ends(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody 0123456789\nframe length\nstall headers\n");
    fetch(w, &w->a, "/x", &(struct http_request){.method = "HEAD", .total_ms = 5000});
    assert_false(w->a.failed);
    assert_int_equal(w->a.status, 200);
    assert_int_equal(w->a.body.len, 0);
    json_t *all = requests(w);
    assert_string_equal(json_string_value(json_object_get(json_array_get(all, 0), "method")),
                        "HEAD");
    json_decref(all);
}

static void check_not_started(struct world *w, struct http_request r)
{
    struct err err = {.code = ERR_NONE};
    r.data = on_data;
    r.done = on_done;
    r.user = &w->a;
    assert_null(http_start(w->http, &r, &err));
    assert_int_not_equal(err.code, ERR_NONE);
    assert_int_equal(w->a.dones, 0);
}

static void what_would_smuggle_is_not_sent(void **state)
{
    static const char *const headers[] = {"X-A: 1\r\nX-B: 2", NULL};
    struct world *w = *state;
    check_not_started(w, (struct http_request){.url = "http://127.0.0.1:1/", .headers = headers});
    check_not_started(w, (struct http_request){.url = "http://127.0.0.1:1/",
                                               .method = "GET / HTTP/1.1\r\nX-B: 2\r\n\r\nGET"});
    check_not_started(w, (struct http_request){.url = "http://127.0.0.1:1/", .method = ""});
    check_not_started(w, (struct http_request){.url = "http://127.0.0.1:1/", .bearer = "a\nX: b"});
}

static void other_schemes_are_no_requests(void **state)
{
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://h/"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct err err;
        struct http_request r = {.url = urls[i], .data = on_data, .done = on_done, .user = &w->a};
        w->a.dones = 0;
        w->a.transfer = http_start(w->http, &r, &err);
        if (!w->a.transfer)
            continue;
        finish(w, &w->a);
        assert_true(w->a.failed);
        assert_false(w->a.worth_retrying);
        assert_int_equal(w->a.body.len, 0);
    }
}

static void transfers_that_are_left_end_with_the_client(void **state)
{
    struct world *w = *state;
    start_endpoint(w, "=== reply\nbody x\nstall half\ntimes forever\n");
    start(w, &w->a, "/x", &(struct http_request){0});
    start(w, &w->b, "/x", &(struct http_request){0});
    turn(w);
    http_cancel(w->b.transfer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_body_of_slices_arrives_as_one),
        TEST(the_key_is_sent_when_it_is_given),
        TEST(a_connection_is_used_again),
        TEST(large_bodies_go_both_ways),
        TEST(many_at_once_all_end),
        TEST(one_may_cancel_another_when_it_is_done),
        TEST(one_may_cancel_another_that_ends_in_the_same_turn),
        TEST(one_may_start_another_when_it_is_done),
        TEST(silence_before_the_first_byte_ends_it),
        TEST(silence_in_the_middle_ends_it),
        TEST(slow_is_not_silent),
        TEST(its_whole_time_may_be_limited),
        TEST(its_size_may_be_limited),
        TEST(a_reader_may_have_enough),
        TEST(a_body_that_is_cut_is_an_error),
        TEST(a_refused_connection_is_worth_another_try),
        TEST(a_redirect_is_not_followed),
        TEST(a_head_request_ends),
        TEST(what_would_smuggle_is_not_sent),
        TEST(other_schemes_are_no_requests),
        TEST(transfers_that_are_left_end_with_the_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
