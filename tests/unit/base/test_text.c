/* Text from outside: what becomes visible, what is left alone, where text is cut. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "test_support.h"

typedef int (*cleaner)(struct buf *, const char *, size_t);

static int fix(struct buf *out, const char *text, size_t len)
{
    return text_fix_utf8(out, text, len, NULL);
}

static void check_bytes(cleaner clean, const char *text, size_t len, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    assert_int_equal(clean(&out, text, len), 0);
    assert_string_equal(out.data, expected);
    assert_true(text_is_utf8(out.data, out.len));
    buf_release(&out);
}

static void check(cleaner clean, const char *text, const char *expected)
{
    check_bytes(clean, text, strlen(text), expected);
}

static void test_utf8(void **state)
{
    (void)state;
    const char *good[] = {"",
                          "plain",
                          "\xc2\x80",
                          "\xdf\xbf",
                          "\xe0\xa0\x80",
                          "\xed\x9f\xbf",
                          "\xee\x80\x80",
                          "\xef\xbf\xbf",
                          "\xf0\x90\x80\x80",
                          "\xf4\x8f\xbf\xbf",
                          "eight bytes and then \xe9\x87\x8f"};
    const char *bad[] = {"\x80",
                         "\xc0\xaf",
                         "\xc1\xbf",
                         "\xe0\x9f\xbf",
                         "\xed\xa0\x80",
                         "\xf0\x8f\xbf\xbf",
                         "\xf4\x90\x80\x80",
                         "\xf5\x80\x80\x80",
                         "\xff",
                         "\xe2\x82",
                         "\xf0\x9f\x98",
                         "\xc3",
                         "12345678\xe9\x87"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(text_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bad[i], strlen(bad[i])));
}

static void test_fix_utf8(void **state)
{
    (void)state;
    check(fix, "plain \xc3\xa9", "plain \xc3\xa9");
    check(fix,
          "a\xff"
          "b",
          "a\xef\xbf\xbd"
          "b");
    /* maximal subparts: a cut character is one replacement, an overlong one two */
    check(fix, "\xe2\x82", "\xef\xbf\xbd");
    check(fix, "\xf0\x9f\x98z", "\xef\xbf\xbdz");
    check(fix, "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
    check(fix, "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");

    struct buf out;
    buf_init(&out, 64);
    size_t replaced = 9;
    assert_int_equal(text_fix_utf8(&out, "\xff\xfe", 2, &replaced), 0);
    assert_int_equal(replaced, 2);
    buf_release(&out);
}

static void test_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 8);
    assert_int_equal(buf_text(&out, "abc"), 0);
    assert_int_equal(text_fix_utf8(&out, "12345\xff", 6, NULL), -1);
    assert_int_equal(text_for_model(&out, "\x01\x02", 2), -1);
    assert_int_equal(text_head_tail(&out, "0123456789", 10, 2, 2), -1);
    assert_string_equal(out.data, "abc");
    buf_release(&out);
}

static void test_binary(void **state)
{
    (void)state;
    assert_false(text_is_binary("", 0));
    assert_false(text_is_binary("int main(void)\r\n{\n\t\f}\n", 22));
    assert_false(text_is_binary("\x1b[31mred\x1b[0m", 12));
    assert_true(text_is_binary("text\0text", 9));
    assert_true(text_is_binary("\x01\x02\x03\x04words", 9));
    char *late = calloc(1, 9000);
    assert_non_null(late);
    memset(late, 'x', 9000);
    late[8500] = '\0'; /* past the window */
    assert_false(text_is_binary(late, 9000));
    late[8000] = '\0';
    assert_true(text_is_binary(late, 9000));
    free(late);
}

static void test_model(void **state)
{
    (void)state;
    check(text_for_model, "caf\xc3\xa9\tok\n", "caf\xc3\xa9\tok\n");
    check(text_for_model, "a\r\nb\rc", "a\nb<U+000D>c");
    check(text_for_model, "\x1b[2J", "<U+001B>[2J");
    check_bytes(text_for_model, "a\0b", 3, "a<U+0000>b");
    check(text_for_model,
          "\xc2\x9b"
          "31m",
          "<U+009B>31m");
    check(text_for_model,
          "\x9b"
          "31m",
          "\xef\xbf\xbd"
          "31m");
    check(text_for_model, "\xf3\xa0\x81\x81", "<U+E0041>");
    check(text_for_model, "\xf3\xa0\x84\x80", "<U+E0100>");
    check(text_for_model,
          "a\xe2\x80\xae"
          "b",
          "a<U+202E>b");
    check(text_for_model,
          "a\xe2\x80\x8b"
          "b",
          "a<U+200B>b");
    check(text_for_model, "\xef\xbb\xbfx", "<U+FEFF>x");
    /* an emoji with variation selector 16 stays whole */
    check(text_for_model, "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f");
    check(text_for_model, "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85", "\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85");
}

static void test_edge(void **state)
{
    (void)state;
    const char *text = "a\xe2\x82\xac"
                       "b"; /* a, euro sign, b */
    assert_int_equal(text_edge(text, 5, 0), 0);
    assert_int_equal(text_edge(text, 5, 1), 1);
    assert_int_equal(text_edge(text, 5, 2), 1);
    assert_int_equal(text_edge(text, 5, 3), 1);
    assert_int_equal(text_edge(text, 5, 4), 4);
    assert_int_equal(text_edge(text, 5, 5), 5);
    assert_int_equal(text_edge(text, 5, 99), 5);
    assert_int_equal(text_edge("\x80\x80\x80\x80\x80\x80", 6, 5), 5); /* no character to keep */
}

static void test_head_tail(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 10);
    assert_int_equal(text_head_tail(&out, "0123456789", 10, 5, 5), 0);
    assert_string_equal(out.data, "0123456789");
    buf_clear(&out);
    assert_int_equal(text_head_tail(&out, "0123456789", 10, 3, 2), 0);
    assert_string_equal(out.data, "012\n[... 5 bytes left out ...]\n89");
    buf_clear(&out);
    assert_int_equal(text_head_tail(&out, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 9, 4, 4), 0);
    assert_string_equal(out.data, "\xe2\x82\xac\n[... 3 bytes left out ...]\n\xe2\x82\xac");
    buf_clear(&out);
    assert_int_equal(text_head_tail(&out, "\xe2\x82\xac\xe2\x82\xac", 6, 0, 2), 0);
    assert_string_equal(out.data, "\n[... 6 bytes left out ...]\n");
    buf_release(&out);
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(text_distance("path", "path", 2), 0);
    assert_int_equal(text_distance("pth", "path", 2), 1);
    assert_int_equal(text_distance("apth", "path", 2), 1); /* neighbours swapped */
    assert_int_equal(text_distance("", "ab", 2), 2);
    assert_int_equal(text_distance("ab", "", 2), 2);
    assert_int_equal(text_distance("kitten", "sitting", 3), 3);
    assert_true(text_distance("kitten", "sitting", 2) > 2);
    assert_true(text_distance("read_file", "git_log", 2) > 2);
    char *word = malloc(201);
    assert_non_null(word);
    memset(word, 'x', 200);
    word[200] = '\0';
    assert_int_equal(text_distance(word, word, 2), 0);
    assert_true(text_distance(word, word + 1, 2) > 2);
    free(word);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_fix_utf8),
        cmocka_unit_test(test_full_buffer_is_left_as_it_was),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_edge),
        cmocka_unit_test(test_head_tail),
        cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
