/* What a run does when the endpoint, the model, a tool or the user makes trouble. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/text.h"
#include "unit/engine/run_world.h"

#define BUSY "{\"error\":{\"message\":\"Too busy.\",\"code\":503}}"

/* ---- The endpoint ---- */

static void check_fails_at_once(struct world *w, int status, const char *body, const char *reason,
                                int exit_code)
{
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_fail(w, status, body, NULL);
    json_t *result = world_end(w, reason, exit_code);
    assert_string_equal(text_at(result, "status"), "error");
    assert_string_equal(text_at(json_object_get(result, "error"), "reason"), reason);
    json_decref(result);
    assert_int_equal(world_count(w, "error"), 1);
    assert_int_equal(world_count(w, "model.retry"), 0);
}

static void a_refused_key_is_not_tried_again(void **state)
{
    check_fails_at_once(*state, 401, "{\"error\":{\"message\":\"No.\"}}", "auth_error", 4);
}

static void an_empty_account_is_not_tried_again(void **state)
{
    check_fails_at_once(*state, 402, "{\"error\":{\"message\":\"Pay.\"}}", "billing", 5);
}

static void a_bad_request_is_not_tried_again(void **state)
{
    check_fails_at_once(*state, 400, "{\"error\":{\"message\":\"Bad.\"}}", "api_error", 5);
}

/* Fails `count` times and waits each time. */
static void fail_and_wait(struct world *w, int count, int status)
{
    for (int i = 0; i < count; i++) {
        (void)world_next(w, RUN_ASK);
        world_fail(w, status, BUSY, NULL);
        struct run_action sleep = world_next(w, RUN_SLEEP);
        assert_true(sleep.wait_ms >= 500 << i && sleep.wait_ms <= 1500 << i);
        (void)world_next(w, RUN_WAIT);
        run_awake(w->run);
    }
}

static void a_busy_endpoint_is_asked_again(void **state)
{
    struct world *w = *state;
    world_start(w);
    fail_and_wait(w, 3, 503);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    const json_t *counts = json_object_get(result, "counts");
    assert_int_equal(number_at(counts, "steps"), 1);
    assert_int_equal(number_at(counts, "retries"), 3);
    json_decref(result);
    assert_int_equal(world_count(w, "model.retry"), 3);
    assert_int_equal(world_count(w, "step.started"), 1);
}

static void tries_are_limited(void **state)
{
    struct world *w = *state;
    world_start(w);
    fail_and_wait(w, 3, 429);
    (void)world_next(w, RUN_ASK);
    world_fail(w, 429, "{\"error\":{\"message\":\"Slow down.\"}}", NULL);
    json_decref(world_end(w, "rate_limited", 5));
}

static void tries_are_counted_anew_in_each_step(void **state)
{
    struct world *w = *state;
    world_start(w);
    for (int step = 0; step < 2; step++) {
        fail_and_wait(w, 3, 503);
        (void)world_next(w, RUN_ASK);
        world_reply(w, reply_calls("c1", "peek", "{}", NULL));
        world_call_done(w, world_next_call(w, "peek"), "x");
    }
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static void no_tries_means_none(void **state)
{
    struct world *w = *state;
    w->config.retries = 0;
    check_fails_at_once(w, 503, BUSY, "api_error", 5);
}

static void a_wait_that_the_endpoint_names_is_kept(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_fail(w, 429, BUSY, "7");
    assert_int_equal(world_next(w, RUN_SLEEP).wait_ms, 7000);
    assert_int_equal(number_at(world_event(w, "model.retry"), "wait_ms"), 7000);
}

static void a_wait_that_is_too_long_ends_it(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_fail(w, 429, BUSY, "3600");
    json_decref(world_end(w, "rate_limited", 5));
}

static void a_stream_that_breaks_off_is_asked_for_again(void **state)
{
    static const char half[] = "data: {\"choices\":[{\"delta\":{\"content\":\"Hal\"}}]}\n\n";
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w, half, "the connection was reset");
    (void)world_next(w, RUN_SLEEP);
    run_awake(w->run);
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w, half, NULL);
    (void)world_next(w, RUN_SLEEP);
    run_awake(w->run);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w); /* the halves are forgotten */
    assert_int_equal(json_array_size(json_object_get(body, "messages")), 2);
    json_decref(body);
    world_reply(w, reply_text("Whole."));
    json_decref(world_end(w, "final", 0));
}

static void a_stream_that_always_breaks_off_ends_it(void **state)
{
    struct world *w = *state;
    w->config.retries = 1;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w, "", "the connection was reset");
    (void)world_next(w, RUN_SLEEP);
    run_awake(w->run);
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w, "", "the connection was reset");
    json_decref(world_end(w, "api_error", 5));
}

/* ---- The model ---- */

static void check_asked_again(struct world *w, const char *body, const char *reason, int exit_code)
{
    world_start(w);
    for (int i = 0; i < RUN_REASK_MAX; i++) {
        (void)world_next(w, RUN_ASK);
        world_reply_bytes(w, body, NULL);
        (void)world_next(w, RUN_SLEEP);
        run_awake(w->run);
    }
    (void)world_next(w, RUN_ASK);
    world_reply_bytes(w, body, NULL);
    json_decref(world_end(w, reason, exit_code));
    assert_int_equal(world_count(w, "step.started"), 1);
}

static void an_empty_answer_is_asked_for_again(void **state)
{
    check_asked_again(*state,
                      "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"\"}}]}",
                      "empty_answer", 10);
}

static void an_unknown_end_without_text_is_asked_for_again(void **state)
{
    check_asked_again(*state,
                      "{\"choices\":[{\"finish_reason\":\"odd\",\"message\":{\"content\":null}}]}",
                      "empty_answer", 10);
}

static void a_malformed_call_is_asked_for_again(void **state)
{
    check_asked_again(*state,
                      "{\"choices\":[{\"finish_reason\":\"malformed_function_call\","
                      "\"message\":{\"content\":\"\"}}]}",
                      "api_error", 5);
}

static void a_call_that_the_endpoint_could_not_read_is_asked_for_again(void **state)
{
    check_asked_again(*state,
                      "{\"error\":{\"message\":\"Failed to call a function.\","
                      "\"code\":\"tool_use_failed\"}}",
                      "api_error", 5);
}

static void calls_without_ids_get_their_own(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("", "peek", "{}", "same", "peek", "{}", "same", "peek", "{}", NULL));
    struct run_call *calls[3];
    for (int i = 0; i < 3; i++)
        calls[i] = world_next_call(w, "peek");
    for (int i = 0; i < 3; i++) {
        assert_true(strlen(calls[i]->id) > 0);
        assert_string_not_equal(calls[i]->id, calls[(i + 1) % 3]->id);
    }
    for (int i = 0; i < 3; i++)
        world_call_done(w, calls[i], "x");
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static void a_name_that_no_endpoint_takes_is_told_in_one_that_it_does(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "r\xc3\xb6hre mit ; rm -rf", "{}", "c2", "", "{}", NULL));
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    const char *name = text_at(body_message(body, -2), "name");
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_-"), strlen(name));
    json_decref(body);
}

/* ---- Results ---- */

/* The one call of a step gives this result; what the model reads is left in *body. */
static const char *give(struct world *w, const struct run_result_of_call *result, json_t **body)
{
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    run_call_done(w->run, world_next_call(w, "peek"), result);
    (void)world_next(w, RUN_ASK);
    *body = world_body(w);
    const char *text = message_text(body_message(*body, -1));
    assert_true(text_is_utf8(text, strlen(text)));
    const char *shown = text_at(world_event(w, "tool.completed"), "output");
    if (strlen(text) <= RUN_EVENT_OUTPUT_MAX) {
        assert_string_equal(shown, text);
    } else { /* an event has less of it */
        assert_in_range(strlen(shown), RUN_EVENT_OUTPUT_MAX / 2, RUN_EVENT_OUTPUT_MAX + 200);
        assert_memory_equal(shown, text, 1000);
        assert_string_equal(shown + strlen(shown) - 4, text + strlen(text) - 4);
        assert_true(json_is_true(json_object_get(world_event(w, "tool.completed"), "truncated")));
    }
    return text;
}

static void a_failure_is_told_after_what_there_is_of_output(void **state)
{
    json_t *body;
    struct run_result_of_call result = {
        .code = TACKLE_E_NOT_FOUND, .output = "two lines", .len = 9, .message = "no third line"};
    assert_string_equal(give(*state, &result, &body), "two lines\nerror: no third line");
    assert_string_equal(text_at(world_event(*state, "tool.completed"), "code"), "not_found");
    json_decref(body);
}

static void no_output_is_said(void **state)
{
    struct world *w = *state;
    struct run_result_of_call result = {.output = "", .message = ""};
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "peek", "{}", NULL));
    run_call_done(w->run, world_next_call(w, "peek"), &result);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -1)), "(no output)");
    json_decref(body);
}

static void bytes_that_are_no_text_are_cleaned(void **state)
{
    json_t *body;
    struct run_result_of_call result = {
        .output = "a\xff\x1b[2J\0\r\nb\xe2\x80\xae", .len = 13, .message = ""};
    assert_string_equal(give(*state, &result, &body),
                        "a\xef\xbf\xbd<U+001B>[2J<U+0000>\nb<U+202E>");
    json_decref(body);
}

static void a_huge_output_is_cut_in_its_middle(void **state)
{
    json_t *body;
    size_t len = 3u << 20;
    char *output = malloc(len);
    assert_non_null(output);
    memset(output, 'x', len);
    memcpy(output, "first", 5);
    memcpy(output + len - 4, "last", 4);
    struct run_result_of_call result = {.output = output, .len = len, .message = "", .omitted = 77};
    const char *text = give(*state, &result, &body);
    assert_true(strlen(text) < RUN_RESULT_MAX + 200);
    assert_int_equal(strncmp(text, "first", 5), 0);
    assert_non_null(strstr(text, "bytes left out"));
    assert_non_null(strstr(text, "last\n[77 bytes more were not kept]"));
    assert_true(json_is_true(json_object_get(world_event(*state, "tool.completed"), "truncated")));
    json_decref(body);
    free(output);
}

/* Each of these bytes becomes eight; something of them must be left. */
static void a_huge_output_of_control_characters_is_cut_too(void **state)
{
    json_t *body;
    size_t len = 16u << 20;
    char *output = malloc(len);
    assert_non_null(output);
    memset(output, '\x1b', len);
    memcpy(output, "first", 5);
    memcpy(output + len - 4, "last", 4);
    struct run_result_of_call result = {.output = output, .len = len, .message = ""};
    const char *text = give(*state, &result, &body);
    assert_int_equal(strncmp(text, "first<U+001B>", 13), 0);
    assert_non_null(strstr(text, "bytes left out"));
    assert_string_equal(text + strlen(text) - 4, "last");
    json_decref(body);
    free(output);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    char message[4096];
    for (size_t shift = 0; shift < 2; shift++) {
        json_t *body;
        struct world *w = *state;
        for (size_t i = 0; i + 2 < sizeof message; i += 2)
            memcpy(message + i, "\xc3\xa4", 2);
        memset(message, 'x', shift);
        message[sizeof message - 2] = '\0';
        if (shift) /* "xä": the second byte of the pair is left over */
            memmove(message + 1, message + 2, sizeof message - 3);
        struct run_result_of_call result = {
            .code = TACKLE_E_FAILED, .output = "", .message = message};
        const char *text = give(w, &result, &body);
        assert_null(strstr(text, "\xef\xbf\xbd"));
        json_decref(body);
        run_free(w->run);
        w->run = NULL;
        json_array_clear(w->events);
    }
}

/* ---- The user ---- */

/* After a stop the conversation can go on, and is one that an endpoint accepts. */
static void check_goes_on(struct world *w)
{
    struct err err;
    assert_int_equal(world_prompt(w, "Go on.", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -1)), "Go on.");
    json_decref(body);
    world_reply(w, reply_text("Done."));
    json_t *result = world_end(w, "final", 0);
    assert_true(json_is_null(json_object_get(result, "error")));
    json_decref(result);
}

static void stopped_while_asking(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    run_stop(w->run, STOP_INTERRUPTED, 2, NULL);
    world_reply(w, reply_text("Too late."));
    json_t *result = world_end(w, "interrupted", 130);
    assert_string_equal(text_at(result, "status"), "interrupted");
    assert_string_equal(text_at(result, "text"), "");
    json_decref(result);
    run_stop(w->run, STOP_MAX_TIME, 0, "too late as well");
    assert_int_equal(run_exit_code(w->run), 130);
    check_goes_on(w);
}

static void stopped_while_waiting(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_fail(w, 503, BUSY, NULL);
    (void)world_next(w, RUN_SLEEP);
    run_stop(w->run, STOP_MAX_TIME, 0, "the limit on time was reached");
    run_awake(w->run);
    json_decref(world_end(w, "max_time", 9));
    check_goes_on(w);
}

static void stopped_while_calling(void **state)
{
    struct world *w = *state;
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("1", "peek", "{}", "2", "peek", "{}", "3", "note", "{}", "4", "lok",
                               "{}", NULL));
    struct run_call *first = world_next_call(w, "peek"), *second = world_next_call(w, "peek");
    world_call_done(w, second, "second");
    run_stop(w->run, STOP_INTERRUPTED, 15, NULL);
    assert_ptr_equal(run_running(w->run, NULL), first);
    assert_null(run_running(w->run, first));
    json_decref(world_end(w, "interrupted", 143));
    struct err err;
    assert_int_equal(world_prompt(w, "What came of it?", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -5)), "was stopped"));
    assert_string_equal(message_text(body_message(body, -4)), "second");
    assert_non_null(strstr(message_text(body_message(body, -3)), "was stopped"));
    assert_non_null(strstr(message_text(body_message(body, -2)), "there is no tool"));
    json_decref(body);
    world_reply(w, reply_text("Done."));
    json_decref(world_end(w, "final", 0));
}

/* A run with a bit of everything, as far as it comes. False when it was stopped. */
static bool live(struct world *w)
{
    struct run_action action;
    int asked = 0;
    for (;;) {
        run_next(w->run, &action);
        if (action.kind == RUN_ENDED)
            return w->cancelled_in == 0;
        if (action.kind == RUN_SLEEP) {
            run_awake(w->run);
        } else if (action.kind == RUN_CALL) {
            run_call_progress(w->run, action.call, "half", 4);
            run_file_changed(w->run, action.call, "a", "modified");
            world_call_done(w, action.call, "x");
        } else {
            assert_int_equal(action.kind, RUN_ASK);
            json_decref(world_body(w));
            switch (asked++) {
            case 0:
                world_fail(w, 503, BUSY, NULL);
                break;
            case 1:
                world_reply_bytes(w, "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{}}]}",
                                  NULL);
                break;
            case 2:
                world_reply(w, reply_calls("1", "peek", "{}", "2", "change", "{}", "3", "lok", "{}",
                                           "4", "note", "{}", NULL));
                break;
            case 3:
                world_reply_bytes(w,
                                  "data: {\"choices\":[{\"delta\":{\"content\":\"Do\"}}]}\n\n"
                                  "data: {\"choices\":[{\"delta\":{\"content\":\"ne.\"},"
                                  "\"finish_reason\":\"odd\"}]}\n\ndata: [DONE]\n\n",
                                  NULL);
                break;
            default:
                fail_msg("asked too often");
            }
        }
    }
}

/* Whichever event it is: a stop from inside its receipt is never lost. */
static void stopped_from_the_receipt_of_an_event(void **state)
{
    struct world *w = *state;
    world_start(w);
    assert_true(live(w));
    json_decref(world_end(w, "final", 0));
    uint64_t events = json_array_size(w->events);
    assert_true(events > 20);
    for (uint64_t at = 1; at < events; at++) {
        run_free(w->run);
        w->run = NULL;
        json_array_clear(w->events);
        w->cancel_at = at;
        w->cancelled_in = 0;
        world_start(w);
        if (live(w)) { /* the last event of the step came when the run had ended anyway */
            json_decref(world_end(w, "final", 0));
            continue;
        }
        json_decref(world_end(w, "interrupted", 143));
        w->cancel_at = 0;
        check_goes_on(w);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_refused_key_is_not_tried_again),
        TEST(an_empty_account_is_not_tried_again),
        TEST(a_bad_request_is_not_tried_again),
        TEST(a_busy_endpoint_is_asked_again),
        TEST(tries_are_limited),
        TEST(tries_are_counted_anew_in_each_step),
        TEST(no_tries_means_none),
        TEST(a_wait_that_the_endpoint_names_is_kept),
        TEST(a_wait_that_is_too_long_ends_it),
        TEST(a_stream_that_breaks_off_is_asked_for_again),
        TEST(a_stream_that_always_breaks_off_ends_it),
        TEST(an_empty_answer_is_asked_for_again),
        TEST(an_unknown_end_without_text_is_asked_for_again),
        TEST(a_malformed_call_is_asked_for_again),
        TEST(a_call_that_the_endpoint_could_not_read_is_asked_for_again),
        TEST(calls_without_ids_get_their_own),
        TEST(a_name_that_no_endpoint_takes_is_told_in_one_that_it_does),
        TEST(a_failure_is_told_after_what_there_is_of_output),
        TEST(no_output_is_said),
        TEST(bytes_that_are_no_text_are_cleaned),
        TEST(a_huge_output_is_cut_in_its_middle),
        TEST(a_huge_output_of_control_characters_is_cut_too),
        TEST(a_long_reason_is_cut_between_characters),
        TEST(stopped_while_asking),
        TEST(stopped_while_waiting),
        TEST(stopped_while_calling),
        TEST(stopped_from_the_receipt_of_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
