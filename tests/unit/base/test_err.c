#include "test_support.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

static void it_says_what_and_returns_minus_one(void **state)
{
    (void)state;
    struct err e;
    assert_int_equal(err_set(&e, ERR_IO, "%s: %d", "file", 7), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.text, "file: 7");
    assert_int_equal(err_prefix(&e, "agent %s", "x"), -1);
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.text, "agent x: file: 7");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
    assert_int_equal(err_prefix(NULL, "x"), -1);
}

/* At whatever byte a long text is cut, it stays valid. */
static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[2048];
    struct err e;
    for (size_t lead = 0; lead < 5; lead++) {
        memset(text, 'x', sizeof text);
        for (size_t at = lead; at + 4 < sizeof text; at += 4)
            memcpy(text + at, "\xf0\x9f\x90\x9f", 4);
        text[sizeof text - 1] = '\0';
        err_set(&e, ERR_USAGE, "%s", text);
        assert_true(strlen(e.text) > sizeof e.text - 6);
        assert_true(text_is_utf8(e.text, strlen(e.text)));
        err_prefix(&e, "%s", "prefix");
        assert_true(strlen(e.text) > sizeof e.text - 6);
        assert_true(text_is_utf8(e.text, strlen(e.text)));
        assert_int_equal(strncmp(e.text, "prefix: x", 8), 0);
        err_prefix(&e, "%s", text);
        assert_true(text_is_utf8(e.text, strlen(e.text)));
        assert_int_equal(strncmp(e.text, text, 1000), 0);
    }
}

static void whatever_stands_in_it_it_is_one_line_of_utf8(void **state)
{
    (void)state;
    struct err e;
    err_set(&e, ERR_IO, "%s: %s", "a\nb\x1b[2J\x7f", "caf\xe9 \xc3\xa9 \xed\xa0\x80 \xf0\x9f");
    assert_string_equal(e.text, "a b [2J : caf? \xc3\xa9 ??? ??");
    err_prefix(&e, "%s", "\xff\t");
    assert_string_equal(e.text, "? : a b [2J : caf? \xc3\xa9 ??? ??");
}

static void a_text_that_just_fits_is_whole(void **state)
{
    (void)state;
    struct err e;
    char text[sizeof e.text];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    err_set(&e, ERR_USAGE, "%s", text);
    assert_string_equal(e.text, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_and_returns_minus_one),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(whatever_stands_in_it_it_is_one_line_of_utf8),
        cmocka_unit_test(a_text_that_just_fits_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
