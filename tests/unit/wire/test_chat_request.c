/* Request bodies: what is sent is valid JSON, says what was meant, and messages stay as they were
 * first written. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "test_support.h"
#include "wire/chat_reply.h"
#include "base/json_text.h"
#include "wire/chat_request.h"

static json_t *parse(const char *text, size_t len)
{
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!value)
        print_error("%.*s: %s\n", (int)len, text, error.text);
    assert_non_null(value);
    return value;
}

/* The body as the server reads it. */
static json_t *sent(const struct chat_request *request)
{
    struct err err = {0};
    struct chat_body body;
    struct buf bytes;
    if (chat_body_init(&body, request, &err))
        print_error("%s\n", err.text);
    assert_int_equal(err.code, ERR_NONE);
    buf_init(&bytes, 1 << 20);
    for (size_t i = 0; i < body.count; i++)
        assert_int_equal(buf_append(&bytes, body.slices[i].data, body.slices[i].len), 0);
    assert_int_equal(bytes.len, body.len);
    json_t *value = parse(bytes.data, bytes.len);
    buf_release(&bytes);
    chat_body_release(&body);
    return value;
}

static void expect_json(const json_t *got, const char *expected)
{
    json_t *want = parse(expected, strlen(expected));
    if (!json_equal(got, want)) {
        char *text = json_dumps(got, 0);
        print_error("got %s\nwant %s\n", text, expected);
        free(text);
    }
    assert_true(json_equal(got, want));
    json_decref(want);
}

static struct chat_turn turn_from(const char *body)
{
    struct chat_turn turn;
    unsigned long next = 1;
    struct chat_reply *reply = chat_reply_new(200, NULL, NULL);
    assert_non_null(reply);
    assert_int_equal(chat_reply_feed(reply, body, strlen(body)), 0);
    chat_reply_end(reply, NULL, &turn);
    chat_reply_free(reply);
    assert_int_equal(chat_turn_complete_ids(&turn, &next), 0);
    return turn;
}

static void test_text(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 10);
    const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\""},
        {"\xe9\x87\x8f", 3, "\"\xe9\x87\x8f\""},
        {"a\xff\xe9\x87", 4, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\xbd", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        buf_clear(&out);
        assert_int_equal(json_quote(&out, cases[i].text, cases[i].len), 0);
        assert_string_equal(out.data, cases[i].json);
    }
    buf_release(&out);
}

static void test_every_byte_becomes_valid_json(void **state)
{
    (void)state;
    struct buf out;
    char all[512];
    buf_init(&out, 1 << 14);
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i * 7 % 256);
    assert_int_equal(buf_byte(&out, '['), 0);
    assert_int_equal(json_quote(&out, all, sizeof all), 0);
    assert_int_equal(buf_byte(&out, ']'), 0);
    json_decref(parse(out.data, out.len));
    buf_release(&out);
}

static void test_whole_body(void **state)
{
    (void)state;
    struct buf tools, messages;
    buf_init(&tools, 1 << 14);
    buf_init(&messages, 1 << 14);
    assert_int_equal(chat_add_function(&tools, "read_file", "Reads \"a\" file",
                                       "{ \"type\": \"object\", \"properties\": {} }"),
                     0);
    assert_int_equal(chat_add_function(&tools, "now", NULL, NULL), 0);
    assert_int_equal(chat_add_system(&messages, "Be brief.", 9), 0);
    assert_int_equal(chat_add_user(&messages, "Hi\n", 3), 0);
    const struct chat_request request = {
        .model = "gemini-2.5-pro",
        .stream = true,
        .want_usage = true,
        .effort = "low",
        .include_thoughts = CHAT_CHOICE_FALSE,
        .max_tokens = 100,
        .tool_choice = "auto",
        .extra = "{\"seed\":1}",
        .tools = &tools,
        .messages = &messages,
    };
    json_t *body = sent(&request);
    expect_json(body, "{\"model\":\"gemini-2.5-pro\",\"stream\":true,"
                      "\"stream_options\":{\"include_usage\":true},\"reasoning_effort\":\"low\","
                      "\"include_thoughts\":false,\"max_tokens\":100,\"tool_choice\":\"auto\","
                      "\"seed\":1,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
                      "\"read_file\",\"description\":\"Reads \\\"a\\\" file\",\"parameters\":"
                      "{\"type\":\"object\",\"properties\":{}}}},{\"type\":\"function\","
                      "\"function\":{\"name\":\"now\",\"description\":\"\",\"parameters\":"
                      "{\"type\":\"object\",\"properties\":{}}}}],\"messages\":["
                      "{\"role\":\"system\",\"content\":\"Be brief.\"},"
                      "{\"role\":\"user\",\"content\":\"Hi\\n\"}]}");
    json_decref(body);
    buf_release(&tools);
    buf_release(&messages);
}

static void test_fewest_fields(void **state)
{
    (void)state;
    struct buf messages;
    buf_init(&messages, 1 << 10);
    assert_int_equal(chat_add_user(&messages, "Hi", 2), 0);
    const struct chat_request request = {
        .model = "m", .want_usage = true, .tool_choice = "auto", .messages = &messages};
    json_t *body = sent(&request);
    expect_json(body, "{\"model\":\"m\",\"stream\":false,\"messages\":["
                      "{\"role\":\"user\",\"content\":\"Hi\"}]}");
    json_decref(body);
    buf_release(&messages);
}

static void test_requests_that_cannot_be(void **state)
{
    (void)state;
    struct buf messages, empty;
    struct err err;
    struct chat_body body;
    buf_init(&messages, 1 << 10);
    buf_init(&empty, 1 << 10);
    assert_int_equal(chat_add_user(&messages, "Hi", 2), 0);
    const struct chat_request requests[] = {
        {.messages = &messages},
        {.model = "", .messages = &messages},
        {.model = "m"},
        {.model = "m", .messages = &empty},
        {.model = "m", .messages = &messages, .extra = "[1]"},
        {.model = "m", .messages = &messages, .extra = "{"},
        {.model = "m", .messages = &messages, .extra = "{\"messages\":[]}"},
        {.model = "m", .messages = &messages, .response_format = "5"},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        err = (struct err){0};
        assert_int_equal(chat_body_init(&body, &requests[i], &err), -1);
        assert_int_equal(err.code, ERR_USAGE);
    }
    buf_release(&messages);
}

static void test_parts(void **state)
{
    (void)state;
    struct buf messages;
    const struct chat_part parts[] = {{.text = "look", .len = 4}, {.url = "data:x", .len = 6}};
    buf_init(&messages, 1 << 10);
    assert_int_equal(chat_add_user_parts(&messages, parts, 2), 0);
    json_t *message = parse(messages.data, messages.len);
    expect_json(message, "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"look\"},"
                         "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:x\"}}]}");
    json_decref(message);
    buf_release(&messages);
}

static void test_turn_goes_back(void **state)
{
    (void)state;
    struct buf messages;
    struct chat_turn turn = turn_from(
        "{\"choices\":[{\"message\":{\"content\":null,\"reasoning\":\"secret\",\"tool_calls\":["
        "{\"id\":\"c1\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\": 1}\"},"
        "\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}},"
        "{\"function\":{\"name\":\"bad name/x\",\"arguments\":\"{\\\"a\\\":\"}},"
        "{\"id\":\"c3\",\"function\":{\"name\":\"\",\"arguments\":{\"b\":2}}}],"
        "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"D\"}]}}]}");
    buf_init(&messages, 1 << 12);
    assert_int_equal(chat_add_assistant(&messages, &turn), 0);
    assert_int_equal(chat_add_tool(&messages, "c1", "add", "", 0), 0);
    assert_int_equal(chat_add_tool(&messages, "call_1", "bad name/x", "\xff", 1), 0);
    assert_int_equal(buf_byte(&messages, ']'), 0);
    struct buf array;
    buf_init(&array, 1 << 12);
    assert_int_equal(buf_byte(&array, '['), 0);
    assert_int_equal(buf_append(&array, messages.data, messages.len), 0);
    json_t *value = parse(array.data, array.len);
    expect_json(value,
                "[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
                "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":"
                "\"{\\\"a\\\": 1}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"S\"}}},"
                "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"bad_name_x\","
                "\"arguments\":\"{}\"}},"
                "{\"id\":\"c3\",\"type\":\"function\",\"function\":{\"name\":\"unknown\","
                "\"arguments\":\"{\\\"b\\\":2}\"}}],"
                "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"D\"}]},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"name\":\"add\",\"content\":"
                "\"(no output)\"},"
                "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"name\":\"bad_name_x\","
                "\"content\":\"\xef\xbf\xbd\"}]");
    json_decref(value);
    buf_release(&array);
    buf_release(&messages);
    chat_turn_release(&turn);
}

static void test_turn_with_nothing_is_left_out(void **state)
{
    (void)state;
    struct buf messages;
    struct chat_turn turn = turn_from("{\"choices\":[{\"message\":{\"content\":\"\"}}]}");
    buf_init(&messages, 1 << 10);
    assert_int_equal(chat_add_assistant(&messages, &turn), 0);
    assert_int_equal(messages.len, 0);
    buf_release(&messages);
    chat_turn_release(&turn);
}

static void test_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct buf messages;
    struct chat_turn turn = turn_from(
        "{\"choices\":[{\"message\":{\"content\":\"a long answer that does not fit\"}}]}");
    buf_init(&messages, 48);
    assert_int_equal(chat_add_user(&messages, "x", 1), 0);
    char *before = strdup(messages.data);
    assert_non_null(before);
    assert_int_equal(chat_add_assistant(&messages, &turn), -1);
    assert_int_equal(chat_add_tool(&messages, "id", "name", "text", 4), -1);
    assert_int_equal(chat_add_function(&messages, "name", "text", NULL), -1);
    assert_int_equal(chat_add_user(&messages, "more text", 9), -1);
    assert_string_equal(messages.data, before);
    free(before);
    chat_turn_release(&turn);
    buf_release(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_every_byte_becomes_valid_json),
        cmocka_unit_test(test_whole_body),
        cmocka_unit_test(test_fewest_fields),
        cmocka_unit_test(test_requests_that_cannot_be),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_turn_goes_back),
        cmocka_unit_test(test_turn_with_nothing_is_left_out),
        cmocka_unit_test(test_full_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
