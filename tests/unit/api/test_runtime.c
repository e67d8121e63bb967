/* A runtime: settings, functions, keys, its loop. */
#include "test_support.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "unit/api/api_world.h"

static void settings_are_declared(void **state)
{
    (void)state;
    const tackle_setting *const *all = tackle_settings();
    size_t count = 0;
    for (; all[count]; count++)
        assert_int_equal(all[count]->size, sizeof **all);
    assert_true(count > 20);
    assert_string_equal(tackle_version(), TACKLE_VERSION_TEXT);
    tackle_free(NULL);
}

static void a_setting_that_is_wrong_says_so(void **state)
{
    struct world *w = *state;
    assert_int_equal(tackle_set(w->rt, "max_stesp", "3", &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    assert_string_equal(w->err.reason, "usage");
    assert_non_null(strstr(w->err.message, "max_steps"));
    assert_int_equal(tackle_set(w->rt, "max_steps", "none", NULL), -1);
    tackle_error unset = {.message = "as it was"}; /* size 0: nothing is written */
    assert_int_equal(tackle_set(w->rt, "max_steps", "none", &unset), -1);
    assert_string_equal(unset.message, "as it was");
    assert_int_equal(unset.exit_code, 0);
}

static void settings_are_shown_with_their_origin(void **state)
{
    struct world *w = *state;
    char *text = NULL;
    world_set(w, "max-steps", "7");
    assert_int_equal(tackle_show_settings(w->rt, &text, &w->err), 0);
    json_t *all = world_json(text);
    size_t index, found = 0;
    json_t *row;
    json_array_foreach(all, index, row)
    {
        if (strcmp(text_at(row, "key"), "max_steps") != 0)
            continue;
        found++;
        assert_string_equal(text_at(row, "value"), "7");
        assert_string_equal(text_at(row, "origin"), "flag");
    }
    assert_int_equal(found, 1);
    json_decref(all);
}

/* Values of plugin options may be secrets. */
static void values_of_plugin_options_are_not_shown(void **state)
{
    struct world *w = *state;
    char *text = NULL;
    world_set(w, "plugin_option", "weather.key=hunter2");
    assert_int_equal(tackle_show_settings(w->rt, &text, &w->err), 0);
    assert_non_null(strstr(text, "weather.key"));
    assert_null(strstr(text, "hunter2"));
    tackle_free(text);
}

static void answer(void *user, tackle_pending *pending, const char *args_json)
{
    (void)user;
    tackle_pending_finish(pending, 0, args_json, strlen(args_json));
}

static void check_function(struct world *w, tackle_function function, const char *words)
{
    int32_t status = tackle_add_function(w->rt, &function, &w->err);
    if (!words) {
        if (status != 0)
            fail_msg("%s", w->err.message);
        return;
    }
    assert_int_equal(status, -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    if (!strstr(w->err.message, words))
        fail_msg("%s", w->err.message);
}

static void functions_are_checked(void **state)
{
    struct world *w = *state;
    const tackle_function good = {.size = sizeof good,
                                  .name = "tell",
                                  .description = "Tells.",
                                  .params = "{\"type\":\"object\"}",
                                  .call = answer};
    tackle_function bad = good;
    bad.size = 8;
    check_function(w, bad, "size");
    bad = good;
    bad.call = NULL;
    check_function(w, bad, "call");
    bad = good;
    bad.name = "Tell";
    check_function(w, bad, "name");
    bad.name = NULL;
    check_function(w, bad, "name");
    bad = good;
    bad.description = NULL;
    check_function(w, bad, "description");
    bad = good;
    bad.params = "{\"type\":\"object\"";
    check_function(w, bad, "params");
    bad.params = "{\"type\":\"strnig\"}";
    check_function(w, bad, "params");
    check_function(w, good, NULL);
    check_function(w, good, "already");
}

static void a_function_is_a_tool_like_others(void **state)
{
    struct world *w = *state;
    char *text = NULL;
    check_function(w,
                   (tackle_function){.size = sizeof(tackle_function),
                                     .name = "tell",
                                     .description = "Tells.",
                                     .params = "{\"type\":\"object\",\"properties\":"
                                               "{\"a\":{\"type\":\"string\"}}}",
                                     .call = answer},
                   NULL);
    assert_int_equal(tackle_call_tool(w->rt, "tell", "{\"a\":\"b\"}", &text, &w->err), 0);
    json_t *row = world_json(text);
    assert_true(json_is_true(json_object_get(row, "ok")));
    assert_string_equal(text_at(row, "output"), "{\"a\":\"b\"}");
    json_decref(row);
    assert_int_equal(tackle_call_tool(w->rt, "tell", "{\"c\":1}", &text, &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
}

static void *wake_up(void *rt)
{
    tackle_wakeup(rt);
    return NULL;
}

static void a_wait_can_be_ended_from_elsewhere(void **state)
{
    struct world *w = *state;
    pthread_t thread;
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    assert_int_equal(pthread_create(&thread, NULL, wake_up, w->rt), 0);
    assert_int_equal(tackle_step(w->rt, -1, &w->err), 0); /* returns */
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void its_descriptor_is_quiet_when_nothing_is_to_do(void **state)
{
    struct world *w = *state;
    struct pollfd p = {.fd = tackle_fd(w->rt), .events = POLLIN};
    assert_true(p.fd >= 0);
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    tackle_wakeup(w->rt);
    assert_int_equal(poll(&p, 1, 1000), 1);
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    assert_int_equal(poll(&p, 1, 0), 0);
}

static bool has_key(struct world *w, const char *name)
{
    char *text = NULL;
    assert_int_equal(tackle_list_providers(w->rt, &text, &w->err), 0);
    json_t *all = world_json(text);
    bool present = false;
    size_t index;
    json_t *row;
    json_array_foreach(all, index, row)
    {
        if (strcmp(text_at(row, "name"), name) == 0)
            present = json_is_true(json_object_get(row, "key_present"));
    }
    json_decref(all);
    return present;
}

static void keys_may_be_given_and_taken_away(void **state)
{
    struct world *w = *state;
    assert_false(has_key(w, "openai"));
    assert_int_equal(setenv("OPENAI_API_KEY", "from-the-environment", 1), 0);
    assert_true(has_key(w, "openai"));
    assert_int_equal(tackle_set_key(w->rt, "OPENAI_API_KEY", NULL, &w->err), 0);
    assert_false(has_key(w, "openai"));
    assert_int_equal(tackle_set_key(w->rt, "OPENAI_API_KEY", "given", &w->err), 0);
    assert_true(has_key(w, "openai"));
    assert_int_equal(setenv("GEMINI_API_KEY", "another", 1), 0);
    const char *bytes = getenv("GEMINI_API_KEY");
    assert_int_equal(tackle_take_keys(w->rt, &w->err), 0);
    assert_null(getenv("GEMINI_API_KEY"));
    assert_null(getenv("OPENAI_API_KEY"));
    assert_null(strstr(bytes, "another"));
    assert_true(has_key(w, "google"));
}

static void a_runtime_changes_nothing_of_the_process(void **state)
{
    struct world *w = *state;
    struct sigaction before, after;
    assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
    char *replay = world_replay(w, "@act {\"do\":\"echo\"}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, NULL);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
    assert_ptr_equal(before.sa_handler, after.sa_handler);
    free(replay);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(settings_are_declared),
        TEST(a_setting_that_is_wrong_says_so),
        TEST(settings_are_shown_with_their_origin),
        TEST(values_of_plugin_options_are_not_shown),
        TEST(functions_are_checked),
        TEST(a_function_is_a_tool_like_others),
        TEST(a_wait_can_be_ended_from_elsewhere),
        TEST(its_descriptor_is_quiet_when_nothing_is_to_do),
        TEST(keys_may_be_given_and_taken_away),
        TEST(a_runtime_changes_nothing_of_the_process),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
