#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/settings.h"

static int set_up(void **state)
{
    struct settings *s = malloc(sizeof *s);
    assert_non_null(s);
    assert_int_equal(settings_init(s), 0);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    settings_release(*state);
    free(*state);
    return 0;
}

static void set(struct settings *s, enum layer layer, const char *key, const char *value)
{
    struct err err;
    if (settings_set(s, layer, key, value, &err) != 0)
        fail_msg("%s", err.text);
}

static void defaults(void **state)
{
    const struct settings *s = *state;
    assert_null(settings_text(s, SET_MODEL));
    assert_string_equal(settings_text(s, SET_AGENT), "assistant");
    assert_string_equal(settings_text(s, SET_SANDBOX), "read-only");
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 50);
    assert_int_equal(settings_number(s, SET_MAX_TOOL_CALLS), 0);
    assert_int_equal(settings_number(s, SET_TOOL_TIMEOUT), 120000);
    assert_true(settings_flag(s, SET_STREAM));
    assert_false(settings_flag(s, SET_NO_TOOLS));
    assert_false(settings_is_set(s, SET_MAX_STEPS));
    assert_int_equal(settings_count(s, SET_PLUGIN), 0);
    assert_null(settings_item(s, SET_PLUGIN, 0));
}

/* What the library tells of its settings is sound: each default is a value that can be set. */
static void the_table_is_sound(void **state)
{
    static const char *const types[] = {"text",     "path",  "int",    "bool",
                                        "duration", "money", "choice", "list"};
    const tackle_setting *const *table = settings_table();
    size_t count = 0;
    for (; table[count]; count++) {
        const tackle_setting *row = table[count];
        bool known = false;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            known = known || strcmp(row->type, types[i]) == 0;
        assert_true(known);
        assert_int_equal(row->size, sizeof *row);
        assert_string_equal(settings_key((enum setting)count), row->key);
        assert_non_null(row->group);
        assert_true(row->help && *row->help);
        assert_int_equal(row->argument == NULL, strcmp(row->type, "bool") == 0);
        assert_int_equal(row->choices != NULL, strcmp(row->type, "choice") == 0);
        if (row->default_value)
            set(*state, LAYER_FLAG, row->key, row->default_value);
        for (size_t i = 0; i < count; i++)
            assert_string_not_equal(table[i]->key, row->key);
    }
    assert_int_equal(count, SETTING_COUNT);
}

static void the_strongest_layer_counts(void **state)
{
    struct settings *s = *state;
    set(s, LAYER_USER, "max_steps", "10");
    set(s, LAYER_FLAG, "max-steps", "20");
    set(s, LAYER_AGENT, "max_steps", "30");
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 20);
    assert_int_equal(settings_layer(s, SET_MAX_STEPS), LAYER_FLAG);
    set(s, LAYER_FLAG, "max_steps", "21");
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 21);
    set(s, LAYER_RUN, "max_steps", "22");
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 22);
    assert_true(settings_is_set(s, SET_MAX_STEPS));
}

static void lists_gather(void **state)
{
    struct settings *s = *state;
    set(s, LAYER_FLAG, "plugin", "./a.so");
    set(s, LAYER_USER, "plugin", "b");
    assert_int_equal(settings_count(s, SET_PLUGIN), 2);
    assert_string_equal(settings_item(s, SET_PLUGIN, 1), "b");
    assert_int_equal(settings_item_layer(s, SET_PLUGIN, 1), LAYER_USER);
    assert_int_equal(settings_layer(s, SET_PLUGIN), LAYER_FLAG);
    struct err err;
    for (int i = 2; i < SETTING_ITEMS_MAX; i++)
        set(s, LAYER_FLAG, "plugin", "x");
    assert_int_equal(settings_set(s, LAYER_FLAG, "plugin", "x", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "plugin"));
}

static void bad_values_are_refused(void **state)
{
    static const struct {
        const char *key, *value, *text;
    } cases[] = {
        {"max_steps", "0", "from 1 up"},
        {"max_steps", "-1", "whole number"},
        {"max_steps", "ten", "whole number"},
        {"max_steps", "", "whole number"},
        {"max_steps", " 5", "whole number"},
        {"max_steps", "+5", "whole number"},
        {"max_steps", "5 ", "whole number"},
        {"max_steps", "1e3", "whole number"},
        {"max_steps", "2147483648", "whole number"},
        {"max_steps", "99999999999999999999", "whole number"},
        {"retries", "1.5", "whole number"},
        {"stream", "maybe", "true or false"},
        {"stream", "", "true or false"},
        {"stream", "true|yes", "true or false"},
        {"sandbox", "none", "read-only|workspace-write"},
        {"sandbox", "read", "read-only|workspace-write"},
        {"sandbox", "read-only|workspace-write", "not one of"},
        {"effort", "low|high", "not one of"},
        {"effort", "", "low|high"},
        {"max_time", "0", "a time such as"},
        {"max_time", "soon", "a time such as"},
        {"tool_timeout", "-5s", "a time such as"},
        {"workspace", "", "a value"},
        {"plugin", "", "a value"},
        {"max_stesp", "5", "did you mean 'max_steps'"},
        {"colour_of_the_sky", "blue", "unknown setting"},
        {"", "x", "unknown setting"},
    };
    struct settings *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {.code = ERR_NONE};
        if (settings_set(s, LAYER_FLAG, cases[i].key, cases[i].value, &err) != -1)
            fail_msg("%s=%s", cases[i].key, cases[i].value);
        assert_int_equal(err.code, ERR_USAGE);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%s=%s: %s", cases[i].key, cases[i].value, err.text);
    }
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 50); /* as it was */
}

static void switches_have_many_spellings(void **state)
{
    static const char *const on[] = {"true", "yes", "on", "1"};
    static const char *const off[] = {"false", "no", "off", "0"};
    struct settings *s = *state;
    for (size_t i = 0; i < 4; i++) {
        set(s, LAYER_FLAG, "no_tools", on[i]);
        assert_string_equal(settings_text(s, SET_NO_TOOLS), "true");
        set(s, LAYER_FLAG, "no_tools", off[i]);
        assert_string_equal(settings_text(s, SET_NO_TOOLS), "false");
    }
}

static void durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"90", 90000},
                 {"30s", 30000},
                 {"5m", 300000},
                 {"1h", 3600000},
                 {"250ms", 250},
                 {"0", 0},
                 {"8760h", 31536000000},
                 {"8761h", -1},
                 {"", -1},
                 {"s", -1},
                 {"5x", -1},
                 {"5 s", -1},
                 {"-5", -1},
                 {"+5", -1},
                 {"1.5h", -1},
                 {"5min", -1},
                 {"5ss", -1},
                 {"9223372036854775807h", -1},
                 {"99999999999999999999", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (settings_parse_duration(cases[i].text) != cases[i].ms)
            fail_msg("%s", cases[i].text);
}

/* One "key: value" of a file, in JSON. */
static int from_file(struct settings *s, enum layer layer, const char *key, const char *json,
                     bool *ignored, struct err *err)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    int status = settings_set_json(s, layer, key, value, ignored, err);
    json_decref(value);
    return status;
}

static void files_have_types(void **state)
{
    struct settings *s = *state;
    struct err err;
    assert_int_equal(from_file(s, LAYER_USER, "max_steps", "7", NULL, &err), 0);
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 7);
    assert_int_equal(from_file(s, LAYER_USER, "stream", "false", NULL, &err), 0);
    assert_false(settings_flag(s, SET_STREAM));
    assert_int_equal(from_file(s, LAYER_USER, "tools", "[\"a\",\"b\"]", NULL, &err), 0);
    assert_string_equal(settings_text(s, SET_TOOLS), "a,b");
    assert_int_equal(from_file(s, LAYER_USER, "tools", "\"c\"", NULL, &err), 0);
    assert_string_equal(settings_text(s, SET_TOOLS), "c");
    assert_int_equal(from_file(s, LAYER_USER, "plugin", "[\"a\",\"b\"]", NULL, &err), 0);
    assert_int_equal(from_file(s, LAYER_USER, "plugin", "\"c\"", NULL, &err), 0);
    assert_int_equal(settings_count(s, SET_PLUGIN), 3);
    assert_int_equal(from_file(s, LAYER_USER, "model", "4.5", NULL, &err), 0);
    assert_string_equal(settings_text(s, SET_MODEL), "4.5");
}

static void files_may_be_wrong(void **state)
{
    static const struct {
        const char *key, *json, *text;
    } cases[] = {
        {"max_steps", "{\"a\":1}", "max_steps"},
        {"max_steps", "null", "max_steps"},
        {"max_steps", "1.5", "max_steps"},
        {"max_steps", "true", "max_steps"},
        {"plugin", "[\"a\",7]", "item 2"},
        {"plugin", "{}", "plugin"},
        {"tools", "[[\"a\"]]", "item 1"},
        {"tool", "\"a\"", "did you mean 'tools'"},
        {"sandbox", "[\"workspace-write\",\"x\"]", "sandbox"},
        {"sandbox", "false", "is not one of read-only|workspace-write|off"},
        {"sandbox_tier", "\"t1\"", "is not one of t3|t2|external"},
        {"sandbox_tier", "\"off\"", "is not one of t3|t2|external"},
        {"sandbox_read", "[\"/usr\",\"lib\"]", "'lib' is not an absolute path"},
        {"sandbox_read", "\"~/x\"", "is not an absolute path"},
        {"command_network", "\"all\"", "none|host"},
        {"command_memory", "-1", "a whole number"},
    };
    struct settings *s = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {.code = ERR_NONE};
        if (from_file(s, LAYER_USER, cases[i].key, cases[i].json, NULL, &err) != -1)
            fail_msg("%s: %s", cases[i].key, cases[i].json);
        if (!strstr(err.text, cases[i].text))
            fail_msg("%s", err.text);
    }
    json_t *many = json_array();
    for (int i = 0; i < 1000; i++)
        (void)json_array_append_new(many, json_string("a_tool_with_a_name"));
    struct err err;
    assert_int_equal(settings_set_json(s, LAYER_USER, "tools", many, NULL, &err), -1);
    json_decref(many);
}

static void a_project_may_only_tighten(void **state)
{
    static const struct {
        const char *key, *json;
        bool taken;
    } cases[] = {
        {"max_steps", "20", true},
        {"max_steps", "21", false}, /* more than the 20 there are now */
        {"max_steps", "0", false},
        {"max_steps", "-3", false},
        {"max_steps", "[5]", false},
        {"max_tool_calls", "7", true}, /* there was no limit */
        {"max_tool_calls", "8", false},
        {"max_time", "\"5m\"", true},
        {"max_time", "\"6m\"", false},
        {"max_time", "\"for ever\"", false},
        {"tool_timeout", "\"60s\"", true},
        {"tool_timeout", "\"1h\"", false},
        {"sandbox", "\"read-only\"", true},
        {"sandbox", "\"workspace-write\"", false},
        {"no_tools", "false", false},
        {"no_tools", "true", true},
        {"no_tools", "\"yes\"", true},
        {"base_url", "\"http://evil.org/v1\"", false},
        {"model", "\"evil\"", false},
        {"fallback_model", "\"evil\"", false},
        {"plugin", "[\"./evil.so\"]", false},
        {"plugin_option", "[\"a.b=c\"]", false},
        {"agent", "\"evil\"", false},
        {"system", "\"Be evil.\"", false},
        {"file", "[\"/etc/passwd\"]", false},
        {"workspace", "\"/\"", false},
        {"trust_project", "true", false},
        {"sandbox", "\"off\"", false},
        {"allow", "[\"*\"]", false},
        {"allow", "\"*\"", false},
        {"ask", "[\"git_*\"]", true},
        {"deny", "[\"run_command(curl)\", \"fetch\"]", true},
        {"deny", "\"fetch\"", true},
        {"policy", "\"p.yaml\"", false},
        {"sandbox_tier", "\"external\"", false},
        {"sandbox_tier", "\"t3\"", false},
        {"sandbox_read", "[\"/\"]", false},
        {"command_network", "\"host\"", false},
        {"command_network", "\"none\"", false},
        {"command_memory", "0", false},
        {"command_processes", "100000", false},
        {"command_file_size", "1", false},
        {"approval", "\"ask\"", false},
        {"approval", "\"never\"", true},
        {"on_deny", "\"continue\"", false},
        {"on_deny", "\"fail\"", true},
        {"max_denials", "0", false},
        {"max_denials", "11", false},
        {"max_denials", "3", true},
        {"instructions", "false", false},
        {"replay", "\"x\"", false},
        {"retries", "0", false},
        {"google_search", "true", false},
        {"output_schema", "\"x\"", false},
    };
    struct settings *s = *state;
    struct err err;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool ignored = false;
        if (from_file(s, LAYER_PROJECT, cases[i].key, cases[i].json, &ignored, &err) != 0)
            fail_msg("%s: %s", cases[i].key, err.text);
        if (ignored == cases[i].taken)
            fail_msg("%s: %s", cases[i].key, cases[i].json);
    }
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 20);
    assert_int_equal(settings_number(s, SET_MAX_TIME), 300000);
    assert_null(settings_text(s, SET_MODEL));
    assert_int_equal(settings_count(s, SET_PLUGIN), 0);
    bool ignored = false;
    assert_int_equal(from_file(s, LAYER_PROJECT, "max_stesp", "3", &ignored, &err), -1);
}

static void what_a_user_gave_is_not_loosened(void **state)
{
    struct settings *s = *state;
    struct err err;
    bool ignored = false;
    set(s, LAYER_FLAG, "max_steps", "5");
    assert_int_equal(from_file(s, LAYER_PROJECT, "max_steps", "30", &ignored, &err), 0);
    assert_true(ignored);
    assert_int_equal(settings_number(s, SET_MAX_STEPS), 5);
}

static void copies_are_deep(void **state)
{
    struct settings *s = *state, copy;
    set(s, LAYER_USER, "model", "m");
    set(s, LAYER_USER, "plugin", "a");
    set(s, LAYER_FLAG, "plugin", "b");
    assert_int_equal(settings_copy(&copy, s), 0);
    set(s, LAYER_RUN, "model", "n");
    set(s, LAYER_RUN, "plugin", "c");
    assert_string_equal(settings_text(&copy, SET_MODEL), "m");
    assert_int_equal(settings_layer(&copy, SET_MODEL), LAYER_USER);
    assert_int_equal(settings_count(&copy, SET_PLUGIN), 2);
    assert_int_equal(settings_item_layer(&copy, SET_PLUGIN, 1), LAYER_FLAG);
    settings_release(&copy);
    settings_release(&copy);
}

static void all_of_them_with_their_origins(void **state)
{
    struct settings *s = *state;
    set(s, LAYER_ENVIRONMENT, "model", "m");
    set(s, LAYER_FLAG, "plugin", "a");
    json_t *all = settings_json(s);
    assert_int_equal(json_array_size(all), SETTING_COUNT);
    const json_t *model = json_array_get(all, SET_MODEL);
    assert_string_equal(json_string_value(json_object_get(model, "key")), "model");
    assert_string_equal(json_string_value(json_object_get(model, "value")), "m");
    assert_string_equal(json_string_value(json_object_get(model, "origin")), "environment");
    const json_t *plugin = json_array_get(all, SET_PLUGIN);
    assert_int_equal(json_array_size(json_object_get(plugin, "value")), 1);
    assert_string_equal(json_string_value(json_object_get(plugin, "origin")), "flag");
    assert_true(json_is_null(json_object_get(json_array_get(all, SET_EFFORT), "value")));
    json_decref(all);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(the_table_is_sound),
        TEST(the_strongest_layer_counts),
        TEST(lists_gather),
        TEST(bad_values_are_refused),
        TEST(switches_have_many_spellings),
        TEST(durations),
        TEST(files_have_types),
        TEST(files_may_be_wrong),
        TEST(a_project_may_only_tighten),
        TEST(what_a_user_gave_is_not_loosened),
        TEST(copies_are_deep),
        TEST(all_of_them_with_their_origins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
