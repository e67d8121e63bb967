/* Reading scripts: sections, words, conditions, and the messages for what is wrong in them. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint/endpoint.h"
#include "endpoint/match.h"
#include "endpoint/sections.h"
#include "endpoint/words.h"

static void sections_have_a_title_headings_and_bodies(void **state)
{
    static const char text[] = "# What it shows.\n# more\n\n=== file  a b \none\n\\=== two\n\n"
                               "=== run\nno newline at the end";
    struct sections sections;
    struct err err;
    (void)state;
    assert_int_equal(sections_parse("x", text, sizeof text - 1, &sections, &err), 0);
    assert_string_equal(sections.title, "What it shows.");
    assert_int_equal(sections.count, 2);
    assert_string_equal(sections.items[0].name, "file");
    assert_string_equal(sections.items[0].words, "a b");
    assert_int_equal(sections.items[0].line, 4);
    assert_string_equal(sections.items[0].body, "one\n=== two\n\n");
    assert_string_equal(sections.items[1].body, "no newline at the end\n");
    sections_release(&sections);
}

static void text_before_the_first_section_is_refused(void **state)
{
    struct sections sections;
    struct err err;
    (void)state;
    assert_int_equal(sections_parse("x.case", "# t\nrun it\n", 11, &sections, &err), -1);
    assert_non_null(strstr(err.text, "x.case:2: "));
}

static void placeholders_are_replaced_and_other_braces_kept(void **state)
{
    static const char text[] = "=== reply\njson {\"a\":\"{url}\",\"b\":{}}\n";
    static const struct placeholder placeholders[] = {{"{url}", "http://h"}, {NULL, NULL}};
    struct sections sections;
    struct err err;
    (void)state;
    assert_int_equal(sections_parse("x", text, sizeof text - 1, &sections, &err), 0);
    sections_expand(&sections, placeholders);
    assert_string_equal(sections.items[0].body, "json {\"a\":\"http://h\",\"b\":{}}\n");
    sections_release(&sections);
}

static void words_know_quotation_marks(void **state)
{
    struct words words;
    struct err err;
    (void)state;
    assert_int_equal(words_split("  a 'b  c' \"d \\\"e\\\" \\n\" f\\ g '' ", &words, &err), 0);
    assert_int_equal(words.count, 5);
    assert_string_equal(words.items[1], "b  c");
    assert_string_equal(words.items[2], "d \"e\" \\n");
    assert_string_equal(words.items[3], "f g");
    assert_string_equal(words.items[4], "");
    assert_null(words.items[5]);
    words_release(&words);
    assert_int_equal(words_split("a 'b", &words, &err), -1);
    assert_int_equal(words.count, 0);
}

static void durations_need_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0ms", 0}, {"200ms", 200}, {"2s", 2000}, {"1m", 60000}};
    static const char *const bad[] = {"", "2", "s", "-1s", "1h", "1 s", "99999999999999999999s"};
    struct err err;
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(words_duration(good[i].text, &ms, &err), 0);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(words_duration(bad[i], &ms, &err), -1);
}

static void conditions_on_texts(void **state)
{
    static const struct {
        const char *match, *text;
        bool holds;
    } cases[] = {
        {"is a b", "a b", true},
        {"is a b", "a b\n", true},
        {"is a b", "a b\n\n", false},
        {"is \"a\\n\"", "a\n", true},
        {"is x", NULL, false},
        {"contains ell", "hello", true},
        {"contains x", "hello", false},
        {"contains x", NULL, false},
        {"lacks x", "hello", true},
        {"lacks ell", "hello", false},
        {"lacks x", NULL, true},
        {"matches ^b.$", "a\nbc\nd", true},
        {"matches ^c", "a\nbc\nd", false},
        {"matches a",
         "\xff"
         "a",
         true},
        {"empty", "", true},
        {"empty", "\n", false},
        {"empty", NULL, false},
        {"present", "", true},
        {"present", NULL, false},
        {"absent", "", false},
        {"absent", NULL, true},
        {"at least 3", "3", true},
        {"at most 2.5", "3", false},
    };
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct match *match = match_new(cases[i].match, &err);
        assert_non_null(match);
        size_t len = cases[i].text ? strlen(cases[i].text) : 0;
        if (match_text(match, cases[i].text, len) != cases[i].holds)
            fail_msg("%s on \"%s\"", cases[i].match, cases[i].text ? cases[i].text : "(none)");
        match_free(match);
    }
}

static void conditions_on_json(void **state)
{
    static const struct {
        const char *pointer, *match;
        bool holds;
    } cases[] = {
        {"/a/0/n", "is 1", true},        {"/a/0/n", "is \"1\"", false},
        {"/a/-1/n", "is two", true},     {"/a/-1/n", "is \"two\"", true},
        {"/a/-2/n", "is 1", true},       {"/a/-3", "absent", true},
        {"/a/-", "absent", true},        {"/a/*/n", "is two", true},
        {"/a/*/n", "is three", false},   {"/a/*", "count 2", true},
        {"/a/*", "count 3", false},      {"/x/*", "count 0", true},
        {"/a/7", "absent", true},        {"/a/0", "absent", false},
        {"/a/0", "present", true},       {"/a/0", "is {\"n\":1}", true},
        {"/a", "contains \"two", true},  {"/a/*/n", "lacks two", false},
        {"/a/*/n", "lacks three", true}, {"/a/0/n", "at least 1", true},
        {"/a/0/n", "at most 0", false},  {"/a/1/n", "at least 0", false},
        {"/p~1q", "is null", true},      {"/e", "empty", true},
        {"", "present", true},           {"no pointer", "present", false},
    };
    struct err err;
    (void)state;
    json_t *root = json_loads("{\"a\":[{\"n\":1},{\"n\":\"two\"}],\"p/q\":null,\"e\":[]}", 0, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].match;
        /* A text with one quotation mark is no value: it stands for itself inside quotes. */
        struct match *match =
            match_new(strcmp(text, "contains \"two") == 0 ? "contains \"\\\"two\"" : text, &err);
        assert_non_null(match);
        if (match_json(match, root, cases[i].pointer) != cases[i].holds)
            fail_msg("%s %s", cases[i].pointer, cases[i].match);
        match_free(match);
    }
    json_decref(root);
}

static void bad_lines_are_named(void **state)
{
    static const struct {
        const char *script, *message;
    } cases[] = {
        {"=== reply\nsay hello\n", "script:2: \"say hello\" is no line of a reply"},
        {"=== replay\n", "script:1: a script has sections reply and body, not replay"},
        {"=== body\nx\n", "script:1: a body belongs to the reply above it"},
        {"=== reply 2\n", "script:1: nothing may follow"},
        {"=== reply\n\nstatus ok\n", "script:3: \"ok\" is no number from 0 to 999"},
        {"=== reply\nwait 5\n", "script:2: \"5\" is no duration"},
        {"=== reply\nwhen /a equals 1\n", "is no condition: is, contains"},
        {"=== reply\nwhen colour is red\n", "is no condition on a request"},
        {"=== reply\nwhen body matches (\n", "the regular expression ( is wrong"},
        {"=== reply\nwhen body is \"x\n", "is no JSON string"},
        {"=== reply\nwhen body present x\n", "nothing may follow"},
        {"=== reply\nerror no_such_code x\n", "none of the documented error codes"},
        {"=== reply\nheader Retry-After\n", "a header is written NAME: VALUE"},
        {"=== reply\nusage 1\n", "write usage INPUT OUTPUT"},
        {"=== reply\nusage 1 2 spent=3\n", "write usage INPUT OUTPUT"},
        {"=== reply\ncut soon\n", "say where: start, headers, half"},
        {"=== reply\nframe gzip\n", "write frame chunked"},
        {"=== reply\ncall\n", "write call [id=ID] NAME ARGUMENTS"},
        {"=== reply\nbody-file /nonexistent/x\n", "/nonexistent/x: No such file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {.text = ""};
        struct endpoint *endpoint = endpoint_new(0, &err);
        assert_non_null(endpoint);
        assert_int_equal(endpoint_load_text(endpoint, cases[i].script, &err), -1);
        if (!strstr(err.text, cases[i].message))
            fail_msg("\"%s\" lacks \"%s\"", err.text, cases[i].message);
        endpoint_free(endpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_have_a_title_headings_and_bodies),
        cmocka_unit_test(text_before_the_first_section_is_refused),
        cmocka_unit_test(placeholders_are_replaced_and_other_braces_kept),
        cmocka_unit_test(words_know_quotation_marks),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(conditions_on_texts),
        cmocka_unit_test(conditions_on_json),
        cmocka_unit_test(bad_lines_are_named),
    };
    return cmocka_run_group_tests_name("endpoint scripts", tests, NULL, NULL);
}
