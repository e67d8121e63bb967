/* The report of a run: hosts once each, lists that end, bytes that are no text. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/run_report.h"
#include "engine/run_state.h"

static struct run run;

static int set_up(void **state)
{
    (void)state;
    run = (struct run){.step = 1};
    return run_report_init(&run.report);
}

static int tear_down(void **state)
{
    (void)state;
    run_report_release(&run.report);
    return 0;
}

static json_t *report(const char *files)
{
    json_t *list = json_loads(files, 0, NULL);
    assert_non_null(list);
    json_t *all = run_report_json(&run.report, 2, list);
    assert_non_null(all);
    json_decref(list);
    return all;
}

static void check(const json_t *all, const char *key, const char *wanted)
{
    char *got = json_dumps(json_object_get(all, key), JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(got, wanted);
    free(got);
}

static void nothing_is_an_empty_report(void **state)
{
    (void)state;
    json_t *all = report("[]");
    check(all, "calls", "{\"allowed\":0,\"denied\":2,\"unknown\":0}");
    check(all, "hosts", "[]");
    check(all, "executed", "[]");
    check(all, "executed_complete", "true");
    check(all, "more", "0");
    json_decref(all);
}

static void hosts_are_counted(void **state)
{
    (void)state;
    run_host_contacted(&run, "a.example", true);
    run_host_contacted(&run, "b.example:8080", false);
    run_host_contacted(&run, "a.example", true);
    run_host_contacted(&run, "a.example", false);
    run_host_contacted(&run, "\xff.example", false);
    json_t *all = report("[]");
    check(all, "hosts",
          "[{\"host\":\"a.example\",\"allowed\":true,\"requests\":2},"
          "{\"host\":\"b.example:8080\",\"allowed\":false,\"requests\":1},"
          "{\"host\":\"a.example\",\"allowed\":false,\"requests\":1},"
          "{\"host\":\"\xef\xbf\xbd.example\",\"allowed\":false,\"requests\":1}]");
    json_decref(all);
}

static void lists_end(void **state)
{
    (void)state;
    char name[32];
    for (int i = 0; i < REPORT_LIST_MAX + 7; i++) {
        (void)snprintf(name, sizeof name, "h%d.example", i);
        run_host_contacted(&run, name, true);
    }
    json_t *all = report("[]");
    assert_int_equal(json_array_size(json_object_get(all, "hosts")), REPORT_LIST_MAX);
    check(all, "more", "7");
    json_decref(all);
}

/* Those that a tool told of and those that were found, each once. */
static void what_others_execute_is_listed_once(void **state)
{
    (void)state;
    run_tripped(&run, "Makefile", "modified");
    run_tripped(&run, ".envrc", "created");
    run_tripped(&run, ".envrc", "created");
    run_tripped_unsure(&run);
    json_t *all = report("[{\"path\":\"a.c\",\"what\":\"created\"},"
                         "{\"path\":\"Makefile\",\"what\":\"created\"}]");
    check(all, "executed",
          "[{\"path\":\"Makefile\",\"what\":\"created\",\"by\":\"builds and tests\"},"
          "{\"path\":\".envrc\",\"what\":\"created\",\"by\":\"shells\"}]");
    check(all, "executed_complete", "false");
    json_decref(all);
}

static void calls_with_an_unknown_effect_are_counted(void **state)
{
    (void)state;
    struct tool safe = {.effect = TACKLE_EFFECT_SAFE}, once = {.effect = TACKLE_EFFECT_NEVER};
    struct run_call a = {.tool = &safe, .key = "a"}, b = {.tool = &once, .key = "b"};
    const struct run_result_of_call fine = {.code = 0}, killed = {.code = -5, .killed = true};
    run_report_call(&run.report, &a, &fine, true);
    run_report_call(&run.report, &b, &fine, false);
    run_report_call(&run.report, &a, &killed, false);
    run_report_call(&run.report, &b, &killed, false);
    run_report_open(&run.report, &a);
    run_report_open(&run.report, &b);
    json_t *all = report("[]");
    check(all, "calls", "{\"allowed\":0,\"denied\":2,\"unknown\":2}");
    check(all, "truncated", "[\"a\"]");
    check(all, "killed", "[\"a\",\"b\"]");
    json_decref(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_an_empty_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hosts_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_others_execute_is_listed_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(calls_with_an_unknown_effect_are_counted, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
