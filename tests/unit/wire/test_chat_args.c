/* Arguments of tool calls: what is taken, what is mended, what the model is told. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "test_support.h"
#include "wire/chat_args.h"
#include "wire/json_repair.h"

/* `expected` NULL: refused, and `part` is in the message. */
static void expect_bytes(const char *text, size_t len, const char *expected, bool mended,
                         const char *part)
{
    struct err err = {0};
    bool repaired = true;
    json_t *args = chat_args_parse(text, len, &repaired, &err);
    if (expected) {
        if (!args)
            print_error("%s: %s\n", text, err.text);
        assert_non_null(args);
        char *got = json_dumps(args, JSON_COMPACT);
        assert_string_equal(got, expected);
        assert_int_equal(repaired, mended);
        free(got);
    } else {
        assert_null(args);
        if (!strstr(err.text, part))
            print_error("%s: \"%s\" lacks \"%s\"\n", text, err.text, part);
        assert_non_null(strstr(err.text, part));
        assert_true(text_is_utf8(err.text, strlen(err.text)));
    }
    json_decref(args);
}

static void taken(const char *text, const char *expected)
{
    expect_bytes(text, strlen(text), expected, false, NULL);
}

static void mended(const char *text, const char *expected)
{
    expect_bytes(text, strlen(text), expected, true, NULL);
}

static void refused(const char *text, const char *part)
{
    expect_bytes(text, strlen(text), NULL, false, part);
}

static void test_taken(void **state)
{
    (void)state;
    taken("{\"a\":1}", "{\"a\":1}");
    taken("  {\"a\":1}\n", "{\"a\":1}");
    taken("", "{}");
    taken(" \n", "{}");
    taken("null", "{}");
    taken(" null ", "{}");
    taken("{}", "{}");
    taken("{\"s\":\"\\ud83d\\ude00\"}", "{\"s\":\"\xf0\x9f\x98\x80\"}");
    taken("{\"n\":-0,\"r\":1e2}", "{\"n\":0,\"r\":100.0}");
}

static void test_mended(void **state)
{
    (void)state;
    mended("{\"s\":\"a\nb\tc\"}", "{\"s\":\"a\\nb\\tc\"}");
    mended("{\"s\":\"x\\ud83d\"}", "{\"s\":\"x\xef\xbf\xbd\"}");
    mended("{\"s\":\"\\ud83dx\\ude00\"}", "{\"s\":\"\xef\xbf\xbdx\xef\xbf\xbd\"}");
    mended("{\"s\":\"a\xff\"}", "{\"s\":\"a\xef\xbf\xbd\"}");
    mended("{\"n\":9223372036854775808}", "{\"n\":9.2233720368547758e18}");
    mended("{\"n\":[-99999999999999999999,12]}", "{\"n\":[-1e20,12]}");
    mended("{\"n\":9223372036854775807,\"s\":\"\x01\"}",
           "{\"n\":9223372036854775807,\"s\":\"\\u0001\"}");
}

static void test_refused(void **state)
{
    (void)state;
    refused("{", "not valid JSON");
    refused("{\"a\":", "line 1, column 5");
    refused("{\"path\": \"x\", }", "not valid JSON");
    refused("{'a':1}", "not valid JSON");
    refused("{\"a\":NaN}", "not valid JSON");
    refused("{\"a\":1e400}", "not valid JSON");
    refused("print(1)", "not valid JSON");
    refused("[]", "must be a JSON object, not an array");
    refused("5", "not a number");
    refused("true", "not a boolean");
    refused("\"{\\\"a\\\":1}\"", "not JSON text inside a string");
    refused("nullnull", "not valid JSON");
    refused("{\"path\":\"ok\",\"path\":\"../secret\"}", "duplicate");
    refused("{\"a\":1}{\"b\":2}", "not valid JSON");
    refused("{\"s\":\"a\\u0000b\"}", "NUL");
    refused("{\"\\u0000\":1}", "NUL");
    expect_bytes("{\"s\":\"a\0b\"}", 11, NULL, false, "NUL");
}

static void test_depth(void **state)
{
    (void)state;
    const size_t depths[] = {CHAT_ARGS_DEPTH - 1, CHAT_ARGS_DEPTH, 2040, 100000};
    const char *parts[] = {NULL, "nested deeper", "nested deeper", "not valid JSON"};
    for (size_t i = 0; i < 4; i++) {
        size_t depth = depths[i], len = 0;
        char *text = malloc(2 * depth + 16);
        assert_non_null(text);
        memcpy(text, "{\"a\":", 5);
        len = 5;
        memset(text + len, '[', depth);
        memset(text + len + depth, ']', depth);
        len += 2 * depth;
        text[len++] = '}';
        text[len] = '\0';
        struct err err = {0};
        json_t *args = chat_args_parse(text, len, NULL, &err);
        assert_true((args != NULL) == (parts[i] == NULL));
        if (parts[i])
            assert_non_null(strstr(err.text, parts[i]));
        json_decref(args);
        free(text);
    }
}

static void test_runs(void **state)
{
    (void)state;
    const char *run = " {\"a\":\"}{\"} {\"b\":2}";
    assert_true(chat_args_is_run(run, strlen(run)));
    assert_int_equal(chat_args_first(run, strlen(run)), 11);
    assert_int_equal(chat_args_first(run + 11, strlen(run) - 11), 8);
    assert_int_equal(chat_args_first("", 0), 0);
    assert_int_equal(chat_args_first("x", 1), 0);
    assert_int_equal(chat_args_first("{\"a\"", 4), 0);
    assert_false(chat_args_is_run("{}", 2));
    assert_false(chat_args_is_run("{}{", 3));
    assert_false(chat_args_is_run("{}[]", 4));
    assert_true(chat_args_is_run("{}{}", 4));
    char many[201];
    for (size_t i = 0; i < 200; i += 2)
        memcpy(many + i, "{}", 2);
    assert_false(chat_args_is_run(many, 200)); /* more than any turn may ask for */
}

static void expect_repair(const char *text, const char *expected)
{
    struct buf out;
    buf_init(&out, 1 << 10);
    assert_int_equal(json_repair(&out, text, strlen(text)), 0);
    assert_string_equal(out.data, expected);
    buf_release(&out);
}

static void test_repair(void **state)
{
    (void)state;
    expect_repair("", "");
    expect_repair("{\"a\":[1,2.5e-3,-1,true,null]}", "{\"a\":[1,2.5e-3,-1,true,null]}");
    expect_repair("\"\\\"\\\\\\u00e9\"", "\"\\\"\\\\\\u00e9\"");
    expect_repair("\"\\uD83D\\uDE00\"", "\"\\uD83D\\uDE00\"");
    expect_repair("\"\\uDE00\\uD83D\"", "\"\\ufffd\\ufffd\"");
    expect_repair("\"\\u12\"", "\"\\u12\"");
    expect_repair("\"cut \\", "\"cut \\");
    expect_repair("\"\x1f\"", "\"\\u001f\"");
    expect_repair("[123456789012345678,1234567890123456789012,1234567890123456789012.5]",
                  "[123456789012345678,1234567890123456789012.0,1234567890123456789012.5]");
    expect_repair("\"12345678901234567890\"", "\"12345678901234567890\"");
    struct buf small;
    buf_init(&small, 4);
    assert_int_equal(json_repair(&small, "\"abcdef\"", 8), -1);
    assert_int_equal(small.len, 0);
    buf_release(&small);
}

static void test_cut(void **state)
{
    (void)state;
    const char *whole = "{\"a\": [tru";
    const char text[] =
        "{\"a\":[true,-1.5,\"\\u00e9 \xe9\x87\x8f\",{\"b\":null}],\"c\":12345678901234567890}";
    assert_true(json_is_cut(whole, strlen(whole)));
    for (size_t len = 1; len < strlen(text); len++)
        assert_true(json_is_cut(text, len));
    assert_false(json_is_cut(text, strlen(text)));
    assert_false(json_is_cut("not JSON at all, but a sentence", 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken), cmocka_unit_test(test_mended), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth), cmocka_unit_test(test_runs),   cmocka_unit_test(test_repair),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
