/* One-line forms: cutting by columns, tool calls, times, counts; suggestions. */
#include "test_support.h"

#include <jansson.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "suggest.h"

static void check_line(const char *text, size_t columns, bool utf8, const char *wanted)
{
    char *got = line_make(text, strlen(text), columns, utf8);
    assert_string_equal(got, wanted);
    free(got);
}

static void lines_are_folded_and_cut(void **state)
{
    (void)state;
    check_line("  a\n\n b\tc ", 0, true, "a b c");
    check_line("abcdef", 6, true, "abcdef");
    check_line("abcdefg", 6, true, "abcde…");
    check_line("abcdefg", 6, false, "abc...");
    check_line("東京都庁", 6, true, "東京…"); /* each takes two columns */
    check_line("東京都庁", 5, true, "東京…");
    check_line("e\u0301e\u0301e\u0301", 3, true, "e\u0301e\u0301e\u0301"); /* accents take none */
    check_line("a\x1b[31mb", 0, true, "a\\x1b[31mb");
    check_line("", 3, true, "");
    check_line("abc", 1, true, "…");
}

static void first_line_is_found(void **state)
{
    static const char text[] = "\n\r\n  no such file\nmore";
    (void)state;
    char *got = line_first(text, sizeof text - 1, 0, true);
    assert_string_equal(got, "no such file");
    free(got);
    got = line_first("\n \n", 3, 0, true);
    assert_string_equal(got, "");
    free(got);
}

static void check_call(const char *json, const char *wanted)
{
    json_t *arguments = json_loads(json, JSON_DECODE_ANY, NULL);
    char *got = line_call(arguments);
    assert_string_equal(got, wanted);
    free(got);
    json_decref(arguments);
}

static void calls_show_what_tells_most(void **state)
{
    (void)state;
    check_call("{\"path\":\"src/main.c\",\"old\":\"a\",\"new\":\"b\"}", "src/main.c");
    check_call("{\"argv\":[\"make\",\"test\"],\"timeout_s\":9}", "make test");
    check_call("{\"argv\":[\"sh\",\"-c\",\"a b\"]}", "sh -c \"a b\"");
    check_call("{\"shell\":\"make && ls\"}", "make && ls");
    check_call("{\"message\":\"fix: it\\n\\nlong\"}", "\"fix: it\"");
    check_call("{\"path\":\"src\",\"pattern\":\"TODO\"}", "\"TODO\" src");
    check_call("{\"paths\":[\"a\",\"b\"]}", "a b");
    check_call("{\"location\":\"東京\"}", "\"東京\"");
    check_call("{\"amount\":3,\"other\":4}", "3");
    check_call("{\"path\":\"\"}", "\"\"");
    check_call("{}", "");
    check_call("{\"path\":null}", "null");
    check_call("\"{\\\"path\\\":\\\"x\\\"}\"", "x"); /* as models send it */
    check_call("\"{broken\"", "{broken");
    check_call("{\"path\":\"\\u001b[2J\"}", "\\x1b[2J");
    check_call("[1]", "");
    char *none = line_call(NULL);
    assert_string_equal(none, "");
    free(none);
}

static void numbers_are_short(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } times[] = {{0, "0 ms"},       {-5, "0 ms"},         {999, "999 ms"},       {1000, "1.0 s"},
                 {59999, "59.9 s"}, {125000, "2 m 05 s"}, {3600000, "60 m 00 s"}};
    static const struct {
        int64_t n;
        const char *text;
    } counts[] = {
        {0, "0"}, {9999, "9999"}, {12345, "12.3k"}, {999999, "999.9k"}, {1250000, "1.2M"}};
    char out[LINE_SHORT];
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        line_duration(times[i].ms, out);
        assert_string_equal(out, times[i].text);
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        line_count(counts[i].n, out);
        assert_string_equal(out, counts[i].text);
    }
}

static const char *nearest(const char *word)
{
    struct suggest s;
    suggest_init(&s, word);
    suggest_add(&s, "max-steps");
    suggest_add(&s, "model");
    suggest_add(&s, "max-time");
    return s.best;
}

static void near_words_are_suggested(void **state)
{
    (void)state;
    assert_string_equal(nearest("modle"), "model"); /* a swap counts once */
    assert_string_equal(nearest("max-step"), "max-steps");
    assert_string_equal(nearest("max_steps"), "max-steps");
    assert_null(nearest("zzz"));
    assert_null(nearest("x"));
    assert_null(nearest("a-word-that-is-far-longer-than-any-option-there-could-be"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_folded_and_cut),   cmocka_unit_test(first_line_is_found),
        cmocka_unit_test(calls_show_what_tells_most), cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(near_words_are_suggested),
    };
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
