/* Differences of texts, as people see them. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include "base/diff.h"

static void differs(const char *before, const char *after, const char *wanted)
{
    struct buf out;
    buf_init(&out, 100000);
    assert_int_equal(diff_text(&out, before, after, 60), 0);
    assert_string_equal(out.data, wanted);
    buf_release(&out);
}

static void equal_texts_have_none(void **state)
{
    (void)state;
    differs("", "", "");
    differs("a\nb\n", "a\nb\n", "");
    differs("a\nb", "a\nb\n", ""); /* lines are compared, not their ends */
}

static void changes_stand_in_their_context(void **state)
{
    (void)state;
    differs("a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n");
    differs("", "new\n", "@@ -0,0 +1,1 @@\n+new\n");
    differs("old\n", "", "@@ -1,1 +0,0 @@\n-old\n");
    differs("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    differs("a\nb\nc\nd\n", "a\nc\nx\nd\n", "@@ -1,4 +1,4 @@\n a\n-b\n c\n+x\n d\n");
}

static void changes_far_apart_have_headings_of_their_own(void **state)
{
    (void)state;
    differs("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
            "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
            "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
    differs("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
            "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
}

static void long_lines_show_where_they_differ(void **state)
{
    (void)state;
    char a[2001], b[2001];
    struct buf out;
    memset(a, 'x', sizeof a - 1);
    memset(b, 'x', sizeof b - 1);
    a[2000] = b[2000] = '\0';
    memcpy(a + 1000, "HERE", 4);
    buf_init(&out, 100000);
    assert_int_equal(diff_text(&out, a, b, 60), 0);
    assert_non_null(strstr(out.data, "HERE"));
    assert_non_null(strstr(out.data, "-[...]x"));
    assert_non_null(strstr(out.data, "+[...]x"));
    assert_true(out.len < 600);
    buf_release(&out);
}

static void much_is_cut_and_cleaned(void **state)
{
    (void)state;
    struct buf many, out;
    buf_init(&many, 1000000);
    buf_init(&out, 1000000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_format(&many, "line %d\n", i), 0);
    assert_int_equal(diff_text(&out, "", many.data, 10), 0);
    assert_non_null(strstr(out.data, "+line 9\n[4990 lines more]\n"));
    buf_clear(&out);
    assert_int_equal(diff_text(&out, many.data, "\x1b[31mred\xff\n", 6000), 0);
    assert_non_null(strstr(out.data, "+<U+001B>[31mred\xEF\xBF\xBD\n"));
    buf_release(&out);
    buf_init(&out, 20); /* too small */
    assert_int_equal(diff_text(&out, "a\n", many.data, 10), -1);
    buf_release(&out);
    buf_release(&many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_have_none),
        cmocka_unit_test(changes_stand_in_their_context),
        cmocka_unit_test(changes_far_apart_have_headings_of_their_own),
        cmocka_unit_test(long_lines_show_where_they_differ),
        cmocka_unit_test(much_is_cut_and_cleaned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
