#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/tool.h"

#define PARAMS                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1}},"            \
    "\"required\":[\"n\"]}"

static void from_a_description(void **state)
{
    (void)state;
    struct tool tool;
    struct err err;
    json_t *value = json_loads("{\"name\":\"count\",\"description\":\"Counts.\",\"params\":" PARAMS
                               ",\"does\":[\"reads\",\"network\",\"dances\"],\"parallel\":true,"
                               "\"effect\":\"keyed\",\"hosts\":[\"example.org\",\"$url\"]}",
                               0, NULL);
    assert_non_null(value);
    assert_int_equal(tool_from_json(value, &tool, &err), 0);
    json_decref(value);
    assert_string_equal(tool.name, "count");
    assert_string_equal(tool.description, "Counts.");
    assert_int_equal(tool.does, TACKLE_READS | TACKLE_NETWORK);
    assert_int_equal(tool.effect, TACKLE_EFFECT_KEYED);
    assert_string_equal(tool_effect_name(&tool), "keyed");
    assert_true(tool.parallel);
    assert_string_equal(tool.hosts[0], "example.org");
    assert_string_equal(tool.hosts[1], "$url");
    assert_null(tool.hosts[2]);
    assert_non_null(tool.declared);
    assert_non_null(tool_schema(&tool, &err));
    json_t *sent = json_loads(tool.params, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(sent, "type")), "object");
    json_decref(sent);
    json_t *does = tool_does_json(&tool);
    assert_int_equal(json_array_size(does), 2);
    assert_string_equal(json_string_value(json_array_get(does, 1)), "network");
    json_decref(does);
    tool_release(&tool);
    tool_release(&tool);
}

static void what_is_not_said_is_the_careful_answer(void **state)
{
    (void)state;
    struct tool tool;
    struct err err;
    json_t *value = json_pack("{s:s, s:s, s:s}", "name", "x", "description", "y", "effect", "?");
    assert_int_equal(tool_from_json(value, &tool, &err), 0);
    json_decref(value);
    assert_int_equal(tool.does, 0);
    assert_false(tool.parallel);
    assert_int_equal(tool.effect, TACKLE_EFFECT_NEVER);
    assert_null(tool.hosts);
    assert_null(tool_schema(&tool, &err));
    assert_string_equal(tool.params, "{\"type\":\"object\",\"properties\":{}}");
    tool_release(&tool);
}

static void from_the_parts_of_a_function(void **state)
{
    (void)state;
    struct tool tool;
    struct err err;
    assert_int_equal(tool_from_parts("_a9", "Does.", PARAMS, TACKLE_WRITES | TACKLE_PARALLEL,
                                     TACKLE_EFFECT_PROBE, &tool, &err),
                     0);
    assert_true(tool.parallel);
    assert_string_equal(tool_effect_name(&tool), "probe");
    tool_release(&tool);
    assert_int_equal(tool_from_parts("a", "Does.", NULL, 0, 99, &tool, &err), 0);
    assert_string_equal(tool_effect_name(&tool), "never");
    tool_release(&tool);
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = {"",    "A",        "a-b", "a b",    "9a",
                                      "a.b", "\xc3\xa4", "a\n", "a/../b", NULL};
    char longest[66];
    struct tool tool;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tool_from_parts(bad[i], "Does.", NULL, 0, 0, &tool, &err), -1);
        assert_int_equal(err.code, ERR_PLUGIN);
    }
    memset(longest, 'a', sizeof longest);
    longest[65] = '\0';
    assert_int_equal(tool_from_parts(longest, "Does.", NULL, 0, 0, &tool, &err), -1);
    longest[64] = '\0';
    assert_int_equal(tool_from_parts(longest, "Does.", NULL, 0, 0, &tool, &err), 0);
    tool_release(&tool);
}

static void check_refused(const char *description, const char *params, const char *text)
{
    struct tool tool;
    struct err err;
    assert_int_equal(tool_from_parts("act", description, params, 0, 0, &tool, &err), -1);
    assert_non_null(strstr(err.text, "'act'"));
    if (!strstr(err.text, text))
        fail_msg("%s", err.text);
    assert_null(tool.name);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    check_refused(NULL, NULL, "description");
    check_refused("", NULL, "description");
    check_refused("Does.", "{", "params");
    check_refused("Does.", "{\"type\":\"object\",\"type\":\"object\"}", "params");
    check_refused("Does.", "{\"type\":\"strnig\"}", "params");
    check_refused("Does.", "", "params");
    check_refused("Does.", "[]", "params");
}

static void what_a_host_says_is_not_believed(void **state)
{
    static const char *const bad[] = {
        "null",
        "[]",
        "{}",
        "{\"name\":7,\"description\":\"x\"}",
        "{\"name\":\"x\",\"description\":[]}",
        "{\"name\":\"x\",\"description\":\"y\",\"params\":{\"type\":7}}"};
    static const char *const odd[] = {
        "{\"name\":\"x\",\"description\":\"y\",\"does\":\"reads\",\"hosts\":{},\"effect\":7}",
        "{\"name\":\"x\",\"description\":\"y\",\"does\":[7],\"hosts\":[7],\"parallel\":1}"};
    struct tool tool;
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *value = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(tool_from_json(value, &tool, &err), -1);
        json_decref(value);
    }
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        json_t *value = json_loads(odd[i], JSON_DECODE_ANY, NULL);
        assert_int_equal(tool_from_json(value, &tool, &err), 0);
        assert_int_equal(tool.does, 0);
        assert_false(tool.parallel);
        tool_release(&tool);
        json_decref(value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_a_description),
        cmocka_unit_test(what_is_not_said_is_the_careful_answer),
        cmocka_unit_test(from_the_parts_of_a_function),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_a_host_says_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
