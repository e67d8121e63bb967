/* Recordings: written, read back, and refused when they are not what they were. */
#include "test_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/backend.h"
#include "io/cassette.h"
#include "io/recorder.h"

#define KEY "sk-of-this-test"

struct world {
    char *dir, *tape;
    struct volatile_rules *rules;
    struct redact *secrets;
    struct buf messages;
    struct err err;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->dir = test_temp_dir();
    w->tape = test_join(w->dir, "tape");
    w->rules = volatile_new();
    assert_non_null(w->rules);
    assert_int_equal(volatile_set(w->rules, "workspace", "/home/ann/shop"), 0);
    w->secrets = redact_new();
    assert_int_equal(redact_add(w->secrets, "KEY", KEY), 0);
    volatile_hide(w->rules, w->secrets);
    buf_init(&w->messages, 1u << 20);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    volatile_free(w->rules);
    redact_free(w->secrets);
    buf_release(&w->messages);
    test_remove_tree(w->dir);
    free(w->tape);
    free(w->dir);
    free(w);
    return 0;
}

static void body_init(const struct world *w, struct chat_body *body)
{
    struct err err;
    const struct chat_request request = {.model = "m", .stream = true, .messages = &w->messages};
    assert_int_equal(chat_body_init(body, &request, &err), 0);
}

static void say(struct world *w, const char *text)
{
    assert_int_equal(chat_add_user(&w->messages, text, strlen(text)), 0);
}

static struct recorder *start(struct world *w, bool refresh)
{
    json_t *manifest = json_pack("{s:s}", "model", "m");
    struct recorder *r = recorder_new(w->tape, refresh, manifest, w->rules, &w->err);
    json_decref(manifest);
    return r;
}

static void record_request(struct world *w, struct recorder *r)
{
    struct chat_body body;
    body_init(w, &body);
    assert_int_equal(recorder_request(r, &body, &w->err), 0);
    chat_body_release(&body);
}

static const struct backend_end good = {.status = 200};

static void record_response(struct world *w, struct recorder *r, const char *text,
                            const struct backend_end *end)
{
    size_t half = strlen(text) / 2;
    recorder_received(r, text, half);
    recorder_received(r, text + half, strlen(text) - half);
    assert_int_equal(recorder_response(r, end, &w->err), 0);
}

static void record_call(struct world *w, struct recorder *r, const char *place, const char *args,
                        const struct run_result_of_call *result)
{
    json_t *files = json_pack("[{s:s, s:s}]", "path", "a", "what", "created");
    assert_int_equal(recorder_call(r, place, "act", args, strlen(args), result, files, &w->err), 0);
    json_decref(files);
}

/* Two requests, three calls behind the first. */
static void record(struct world *w)
{
    static const char bytes[] = "no\0text\xff";
    struct recorder *r = start(w, false);
    const struct run_result_of_call text = {.output = "in /home/ann/shop", .len = 17},
                                    failed = {.code = -1,
                                              .output = "",
                                              .message = "no " KEY,
                                              .duration_ms = 7},
                                    binary = {.output = bytes, .len = sizeof bytes - 1};
    const struct backend_end refused = {.status = 429,
                                        .error = "broken",
                                        .worth_retrying = true,
                                        .headers = {.retry_after = "3"},
                                        .location = "/x"};
    assert_non_null(r);
    say(w, "Go, " KEY);
    record_request(w, r);
    record_response(w, r, "one " KEY " two", &good);
    record_call(w, r, "1.2", "{\"n\":2}", &failed);
    record_call(w, r, "1.10", "{\"n\":10}", &binary);
    record_call(w, r, "1.1", "{\"in\":\"/home/ann/shop\"}", &text);
    say(w, "more");
    record_request(w, r);
    record_response(w, r, "three", &refused);
    assert_int_equal(recorder_end(r, "final", 0, &w->err), 0);
    recorder_free(r);
    buf_clear(&w->messages);
}

static int ask(struct world *w, struct cassette *c)
{
    struct chat_body body;
    body_init(w, &body);
    int status = cassette_ask(c, &body, &w->err);
    chat_body_release(&body);
    return status;
}

static struct cassette *open_tape(struct world *w)
{
    struct cassette *c = cassette_open(w->tape, w->rules, true, &w->err);
    if (!c)
        fail_msg("%s", w->err.text);
    return c;
}

static int call(struct world *w, struct cassette *c, const char *place, const char *args,
                struct cassette_result *out)
{
    return cassette_call(c, place, "act", args, strlen(args), out, &w->err);
}

static void what_was_recorded_comes_back(void **state)
{
    struct world *w = *state;
    struct cassette_response response;
    struct cassette_result result;
    record(w);
    struct cassette *c = open_tape(w);
    say(w, "Go, another-key-" KEY);
    assert_int_equal(ask(w, c), -1); /* only the key itself is left out */
    cassette_free(c);

    c = open_tape(w);
    buf_clear(&w->messages);
    say(w, "Go, " KEY);
    assert_int_equal(ask(w, c), 0);
    assert_int_equal(cassette_response(c, &response, &w->err), 0);
    assert_int_equal(response.end->status, 200);
    assert_null(response.end->error);
    assert_string_equal(response.data, "one [redacted:KEY] two");
    assert_int_equal(response.piece_count, 1); /* a response that was changed has one */

    assert_int_equal(call(w, c, "1.1", "{\"in\":\"/home/ann/shop\"}", &result), 0);
    assert_string_equal(result.output, "in /home/ann/shop");
    assert_int_equal(json_array_size(result.files), 1);
    cassette_result_release(&result);
    assert_int_equal(call(w, c, "1.2", "{\"n\":2}", &result), 0);
    assert_int_equal(result.code, -1);
    assert_int_equal(result.duration_ms, 7);
    assert_string_equal(result.message, "no [redacted:KEY]");
    cassette_result_release(&result);
    assert_int_equal(call(w, c, "1.10", "{\"n\":10}", &result), 0);
    assert_int_equal(result.len, 8);
    assert_memory_equal(result.output, "no\0text\xff", 8);
    cassette_result_release(&result);

    say(w, "more");
    assert_int_equal(ask(w, c), 0);
    assert_int_equal(cassette_response(c, &response, &w->err), 0);
    assert_int_equal(response.end->status, 429);
    assert_true(response.end->worth_retrying);
    assert_string_equal(response.end->error, "broken");
    assert_string_equal(response.end->headers.retry_after, "3");
    assert_string_equal(response.end->location, "/x");
    assert_int_equal(response.piece_count, 2);
    assert_int_equal(response.pieces[0].len, 2);
    assert_int_equal(cassette_end(c, &w->err), 0);
    cassette_free(c);
}

/* In the order of their places, though they ended in another. */
static void calls_are_in_order(void **state)
{
    struct world *w = *state;
    record(w);
    char *path = test_join(w->tape, "001.calls.json");
    char *text = test_read_file(path, NULL);
    const char *one = strstr(text, "\"1.1\""), *two = strstr(text, "\"1.2\""),
               *ten = strstr(text, "\"1.10\"");
    assert_true(one && two && ten && one < two && two < ten);
    assert_non_null(strstr(text, "\"001.output.10\""));
    assert_non_null(strstr(text, "${workspace}"));
    free(text);
    free(path);
}

static void no_file_holds_the_key(void **state)
{
    struct world *w = *state;
    size_t files = 0;
    record(w);
    DIR *stream = opendir(w->tape);
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream));) {
        size_t len = 0;
        if (entry->d_name[0] == '.')
            continue;
        char *path = test_join(w->tape, entry->d_name);
        char *text = test_read_file(path, &len);
        assert_non_null(text);
        assert_null(memmem(text, len, KEY, sizeof KEY - 1));
        files++;
        free(text);
        free(path);
    }
    (void)closedir(stream);
    assert_int_equal(files, 9);
}

static void says(struct world *w, int status, enum err_code code, const char *text)
{
    assert_int_equal(status, -1);
    assert_int_equal(w->err.code, code);
    if (!strstr(w->err.text, text))
        fail_msg("no \"%s\" in: %s", text, w->err.text);
}

static void other_requests_and_calls_are_told(void **state)
{
    struct world *w = *state;
    struct cassette_result result;
    record(w);
    struct cassette *c = open_tape(w);
    say(w, "Stop");
    says(w, ask(w, c), ERR_REPLAY, "request 1 differs from the recorded one: message 1 (user)");
    assert_non_null(strstr(cassette_diff(c), "-Go, [redacted:KEY]\n+Stop\n"));
    cassette_free(c);

    c = open_tape(w);
    buf_clear(&w->messages);
    say(w, "Go, " KEY);
    assert_int_equal(ask(w, c), 0);
    assert_string_equal(cassette_diff(c), "");
    struct cassette_response response;
    assert_int_equal(cassette_response(c, &response, &w->err), 0);
    says(w, call(w, c, "1.3", "{}", &result), ERR_REPLAY, "call 1.3 of act was not recorded");
    says(w, call(w, c, "1.2", "{\"n\":3}", &result), ERR_REPLAY, "other arguments");
    assert_non_null(strstr(cassette_diff(c), "-  \"n\": 2\n+  \"n\": 3\n"));
    says(w, cassette_call(c, "1.2", "run", "{}", 2, &result, &w->err), ERR_REPLAY,
         "is of run, and was of act");
    says(w, cassette_end(c, &w->err), ERR_REPLAY, "ended after request 1 of 2");
    say(w, "more");
    says(w, ask(w, c), ERR_REPLAY, "the call 1.1 of act was recorded and is missing now");
    cassette_free(c);
}

static void a_recording_ends(void **state)
{
    struct world *w = *state;
    struct recorder *r = start(w, false);
    say(w, "x");
    record_request(w, r);
    record_response(w, r, "y", &good);
    assert_int_equal(recorder_end(r, "final", 0, &w->err), 0);
    recorder_free(r);
    struct cassette *c = open_tape(w);
    assert_int_equal(ask(w, c), 0);
    says(w, ask(w, c), ERR_REPLAY, "ends with reply 1");
    cassette_free(c);
}

/* A conversation of several prompts ends as often. */
static void a_recording_may_go_on(void **state)
{
    struct world *w = *state;
    struct recorder *r = start(w, false);
    for (int i = 0; i < 2; i++) {
        say(w, "x");
        record_request(w, r);
        assert_null(cassette_open(w->tape, w->rules, true, &w->err)); /* it is not finished now */
        record_response(w, r, "y", &good);
        assert_int_equal(recorder_end(r, "final", 0, &w->err), 0);
    }
    recorder_free(r);
    buf_clear(&w->messages);
    struct cassette *c = open_tape(w);
    for (int i = 0; i < 2; i++) {
        say(w, "x");
        assert_int_equal(ask(w, c), 0);
        assert_int_equal(cassette_end(c, &w->err), 0);
    }
    cassette_free(c);
}

static void put(const struct world *w, const char *name, const char *text)
{
    char *path = test_join(w->tape, name);
    test_write_file(path, text, strlen(text));
    free(path);
}

static void nothing_is_recorded_over_by_accident(void **state)
{
    struct world *w = *state;
    record(w);
    assert_null(start(w, false));
    says(w, -1, ERR_USAGE, "--refresh records over it");
    put(w, "notes.txt", "mine");
    struct recorder *r = start(w, true);
    assert_non_null(r);
    recorder_free(r); /* its run was interrupted */
    assert_null(cassette_open(w->tape, w->rules, true, &w->err));
    says(w, -1, ERR_CONFIG, "was never finished");
    char *old = test_join(w->tape, "001.response"), *mine = test_join(w->tape, "notes.txt");
    assert_int_not_equal(access(old, F_OK), 0);
    assert_int_equal(access(mine, F_OK), 0);
    free(old);
    free(mine);
    char *tape = w->tape;
    w->tape = w->dir; /* a folder of something else */
    assert_null(start(w, true));
    says(w, -1, ERR_USAGE, "holds other files");
    w->tape = tape;
}

static void damage_is_told_with_the_name_of_the_file(void **state)
{
    static const struct {
        const char *file, *text, *said;
    } rows[] = {
        {"001.request.json", "{\"messages\":", "001.request.json, line"},
        {"001.response", "one", "001.response is not as long"},
        {"001.response.json", "[]", "001.response is not as long"},
        {"001.response.json", "{\"status\":200,\"pieces\":\"0:99\"}", "not as long"},
        {"001.response.json", "{\"status\":200,\"pieces\":\"0:-1 x\"}", "not as long"},
        {"001.response.json", "{\"status\":200,\"pieces\":\"9999999999999:18\"}", "not as long"},
        {"001.calls.json", "{}", "001.calls.json"},
        {"manifest.json", "{\"cassette\":2}", "is of format 2"},
        {"manifest.json", "{}", "no manifest"},
        {"manifest.json", "{\"cassette\":1,\"finished\":true,\"requests\":-1}", "\"requests\""},
        {"manifest.json", "{\"cassette\":1,\"finished\":true,\"requests\":1}", "\"rules\""},
        {"manifest.json", "nonsense", "manifest.json, line 1"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cassette_response response;
        buf_clear(&w->messages);
        record(w);
        put(w, rows[i].file, rows[i].text);
        struct cassette *c = cassette_open(w->tape, w->rules, true, &w->err);
        say(w, "Go, " KEY);
        if (c && ask(w, c) == 0)
            assert_int_equal(cassette_response(c, &response, &w->err), -1);
        says(w, -1, ERR_CONFIG, rows[i].said);
        cassette_free(c);
        test_remove_tree(w->tape);
        volatile_free(w->rules);
        w->rules = volatile_new();
        volatile_hide(w->rules, w->secrets);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_recorded_comes_back),
        TEST(calls_are_in_order),
        TEST(no_file_holds_the_key),
        TEST(other_requests_and_calls_are_told),
        TEST(a_recording_ends),
        TEST(a_recording_may_go_on),
        TEST(nothing_is_recorded_over_by_accident),
        TEST(damage_is_told_with_the_name_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
