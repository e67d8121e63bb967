#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void an_empty_one_is_an_empty_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_string_equal(b.data, "");
    assert_int_equal(b.size, 0);
    buf_clear(&b);
    buf_shift(&b, 3);
    buf_cut(&b, 0);
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    assert_int_equal(b.size, 0);
    char *text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    buf_release(&b);
    buf_release(&b);
}

static void the_cap_is_reached_and_never_passed(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(buf_append(&b, "0123456789", 10), 0);
    assert_int_equal(buf_byte(&b, 'x'), -1);
    assert_int_equal(buf_text(&b, "x"), -1);
    assert_int_equal(buf_format(&b, "%d", 1), -1);
    assert_int_equal(buf_reserve(&b, 1), -1);
    assert_int_equal(buf_reserve(&b, (size_t)-1), -1);
    assert_string_equal(b.data, "0123456789"); /* as it was */
    buf_shift(&b, 4);
    assert_int_equal(buf_format(&b, "%s", "abcd"), 0);
    assert_string_equal(b.data, "456789abcd");
    assert_int_equal(b.len, 10);
    buf_release(&b);
}

static void it_grows_in_any_steps(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(buf_byte(&b, (char)('a' + i % 26)), 0);
        assert_int_equal(b.data[b.len], '\0');
        assert_true(b.size > b.len);
    }
    assert_int_equal(buf_byte(&b, 'x'), -1);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], 'a' + i % 26);
    buf_release(&b);
    assert_int_equal(b.max, 100000);
}

static void cutting_and_shifting(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_text(&b, "one two three"), 0);
    buf_cut(&b, 100);
    assert_string_equal(b.data, "one two three");
    buf_cut(&b, 7);
    assert_string_equal(b.data, "one two");
    buf_shift(&b, 4);
    assert_string_equal(b.data, "two");
    buf_shift(&b, 100);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_append(&b, "a\0b", 3), 0);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_clear(&b);
    assert_string_equal(b.data, "");
    buf_release(&b);
}

static void taken_bytes_are_the_callers(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_format(&b, "%s-%d", "x", 7), 0);
    char *text = buf_take(&b);
    assert_string_equal(text, "x-7");
    assert_string_equal(b.data, "");
    assert_int_equal(buf_text(&b, "again"), 0);
    assert_string_equal(text, "x-7");
    free(text);
    buf_release(&b);
}

static void an_empty_format_adds_nothing(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_format(&b, "%s", ""), 0);
    assert_string_equal(b.data, "");
    assert_int_equal(buf_text(&b, "x"), 0);
    assert_int_equal(buf_format(&b, "%s", ""), 0);
    assert_string_equal(b.data, "x");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_is_an_empty_text),
        cmocka_unit_test(the_cap_is_reached_and_never_passed),
        cmocka_unit_test(it_grows_in_any_steps),
        cmocka_unit_test(cutting_and_shifting),
        cmocka_unit_test(taken_bytes_are_the_callers),
        cmocka_unit_test(an_empty_format_adds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
