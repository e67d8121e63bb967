/* Budgets: for any endpoint that keeps to the limits it is given, no run spends more than its cap.
 */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/engine/run_world.h"

static uint64_t runs(void)
{
    return test_under_valgrind() ? 40 : 400;
}

/* xorshift64*: the same endpoints in every run of the test. */
static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (*seed * UINT64_C(2685821657736338717)) % below;
}

struct totals {
    long long permille; /* tokens of input for a thousand bytes: the endpoint's tokeniser */
    long long tokens, requests, calls;
    double usd;
};

/* Answers one request: an output up to the limit that was set, a call most of the time. */
static void answer(struct world *w, uint64_t *seed, struct totals *t)
{
    struct err err;
    struct chat_body body;
    assert_int_equal(run_body(w->run, &body, &err), 0);
    long long in = ((long long)body.len * t->permille + 999) / 1000;
    chat_body_release(&body);
    json_t *request = world_body(w);
    long long limit = json_integer_value(json_object_get(request, "max_tokens"));
    bool has_tools = json_object_get(request, "tools") != NULL;
    json_decref(request);
    long long out = (long long)draw(seed, limit > 0 ? (uint64_t)limit + 1 : 5000);
    t->tokens += in + out;
    t->usd += ((double)in * w->provider.input_usd + (double)out * w->provider.output_usd) / 1e6;
    t->requests++;
    bool calls = draw(seed, 10) > 0; /* in the last turn too, where there are no tools */
    char *args = NULL;
    assert_true(asprintf(&args, "{\"path\":\"%llu\"}", (unsigned long long)draw(seed, 1000)) > 0);
    json_t *reply = calls ? reply_calls("c", "look", args, NULL) : reply_text("Done.");
    free(args);
    json_t *usage = json_pack("{s:I, s:I}", "prompt_tokens", (json_int_t)in, "completion_tokens",
                              (json_int_t)out);
    assert_int_equal(json_object_set_new(reply, "usage", usage), 0);
    if (calls && has_tools)
        t->calls++;
    world_reply(w, reply);
}

static void run_to_the_end(struct world *w, uint64_t *seed, struct totals *t)
{
    static char text[3000];
    struct run_action action;
    memset(text, 'x', sizeof text);
    for (int turn = 0; turn < 1000; turn++) {
        run_next(w->run, &action);
        if (action.kind == RUN_ENDED)
            return;
        if (action.kind == RUN_ASK) {
            answer(w, seed, t);
        } else if (action.kind == RUN_CALL) {
            const struct run_result_of_call result = {
                .output = text, .len = draw(seed, sizeof text), .message = ""};
            run_call_done(w->run, action.call, &result);
        }
    }
    fail_msg("the run does not end");
}

static void one_run(uint64_t seed, void (*limit)(struct world *, uint64_t *),
                    void (*check)(const struct world *, const struct totals *))
{
    void *state = NULL;
    struct totals totals = {.permille = 1 + (long long)draw(&seed, 1000)};
    assert_int_equal(world_set_up(&state), 0);
    struct world *w = state;
    w->config.max_steps = 60;
    limit(w, &seed);
    world_start(w);
    run_to_the_end(w, &seed, &totals);
    check(w, &totals);
    assert_int_equal(world_tear_down(&state), 0);
}

static void limit_tokens(struct world *w, uint64_t *seed)
{
    w->config.max_tokens = 300 + (int64_t)draw(seed, 60000);
}

static void check_tokens(const struct world *w, const struct totals *t)
{
    if (t->tokens > w->config.max_tokens)
        fail_msg("%lld tokens, %lld were allowed", t->tokens, (long long)w->config.max_tokens);
    assert_int_equal(run_counts(w->run)->input_tokens + run_counts(w->run)->output_tokens,
                     t->tokens);
}

static void tokens_are_never_more_than_allowed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= runs(); seed++)
        one_run(seed, limit_tokens, check_tokens);
}

static void limit_cost(struct world *w, uint64_t *seed)
{
    w->config.max_cost_usd = 0.0005 + (double)draw(seed, 1000000) / 1e7;
}

static void check_cost(const struct world *w, const struct totals *t)
{
    if (t->usd > w->config.max_cost_usd * (1 + 1e-9))
        fail_msg("%.9f USD, %.9f were allowed", t->usd, w->config.max_cost_usd);
}

static void cost_is_never_more_than_allowed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= runs(); seed++)
        one_run(seed, limit_cost, check_cost);
}

static void limit_counts(struct world *w, uint64_t *seed)
{
    w->config.max_steps = 1 + (int64_t)draw(seed, 20);
    w->config.max_tool_calls = 1 + (int64_t)draw(seed, 20);
}

static void check_counts(const struct world *w, const struct totals *t)
{
    assert_in_range(t->requests, 1, w->config.max_steps);
    assert_in_range(world_count(w, "tool.started"), 0, w->config.max_tool_calls);
}

static void steps_and_calls_are_never_more_than_allowed(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= runs(); seed++)
        one_run(seed, limit_counts, check_counts);
}

static void an_endpoint_that_lies_ends_the_run_at_once(void **state)
{
    struct world *w = *state;
    w->config.max_tokens = 20000;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *reply = reply_calls("c", "peek", "{}", NULL);
    assert_int_equal(json_object_set_new(reply, "usage",
                                         json_pack("{s:i, s:i}", "prompt_tokens", 1000000,
                                                   "completion_tokens", 1000000)),
                     0);
    world_reply(w, reply);
    world_call_done(w, world_next_call(w, "peek"), "x");
    json_decref(world_end(w, "max_tokens", 9));
    assert_int_equal(world_count(w, "step.started"), 2);
}

static void a_cut_answer_is_laid_to_the_budget(void **state)
{
    struct world *w = *state;
    w->config.max_tokens = 20000;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *reply = reply_text("As far as");
    json_t *choice = json_array_get(json_object_get(reply, "choices"), 0);
    assert_int_equal(json_object_set_new(choice, "finish_reason", json_string("length")), 0);
    world_reply(w, reply);
    json_t *result = world_end(w, "max_tokens", 9);
    assert_string_equal(text_at(result, "text"), "As far as");
    json_decref(result);
}

static void warnings_come_once_each(void **state)
{
    struct world *w = *state;
    w->config.max_steps = 20;
    world_start(w);
    for (int step = 0; step < 19; step++) {
        char path[32];
        (void)world_next(w, RUN_ASK);
        (void)snprintf(path, sizeof path, "{\"path\":\"%d\"}", step);
        world_reply(w, reply_calls("c", "look", path, NULL));
        world_call_done(w, world_next_call(w, "look"), "x");
    }
    (void)world_next(w, RUN_ASK);
    assert_int_equal(world_count(w, "budget.warning"), 2);
    assert_int_equal(number_at(world_event(w, "budget.warning"), "percent"), 95);
}

static void a_change_makes_old_results_new(void **state)
{
    struct world *w = *state;
    w->config.loop_limit = 2;
    world_may_write(w);
    w->config.max_steps = 50;
    world_start(w);
    for (int round = 0; round < 5; round++) {
        (void)world_next(w, RUN_ASK);
        world_reply(w, reply_calls("c", "peek", "{}", NULL));
        world_call_done(w, world_next_call(w, "peek"), "the check fails");
        (void)world_next(w, RUN_ASK);
        world_reply(w, reply_calls("c", "change", "{}", NULL));
        char what[32];
        (void)snprintf(what, sizeof what, "changed %d", round);
        world_call_done(w, world_next_call(w, "change"), what);
    }
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("Done."));
    json_decref(world_end(w, "final", 0));
}

static void a_loop_is_named_then_ended(void **state)
{
    struct world *w = *state;
    w->config.loop_limit = 3;
    world_start(w);
    for (int call = 1; call <= 4; call++) {
        (void)world_next(w, RUN_ASK);
        if (call == 4) {
            json_t *body = world_body(w);
            assert_non_null(strstr(message_text(body_message(body, -1)), "3 times"));
            json_decref(body);
        }
        world_reply(w, reply_calls("c", "peek", "{}", NULL));
        world_call_done(w, world_next_call(w, "peek"), "same");
    }
    json_decref(world_end(w, "loop_detected", 14));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_never_more_than_allowed),
        cmocka_unit_test(cost_is_never_more_than_allowed),
        cmocka_unit_test(steps_and_calls_are_never_more_than_allowed),
        TEST(an_endpoint_that_lies_ends_the_run_at_once),
        TEST(a_cut_answer_is_laid_to_the_budget),
        TEST(warnings_come_once_each),
        TEST(a_change_makes_old_results_new),
        TEST(a_loop_is_named_then_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
