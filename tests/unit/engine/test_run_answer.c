/* Answers of a given form, requests that an endpoint does not take as they are, and the model that
 * is asked when the first one fails. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include "unit/engine/run_world.h"

#define SCHEMA                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]}"

static void start_with_schema(struct world *w, size_t tools)
{
    w->config.answer_schema = SCHEMA;
    w->config.tool_count = tools;
    world_start(w);
    (void)world_next(w, RUN_ASK);
}

static void an_answer_of_the_form_is_taken(void **state)
{
    struct world *w = *state;
    start_with_schema(w, 0);
    json_t *body = world_body(w);
    assert_string_equal(text_at(json_object_get(body, "response_format"), "type"), "json_schema");
    json_decref(body);
    world_reply(w, reply_text("```json\n{\"n\": 3}\n```"));
    json_t *result = world_end(w, "final", 0);
    assert_int_equal(number_at(json_object_get(result, "structured"), "n"), 3);
    assert_string_equal(text_at(result, "text"), "{\"n\":3}");
    json_decref(result);
}

static void an_answer_that_does_not_fit_is_asked_for_once_more(void **state)
{
    struct world *w = *state;
    start_with_schema(w, 0);
    world_reply(w, reply_text("{\"n\":\"three\"}"));
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -1)), "does not fit the schema"));
    json_decref(body);
    world_reply(w, reply_text("Three it is."));
    json_t *result = world_end(w, "schema_invalid", 10);
    assert_true(json_is_null(json_object_get(result, "structured")));
    assert_string_equal(text_at(result, "text"), "Three it is.");
    json_decref(result);
}

/* The problem is cut in the middle of a character: the result is a whole one all the same. */
static void a_long_problem_leaves_a_valid_result(void **state)
{
    static const char *const answers[] = {"a", "ab"};
    for (size_t i = 0; i < 2; i++) {
        struct world *w = *state;
        char key[1500], text[1600];
        memset(key, 0, sizeof key);
        for (size_t n = 0; n + 2 < sizeof key; n += 2)
            memcpy(key + n, "\xc3\xa4", 2);
        w->config.answer_schema = "{\"type\":\"object\",\"additionalProperties\":false}";
        w->config.tool_count = 0;
        world_start(w);
        (void)snprintf(text, sizeof text, "{\"%s%s\":1}", answers[i], key);
        for (int n = 0; n < 2; n++) {
            (void)world_next(w, RUN_ASK);
            world_reply(w, reply_text(text));
        }
        json_t *result = world_end(w, "schema_invalid", 10);
        assert_non_null(strstr(text_at(json_object_get(result, "error"), "message"), "fit"));
        json_decref(result);
        run_free(w->run);
        w->run = NULL;
        json_array_clear(w->events);
    }
}

static void with_tools_the_form_comes_last(void **state)
{
    struct world *w = *state;
    start_with_schema(w, 4);
    json_t *body = world_body(w);
    assert_null(json_object_get(body, "response_format"));
    json_decref(body);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    world_call_done(w, world_next_call(w, "peek"), "x");
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("It is three."));
    (void)world_next(w, RUN_ASK);
    body = world_body(w);
    assert_non_null(json_object_get(body, "response_format"));
    assert_null(json_object_get(body, "tools"));
    assert_non_null(strstr(message_text(body_message(body, -1)), SCHEMA));
    json_decref(body);
    world_reply(w, reply_text("{\"n\":3}"));
    json_t *result = world_end(w, "final", 0);
    assert_int_equal(number_at(json_object_get(result, "structured"), "n"), 3);
    json_decref(result);
}

static void a_schema_that_is_none_makes_no_run(void **state)
{
    static const char *const bad[] = {"{\"type\":\"strnig\"}", "[1]", "{", ""};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err;
        w->config.answer_schema = bad[i];
        assert_null(run_new(&w->config, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, "output_schema"));
    }
}

static void a_field_that_is_refused_is_left_out(void **state)
{
    struct world *w = *state;
    w->config.stream = true;
    w->config.effort = "high";
    world_start(w);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(text_at(body, "reasoning_effort"), "high");
    json_decref(body);
    world_fail(w, 400, "{\"error\":{\"message\":\"Unknown name reasoning_effort\"}}", NULL);
    (void)world_next(w, RUN_SLEEP);
    run_awake(w->run);
    (void)world_next(w, RUN_ASK);
    body = world_body(w);
    assert_null(json_object_get(body, "reasoning_effort"));
    assert_non_null(json_object_get(body, "stream_options"));
    json_decref(body);
    /* It cannot be that field any more. */
    world_fail(w, 400, "{\"error\":{\"message\":\"Unknown name reasoning_effort\"}}", NULL);
    json_decref(world_end(w, "api_error", 5));
    assert_int_equal(world_count(w, "step.started"), 1);
}

static void start_with_fallback(struct world *w, const struct provider *second)
{
    w->config.fallback = second;
    w->config.retries = 1;
    world_start(w);
    (void)world_next(w, RUN_ASK);
}

static const struct provider second = {.name = (char *)"openai",
                                       .base_url = (char *)"http://127.0.0.1/v1",
                                       .model = (char *)"other",
                                       .input_usd = -1,
                                       .output_usd = -1};

static void another_model_is_asked_when_the_first_fails_for_good(void **state)
{
    struct world *w = *state;
    start_with_fallback(w, &second);
    world_fail(w, 402, "{\"error\":{\"message\":\"Pay.\"}}", NULL);
    (void)world_next(w, RUN_ASK);
    assert_ptr_equal(run_provider(w->run), &second);
    json_t *body = world_body(w);
    assert_string_equal(text_at(body, "model"), "other");
    json_decref(body);
    assert_string_equal(text_at(world_event(w, "model.fallback"), "from"), "m");
    assert_string_equal(text_at(world_event(w, "model.fallback"), "to"), "other");
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    assert_true(json_is_null(json_object_get(result, "cost_usd")));
    json_decref(result);
    assert_int_equal(world_count(w, "step.started"), 1);
}

static void the_other_model_is_the_last(void **state)
{
    struct world *w = *state;
    start_with_fallback(w, &second);
    world_fail(w, 401, "{\"error\":{\"message\":\"No.\"}}", NULL);
    (void)world_next(w, RUN_ASK);
    world_fail(w, 401, "{\"error\":{\"message\":\"No.\"}}", NULL);
    json_decref(world_end(w, "auth_error", 4));
}

static void a_wrong_request_is_wrong_for_every_model(void **state)
{
    struct world *w = *state;
    start_with_fallback(w, &second);
    world_fail(w, 400, "{\"error\":{\"message\":\"Bad.\"}}", NULL);
    json_decref(world_end(w, "api_error", 5));
    assert_int_equal(world_count(w, "model.fallback"), 0);
}

/* Every event of a run in which both happen. */
static bool live(struct world *w)
{
    struct run_action action;
    int asked = 0;
    w->config.fallback = &second;
    w->config.answer_schema = SCHEMA;
    w->config.retries = 0;
    world_start(w);
    for (;;) {
        run_next(w->run, &action);
        if (action.kind == RUN_ENDED)
            return w->cancelled_in == 0;
        if (action.kind == RUN_ASK && asked++ == 0)
            world_fail(w, 503, "{\"error\":{\"message\":\"Busy.\"}}", NULL);
        else if (action.kind == RUN_ASK)
            world_reply(w, reply_text(asked == 4 ? "{\"n\":3}" : "Three."));
        else
            fail_msg("nothing else can come");
    }
}

static void stopped_from_the_receipt_of_an_event(void **state)
{
    struct world *w = *state;
    assert_true(live(w));
    json_decref(world_end(w, "final", 0));
    uint64_t events = json_array_size(w->events);
    for (uint64_t at = 1; at < events; at++) {
        run_free(w->run);
        w->run = NULL;
        json_array_clear(w->events);
        w->cancel_at = at;
        w->cancelled_in = 0;
        assert_false(live(w));
        json_decref(world_end(w, "interrupted", 143));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_of_the_form_is_taken),
        TEST(an_answer_that_does_not_fit_is_asked_for_once_more),
        TEST(a_long_problem_leaves_a_valid_result),
        TEST(with_tools_the_form_comes_last),
        TEST(a_schema_that_is_none_makes_no_run),
        TEST(a_field_that_is_refused_is_left_out),
        TEST(another_model_is_asked_when_the_first_fails_for_good),
        TEST(the_other_model_is_the_last),
        TEST(a_wrong_request_is_wrong_for_every_model),
        TEST(stopped_from_the_receipt_of_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
