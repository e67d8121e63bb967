/* What a run does with answers and calls that are as they should be, and the limits it keeps. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "unit/engine/run_world.h"

#define LOOK(path) "look", "{\"path\":\"" path "\"}"

static void a_final_answer_ends_it(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    (void)world_next(w, RUN_WAIT);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, 0)), "Be brief.");
    assert_string_equal(message_text(body_message(body, 1)), "Go.");
    assert_string_equal(text_at(body, "model"), "m");
    json_decref(body);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    assert_string_equal(text_at(result, "status"), "success");
    assert_string_equal(text_at(result, "text"), "Done.");
    assert_true(json_is_null(json_object_get(result, "error")));
    const json_t *usage = json_object_get(result, "usage");
    assert_int_equal(number_at(usage, "input_tokens"), 100);
    assert_int_equal(number_at(usage, "output_tokens"), 10);
    double cost = json_real_value(json_object_get(result, "cost_usd"));
    assert_true(cost > 0.000119 && cost < 0.000121);
    json_decref(result);
    static const char *const order[] = {"step.started", "message.completed", "step.completed",
                                        "result"};
    size_t at = 0, index;
    json_t *event;
    json_array_foreach(w->events, index, event)
    {
        if (at < 4 && strcmp(text_at(event, "type"), order[at]) == 0)
            at++;
    }
    assert_int_equal(at, 4);
}

static void an_unknown_price_is_null(void **state)
{
    struct world *w = *state;
    w->provider.input_usd = w->provider.output_usd = -1;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    assert_true(json_is_null(json_object_get(result, "cost_usd")));
    json_decref(result);
}

static void text_is_told_as_it_comes(void **state)
{
    struct world *w = *state;
    w->config.stream = true;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w,
                      "data: {\"choices\":[{\"delta\":{\"content\":\"One \"}}]}\n\n"
                      "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n"
                      "data: {\"choices\":[{\"delta\":{\"content\":\"two.\"},"
                      "\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
                      NULL);
    json_decref(world_end(w, "final", 0));
    assert_int_equal(world_count(w, "message.delta"), 2);
    assert_int_equal(world_count(w, "reasoning.delta"), 1);
    assert_string_equal(text_at(world_event(w, "message.delta"), "text"), "two.");
}

static void a_call_is_run_and_its_result_goes_back(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", LOOK("a.txt"), NULL));
    struct run_call *call = world_next_call(w, "look");
    assert_string_equal(call->args, "{\"path\":\"a.txt\"}");
    assert_int_equal(call->args_len, strlen(call->args));
    (void)world_next(w, RUN_WAIT);
    assert_ptr_equal(run_running(w->run, NULL), call);
    assert_null(run_running(w->run, call));
    run_call_progress(w->run, call, "half\x1b[31m", 9);
    assert_string_equal(text_at(world_event(w, "tool.output"), "text"), "half<U+001B>[31m");
    world_call_done(w, call, "hello");
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    const json_t *message = body_message(body, -1);
    assert_string_equal(message_text(message), "hello");
    assert_string_equal(text_at(message, "tool_call_id"), "c1");
    assert_string_equal(text_at(message, "name"), "look");
    json_decref(body);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    const json_t *counts = json_object_get(result, "counts");
    assert_int_equal(number_at(counts, "steps"), 2);
    assert_int_equal(number_at(counts, "tool_calls"), 1);
    assert_int_equal(number_at(counts, "tool_errors"), 0);
    json_decref(result);
    assert_int_equal(world_count(w, "step.started"), 2);
    assert_int_equal(world_count(w, "step.completed"), 2);
}

static void results_go_back_in_the_order_asked(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", LOOK("a"), "c2", LOOK("b"), "c3", LOOK("c"), NULL));
    struct run_call *a = world_next_call(w, "look"), *b = world_next_call(w, "look"),
                    *c = world_next_call(w, "look");
    assert_string_not_equal(a->key, b->key);
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, c, "3");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, a, "1");
    world_call_done(w, a, "again: of no effect");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, b, "2");
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -3)), "1");
    assert_string_equal(message_text(body_message(body, -2)), "2");
    assert_string_equal(message_text(body_message(body, -1)), "3");
    json_decref(body);
    assert_int_equal(world_count(w, "tool.completed"), 3);
}

static void what_may_not_run_side_by_side_runs_alone(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("1", "peek", "{}", "2", "peek", "{}", "3", "note", "{}", "4", "peek",
                               "{}", NULL));
    struct run_call *first = world_next_call(w, "peek"), *second = world_next_call(w, "peek");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, second, "2");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, first, "1");
    struct run_call *third = world_next_call(w, "note");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, third, "3");
    struct run_call *fourth = world_next_call(w, "peek");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, fourth, "4");
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static void at_most_eight_run_at_once(void **state)
{
    struct world *w = *state;
    struct run_call *running[RUN_CALLS_AT_ONCE];
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("0", "peek", "{}", "1", "peek", "{}", "2", "peek", "{}", "3", "peek",
                               "{}", "4", "peek", "{}", "5", "peek", "{}", "6", "peek", "{}", "7",
                               "peek", "{}", "8", "peek", "{}", "9", "peek", "{}", NULL));
    for (size_t i = 0; i < RUN_CALLS_AT_ONCE; i++)
        running[i] = world_next_call(w, "peek");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, running[3], "x");
    struct run_call *ninth = world_next_call(w, "peek");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, ninth, "x");
    struct run_call *tenth = world_next_call(w, "peek");
    for (size_t i = 0; i < RUN_CALLS_AT_ONCE; i++)
        if (i != 3)
            world_call_done(w, running[i], "x");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, tenth, "x");
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static const json_t *world_first(const struct world *w, const char *type)
{
    size_t index;
    json_t *event;
    json_array_foreach(w->events, index, event)
    {
        if (strcmp(text_at(event, "type"), type) == 0)
            return event;
    }
    return NULL;
}

/* The model is told at once; nothing is started. */
static void check_refused(struct world *w, json_t *calls, const char *code, const char *text)
{
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, calls);
    (void)world_next(w, RUN_ASK);
    assert_int_equal(world_count(w, "tool.started"), 0);
    assert_int_equal(world_count(w, "tool.requested"), 1);
    const json_t *event = world_event(w, "tool.completed");
    assert_string_equal(text_at(event, "code"), code);
    assert_true(json_is_false(json_object_get(event, "ok")));
    json_t *body = world_body(w);
    const char *told = message_text(body_message(body, -1));
    if (!strstr(told, text))
        fail_msg("\"%s\" is not in \"%s\"", text, told);
    json_decref(body);
    world_reply(w, reply_text("Oh."));
    json_t *result = world_end(w, "final", 0);
    assert_int_equal(number_at(json_object_get(result, "counts"), "tool_errors"), 1);
    json_decref(result);
}

static void an_unknown_tool_is_told_which_there_are(void **state)
{
    check_refused(*state, reply_calls("c1", "lok", "{}", NULL), "args",
                  "there is no tool 'lok'; there are: look, peek, note");
}

static void a_prefix_of_the_endpoint_is_seen_through(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("1", "default_api:peek", "{}", "2", "default_api.peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "x");
    world_call_done(w, world_next_call(w, "peek"), "x");
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static void arguments_that_are_no_json_are_refused(void **state)
{
    check_refused(*state, reply_calls("c1", "look", "{\"path\":", NULL), "args", "error: ");
}

static void arguments_that_do_not_fit_are_refused(void **state)
{
    check_refused(*state, reply_calls("c1", "look", "{\"path\":7}", NULL), "args", "path");
}

static void a_missing_argument_is_named(void **state)
{
    check_refused(*state, reply_calls("c1", "look", "{}", NULL), "args", "path");
}

static void arguments_for_a_tool_that_takes_none_are_refused(void **state)
{
    check_refused(*state, reply_calls("c1", "peek", "{\"deep\":true}", NULL), "args",
                  "peek takes no arguments");
}

static void what_policy_denies_is_hidden_and_refused(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    char *tools = json_dumps(json_object_get(body, "tools"), 0);
    assert_non_null(strstr(tools, "\"look\""));
    assert_null(strstr(tools, "\"change\""));
    free(tools);
    json_decref(body);
    world_reply(w, reply_calls("c1", "change", "{}", "c2", "peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "fine");
    (void)world_next(w, RUN_ASK);
    body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -2)), "--sandbox workspace-write"));
    assert_string_equal(message_text(body_message(body, -1)), "fine");
    json_decref(body);
    assert_int_equal(world_count(w, "permission.decided"), 2);
    const json_t *first = world_first(w, "permission.decided");
    assert_string_equal(text_at(first, "decision"), "deny");
    assert_string_equal(text_at(first, "name"), "change");
    assert_string_equal(text_at(world_event(w, "permission.decided"), "decision"), "allow");
    world_reply(w, reply_text("Oh."));
    json_t *result = world_end(w, "final", 0);
    const json_t *denials = json_object_get(result, "denials");
    assert_int_equal(json_array_size(denials), 1);
    assert_string_equal(text_at(json_array_get(denials, 0), "name"), "change");
    assert_int_equal(number_at(json_object_get(result, "counts"), "denials"), 1);
    json_decref(result);
}

static void what_policy_allows_is_offered_and_run(void **state)
{
    struct world *w = *state;
    world_may_write(w);
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_int_equal(json_array_size(json_object_get(body, "tools")), 4);
    json_decref(body);
    world_reply(w, reply_calls("c1", "change", "{}", NULL));
    world_call_done(w, world_next_call(w, "change"), "changed");
    (void)world_next(w, RUN_ASK);
    assert_string_equal(text_at(world_event(w, "permission.decided"), "decision"), "allow");
}

/* One step with one call, then what comes. */
static void run_one_step(struct world *w)
{
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "x");
}

static void the_last_step_is_without_tools(void **state)
{
    struct world *w = *state;
    struct err err;
    w->config.max_steps = 2;
    world_start(w);
    for (int prompt = 0; prompt < 2; prompt++) { /* counted anew for each prompt */
        run_one_step(w);
        (void)world_next(w, RUN_ASK);
        json_t *body = world_body(w);
        assert_null(json_object_get(body, "tools"));
        assert_non_null(strstr(message_text(body_message(body, -1)), "limit on steps"));
        json_decref(body);
        world_reply(w, reply_text("As far as I came."));
        json_t *result = world_end(w, "max_steps", 9);
        assert_string_equal(text_at(result, "status"), "partial");
        assert_string_equal(text_at(result, "text"), "As far as I came.");
        assert_non_null(
            strstr(text_at(json_object_get(result, "error"), "message"), "--max-steps"));
        json_decref(result);
        assert_int_equal(world_prompt(w, "Go on.", &err), 0);
    }
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(json_object_get(body, "tools"));
    json_decref(body);
}

static void calls_in_the_last_step_are_not_run(void **state)
{
    struct world *w = *state;
    struct err err;
    w->config.max_steps = 2;
    world_start(w);
    run_one_step(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c2", "peek", "{}", NULL));
    json_decref(world_end(w, "max_steps", 9));
    assert_int_equal(world_count(w, "tool.started"), 1);
    assert_int_equal(world_prompt(w, "Go on.", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w)); /* still a valid conversation */
}

static void one_step_alone_has_its_tools(void **state)
{
    struct world *w = *state;
    w->config.max_steps = 1;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(json_object_get(body, "tools"));
    json_decref(body);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "x");
    json_decref(world_end(w, "max_steps", 9));
}

static void calls_are_limited(void **state)
{
    struct world *w = *state;
    struct err err;
    w->config.max_tool_calls = 2;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("1", "peek", "{}", "2", "peek", "{}", "3", "peek", "{}", NULL));
    struct run_call *a = world_next_call(w, "peek"), *b = world_next_call(w, "peek");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, a, "1");
    world_call_done(w, b, "2");
    (void)world_next(w, RUN_ASK); /* the last turn */
    json_t *body = world_body(w);
    assert_null(json_object_get(body, "tools"));
    assert_non_null(strstr(message_text(body_message(body, -2)), "limit on tool calls"));
    json_decref(body);
    world_reply(w, reply_text("Two of three."));
    json_decref(world_end(w, "max_tool_calls", 9));
    assert_int_equal(world_prompt(w, "Go on.", &err), 0);
    (void)world_next(w, RUN_ASK);
    /* Counted anew: these two are allowed, and do not end the run. */
    world_reply(w, reply_calls("1", "peek", "{}", "2", "peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "1");
    world_call_done(w, world_next_call(w, "peek"), "2");
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("Done."));
    json_decref(world_end(w, "final", 0));
}

static void the_conversation_goes_on_after_an_answer(void **state)
{
    struct world *w = *state;
    struct err err;
    world_start(w);
    assert_int_equal(world_prompt(w, "Too early.", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("One."));
    json_decref(world_end(w, "final", 0));
    assert_int_equal(world_prompt(w, "And\xff?", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_int_equal(json_array_size(json_object_get(body, "messages")), 4);
    assert_string_equal(message_text(body_message(body, 2)), "One.");
    assert_string_equal(message_text(body_message(body, 3)), "And\xef\xbf\xbd?");
    json_decref(body);
    world_reply(w, reply_text("Two."));
    json_t *result = world_end(w, "final", 0);
    assert_int_equal(number_at(json_object_get(result, "counts"), "steps"), 2);
    json_decref(result);
    assert_int_equal(world_count(w, "result"), 2);
}

static void a_file_is_listed_once(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    struct run_call *call = world_next_call(w, "peek");
    run_file_changed(w->run, call, "new.txt", "created");
    run_file_changed(w->run, call, "new.txt", "modified");
    run_file_changed(w->run, call, "old.txt", "modified");
    run_file_changed(w->run, call, "old.txt", "modified");
    run_file_changed(w->run, call, "gone.txt", "modified");
    run_file_changed(w->run, call, "gone.txt", "deleted");
    world_call_done(w, call, "x");
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    const json_t *files = json_object_get(result, "files");
    assert_int_equal(json_array_size(files), 3);
    assert_string_equal(text_at(json_array_get(files, 0), "what"), "created");
    assert_string_equal(text_at(json_array_get(files, 1), "what"), "modified");
    assert_string_equal(text_at(json_array_get(files, 2), "what"), "deleted");
    json_decref(result);
    assert_int_equal(world_count(w, "file.changed"), 6);
}

static void check_finish(struct world *w, const char *finish, const char *text, const char *reason,
                         int exit_code)
{
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *body = reply_text(text);
    json_t *choice = json_array_get(json_object_get(body, "choices"), 0);
    (void)json_object_set_new(choice, "finish_reason", json_string(finish));
    world_reply(w, body);
    json_t *result = world_end(w, reason, exit_code);
    assert_string_equal(text_at(result, "text"), text);
    json_decref(result);
    assert_int_equal(world_count(w, "message.completed"), 1);
}

static void an_answer_cut_by_length_is_partial(void **state)
{
    check_finish(*state, "length", "Half an ans", "output_truncated", 10);
}

static void thinking_may_use_up_the_length(void **state)
{
    struct world *w = *state;
    check_finish(w, "length", "", "output_truncated", 10);
    assert_non_null(strstr(text_at(world_event(w, "error"), "message"), "--effort low"));
}

static void a_content_filter_ends_it(void **state)
{
    check_finish(*state, "content_filter", "I w", "content_filter", 10);
}

static void a_finish_reason_that_nobody_knows_is_final(void **state)
{
    check_finish(*state, "vanished", "Done.", "final", 0);
}

static void tools_that_are_not_there_make_no_run(void **state)
{
    struct world *w = *state;
    struct err err;
    char *system = malloc(1 << 20);
    assert_non_null(system);
    memset(system, 'x', (1 << 20) - 1);
    system[(1 << 20) - 1] = '\0';
    w->config.system = system;
    w->config.tool_count = 0;
    w->run = run_new(&w->config, &err);
    assert_non_null(w->run);
    assert_int_equal(world_prompt(w, "Go.", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_null(json_object_get(body, "tools"));
    json_decref(body);
    free(system);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_final_answer_ends_it),
        TEST(an_unknown_price_is_null),
        TEST(text_is_told_as_it_comes),
        TEST(a_call_is_run_and_its_result_goes_back),
        TEST(results_go_back_in_the_order_asked),
        TEST(what_may_not_run_side_by_side_runs_alone),
        TEST(at_most_eight_run_at_once),
        TEST(an_unknown_tool_is_told_which_there_are),
        TEST(a_prefix_of_the_endpoint_is_seen_through),
        TEST(arguments_that_are_no_json_are_refused),
        TEST(arguments_that_do_not_fit_are_refused),
        TEST(a_missing_argument_is_named),
        TEST(arguments_for_a_tool_that_takes_none_are_refused),
        TEST(what_policy_denies_is_hidden_and_refused),
        TEST(what_policy_allows_is_offered_and_run),
        TEST(the_last_step_is_without_tools),
        TEST(calls_in_the_last_step_are_not_run),
        TEST(one_step_alone_has_its_tools),
        TEST(calls_are_limited),
        TEST(the_conversation_goes_on_after_an_answer),
        TEST(a_file_is_listed_once),
        TEST(an_answer_cut_by_length_is_partial),
        TEST(thinking_may_use_up_the_length),
        TEST(a_content_filter_ends_it),
        TEST(a_finish_reason_that_nobody_knows_is_final),
        TEST(tools_that_are_not_there_make_no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
