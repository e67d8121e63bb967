/* JSON written straight into a buffer is what a JSON parser reads back. */
#include <jansson.h>
#include <string.h>

#include "base/json_text.h"
#include "test_support.h"

static json_t *read_back(struct buf *b)
{
    json_error_t error;
    json_t *value = json_loadb(b->data, b->len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s: %s", b->data, error.text);
    return value;
}

static void texts_come_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "plain", "a\"b\\c/d", "\b\t\n\f\r", "\x01\x1f\x7f", "\xc3\xa9\xf0\x9f\x98\x80",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf b;
        buf_init(&b, 1000);
        assert_int_equal(json_quote(&b, texts[i], strlen(texts[i])), 0);
        json_t *value = read_back(&b);
        assert_string_equal(json_string_value(value), texts[i]);
        json_decref(value);
        buf_release(&b);
    }
}

static void bad_bytes_become_replacements(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(json_quote(&b, "a\xff\0z", 4), 0);
    assert_string_equal(b.data, "\"a\xef\xbf\xbd\\u0000z\"");
    buf_release(&b);
}

static void members_make_an_object(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(buf_byte(&b, '{'), 0);
    struct json_members m = {.out = &b, .first = true};
    member_text(&m, "text", "x");
    member_text(&m, "none", NULL);
    member_int(&m, "least", INT64_MIN);
    member_int(&m, "zero", 0);
    member_real(&m, "half", -0.5);
    member_real(&m, "whole", 3);
    member_real(&m, "tiny", 1e-30);
    member_bool(&m, "yes", true);
    member_open(&m, "list", '[');
    member_open(&m, NULL, '{');
    member_close(&m, '}');
    member_int(&m, NULL, 7);
    member_close(&m, ']');
    member_json(&m, "raw", "[1]", 3);
    assert_false(m.failed);
    assert_int_equal(buf_byte(&b, '}'), 0);
    assert_string_equal(b.data, "{\"text\":\"x\",\"none\":null,\"least\":-9223372036854775808,"
                                "\"zero\":0,\"half\":-0.5,\"whole\":3.0,\"tiny\":1e-30,"
                                "\"yes\":true,\"list\":[{},7],\"raw\":[1]}");
    json_decref(read_back(&b));
    buf_release(&b);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 20);
    struct json_members m = {.out = &b};
    member_text(&m, "a", "0123456789");
    assert_false(m.failed);
    member_text(&m, "b", "0123456789");
    assert_true(m.failed);
    size_t len = b.len;
    member_bool(&m, "c", true);
    member_close(&m, '}');
    assert_int_equal(b.len, len);
    buf_release(&b);
}

static void nowhere_is_a_place_too(void **state)
{
    (void)state;
    struct json_members m = {.out = NULL};
    member_open(&m, "a", '{');
    member_real(&m, "b", 1);
    member_close(&m, '}');
    assert_false(m.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_back),        cmocka_unit_test(bad_bytes_become_replacements),
        cmocka_unit_test(members_make_an_object), cmocka_unit_test(what_does_not_fit_is_told),
        cmocka_unit_test(nowhere_is_a_place_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
