/* Who answers a request: an endpoint over HTTP, and a recording. */
#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/endpoint.h"
#include "io/backend.h"

struct world {
    struct loop *loop;
    struct http *http;
    struct provider provider;
    struct endpoint_child endpoint;
    struct backend *backend;
    struct volatile_rules *rules;
    struct cassette *cassette;
    struct buf messages;
    char *dir;
    /* what came */
    int dones, fails;
    struct buf deltas, text;
    enum chat_stop stop;
    enum chat_error_class class;
    char message[1100], retry_after[40];
    enum err_code code;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    assert_non_null(w);
    w->loop = loop_new(&err);
    w->http = http_new(w->loop, &err);
    assert_non_null(w->http);
    w->provider = (struct provider){.name = (char *)"default", .model = (char *)"m"};
    buf_init(&w->messages, 100000);
    buf_init(&w->deltas, 100000);
    buf_init(&w->text, 100000);
    assert_int_equal(chat_add_user(&w->messages, "Go.", 3), 0);
    w->dir = test_temp_dir();
    w->rules = volatile_new();
    assert_non_null(w->rules);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    backend_free(w->backend);
    cassette_free(w->cassette);
    volatile_free(w->rules);
    if (w->endpoint.pid)
        json_decref(endpoint_child_stop(&w->endpoint));
    http_free(w->http);
    loop_free(w->loop);
    buf_release(&w->messages);
    buf_release(&w->deltas);
    buf_release(&w->text);
    test_remove_tree(w->dir);
    free(w->dir);
    free(w);
    return 0;
}

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    struct world *w = user;
    assert_int_equal(w->dones + w->fails, 0);
    if (kind == CHAT_DELTA_TEXT)
        assert_int_equal(buf_append(&w->deltas, text, len), 0);
}

static void on_done(void *user, struct chat_turn *turn, const struct chat_wait_headers *headers)
{
    struct world *w = user;
    w->dones++;
    w->stop = turn->stop;
    w->class = turn->error.class;
    (void)snprintf(w->message, sizeof w->message, "%s",
                   turn->error.message ? turn->error.message : "");
    (void)snprintf(w->retry_after, sizeof w->retry_after, "%s",
                   headers && headers->retry_after ? headers->retry_after : "");
    buf_clear(&w->text);
    assert_int_equal(buf_append(&w->text, turn->text.data, turn->text.len), 0);
}

static void on_failed(void *user, const struct err *err)
{
    struct world *w = user;
    w->fails++;
    w->code = err->code;
    (void)snprintf(w->message, sizeof w->message, "%s", err->text);
}

/* Asks, and waits for what comes. */
static void ask(struct world *w)
{
    struct chat_body body;
    struct err err;
    const struct chat_request request = {
        .model = w->provider.model, .stream = true, .messages = &w->messages};
    const struct backend_events events = {
        .delta = on_delta, .done = on_done, .failed = on_failed, .user = w};
    w->dones = w->fails = 0;
    buf_clear(&w->deltas);
    assert_int_equal(chat_body_init(&body, &request, &err), 0);
    if (!backend_ask(w->backend, &body, &events, &err))
        fail_msg("%s", err.text);
    assert_int_equal(w->dones + w->fails, 0);
    while (!w->dones && !w->fails)
        assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
    assert_int_equal(w->dones + w->fails, 1);
    chat_body_release(&body);
}

static void open_endpoint(struct world *w, const char *script)
{
    struct err err;
    if (endpoint_child_start(script, &w->endpoint, &err) != 0)
        fail_msg("%s", err.text);
    w->provider.base_url = w->endpoint.url;
    w->backend = backend_http_new(w->http, &w->provider, 60000, &err);
    assert_non_null(w->backend);
}

static void an_endpoint_streams_its_answer(void **state)
{
    struct world *w = *state;
    w->provider.key = (char *)"the-key";
    open_endpoint(w, "=== reply\ntext Hello there, you.\npieces 5\n");
    ask(w);
    assert_int_equal(w->dones, 1);
    assert_int_equal(w->stop, CHAT_STOP_STOP);
    assert_string_equal(w->text.data, "Hello there, you.");
    assert_string_equal(w->deltas.data, "Hello there, you.");
    json_t *all = endpoint_child_stop(&w->endpoint);
    w->endpoint.pid = 0;
    const json_t *request = json_array_get(all, 0);
    assert_string_equal(json_string_value(json_object_get(request, "path")),
                        "/v1/chat/completions");
    const json_t *body = json_object_get(request, "json");
    assert_string_equal(json_string_value(json_object_get(body, "model")), "m");
    assert_int_equal(json_array_size(json_object_get(body, "messages")), 1);
    char *text = json_dumps(json_object_get(request, "headers"), 0);
    assert_non_null(strstr(text, "Bearer the-key"));
    assert_non_null(strstr(text, "application/json"));
    free(text);
    json_decref(all);
}

static void check_error(struct world *w, const char *script, enum chat_stop stop,
                        enum chat_error_class class, const char *message)
{
    open_endpoint(w, script);
    ask(w);
    assert_int_equal(w->dones, 1);
    if (w->stop != stop || w->class != class || !strstr(w->message, message))
        fail_msg("stop %d, class %s: %s", w->stop, chat_error_class_name(w->class), w->message);
    backend_free(w->backend);
    w->backend = NULL;
    json_decref(endpoint_child_stop(&w->endpoint));
    w->endpoint.pid = 0;
}

static void errors_are_sorted(void **state)
{
    struct world *w = *state;
    check_error(w, "=== reply\nerror rate_limit_exceeded Slow down.\nheader Retry-After: 7\n",
                CHAT_STOP_ERROR, CHAT_ERROR_RATE, "Slow down.");
    assert_string_equal(w->retry_after, "7");
    check_error(w, "=== reply\nerror invalid_api_key No.\n", CHAT_STOP_ERROR, CHAT_ERROR_AUTH,
                "No.");
    check_error(w, "=== reply\nstatus 503\nbody <html><title>Busy</title></html>\n",
                CHAT_STOP_ERROR, CHAT_ERROR_TRANSIENT, "Busy");
}

static void broken_answers_are_worth_another_try(void **state)
{
    struct world *w = *state;
    check_error(w, "=== reply\ntext Hello there, you.\ncut half\n", CHAT_STOP_INCOMPLETE,
                CHAT_ERROR_TRANSIENT, "");
    check_error(w, "=== reply\ntext Hello there, you.\nreset half\n", CHAT_STOP_INCOMPLETE,
                CHAT_ERROR_TRANSIENT, "");
    check_error(w, "=== reply\nbody x\ncut start\n", CHAT_STOP_INCOMPLETE, CHAT_ERROR_TRANSIENT,
                "");
}

static void a_redirect_is_explained(void **state)
{
    check_error(*state, "=== reply\nstatus 308\nheader Location: https://evil.example/v1\nbody x\n",
                CHAT_STOP_ERROR, CHAT_ERROR_FATAL, "https://evil.example/v1");
}

static void nobody_at_home_is_worth_another_try(void **state)
{
    struct world *w = *state;
    struct err err;
    struct endpoint *nobody = endpoint_new_refusing(&err);
    assert_non_null(nobody);
    char url[ENDPOINT_URL_SIZE];
    (void)snprintf(url, sizeof url, "%s", endpoint_url(nobody));
    w->provider.base_url = url;
    w->backend = backend_http_new(w->http, &w->provider, 60000, &err);
    ask(w);
    endpoint_free(nobody);
    assert_int_equal(w->class, CHAT_ERROR_TRANSIENT);
    assert_non_null(strstr(w->message, "connect"));
}

static void a_question_that_is_dropped_gets_no_answer(void **state)
{
    struct world *w = *state;
    struct chat_body body;
    struct err err;
    const struct chat_request request = {.model = "m", .stream = true, .messages = &w->messages};
    const struct backend_events events = {
        .delta = on_delta, .done = on_done, .failed = on_failed, .user = w};
    open_endpoint(w, "=== reply\ntext Hello there, you.\nstall half\n");
    assert_int_equal(chat_body_init(&body, &request, &err), 0);
    struct backend_ask *asked = backend_ask(w->backend, &body, &events, &err);
    assert_non_null(asked);
    while (w->deltas.len == 0)
        assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
    backend_cancel(asked);
    chat_body_release(&body);
    assert_int_equal(loop_turn(w->loop, 10, &err), 0);
    assert_int_equal(w->dones + w->fails, 0);
}

static void record(const struct world *w, const char *name, const char *body)
{
    char *path = test_join(w->dir, name);
    test_write_file(path, body, strlen(body));
    free(path);
}

#define SSE(text)                                                                                  \
    "data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"},\"finish_reason\":\"stop\"}]}\n\n"  \
    "data: [DONE]\n\n"

static void open_recording(struct world *w, int speed)
{
    struct err err;
    w->cassette = cassette_open(w->dir, w->rules, true, &err);
    if (!w->cassette)
        fail_msg("%s", err.text);
    w->backend = backend_replay_new(w->loop, w->cassette, speed, &err);
    assert_non_null(w->backend);
}

static void a_recording_answers_in_its_order(void **state)
{
    struct world *w = *state;
    record(w, "002.sse", SSE("two"));
    record(w, "001.json",
           "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"one\"}}]}");
    record(w, "003.sse", "");
    record(w, "notes.txt", "no reply");
    record(w, ".000.sse", SSE("hidden"));
    open_recording(w, 0);
    ask(w);
    assert_string_equal(w->text.data, "one");
    ask(w);
    assert_string_equal(w->text.data, "two");
    assert_string_equal(w->deltas.data, "two");
    ask(w);
    assert_int_equal(w->stop, CHAT_STOP_INCOMPLETE);
    for (int i = 0; i < 2; i++) {
        ask(w);
        assert_int_equal(w->fails, 1);
        assert_int_equal(w->code, ERR_REPLAY);
        assert_non_null(strstr(w->message, "ends with reply 3"));
        assert_non_null(strstr(w->message, w->dir));
    }
}

static void a_recording_may_take_its_time(void **state)
{
    static const int speeds[] = {8, 1000};
    struct world *w = *state;
    record(w, "001.sse",
           SSE("a text of many words that is longer than one piece of the recording "
               "can be, since a piece has about the length of one event, and an "
               "event is not longer than that; so there have to be some"));
    for (size_t i = 0; i < 2; i++) {
        open_recording(w, speeds[i]);
        ask(w);
        assert_int_equal(w->stop, CHAT_STOP_STOP);
        assert_string_equal(w->text.data, w->deltas.data);
        backend_free(w->backend);
        cassette_free(w->cassette);
        w->backend = NULL;
        w->cassette = NULL;
    }
}

static void what_is_no_recording_says_so(void **state)
{
    struct world *w = *state;
    struct err err;
    assert_null(cassette_open(w->dir, w->rules, true, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "no recording"));
    assert_null(cassette_open("/no/such/folder", w->rules, true, &err));
    assert_non_null(strstr(err.text, "/no/such/folder"));
    record(w, "001.sse", SSE("x"));
    char *file = test_join(w->dir, "001.sse");
    assert_null(cassette_open(file, w->rules, true, &err));
    free(file);
}

static void a_reply_that_cannot_be_read_is_a_failure(void **state)
{
    struct world *w = *state;
    char *path = test_join(w->dir, "001.sse/inner");
    test_write_file(path, "x", 1); /* a folder of that name */
    free(path);
    open_recording(w, 0);
    ask(w);
    assert_int_equal(w->fails, 1);
    assert_non_null(strstr(w->message, "001.sse"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_endpoint_streams_its_answer),       TEST(errors_are_sorted),
        TEST(broken_answers_are_worth_another_try), TEST(a_redirect_is_explained),
        TEST(nobody_at_home_is_worth_another_try),  TEST(a_question_that_is_dropped_gets_no_answer),
        TEST(a_recording_answers_in_its_order),     TEST(a_recording_may_take_its_time),
        TEST(what_is_no_recording_says_so),         TEST(a_reply_that_cannot_be_read_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
