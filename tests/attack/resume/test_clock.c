/* RES-16: the clock is set back by an hour, and then by ten years ahead, while a run goes on.
 * Records keep their order, durations stay what they are, and the run is found and resumed. */
#include "test_support.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <tackle/plugin.h>
#include <tackle/tackle.h>

#include "endpoint/endpoint.h"

#define YEARS_10 (10L * 365 * 86400)

static long shift_s; /* of the clock on the wall */

/* In place of the C library's, for the whole program: what a clock shows that somebody sets. */
int clock_gettime(clockid_t id, struct timespec *out);
int clock_gettime(clockid_t id, struct timespec *out)
{
    long status = syscall(SYS_clock_gettime, id, out);
    if (status == 0 && id == CLOCK_REALTIME)
        out->tv_sec += shift_s;
    return (int)status;
}

static void set_the_clock(void *user, tackle_pending *pending, const char *args)
{
    static const char done[] = "done";
    int *calls = user;
    (void)args;
    shift_s = ++*calls == 1 ? -3600 : YEARS_10;
    tackle_pending_finish(pending, 0, done, sizeof done - 1);
}

static json_t *parsed(char *text)
{
    json_t *value = json_loads(text, 0, NULL);
    assert_non_null(value);
    tackle_free(text);
    return value;
}

static void end(tackle_run *run)
{
    tackle_error err = TACKLE_ERROR_INIT;
    assert_int_equal(tackle_run_wait(run, &err), 0);
    json_t *result = json_loads(tackle_run_result(run), 0, NULL);
    json_int_t duration = json_integer_value(json_object_get(result, "duration_ms"));
    if (tackle_run_exit_code(run) != 0)
        fail_msg("%s", tackle_run_result(run));
    assert_true(duration >= 0 && duration < 3600 * 1000);
    json_decref(result);
    tackle_run_free(run);
}

/* The records as they are numbered, and whether a later one bears an earlier time. */
static bool time_goes_back(const json_t *run)
{
    const json_t *records = json_object_get(run, "records");
    const char *before = "";
    bool back = false;
    size_t i;
    json_t *record;
    json_array_foreach(records, i, record)
    {
        const char *now = json_string_value(json_object_get(record, "t"));
        assert_int_equal(json_integer_value(json_object_get(record, "n")), i + 1);
        back = back || strcmp(now, before) < 0;
        before = now;
    }
    return back;
}

static void the_clock_is_set_while_a_run_goes_on(void **state)
{
    static const char script[] = "=== reply\ncall set_clock {}\n=== reply\ncall set_clock {}\n"
                                 "=== reply\ntext Done.\ntimes forever\n";
    struct endpoint_child endpoint;
    struct err problem;
    tackle_error err = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    tackle_run *run = NULL;
    char *text = NULL, *dir = test_temp_dir();
    int calls = 0;
    (void)state;
    if (endpoint_child_start(script, &endpoint, &problem) != 0)
        fail_msg("%s", problem.text);
    assert_int_equal(tackle_runtime_new(&rt, &err), 0);
    assert_int_equal(tackle_set(rt, "state_dir", dir, &err), 0);
    assert_int_equal(tackle_set(rt, "workspace", dir, &err), 0);
    assert_int_equal(tackle_set(rt, "base_url", endpoint.url, &err), 0);
    assert_int_equal(tackle_set(rt, "tools", "set_clock", &err), 0);
    const tackle_function function = {.size = sizeof function,
                                      .name = "set_clock",
                                      .description = "Sets the clock",
                                      .call = set_the_clock,
                                      .user = &calls};
    assert_int_equal(tackle_add_function(rt, &function, &err), 0);
    tackle_run_options options = {.size = sizeof options, .prompt = "Go"};
    if (tackle_run_start(rt, &options, &run, &err) != 0)
        fail_msg("%s", err.message);
    end(run);
    assert_int_equal(calls, 2);

    assert_int_equal(tackle_list_runs(rt, &text, &err), 0);
    json_t *runs = parsed(text);
    assert_int_equal(json_array_size(runs), 1);
    const char *id = json_string_value(json_object_get(json_array_get(runs, 0), "id"));
    assert_int_equal(tackle_verify_run(rt, id, &text, &err), 0);
    json_t *health = parsed(text);
    assert_true(json_is_true(json_object_get(health, "ok")));
    assert_int_equal(tackle_show_run(rt, id, &text, &err), 0);
    json_t *shown = parsed(text);
    assert_true(time_goes_back(shown)); /* or nothing was tried */

    shift_s = 0; /* and back by ten years */
    options.resume = "";
    options.prompt = "More";
    if (tackle_run_start(rt, &options, &run, &err) != 0)
        fail_msg("%s", err.message);
    end(run);
    json_decref(shown);
    json_decref(health);
    json_decref(runs);
    tackle_runtime_free(rt);
    json_decref(endpoint_child_stop(&endpoint));
    test_remove_tree(dir);
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_clock_is_set_while_a_run_goes_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
