#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/yaml.h"

/* The YAML means this JSON. */
static void check(const char *yaml, const char *json)
{
    struct err err;
    json_t *wanted = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_t *value = yaml_load(yaml, strlen(yaml), 1, &err);
    if (!value)
        fail_msg("%s: %s", yaml, err.text);
    assert_non_null(wanted);
    if (!json_equal(value, wanted)) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        print_error("%s is %s, not %s\n", yaml, text, json);
        free(text);
        fail();
    }
    json_decref(value);
    json_decref(wanted);
}

static void values_have_the_types_of_the_core_schema(void **state)
{
    (void)state;
    check("a: 1\nb: -2\nc: +3\nd: 007", "{\"a\":1,\"b\":-2,\"c\":3,\"d\":7}");
    check("[1.5, -0.25, .5, 1e3, 1., -1E-2]", "[1.5,-0.25,0.5,1000.0,1.0,-0.01]");
    check("[true, True, FALSE, yes, no, on]", "[true,true,false,\"yes\",\"no\",\"on\"]");
    check("[null, ~, Null, '', nil]", "[null,null,null,\"\",\"nil\"]");
    check("a:\nb: x", "{\"a\":null,\"b\":\"x\"}");
    check("['1', \"true\", \"~\"]", "[\"1\",\"true\",\"~\"]");
    check("[1.2.3, 12:30, 1-2, e5, '-', ., 1_000, 5m, 0x, -+3, 2026-11-23]",
          "[\"1.2.3\",\"12:30\",\"1-2\",\"e5\",\"-\",\".\",\"1_000\",\"5m\",\"0x\",\"-+3\","
          "\"2026-11-23\"]");
    check("[9223372036854775807, 9223372036854775808, 1e999]",
          "[9223372036854775807,\"9223372036854775808\",\"1e999\"]");
    check("\"a\\0b\"", "\"a\\u0000b\"");
}

static void structure(void **state)
{
    (void)state;
    check("", "null");
    check("# nothing but a comment\n", "null");
    check("---\n...\n", "null");
    check("a: {b: [c, {d: e}]}", "{\"a\":{\"b\":[\"c\",{\"d\":\"e\"}]}}");
    check("text: |\n  one\n  two\n", "{\"text\":\"one\\ntwo\\n\"}");
    check("a: &x [1]\nb: *x\n", "{\"a\":[1],\"b\":[1]}");
    check("one: 1\n---\ntwo: 2\n", "{\"one\":1}");
    check("5: five", "{\"5\":\"five\"}");
    check("k\xc3\xa4se: \"\\u00e4\"", "{\"k\\u00e4se\":\"\\u00e4\"}");
}

static void check_error(const char *yaml, unsigned first_line, const char *text)
{
    struct err err = {.code = ERR_NONE};
    json_t *value = yaml_load(yaml, strlen(yaml), first_line, &err);
    assert_null(value);
    assert_int_equal(err.code, ERR_PARSE);
    if (strncmp(err.text, text, strlen(text)) != 0)
        fail_msg("\"%s\" does not begin with \"%s\"", err.text, text);
    assert_null(yaml_load(yaml, strlen(yaml), first_line, NULL));
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
    (void)state;
    check_error("a: 1\nb: [1,\nc: 2\n", 1, "line ");
    check_error("a: 1\n b: 2\n", 1, "line 2: ");
    check_error("a: 1\n b: 2\n", 10, "line 11: ");
    check_error("a: 1\nb: 2\na: 3\n", 1, "line 3: 'a' is there twice");
    check_error("a: 1\n? [x]\n: 2\n", 1, "line 1: a key must be plain text");
    check_error("a: *nobody\n", 1, "line 1: ");
    check_error("a: 'open\n", 1, "line ");
    check_error("a: \"\\ud800\"\n", 1, "line 1: ");
    check_error("a: \xff\xfe\n", 1, "line ");
    check_error("a: \x01\n", 1, "line ");
    check_error("\t- a\n", 1, "line ");
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[2 * (YAML_DEPTH_MAX + 2) + 1];
    size_t depth = YAML_DEPTH_MAX + 1; /* the innermost list is YAML_DEPTH_MAX deep */
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    struct err err;
    json_t *value = yaml_load(text, strlen(text), 1, &err);
    assert_non_null(value);
    json_decref(value);
    depth++;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    check_error(text, 1, "line 1: too deep or too large");
}

static void copies_by_alias_are_limited(void **state)
{
    (void)state;
    check_error("a: &a [*a]\n", 1, "line 1: ");
    check_error("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
                1, "line ");
}

/* As large as any file that is read: this must not take long, whoever wrote it. */
static void a_very_deep_text_is_no_danger(void **state)
{
    static const char *const pieces[] = {"[", "{a: ", "- ", "? ", "[\n", "{? "};
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct buf text;
        struct err err;
        buf_init(&text, 256 << 10);
        while (buf_text(&text, pieces[i]) == 0)
            continue;
        assert_null(yaml_load(text.data, text.len, 1, &err));
        assert_int_equal(err.code, ERR_PARSE);
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_the_types_of_the_core_schema),
        cmocka_unit_test(structure),
        cmocka_unit_test(what_is_wrong_is_told_with_its_line),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(copies_by_alias_are_limited),
        cmocka_unit_test(a_very_deep_text_is_no_danger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
