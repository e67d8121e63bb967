/* Long strings of a JSON text are read as jansson would have read them. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "test_support.h"
#include "wire/json_long.h"

static void same_as_jansson(const char *text, size_t len, size_t flags)
{
    json_error_t error, expected;
    json_t *value = json_load_long(text, len, flags, 2, &error);
    json_t *plain = json_loadb(text, len, flags, &expected);
    if (!plain) {
        assert_null(value);
        assert_string_equal(error.text, expected.text);
        assert_int_equal(error.position, expected.position);
    } else {
        assert_non_null(value);
        assert_true(json_equal(value, plain));
    }
    json_decref(value);
    json_decref(plain);
}

static void test_values(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\":\"plain text\",\"b\":[\"one\",\"two\",{\"c\":\"three\"}]}",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]",
        "[\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"]",
        "[\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]",
        "{\"long key\":\"value\",\"long key\":\"again\"}",
        "{\"long key\" \t\r\n: \"value\"}",
        ("[\"\xf4\x8f\xbf\xbf"
         "0\",\"other\"]"), /* what stands for a string, in the text itself */
        "[\"\\udbff\\udfff0\",\"other\"]",
        "\"a string by itself\"",
        "[\"ends with a slash \\\\\"]",
        "[]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        same_as_jansson(texts[i], strlen(texts[i]), JSON_DECODE_ANY);
        same_as_jansson(texts[i], strlen(texts[i]), JSON_REJECT_DUPLICATES);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[\"lone \\ud83d half\"]", "[\"lone \\ude00 half\"]",    "[\"nul \\u0000 in it\"]",
        "[\"tab\there\"]",         "[\"bad \xff byte\"]",        "[\"no end",
        "[\"bad \\x escape\"]",    "[\"short \\u12\"]",          "[\"one\" \"two\"]",
        "{\"a\":\"one\",}",        "[\"ends in an escape \\\"]",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        same_as_jansson(texts[i], strlen(texts[i]), 0);
    same_as_jansson(texts[2], strlen(texts[2]), JSON_ALLOW_NUL);
}

/* More of them than are set aside at once, and one that is really long. */
static void test_many_and_large(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, 8u << 20);
    assert_int_equal(buf_byte(&text, '['), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(buf_format(&text, "\"string number %d\",", i), 0);
    assert_int_equal(buf_byte(&text, '"'), 0);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_text(&text, "line \\\"of\\\" text\\n"), 0);
    assert_int_equal(buf_text(&text, "\"]"), 0);
    same_as_jansson(text.data, text.len, 0);
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_many_and_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
