/* Runs through the public header: recordings and a scripted endpoint, functions of the program,
 * cancels from everywhere. */
#include "test_support.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/endpoint.h"
#include "unit/api/api_world.h"

/* A function of the program, and the calls of it that are open. */
struct desk {
    tackle_pending *open[8];
    int calls;
    bool at_once;
    char args[200];
};

static void take_call(void *user, tackle_pending *pending, const char *args_json)
{
    struct desk *desk = user;
    (void)snprintf(desk->args, sizeof desk->args, "%s", args_json);
    if (desk->at_once)
        tackle_pending_finish(pending, 0, "at once", 7);
    else
        desk->open[desk->calls] = pending;
    desk->calls++;
}

static void add_desk(struct world *w, struct desk *desk)
{
    const tackle_function function = {.size = sizeof function,
                                      .does = TACKLE_PARALLEL,
                                      .effect = TACKLE_EFFECT_SAFE,
                                      .name = "desk",
                                      .description = "Asks the desk.",
                                      .params = "{\"type\":\"object\",\"properties\":{\"n\":"
                                                "{\"type\":\"integer\"}}}",
                                      .call = take_call,
                                      .user = desk};
    if (tackle_add_function(w->rt, &function, &w->err) != 0)
        fail_msg("%s", w->err.message);
}

static void step(struct world *w)
{
    assert_true(tackle_step(w->rt, 1000, &w->err) >= 0);
}

static void an_answer_and_its_events(void **state)
{
    struct world *w = *state;
    struct receipt r;
    receipt_init(&r, w);
    char *replay = world_replay(w, "Hello.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    assert_int_equal(json_array_size(r.events), 0); /* they come from tackle_step() */
    assert_int_equal(tackle_run_done(run), 0);
    assert_string_equal(tackle_run_text(run), "");
    json_decref(world_end(w, run, "final", 0));
    assert_string_equal(tackle_run_text(run), "Hello.");
    assert_string_equal(text_at(json_array_get(r.events, 0), "type"), "run.started");
    assert_string_equal(text_at(json_array_get(r.events, 0), "agent"), "tester");
    assert_string_equal(text_at(receipt_last(&r, "run.started"), "workspace"), w->workspace);
    assert_string_equal(text_at(receipt_last(&r, "result"), "text"), "Hello.");
    assert_int_equal(r.results, 1);
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    tackle_run_free(run);
    tackle_run_free(NULL);
    receipt_release(&r);
    free(replay);
}

static void nobody_has_to_listen(void **state)
{
    struct world *w = *state;
    char *replay = world_replay(w, "@act {\"do\":\"echo\",\"with\":\"x\"}", "Hello.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, NULL);
    assert_int_equal(tackle_run_wait(run, NULL), 0);
    assert_int_equal(tackle_run_exit_code(run), 0);
    free(replay);
}

static void tools_of_plugins_are_run(void **state)
{
    struct world *w = *state;
    struct receipt r;
    receipt_init(&r, w);
    char *replay = world_replay(w,
                                "@act {\"do\":\"echo\",\"with\":\"one\"}\n"
                                "@act {\"do\":\"crash\"}\n"
                                "@act_alone {\"do\":\"echo\"}\n"
                                "@act {\"do\":7}",
                                "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    json_t *result = world_end(w, run, "final", 0);
    const json_t *counts = json_object_get(result, "counts");
    assert_int_equal(json_integer_value(json_object_get(counts, "tool_calls")), 4);
    assert_int_equal(json_integer_value(json_object_get(counts, "tool_errors")), 3);
    assert_int_equal(json_integer_value(json_object_get(counts, "denials")), 1);
    json_decref(result);
    assert_int_equal(receipt_count(&r, "tool.completed"), 4);
    assert_int_equal(receipt_count(&r, "tool.started"), 2);
    receipt_release(&r);
    free(replay);
}

static void a_function_answers_at_once(void **state)
{
    struct world *w = *state;
    struct desk desk = {.at_once = true};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {\"n\":7}\n@desk {}", "Done.", NULL);
    struct receipt r;
    receipt_init(&r, w);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(desk.calls, 2);
    assert_string_equal(text_at(receipt_last(&r, "tool.completed"), "output"), "at once");
    receipt_release(&r);
    free(replay);
}

static void a_function_answers_later_and_in_any_order(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    struct receipt r;
    receipt_init(&r, w);
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {\"n\":1}\n@desk {\"n\":2}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    while (desk.calls < 2)
        step(w);
    assert_string_equal(desk.args, "{\"n\":2}");
    tackle_pending_finish(desk.open[1], TACKLE_E_NOT_FOUND, "no\xff such", 8);
    tackle_pending_finish(desk.open[0], 0, NULL, 0);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(receipt_count(&r, "tool.completed"), 2);
    receipt_release(&r);
    free(replay);
}

static void a_function_that_never_answers_times_out(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    struct receipt r;
    receipt_init(&r, w);
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, "tool_timeout=50ms", NULL}, &r);
    json_decref(world_end(w, run, "final", 0));
    assert_string_equal(text_at(receipt_last(&r, "tool.completed"), "code"), "timeout");
    tackle_pending_finish(desk.open[0], 0, "too late", 8);
    receipt_release(&r);
    free(replay);
}

static void answers_may_come_when_the_run_or_the_runtime_is_gone(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}", "Done.", NULL);
    const char *const settings[] = {replay, NULL};
    tackle_run *one = world_start(w, settings, NULL), *two = world_start(w, settings, NULL),
               *three = world_start(w, settings, NULL);
    while (desk.calls < 3)
        step(w);
    tackle_run_cancel(one, 0);
    json_decref(world_end(w, one, "interrupted", 130));
    tackle_run_free(two);
    (void)three; /* is freed with the runtime */
    tackle_pending_finish(desk.open[0], 0, "x", 1);
    tackle_pending_finish(desk.open[1], 0, "x", 1);
    tackle_runtime_free(w->rt);
    w->rt = NULL;
    tackle_pending_finish(desk.open[2], 0, "x", 1);
    free(replay);
}

static void runs_live_side_by_side(void **state)
{
    enum { RUNS = 20 };
    struct world *w = *state;
    struct desk desk = {.at_once = true};
    struct receipt r[RUNS];
    tackle_run *runs[RUNS];
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@act {\"do\":\"pid\"}",
                                "@act {\"do\":\"echo\",\"with\":\"x\"}", "Done.", NULL);
    for (size_t i = 0; i < RUNS; i++) {
        receipt_init(&r[i], w);
        runs[i] = world_start(
            w, (const char *const[]){replay, i % 2 ? "replay_speed=50" : "replay_speed=0", NULL},
            &r[i]);
    }
    assert_int_equal(tackle_step(w->rt, 0, &w->err), RUNS);
    for (size_t i = RUNS; i > 0; i--)
        json_decref(world_end(w, runs[i - 1], "final", 0));
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    for (size_t i = 0; i < RUNS; i++) {
        assert_int_equal(r[i].results, 1);
        assert_int_equal(receipt_count(&r[i], "tool.completed"), 3);
        receipt_release(&r[i]);
        if (i % 3)
            tackle_run_free(runs[i]);
    }
    free(replay);
}

static void two_runtimes_know_nothing_of_each_other(void **state)
{
    struct world *w = *state;
    struct desk desk = {.at_once = true};
    tackle_runtime *first = w->rt;
    char *replay = world_replay(w, "@desk {}", "Done.", NULL);
    const char *const settings[] = {replay, NULL};
    add_desk(w, &desk);
    world_set(w, "max_steps", "1");
    tackle_run *one = world_start(w, settings, NULL);
    w->rt = NULL;
    world_runtime(w);
    struct receipt r;
    receipt_init(&r, w);
    tackle_run *two = world_start(w, settings, &r);
    while (!tackle_run_done(one) || !tackle_run_done(two)) {
        assert_true(tackle_step(first, 1, &w->err) >= 0);
        assert_true(tackle_step(w->rt, 1, &w->err) >= 0);
    }
    json_decref(world_end(w, one, "max_steps", 9));
    json_decref(world_end(w, two, "final", 0));
    assert_int_equal(desk.calls, 1); /* the second has no such function */
    assert_non_null(strstr(text_at(receipt_last(&r, "tool.completed"), "output"), "no tool"));
    tackle_runtime_free(first);
    receipt_release(&r);
    free(replay);
}

static void the_callers_own_loop_drives_it(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@act {\"do\":\"pid\"}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, "replay_speed=20", NULL}, NULL);
    struct pollfd p = {.fd = tackle_fd(w->rt), .events = POLLIN};
    while (!tackle_run_done(run)) {
        assert_int_equal(poll(&p, 1, 20000), 1); /* never a wait for nothing */
        assert_true(tackle_step(w->rt, 0, &w->err) >= 0);
        if (desk.open[0])
            tackle_pending_finish(desk.open[0], 0, "x", 1);
        desk.open[0] = NULL;
    }
    json_decref(world_end(w, run, "final", 0));
    free(replay);
}

static void a_cancel_ends_it_wherever_it_is(void **state)
{
    static const struct {
        int signal, exit_code;
    } cases[] = {{0, 130}, {2, 130}, {15, 143}, {13, 141}};
    struct world *w = *state;
    struct desk desk = {0};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@act {\"do\":\"wait\"}", "Done.", NULL);
    for (size_t i = 0; i < 4; i++) {
        struct receipt r;
        receipt_init(&r, w);
        tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
        desk.calls = 0;
        desk.open[0] = NULL;
        while (i > 0 && desk.calls == 0)
            step(w); /* i == 0: before its first step */
        tackle_run_cancel(run, cases[i].signal);
        tackle_run_cancel(run, 1);
        assert_int_equal(tackle_run_done(run), 0);
        json_t *result = world_end(w, run, "interrupted", cases[i].exit_code);
        assert_string_equal(text_at(result, "status"), "interrupted");
        json_decref(result);
        assert_string_equal(text_at(json_array_get(r.events, 0), "type"), "run.started");
        tackle_run_cancel(run, 15);
        step(w);
        assert_int_equal(r.results, 1);
        receipt_release(&r);
        if (desk.open[0])
            tackle_pending_finish(desk.open[0], 0, "x", 1);
    }
    free(replay);
}

/* Whichever event it is cancelled from: it ends, once, and can go on afterwards. */
static void a_cancel_from_inside_an_event_holds(void **state)
{
    struct world *w = *state;
    struct desk desk = {.at_once = true};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@act {\"do\":\"echo\"}\n@act_alone {\"do\":\"x\"}",
                                "@nothing {}", "Done.", "Again.", "Again.", NULL);
    uint64_t events = 100;
    for (uint64_t at = 0; at < events; at++) {
        struct receipt r;
        receipt_init(&r, w);
        r.cancel_at = at;
        tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
        json_decref(r.cancel_at ? world_end(w, run, "interrupted", 143)
                                : world_end(w, run, "final", 0));
        assert_int_equal(r.results, 1);
        if (at == 0)
            events = r.seq; /* all but the result, which is too late */
        r.cancel_at = 0;
        assert_int_equal(tackle_run_continue(run, "Go on.", &w->err), 0);
        assert_int_equal(tackle_run_wait(run, &w->err), 0);
        assert_int_equal(r.results, 2);
        tackle_run_free(run);
        receipt_release(&r);
    }
    assert_true(events > 15);
    free(replay);
}

static void a_run_goes_on_with_another_prompt(void **state)
{
    struct world *w = *state;
    struct receipt r;
    receipt_init(&r, w);
    char *replay = world_replay(w, "One.", "Two.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    assert_int_equal(tackle_run_continue(run, "Too early.", &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(tackle_run_continue(run, " \n", &w->err), -1);
    assert_int_equal(tackle_run_continue(run, "And now?", &w->err), 0);
    assert_int_equal(tackle_run_done(run), 0);
    json_decref(world_end(w, run, "final", 0));
    assert_string_equal(tackle_run_text(run), "Two.");
    assert_int_equal(tackle_run_continue(run, "And now?", &w->err), 0);
    json_decref(world_end(w, run, "replay_mismatch", 11));
    assert_int_equal(receipt_count(&r, "run.started"), 1);
    assert_int_equal(r.results, 3);
    receipt_release(&r);
    free(replay);
}

/* At the event "result" all is there: its text, its code, and the next prompt. */
static void look_at_the_result(struct receipt *r, tackle_run *run, const tackle_event *event)
{
    if (strcmp(event->type, "result") != 0)
        return;
    json_t *result = json_loads(tackle_run_result(run), 0, NULL);
    assert_non_null(result);
    assert_string_equal(text_at(result, "text"), tackle_run_text(run));
    assert_string_equal(text_at(result, "stop_reason"), "final");
    json_decref(result);
    assert_int_equal(tackle_run_done(run), 1);
    assert_int_equal(tackle_run_exit_code(run), 0);
    if (r->results < 3)
        assert_int_equal(tackle_run_continue(run, "Next.", &r->world->err), 0);
}

static void the_result_can_be_read_in_its_event(void **state)
{
    struct world *w = *state;
    struct receipt r;
    receipt_init(&r, w);
    r.inside = look_at_the_result;
    char *replay = world_replay(w, "One.", "Two.", "Three.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    while (r.results < 3)
        step(w);
    json_decref(world_end(w, run, "final", 0));
    assert_string_equal(tackle_run_text(run), "Three.");
    receipt_release(&r);
    free(replay);
}

/* Answers the other call from inside the event that tells of the first. */
static void answer_inside(struct receipt *r, tackle_run *run, const tackle_event *event)
{
    struct desk *desk = r->user;
    (void)run;
    if (strcmp(event->type, "tool.completed") == 0 && desk->open[1]) {
        tackle_pending *second = desk->open[1];
        char *before = strndup(event->json, event->json_len);
        desk->open[1] = NULL;
        tackle_pending_finish(second, 0, "a longer text than before", 25);
        assert_memory_equal(event->json, before, strlen(before));
        free(before);
    }
}

static void a_call_may_be_answered_from_inside_an_event(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    struct receipt r;
    receipt_init(&r, w);
    r.inside = answer_inside;
    r.user = &desk;
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@desk {}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    while (desk.calls < 2)
        step(w);
    tackle_pending_finish(desk.open[0], 0, "x", 1);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(receipt_count(&r, "tool.completed"), 2);
    receipt_release(&r);
    free(replay);
}

/* What would turn the loop inside a turn of the loop is refused. */
static void step_inside(struct receipt *r, tackle_run *run, const tackle_event *event)
{
    struct world *w = r->world;
    char *json = NULL;
    (void)event;
    assert_true(tackle_step(w->rt, 0, &w->err) < 0);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    assert_int_equal(tackle_run_done(run) ? 0 : tackle_run_wait(run, &w->err),
                     tackle_run_done(run) ? 0 : -1);
    assert_int_equal(tackle_call_tool(w->rt, "act", "{\"do\":\"pid\"}", &json, &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
}

static void a_callback_cannot_step(void **state)
{
    struct world *w = *state;
    struct receipt r;
    receipt_init(&r, w);
    r.inside = step_inside;
    char *replay = world_replay(w, "@act {\"do\":\"echo\"}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    json_decref(world_end(w, run, "final", 0));
    receipt_release(&r);
    free(replay);
}

static void time_is_limited_whatever_happens(void **state)
{
    struct world *w = *state;
    struct desk desk = {0};
    add_desk(w, &desk);
    char *replay = world_replay(w, "@desk {}\n@act {\"do\":\"hang\"}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, "max_time=100ms", NULL}, NULL);
    json_decref(world_end(w, run, "max_time", 9));
    if (desk.open[0])
        tackle_pending_finish(desk.open[0], 0, "x", 1);
    free(replay);
}

static void freeing_what_runs(void **state)
{
    struct world *w = *state;
    char *replay = world_replay(w, "@act {\"do\":\"wait\"}\n@act {\"do\":\"echo\"}", "Done.", NULL);
    const char *const settings[] = {replay, NULL};
    struct receipt r;
    receipt_init(&r, w);
    tackle_run_free(world_start(w, settings, &r)); /* before its first step */
    tackle_run *run = world_start(w, settings, &r);
    while (receipt_count(&r, "tool.started") == 0)
        step(w);
    size_t told = json_array_size(r.events);
    tackle_run_free(run);
    step(w);
    assert_int_equal(json_array_size(r.events), told);
    run = world_start(w, settings, NULL);
    tackle_run_cancel(run, 0);
    tackle_run_free(run); /* cancelled, and its end not told */
    (void)world_start(w, settings, NULL);
    receipt_release(&r);
    free(replay);
}

static void what_cannot_start_has_sent_nothing(void **state)
{
    struct world *w = *state;
    tackle_run *run;
    char *replay = world_replay(w, "Hello.", NULL);
    tackle_run_options options = {.prompt = "x"};
    assert_int_equal(tackle_run_start(w->rt, &options, &run, &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    options = (tackle_run_options){.size = sizeof options, .prompt = " \t\n"};
    assert_int_equal(tackle_run_start(w->rt, &options, &run, &w->err), -1);
    assert_non_null(strstr(w->err.message, "prompt is empty"));
    assert_int_equal(tackle_run_start(w->rt, &options, &run, NULL), -1);
    world_start_fails(w, NULL, TACKLE_EXIT_AUTH, "TACKLE_API_KEY");
    world_start_fails(w, (const char *const[]){"replay=/no/such", NULL}, TACKLE_EXIT_CONFIG,
                      "/no/such");
    world_start_fails(w, (const char *const[]){replay, "max_stesp=3", NULL}, TACKLE_EXIT_USAGE,
                      "did you mean 'max_steps'");
    world_start_fails(w, (const char *const[]){replay, "max_steps", NULL}, TACKLE_EXIT_USAGE,
                      "key=value");
    world_start_fails(w, (const char *const[]){replay, "agent=no-such", NULL}, TACKLE_EXIT_CONFIG,
                      "there is no agent 'no-such'");
    world_start_fails(w, (const char *const[]){replay, "workspace=/no/such", NULL},
                      TACKLE_EXIT_USAGE, "workspace");
    world_start_fails(w, (const char *const[]){replay, "file=/no/such", NULL}, TACKLE_EXIT_USAGE,
                      "/no/such");
    world_start_fails(w, (const char *const[]){replay, "system=@/no/such", NULL}, TACKLE_EXIT_USAGE,
                      "/no/such");
    world_start_fails(w, (const char *const[]){replay, "plugin=no-such", NULL}, TACKLE_EXIT_CONFIG,
                      "there is no plugin 'no-such'");
    world_start_fails(w, (const char *const[]){replay, "tools=no_such", NULL}, TACKLE_EXIT_CONFIG,
                      "no_such");
    world_start_fails(w, (const char *const[]){replay, "output_schema=/no/such", NULL},
                      TACKLE_EXIT_CONFIG, "/no/such");
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 0);
    free(replay);
}

static void an_endpoint_is_asked_over_http(void **state)
{
    struct world *w = *state;
    struct endpoint_child endpoint;
    struct receipt r;
    struct err err;
    char url[200];
    receipt_init(&r, w);
    assert_int_equal(
        endpoint_child_start("=== reply\nerror rate_limit_exceeded Wait.\nheader Retry-After: 0\n"
                             "=== reply\ncall act {\"do\":\"echo\",\"with\":\"from the plugin\"}\n"
                             "=== reply\ntext Hello, and good bye.\npieces 4\nusage 1000 500\n",
                             &endpoint, &err),
        0);
    (void)snprintf(url, sizeof url, "base_url=%s", endpoint.url);
    assert_int_equal(tackle_set_key(w->rt, "TACKLE_API_KEY", "the-key", &w->err), 0);
    tackle_run *run = world_start(w, (const char *const[]){url, NULL}, &r);
    json_t *result = world_end(w, run, "final", 0);
    assert_string_equal(text_at(result, "text"), "Hello, and good bye.");
    json_decref(result);
    assert_int_equal(receipt_count(&r, "model.retry"), 1);
    assert_true(receipt_count(&r, "message.delta") > 1);
    json_t *all = endpoint_child_stop(&endpoint);
    assert_int_equal(json_array_size(all), 3);
    char *text = json_dumps(all, 0);
    assert_non_null(strstr(text, "Bearer the-key"));
    assert_non_null(strstr(text, "from the plugin"));
    assert_non_null(strstr(text, "Be brief."));
    free(text);
    json_decref(all);
    size_t index;
    json_t *event;
    json_array_foreach(r.events, index, event)
    {
        char *line = json_dumps(event, 0);
        assert_null(strstr(line, "the-key"));
        free(line);
    }
    receipt_release(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_and_its_events),
        TEST(nobody_has_to_listen),
        TEST(tools_of_plugins_are_run),
        TEST(a_function_answers_at_once),
        TEST(a_function_answers_later_and_in_any_order),
        TEST(a_function_that_never_answers_times_out),
        TEST(answers_may_come_when_the_run_or_the_runtime_is_gone),
        TEST(runs_live_side_by_side),
        TEST(two_runtimes_know_nothing_of_each_other),
        TEST(the_callers_own_loop_drives_it),
        TEST(a_cancel_ends_it_wherever_it_is),
        TEST(a_cancel_from_inside_an_event_holds),
        TEST(a_run_goes_on_with_another_prompt),
        TEST(the_result_can_be_read_in_its_event),
        TEST(a_call_may_be_answered_from_inside_an_event),
        TEST(a_callback_cannot_step),
        TEST(time_is_limited_whatever_happens),
        TEST(freeing_what_runs),
        TEST(what_cannot_start_has_sent_nothing),
        TEST(an_endpoint_is_asked_over_http),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
