/* Errors of endpoints: read from any dress, sorted, with the wait they ask for and their one line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "test_support.h"
#include "wire/chat_error.h"

static struct chat_error error;

static bool read_json(const char *body, int status)
{
    json_error_t problem;
    json_t *value = json_loads(body, JSON_DECODE_ANY, &problem);
    assert_non_null(value);
    chat_error_release(&error);
    bool found = chat_error_from_json(&error, value, status);
    json_decref(value);
    return found;
}

static void expect_class(const char *body, int status, enum chat_error_class class)
{
    assert_true(read_json(body, status));
    if (error.class != class)
        print_error("%d %s: %s, not %s\n", status, body, chat_error_class_name(error.class),
                    chat_error_class_name(class));
    assert_int_equal(error.class, class);
}

static void test_forms(void **state)
{
    (void)state;
    static const struct {
        const char *body, *message, *code;
    } cases[] = {
        {"{\"error\":{\"message\":\"m\",\"code\":\"c\"}}", "m", "c"},
        {"{\"error\":{\"message\":\"m\",\"code\":404}}", "m", "404"},
        {"{\"error\":{\"message\":\"m\",\"code\":null}}", "m", NULL},
        {"[{\"error\":{\"message\":\"m\",\"code\":400}}]", "m", "400"},
        {"{\"error\":\"m\"}", "m", NULL},
        {"{\"error\":\"m\",\"code\":\"c\"}", "m", "c"},
        {"{\"detail\":\"m\"}", "m", NULL},
        {"{\"detail\":[{\"loc\":[\"body\",\"messages\",0],\"msg\":\"field required\"}]}",
         "body.messages.0: field required", NULL},
        {"{\"detail\":{\"message\":\"m\",\"code\":\"c\"}}", "m", "c"},
        {"{\"object\":\"error\",\"message\":\"m\",\"code\":40001}", "m", "40001"},
        {"{\"code\":401,\"msg\":\"m\",\"data\":null}", "m", "401"},
        {"{\"success\":false,\"errors\":[{\"code\":7003,\"message\":\"m\"}]}", "m", "7003"},
        {"{\"choices\":null,\"error\":{\"message\":\"m\"}}", "m", NULL},
        {"{\"error\":{}}", "", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(read_json(cases[i].body, 400));
        assert_string_equal(error.message, cases[i].message);
        if (cases[i].code)
            assert_string_equal(error.code, cases[i].code);
        else
            assert_null(error.code);
    }
}

static void test_what_is_no_error(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "[]",
        "5",
        "\"x\"",
        "null",
        "{\"error\":null,\"choices\":[]}",
        "{\"error\":false}",
        "{\"choices\":[{\"delta\":{}}],\"message\":\"fine\"}",
        "{\"code\":200,\"msg\":\"success\"}",
        "{\"message\":{\"content\":\"x\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_false(read_json(bodies[i], 200));
}

static void test_status(void **state)
{
    (void)state;
    /* on 200 an integer code is the status: the body knows better */
    assert_true(read_json("{\"error\":{\"code\":429,\"message\":\"m\"}}", 200));
    assert_int_equal(error.http_status, 429);
    assert_true(read_json("{\"error\":{\"status\":400,\"code\":\"content_filter\"}}", 200));
    assert_int_equal(error.http_status, 400);
    assert_true(read_json("{\"error\":{\"code\":429,\"message\":\"m\"}}", 503));
    assert_int_equal(error.http_status, 503);
    assert_true(read_json("{\"error\":{\"code\":1113,\"message\":\"m\"}}", 200));
    assert_int_equal(error.http_status, 200);
}

static void test_wrapped_errors(void **state)
{
    (void)state;
    assert_true(read_json("{\"error\":{\"message\":\"{\\\"error\\\":{\\\"message\\\":\\\"inner\\\","
                          "\\\"status\\\":\\\"RESOURCE_EXHAUSTED\\\"}}\",\"code\":400}}",
                          200));
    assert_string_equal(error.detail, "inner");
    assert_true(read_json("{\"error\":{\"message\":\"Provider returned error\",\"code\":502,"
                          "\"metadata\":{\"raw\":\"try another\"}}}",
                          200));
    assert_string_equal(error.message, "Provider returned error");
    assert_string_equal(error.detail, "try another");
    assert_int_equal(error.class, CHAT_ERROR_TRANSIENT);
}

static void test_classes_of_the_default_endpoint(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum chat_error_class class;
    } cases[] = {
        {400, "{\"error\":{\"code\":\"invalid_request\",\"type\":\"invalid_request_error\"}}",
         CHAT_ERROR_FATAL},
        {401, "{\"error\":{\"code\":\"invalid_api_key\",\"type\":\"authentication_error\"}}",
         CHAT_ERROR_AUTH},
        {402, "{\"error\":{\"code\":\"insufficient_credits\",\"type\":\"billing_error\"}}",
         CHAT_ERROR_BILLING},
        {403, "{\"error\":{\"code\":\"ip_not_allowed\",\"type\":\"permission_error\"}}",
         CHAT_ERROR_AUTH},
        {404, "{\"error\":{\"code\":\"model_not_found\",\"type\":\"invalid_request_error\"}}",
         CHAT_ERROR_FATAL},
        {429, "{\"error\":{\"code\":\"rate_limit_exceeded\",\"type\":\"rate_limit_error\"}}",
         CHAT_ERROR_RATE},
        {429, "{\"error\":{\"code\":\"spend_limit_exceeded\",\"type\":\"billing_error\"}}",
         CHAT_ERROR_BILLING},
        {500, "{\"error\":{\"code\":\"internal_error\",\"type\":\"api_error\"}}",
         CHAT_ERROR_TRANSIENT},
        {503, "{\"error\":{\"code\":\"upstream_error\",\"type\":\"upstream_error\"}}",
         CHAT_ERROR_TRANSIENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_class(cases[i].body, cases[i].status, cases[i].class);
}

static void test_classes_of_others(void **state)
{
    (void)state;
    expect_class("{\"error\":{\"code\":\"insufficient_quota\"}}", 429, CHAT_ERROR_BILLING);
    expect_class("{\"error\":{\"code\":429,\"details\":[{\"violations\":[{\"quotaId\":"
                 "\"GenerateRequestsPerDayPerProjectPerModel\"}]}]}}",
                 429, CHAT_ERROR_BILLING);
    expect_class("{\"error\":{\"code\":429,\"details\":[{\"reason\":\"QUOTA_EXHAUSTED\"}]}}", 429,
                 CHAT_ERROR_BILLING);
    expect_class("{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}", 429,
                 CHAT_ERROR_RATE);
    expect_class("{\"error\":{\"code\":400,\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}", 400,
                 CHAT_ERROR_AUTH);
    expect_class("{\"error\":{\"code\":\"context_length_exceeded\"}}", 400, CHAT_ERROR_CONTEXT);
    expect_class("{\"error\":{\"message\":\"The input token count (1200000) exceeds the maximum "
                 "number of tokens allowed (1048576).\",\"status\":\"INVALID_ARGUMENT\"}}",
                 400, CHAT_ERROR_CONTEXT);
    expect_class("{\"error\":{\"message\":\"max_completion_tokens exceeds the maximum number of "
                 "tokens\"}}",
                 400, CHAT_ERROR_FATAL);
    expect_class("{\"error\":{\"code\":\"tool_use_failed\"}}", 400, CHAT_ERROR_MODEL);
    expect_class("{\"error\":{\"code\":\"content_filter\",\"status\":400}}", 200,
                 CHAT_ERROR_REFUSED);
    expect_class("{\"error\":{\"type\":\"overloaded_error\"}}", 200, CHAT_ERROR_TRANSIENT);
    expect_class("{\"error\":{\"message\":\"lost\"}}", 200, CHAT_ERROR_TRANSIENT);
    expect_class("{\"error\":{\"type\":\"invalid_request_error\"}}", 200, CHAT_ERROR_FATAL);
    const int transient[] = {408, 409, 425, 499, 500, 502, 503, 504, 520, 524, 529};
    for (size_t i = 0; i < sizeof transient / sizeof transient[0]; i++)
        expect_class("{\"error\":{}}", transient[i], CHAT_ERROR_TRANSIENT);
    const int fatal[] = {301, 400, 404, 405, 413, 415, 422};
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        expect_class("{\"error\":{}}", fatal[i], CHAT_ERROR_FATAL);
}

static void test_bodies_that_are_no_json(void **state)
{
    (void)state;
    const char *page = "<!doctype html>\n<HTML><head><Title lang=en>api | 524: A timeout\n</title>";
    chat_error_from_text(&error, page, strlen(page), 524);
    assert_string_equal(error.message, "api | 524: A timeout");
    assert_int_equal(error.class, CHAT_ERROR_TRANSIENT);
    chat_error_from_text(&error, " \n", 2, 401);
    assert_string_equal(error.message, "the response is empty");
    assert_int_equal(error.class, CHAT_ERROR_AUTH);
    char words[1000];
    memset(words, 'w', sizeof words);
    words[1] = '\x1b';
    words[2] = '\xff';
    chat_error_from_text(&error, words, sizeof words, 500);
    assert_true(strlen(error.message) < 230);
    assert_true(text_is_utf8(error.message, strlen(error.message)));
    assert_null(strchr(error.message, '\x1b'));
    chat_error_from_text(&error, "<title>", 7, 500);
    assert_string_equal(error.message, "<title>");
}

static int64_t wait_in(const char *body)
{
    assert_true(read_json(body, 429));
    return chat_error_wait_ms(&error, NULL, 0);
}

static void test_waits_in_the_body(void **state)
{
    (void)state;
    assert_int_equal(wait_in("{\"error\":{\"details\":[{\"retryDelay\":\"34.4s\"}]}}"), 34400);
    assert_int_equal(wait_in("{\"error\":{\"details\":[{\"retryDelay\":\"34.074824224s\"}]}}"),
                     34075);
    assert_int_equal(wait_in("{\"error\":{\"details\":[{\"retryDelay\":\"900ms\"}]}}"), 900);
    assert_int_equal(wait_in("{\"error\":{\"message\":\"Please retry in 12.3s.\"}}"), 12300);
    assert_int_equal(wait_in("{\"error\":{\"message\":\"Please try again in 1m2.5s.\"}}"), 62500);
    assert_int_equal(wait_in("{\"error\":{\"message\":\"try again in 20 seconds\"}}"), 20000);
    assert_int_equal(wait_in("{\"error\":{\"message\":\"try again in a while\"}}"), -1);
    assert_int_equal(wait_in("{\"error\":{\"message\":\"m\"}}"), -1);
    assert_int_equal(wait_in("{\"error\":{\"details\":[{\"retryDelay\":\"soon\"}]}}"), -1);
    assert_true(wait_in("{\"error\":{\"details\":[{\"retryDelay\":\"99999999999999999999h\"}]}}") >
                INT64_C(86400000));
}

static int64_t wait_for(const struct chat_wait_headers headers)
{
    const int64_t now = INT64_C(784111777000); /* Sun, 06 Nov 1994 08:49:37 GMT */
    assert_true(read_json("{\"error\":{\"message\":\"retry in 7s\"}}", 429));
    return chat_error_wait_ms(&error, &headers, now);
}

static void test_waits_in_headers(void **state)
{
    (void)state;
    assert_int_equal(wait_for((struct chat_wait_headers){0}), 7000);
    assert_int_equal(wait_for((struct chat_wait_headers){.retry_after = "3"}), 3000);
    assert_int_equal(wait_for((struct chat_wait_headers){.retry_after = "0.25"}), 250);
    assert_int_equal(
        wait_for((struct chat_wait_headers){.retry_after = "1", .retry_after_ms = "0"}), 0);
    assert_int_equal(
        wait_for((struct chat_wait_headers){.retry_after = "Sun, 06 Nov 1994 08:50:07 GMT"}),
        30000);
    assert_int_equal(
        wait_for((struct chat_wait_headers){.retry_after = "Sat, 05 Nov 1994 08:49:37 GMT"}), 0);
    assert_int_equal(wait_for((struct chat_wait_headers){.retry_after = "next Tuesday"}), 7000);
    assert_int_equal(wait_for((struct chat_wait_headers){.retry_after = "-5"}), 7000);
    assert_int_equal(wait_for((struct chat_wait_headers){.retry_after = ""}), 7000);
    assert_true(read_json("{\"error\":{}}", 429));
    const struct chat_wait_headers reset = {.ratelimit_reset = "1784111777500"};
    assert_int_equal(chat_error_wait_ms(&error, &reset, INT64_C(1784111777000)), 500);
    const struct chat_wait_headers odd = {.ratelimit_reset = "60"};
    assert_int_equal(chat_error_wait_ms(&error, &odd, 0), -1);
}

static void test_may_retry(void **state)
{
    (void)state;
    const struct chat_wait_headers yes = {.should_retry = "true"}, no = {.should_retry = "false"};
    assert_true(read_json("{\"error\":{}}", 500));
    assert_true(chat_error_may_retry(&error, NULL));
    assert_false(chat_error_may_retry(&error, &no));
    assert_true(read_json("{\"error\":{}}", 400));
    assert_false(chat_error_may_retry(&error, NULL));
    assert_true(chat_error_may_retry(&error, &yes));
    assert_true(read_json("{\"error\":{}}", 401));
    assert_false(chat_error_may_retry(&error, &yes));
    assert_true(read_json("{\"error\":{}}", 429));
    assert_true(chat_error_may_retry(&error, NULL));
}

static void expect_text(const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 14);
    assert_int_equal(chat_error_text(&error, "api.example.org", &out), 0);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void test_line_for_the_user(void **state)
{
    (void)state;
    assert_true(
        read_json("{\"error\":{\"message\":\"Key disabled.\",\"code\":\"invalid_api_key\"}}", 401));
    expect_text(
        "api.example.org answered 401 (invalid_api_key): Key disabled; check the key: is it "
        "whole, and is it this endpoint's?");
    assert_true(read_json("{\"error\":{\"message\":\"Provider returned error\",\"code\":429,"
                          "\"metadata\":{\"raw\":\"busy\\nnow\"}}}",
                          429));
    expect_text("api.example.org answered 429: Provider returned error (busy now); too many "
                "requests; wait and try again");
    assert_true(read_json("{\"error\":{\"code\":500,\"message\":"
                          "\"{\\\"error\\\":{\\\"message\\\":\\\"inner\\\"}}\"}}",
                          500));
    expect_text("api.example.org answered 500: inner; try again later");
    /* nothing of it can act on a terminal, and a long code is cut between characters */
    assert_true(
        read_json("{\"error\":{\"message\":\"a\\u001b[2Jb\",\"code\":\"\\u001bcode\"}}", 400));
    expect_text(
        "api.example.org answered 400 (<U+001B>code): a<U+001B>[2Jb; the request is refused "
        "as it is; repeating it will not help");
    chat_error_set(&error, CHAT_ERROR_TRANSIENT, "could not connect: %s", "refused");
    expect_text("api.example.org: could not connect: refused; try again later");
}

static int release(void **state)
{
    (void)state;
    chat_error_release(&error);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_is_no_error),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_wrapped_errors),
        cmocka_unit_test(test_classes_of_the_default_endpoint),
        cmocka_unit_test(test_classes_of_others),
        cmocka_unit_test(test_bodies_that_are_no_json),
        cmocka_unit_test(test_waits_in_the_body),
        cmocka_unit_test(test_waits_in_headers),
        cmocka_unit_test(test_may_retry),
        cmocka_unit_test(test_line_for_the_user),
    };
    chat_error_init(&error);
    return cmocka_run_group_tests(tests, NULL, release);
}
