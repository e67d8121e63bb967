/* No control sequence and nothing hidden gets through, wherever the text is cut. */
#include "test_support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "marks.h"

/* The text cleaned in pieces of `piece` bytes. malloc'd. */
static char *cleaned(enum clean_form form, const char *text, size_t len, size_t piece)
{
    char *out = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&out, &size);
    assert_non_null(file);
    struct clean c;
    clean_init(&c, form);
    for (size_t at = 0; at < len; at += piece)
        clean_feed(&c, file, text + at, len - at < piece ? len - at : piece);
    clean_end(&c, file);
    assert_int_equal(fclose(file), 0);
    return out;
}

static void check(enum clean_form form, const char *text, size_t len, const char *wanted)
{
    for (size_t piece = 1; piece <= len; piece++) {
        char *got = cleaned(form, text, len, piece);
        assert_string_equal(got, wanted);
        free(got);
    }
}

#define CHECK(form, text, wanted) check(form, text, sizeof(text) - 1, wanted)

static void controls_are_shown(void **state)
{
    (void)state;
    CHECK(CLEAN_TERMINAL, "\x1b]52;c;aGk=\x07", "\\x1b]52;c;aGk=\\x07");
    CHECK(CLEAN_TERMINAL, "a\tb\nc", "a\tb\nc");
    CHECK(CLEAN_TERMINAL, "over\rwritten", "over\\x0dwritten");
    CHECK(CLEAN_TERMINAL, "line\r\nnext\r", "line\nnext\\x0d");
    CHECK(CLEAN_TERMINAL, "\r\r\n", "\\x0d\n");
    CHECK(CLEAN_TERMINAL, "nul\0 del\x7f", "nul\\x00 del\\x7f");
    CHECK(CLEAN_TERMINAL,
          "\xC2\x9B"
          "2J",
          "<U+009B>2J");
}

static void hidden_characters_are_shown(void **state)
{
    (void)state;
    CHECK(CLEAN_TERMINAL, "a\u202Eb", "a<U+202E>b");
    CHECK(CLEAN_TERMINAL, "\u200B\u2066\uFEFF\u00AD", "<U+200B><U+2066><U+FEFF><U+00AD>");
    CHECK(CLEAN_TERMINAL, "\U000E0041\U000E0101", "<U+E0041><U+E0101>");
    CHECK(CLEAN_TERMINAL, "\u034F\U0001D173\uFFF9", "<U+034F><U+1D173><U+FFF9>");
}

static void text_of_all_languages_stays(void **state)
{
    (void)state;
    CHECK(CLEAN_TERMINAL, "東京 \u05e9\u05dc\u05d5\u05dd caf\u00e9 \U0001F600",
          "東京 \u05e9\u05dc\u05d5\u05dd caf\u00e9 \U0001F600");
}

static void bad_utf8_is_replaced(void **state)
{
    (void)state;
    CHECK(CLEAN_TERMINAL, "\x9b[2J", "\uFFFD[2J");
    CHECK(CLEAN_TERMINAL, "\xC0\x9B", "\uFFFD\uFFFD");                     /* overlong */
    CHECK(CLEAN_TERMINAL, "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD");           /* surrogate */
    CHECK(CLEAN_TERMINAL, "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"); /* too large */
    CHECK(CLEAN_TERMINAL, "\xE6\x9D|", "\uFFFD|");                         /* one maximal part */
    CHECK(CLEAN_TERMINAL, "end\xF0\x9F\x98", "end\uFFFD");
}

static void files_get_the_bytes(void **state)
{
    (void)state;
    CHECK(CLEAN_NONE, "\x1b[2J\xff\r", "\x1b[2J\xff\r");
}

/* As stream.c does it, for texts in any pieces: a byte at a time. */
static void check_marks(const char *text, const char *wanted)
{
    struct marks marks = {0};
    char out[256];
    size_t len = 0;
    for (; *text; text++) {
        if (marks_next(&marks, *text))
            out[len++] = ' ';
        out[len++] = *text;
    }
    out[len] = '\0';
    assert_string_equal(out, wanted);
}

static void ci_runners_get_no_commands(void **state)
{
    (void)state;
    check_marks("::error::x\n", ": :error::x\n");
    check_marks("a\n  ::add-mask::x", "a\n  : :add-mask::x");
    check_marks("std::string and a: b\n", "std::string and a: b\n");
    check_marks("x ##[group]", "x ## [group]");
    check_marks("##vso[task.setvariable]", "##vso [task.setvariable]");
    check_marks("##VSO[task.x] ##[y]", "##VSO [task.x] ## [y]");
    check_marks("### Title\n## More [x]", "### Title\n## More [x]");
    check_marks("###[x ##v##[", "### [x ##v## [");
    check_marks("section_start:1:a\nsection_stop", "section_start :1:a\nsection_stop");
    check_marks("Section_End:1:a", "Section_End :1:a");
    check_marks(":", ":");
    check_marks("\r\n\r::x", "\r\n\r: :x");
    check_marks("\u00a0\u3000\u2003 ::error::x", "\u00a0\u3000\u2003 : :error::x");
    check_marks("\u00e9 ::x", "\u00e9 ::x");
}

static void json_keeps_its_value(void **state)
{
    static const char text[] = "{\"a\":\"\xC2\x9B \u202E \U000E0041 \u00e9 \x7f\"}";
    (void)state;
    CHECK(CLEAN_JSON, text, "{\"a\":\"\\u009b \\u202e \\udb40\\udc41 \u00e9 \\u007f\"}");
    char *safe = cleaned(CLEAN_JSON, text, sizeof text - 1, 3);
    json_t *before = json_loads(text, 0, NULL), *after = json_loads(safe, 0, NULL);
    assert_non_null(after);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    free(safe);
    CHECK(CLEAN_JSON_LOG, "[\"##[group]\u202E\"]", "[\"\\u0023\\u0023[group]\\u202e\"]");
}

/* Every byte value, in every place of a short text: never an ESC, C1 or other control. */
static void nothing_gets_through(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256 * 256; i++) {
        char text[3] = {(char)(i >> 8), (char)(i & 0xFF), 'm'};
        char *got = cleaned(CLEAN_TERMINAL, text, sizeof text, 1);
        for (const char *at = got; *at; at++) {
            unsigned char byte = (unsigned char)*at;
            assert_true(byte >= 0x20 || byte == '\n' || byte == '\t');
            assert_int_not_equal(byte, 0x7F);
            assert_false(byte == 0xC2 && (unsigned char)at[1] < 0xA0);
        }
        free(got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_shown),
        cmocka_unit_test(hidden_characters_are_shown),
        cmocka_unit_test(text_of_all_languages_stays),
        cmocka_unit_test(bad_utf8_is_replaced),
        cmocka_unit_test(files_get_the_bytes),
        cmocka_unit_test(ci_runners_get_no_commands),
        cmocka_unit_test(json_keeps_its_value),
        cmocka_unit_test(nothing_gets_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
