/* The public view of the wire. tests/wire/rows.json has one small response for each thing that
 * servers do, and what must be read in it; docs/wire.md is the list of those things. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/tackle.h>

#include "base/buf.h"
#include "test_support.h"
#include "wire_cases.h"

#define ROWS TEST_SOURCE_DIR "/tests/wire/rows.json"

static json_t *parse(const char *body, size_t len, const tackle_wire_options *options)
{
    tackle_error error = TACKLE_ERROR_INIT;
    char *text = NULL;
    assert_int_equal(tackle_wire_parse(body, len, options, &text, &error), 0);
    json_t *value = json_loads(text, JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    tackle_free(text);
    return value;
}

static json_t *parse_text(const char *body)
{
    return parse(body, strlen(body), NULL);
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* ---- Rows ---- */

static void append_json(struct buf *body, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT);
    assert_non_null(text);
    assert_int_equal(buf_text(body, text), 0);
    free(text);
}

static void append_hex(struct buf *body, const char *hex)
{
    for (; hex && *hex; hex += 2) {
        char digits[3] = {hex[0], hex[1], '\0'};
        assert_int_equal(buf_byte(body, (char)strtoul(digits, NULL, 16)), 0);
    }
}

/* The body of a row: "raw" or "hex" bytes, one "json" document, or "events". */
static void make_body(const json_t *row, struct buf *body)
{
    const json_t *raw = json_object_get(row, "raw"), *document = json_object_get(row, "json");
    size_t i;
    json_t *event;
    buf_init(body, 1 << 20);
    if (raw)
        assert_int_equal(buf_append(body, json_string_value(raw), json_string_length(raw)), 0);
    append_hex(body, json_string_value(json_object_get(row, "hex")));
    if (document)
        append_json(body, document);
    json_array_foreach(json_object_get(row, "events"), i, event)
    {
        assert_int_equal(buf_text(body, "data: "), 0);
        if (json_is_string(event))
            assert_int_equal(buf_text(body, json_string_value(event)), 0);
        else
            append_json(body, event);
        assert_int_equal(buf_text(body, "\n\n"), 0);
    }
}

/* Are all members of `want` in `got`? */
static bool has_members(const json_t *got, const json_t *want)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)want, key,
                        value) if (!wire_same(json_object_get(got, key), value)) return false;
    return true;
}

static bool fits(const char *key, const json_t *got, const json_t *want)
{
    size_t i;
    json_t *call;
    if (strcmp(key, "error") == 0 && json_is_object(want))
        return has_members(got, want);
    if (strcmp(key, "tool_calls") != 0)
        return wire_same(got, want);
    if (json_array_size(got) != json_array_size(want))
        return false;
    json_array_foreach(want, i, call) if (!has_members(json_array_get(got, i), call)) return false;
    return true;
}

static void check_row(const json_t *row, const struct buf *body, uint64_t chunk, uint32_t random)
{
    const tackle_wire_options options = {
        .size = sizeof options,
        .status = (int32_t)json_integer_value(json_object_get(row, "status")),
        .chunk = chunk,
        .random = random,
    };
    const char *key;
    json_t *want;
    json_t *got = parse(body->data, body->len, &options);
    json_object_foreach(json_object_get(row, "expect"), key, want)
    {
        if (fits(key, json_object_get(got, key), want))
            continue;
        char *text = json_dumps(got, JSON_INDENT(1));
        print_error("%s, %lu bytes at a time: %s is not as expected in %s\n", text_of(row, "row"),
                    (unsigned long)chunk, key, text);
        free(text);
        fail();
    }
    json_decref(got);
}

static void test_rows(void **state)
{
    json_error_t error;
    size_t i;
    json_t *row;
    (void)state;
    json_t *rows = json_load_file(ROWS, JSON_ALLOW_NUL, &error);
    assert_true(json_array_size(rows) > 0);
    json_array_foreach(rows, i, row)
    {
        struct buf body;
        make_body(row, &body);
        assert_true(json_object_size(json_object_get(row, "expect")) > 0);
        check_row(row, &body, 0, 0);
        for (uint64_t chunk = 1; chunk <= 4; chunk++)
            check_row(row, &body, chunk, 0);
        check_row(row, &body, 0, 1 + (uint32_t)i);
        buf_release(&body);
    }
    json_decref(rows);
}

/* ---- What rows cannot say ---- */

static void test_all_keys_are_there(void **state)
{
    static const char *const keys[] = {"text",  "reasoning", "tool_calls", "finish_reason", "stop",
                                       "usage", "error",     "echo",       "done_marker"};
    (void)state;
    json_t *got = parse_text("");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(got, keys[i]));
    assert_null(json_object_get(got, "warnings"));
    json_decref(got);
}

static void test_what_was_mended_is_told(void **state)
{
    (void)state;
    json_t *got = parse_text("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
                             "data: {oops\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d"
                             "\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    assert_int_equal(json_array_size(json_object_get(got, "warnings")), 2);
    json_decref(got);
}

static void test_numbers_are_kept(void **state)
{
    (void)state;
    json_t *got = parse_text("{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"a\","
                             "\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x\\\":0.1,\\\"y\\\""
                             ":0.12345678901234568}\"}}]}}]}");
    const json_t *args =
        json_object_get(json_array_get(json_object_get(got, "tool_calls"), 0), "arguments");
    assert_true(json_real_value(json_object_get(args, "x")) == 0.1);
    assert_true(json_real_value(json_object_get(args, "y")) == 0.12345678901234568);
    json_decref(got);
}

/* More behind [DONE] than would be read in front of it. */
static void test_the_rest_is_drained(void **state)
{
    const char *answer =
        "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
    size_t len = strlen(answer), size = len + (200u << 10);
    char *body = malloc(size);
    (void)state;
    assert_non_null(body);
    memcpy(body, answer, len);
    memset(body + len, '\n', size - len);
    for (size_t i = len; i < size; i += 2)
        body[i] = 'x';
    for (uint32_t random = 0; random < 2; random++) {
        const tackle_wire_options options = {.size = sizeof options, .random = random};
        json_t *got = parse(body, size, &options);
        assert_string_equal(text_of(got, "stop"), "stop");
        json_decref(got);
    }
    free(body);
}

static void test_words_under_a_failing_status(void **state)
{
    const tackle_wire_options options = {.size = sizeof options, .status = 404};
    (void)state;
    json_t *got = parse("data: not found\n", 16, &options);
    assert_string_equal(text_of(json_object_get(got, "error"), "message"), "data: not found");
    json_decref(got);
}

static void test_options_of_another_size(void **state)
{
    const tackle_wire_options options = {.size = 4};
    tackle_error error = TACKLE_ERROR_INIT;
    char *text = NULL;
    (void)state;
    assert_true(tackle_wire_parse("", 0, &options, &text, &error) < 0);
    assert_int_equal(error.exit_code, TACKLE_EXIT_USAGE);
    assert_non_null(strstr(error.message, "size"));
    assert_null(text);
}

/* ---- Schemas ---- */

static void test_schema(void **state)
{
    tackle_error error = TACKLE_ERROR_INIT;
    char *text = NULL;
    (void)state;
    const char *schema =
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":[\"string\",\"null\"]"
        "}},\"additionalProperties\":false}";
    assert_int_equal(tackle_wire_schema(schema, strlen(schema), &text, &error), 0);
    json_t *got = json_loads(text, 0, NULL);
    const json_t *sent = json_object_get(got, "schema");
    const json_t *n = json_object_get(json_object_get(sent, "properties"), "n");
    assert_string_equal(text_of(n, "type"), "string");
    assert_true(json_is_true(json_object_get(n, "nullable")));
    assert_null(json_object_get(sent, "additionalProperties"));
    assert_true(json_array_size(json_object_get(got, "changes")) >= 2);
    json_decref(got);
    tackle_free(text);
}

static void test_schema_that_needs_nothing(void **state)
{
    tackle_error error = TACKLE_ERROR_INIT;
    char *text = NULL;
    (void)state;
    const char *schema = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}";
    assert_int_equal(tackle_wire_schema(schema, strlen(schema), &text, &error), 0);
    json_t *got = json_loads(text, 0, NULL), *given = json_loads(schema, 0, NULL);
    assert_true(json_equal(json_object_get(got, "schema"), given));
    assert_int_equal(json_array_size(json_object_get(got, "changes")), 0);
    json_decref(given);
    json_decref(got);
    tackle_free(text);
}

static void test_schema_that_is_none(void **state)
{
    static const struct {
        const char *schema, *problem;
    } cases[] = {{"{\"type\":", "not JSON: line 1"}, {"[]", ""}, {"", "not JSON"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tackle_error error = TACKLE_ERROR_INIT;
        char *text = NULL;
        assert_true(tackle_wire_schema(cases[i].schema, strlen(cases[i].schema), &text, &error) <
                    0);
        assert_int_equal(error.exit_code, TACKLE_EXIT_CONFIG);
        assert_non_null(strstr(error.message, cases[i].problem));
        assert_null(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_all_keys_are_there),
        cmocka_unit_test(test_what_was_mended_is_told),
        cmocka_unit_test(test_numbers_are_kept),
        cmocka_unit_test(test_the_rest_is_drained),
        cmocka_unit_test(test_words_under_a_failing_status),
        cmocka_unit_test(test_options_of_another_size),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_schema_that_needs_nothing),
        cmocka_unit_test(test_schema_that_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
