/* Tools and plugins: which there are, which clash, their options, and one call without a model. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/api/api_world.h"

static json_t *list(struct world *w)
{
    char *text = NULL;
    if (tackle_list_tools(w->rt, &text, &w->err) != 0)
        fail_msg("%s", w->err.message);
    return world_json(text);
}

static const json_t *find(const json_t *rows, const char *name)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        if (strcmp(text_at(row, "name"), name) == 0)
            return row;
    }
    return NULL;
}

static void check_fails(struct world *w, int exit_code, const char *words)
{
    char *text = NULL;
    assert_int_equal(tackle_list_tools(w->rt, &text, &w->err), -1);
    if (w->err.exit_code != exit_code || !strstr(w->err.message, words))
        fail_msg("%d: %s", w->err.exit_code, w->err.message);
    assert_null(text);
}

static void tools_are_listed_with_what_they_may(void **state)
{
    struct world *w = *state;
    json_t *rows = list(w);
    assert_int_equal(json_array_size(rows), 2);
    const json_t *act = find(rows, "act"), *alone = find(rows, "act_alone");
    assert_string_equal(text_at(act, "plugin"), "unruly");
    assert_true(json_is_true(json_object_get(act, "allowed")));
    assert_true(json_is_false(json_object_get(alone, "allowed")));
    assert_non_null(strstr(text_at(alone, "reason"), "--sandbox workspace-write"));
    assert_non_null(json_object_get(json_object_get(act, "params"), "properties"));
    json_decref(rows);
    world_set(w, "sandbox", "workspace-write");
    rows = list(w);
    assert_true(json_is_true(json_object_get(find(rows, "act_alone"), "allowed")));
    json_decref(rows);
}

static void lists_choose_among_them(void **state)
{
    struct world *w = *state;
    world_set(w, "tools", "act");
    json_t *rows = list(w);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    world_set(w, "tools", "act, no_such");
    check_fails(w, TACKLE_EXIT_CONFIG, "'no_such'");
    world_set(w, "tools", "act");
    world_set(w, "no_tools", "true");
    rows = list(w);
    assert_int_equal(json_array_size(rows), 0);
    json_decref(rows);
}

static void an_agents_list_does_not_limit_a_plugin_by_flag(void **state)
{
    struct world *w = *state;
    world_write(w, "tester.md", "---\nplugins: [hello]\ntools: [greet]\n---\nBe brief.\n");
    world_set(w, "plugin", UNRULY);
    json_t *rows = list(w);
    assert_non_null(find(rows, "greet"));
    assert_non_null(find(rows, "act"));
    assert_non_null(find(rows, "act_alone"));
    json_decref(rows);
}

static void two_tools_of_one_name_clash(void **state)
{
    struct world *w = *state;
    world_set(w, "plugin", TWIN);
    check_fails(w, TACKLE_EXIT_CONFIG, "two tools are named 'act'");
    assert_non_null(strstr(w->err.message, "unruly.so"));
    assert_non_null(strstr(w->err.message, "twin.so"));
    world_set(w, "tools", "act_alone,twin_act"); /* those that are chosen do not */
    json_t *rows = list(w);
    assert_int_equal(json_array_size(rows), 2);
    json_decref(rows);
}

static void answer(void *user, tackle_pending *pending, const char *args_json)
{
    (void)user;
    (void)args_json;
    tackle_pending_finish(pending, 0, "x", 1);
}

static void a_function_may_clash_as_well(void **state)
{
    struct world *w = *state;
    const tackle_function function = {
        .size = sizeof function, .name = "act", .description = "Acts.", .call = answer};
    assert_int_equal(tackle_add_function(w->rt, &function, &w->err), 0);
    check_fails(w, TACKLE_EXIT_CONFIG, "the program itself");
}

static void the_same_plugin_twice_is_one(void **state)
{
    struct world *w = *state;
    world_set(w, "plugin", UNRULY);
    world_set(w, "plugin", UNRULY);
    json_t *rows = list(w);
    assert_int_equal(json_array_size(rows), 2);
    json_decref(rows);
}

static json_t *call(struct world *w, const char *tool, const char *args)
{
    char *text = NULL;
    if (tackle_call_tool(w->rt, tool, args, &text, &w->err) != 0)
        fail_msg("%s", w->err.message);
    return world_json(text);
}

static void check_call(struct world *w, const char *args, bool ok, const char *output,
                       const char *error)
{
    json_t *row = call(w, "act", args);
    assert_int_equal(json_is_true(json_object_get(row, "ok")), ok);
    assert_string_equal(text_at(row, "output"), output);
    if (!strstr(text_at(row, "error"), error))
        fail_msg("%s", text_at(row, "error"));
    json_decref(row);
}

static void one_tool_is_called_without_a_model(void **state)
{
    struct world *w = *state;
    check_call(w, "{\"do\":\"echo\",\"with\":\"hello\"}", true, "hello", "");
    check_call(w, "{\"do\":\"refuse\",\"with\":\"x\"}", false, "so far", "there is no x");
    check_call(w, "{\"do\":\"crash\"}", false, "", "SIGSEGV"); /* it printed bytes of no text */
    check_call(w, "{\"do\":\"exit\"}", false, "", "ended with exit status 0");
    world_set(w, "tool_timeout", "100ms");
    check_call(w, "{\"do\":\"wait\"}", false, "", "deadline");
}

static void a_file_that_it_changed_is_told(void **state)
{
    struct world *w = *state;
    world_write(w, "workspace/a.txt", "old");
    world_set(w, "sandbox", "workspace-write");
    json_t *row = call(w, "act_alone", "{\"do\":\"write\",\"with\":\"a.txt\"}");
    const json_t *change = json_array_get(json_object_get(row, "files"), 0);
    assert_string_equal(text_at(change, "path"), "a.txt");
    json_decref(row);
}

static void check_refused(struct world *w, const char *tool, const char *args, int exit_code,
                          const char *words)
{
    char *text = NULL;
    assert_int_equal(tackle_call_tool(w->rt, tool, args, &text, &w->err), -1);
    if (w->err.exit_code != exit_code || !strstr(w->err.message, words))
        fail_msg("%d: %s", w->err.exit_code, w->err.message);
    assert_null(strchr(w->err.message, '\n'));
    assert_null(text);
}

static void what_cannot_be_called_says_why(void **state)
{
    struct world *w = *state;
    check_refused(w, "atc", "{}", TACKLE_EXIT_USAGE, "did you mean 'act'");
    check_refused(w, "something_else", "{}", TACKLE_EXIT_USAGE, "tackle tools ls");
    check_refused(w, "act", "{", TACKLE_EXIT_USAGE, "");
    check_refused(w, "act", "[]", TACKLE_EXIT_USAGE, "");
    check_refused(w, "act", "{}", TACKLE_EXIT_USAGE, "do");
    check_refused(w, "act", "{\"do\":7,\"other\":1}", TACKLE_EXIT_USAGE, "do");
    check_refused(w, "act_alone", "{\"do\":\"echo\"}", TACKLE_EXIT_DENIED, "may only read");
}

static void check_option(struct world *w, const char *option, const char *words)
{
    const tackle_run_options options = {
        .size = sizeof options, .prompt = "x", .settings = (const char *const[]){option, NULL}};
    tackle_run *run;
    assert_int_equal(tackle_run_start(w->rt, &options, &run, &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    if (!strstr(w->err.message, words))
        fail_msg("%s", w->err.message);
}

static void options_of_plugins_are_checked(void **state)
{
    struct world *w = *state;
    check_option(w, "plugin_option=unruly.opne=x", "did you mean 'open'");
    check_option(w, "plugin_option=unruly.count=x", "is not a whole number");
    check_option(w, "plugin_option=unruly.url=x", "http or https URL");
    check_option(w, "plugin_option=unruly.loud=x", "true or false");
    check_option(w, "plugin_option=unruly", "NAME.OPTION=VALUE");
    check_option(w, "plugin_option=unruly.open", "NAME.OPTION=VALUE");
    check_option(w, "plugin_option=a=b.c", "NAME.OPTION=VALUE");
    check_option(w, "plugin_option=other.open=x", "no plugin 'other'");
    world_set(w, "plugin_option", "unruly.count=7");
    world_set(w, "plugin_option", "unruly.count=8"); /* the last one counts */
    check_call(w, "{\"do\":\"option\",\"with\":\"count\"}", true, "8", "");
}

static void an_option_in_a_file_waits_for_its_plugin(void **state)
{
    struct world *w = *state;
    world_write(w, "home/.config/tackle/config.yaml",
                "plugin_options: [unruly.count=5, weather.base_url=http://h/]\n");
    assert_int_equal(tackle_load_config(w->rt, &w->err), 0);
    check_call(w, "{\"do\":\"option\",\"with\":\"count\"}", true, "5", "");
    world_set(w, "plugin_option", "unruly.count=6"); /* a flag is stronger */
    check_call(w, "{\"do\":\"option\",\"with\":\"count\"}", true, "6", "");
}

static void plugins_are_listed(void **state)
{
    struct world *w = *state;
    char *text = NULL, *folder = world_path(w, "plugins");
    world_write(w, "plugins/broken.so", "no plugin");
    world_write(w, "plugins/notes.txt", "no plugin either");
    assert_int_equal(setenv("TACKLE_PLUGIN_PATH", folder, 1), 0);
    assert_int_equal(tackle_load_config(w->rt, &w->err), 0);
    world_set(w, "plugin", UNRULY);
    assert_int_equal(tackle_list_plugins(w->rt, &text, &w->err), 0);
    json_t *rows = world_json(text);
    assert_string_equal(text_at(find(rows, "unruly"), "status"), "ok");
    assert_string_equal(text_at(find(rows, "hello"), "status"), "ok");
    assert_string_equal(text_at(find(rows, "broken"), "status"), "refused");
    assert_true(strlen(text_at(find(rows, "broken"), "error")) > 0);
    assert_null(find(rows, "notes"));
    json_decref(rows);
    free(folder);
}

/* A workspace's plugins are not found by name. */
static void the_workspace_is_not_searched_for_plugins(void **state)
{
    struct world *w = *state;
    char *home = getcwd(NULL, 0);
    assert_non_null(home);
    world_write(w, "workspace/evil.so", "x");
    assert_int_equal(setenv("TACKLE_PLUGIN_PATH", "relative:.", 1), 0);
    assert_int_equal(chdir(w->workspace), 0);
    assert_int_equal(tackle_load_config(w->rt, &w->err), 0);
    world_set(w, "plugin", "evil");
    check_fails(w, TACKLE_EXIT_CONFIG, "there is no plugin 'evil'");
    assert_int_equal(chdir(home), 0);
    free(home);
}

static json_t *check_plugin(struct world *w, const char *path)
{
    char *text = NULL;
    if (tackle_check_plugin(w->rt, path, &text, &w->err) != 0)
        fail_msg("%s", w->err.message);
    return world_json(text);
}

static void a_plugin_is_checked(void **state)
{
    struct world *w = *state;
    char *broken = world_path(w, "broken.so");
    world_write(w, "broken.so", "no plugin");
    json_t *row = check_plugin(w, UNRULY);
    assert_true(json_is_true(json_object_get(row, "ok")));
    assert_string_equal(text_at(json_object_get(row, "plugin"), "name"), "unruly");
    json_decref(row);
    row = check_plugin(w, "hello");
    assert_true(json_is_true(json_object_get(row, "ok")));
    json_decref(row);
    const char *const bad[] = {broken, "/no/such.so", "no-such", w->dir};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        row = check_plugin(w, bad[i]);
        assert_true(json_is_false(json_object_get(row, "ok")));
        const json_t *problem = json_array_get(json_object_get(row, "problems"), 0);
        assert_true(strlen(text_at(problem, "what")) > 0);
        json_decref(row);
    }
    free(broken);
}

static void an_optional_plugin_may_be_missing(void **state)
{
    struct world *w = *state;
    world_write(w, "tester.md", "---\nplugins: [hello, no-such?]\n---\nBe brief.\n");
    json_t *rows = list(w);
    assert_int_equal(json_array_size(rows), 1);
    json_decref(rows);
    world_write(w, "tester.md", "---\nplugins: [hello, no-such]\n---\nBe brief.\n");
    check_fails(w, TACKLE_EXIT_CONFIG, "there is no plugin 'no-such'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tools_are_listed_with_what_they_may),
        TEST(lists_choose_among_them),
        TEST(an_agents_list_does_not_limit_a_plugin_by_flag),
        TEST(two_tools_of_one_name_clash),
        TEST(a_function_may_clash_as_well),
        TEST(the_same_plugin_twice_is_one),
        TEST(one_tool_is_called_without_a_model),
        TEST(a_file_that_it_changed_is_told),
        TEST(what_cannot_be_called_says_why),
        TEST(options_of_plugins_are_checked),
        TEST(an_option_in_a_file_waits_for_its_plugin),
        TEST(plugins_are_listed),
        TEST(the_workspace_is_not_searched_for_plugins),
        TEST(a_plugin_is_checked),
        TEST(an_optional_plugin_may_be_missing),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
