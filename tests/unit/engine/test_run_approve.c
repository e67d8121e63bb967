/* Calls that somebody is asked about, that are denied, and that nobody answers. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/run_restore.h"
#include "unit/engine/run_world.h"

#define SAVE_PARAMS                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\",\"format\":\"path\"},"     \
    "\"text\":{\"type\":\"string\"}},\"required\":[\"path\"]}"
#define RUN_PARAMS                                                                                 \
    "{\"type\":\"object\",\"properties\":{\"argv\":{\"type\":\"array\",\"format\":\"argv\","       \
    "\"items\":{\"type\":\"string\"}},\"cwd\":{\"type\":\"string\",\"format\":\"path\"}}}"

/* look(path) only reads; note becomes save(path, text), which writes; change is run(argv, cwd). */
static int set_up(void **state)
{
    struct world *w;
    struct err err;
    (void)world_set_up(state);
    w = *state;
    tool_release(&w->tools[2]);
    tool_release(&w->tools[3]);
    assert_int_equal(tool_from_parts("save", "Writes.", SAVE_PARAMS, TACKLE_WRITES,
                                     TACKLE_EFFECT_NEVER, &w->tools[2], &err),
                     0);
    assert_int_equal(tool_from_parts("run", "Runs.", RUN_PARAMS, TACKLE_RUNS, TACKLE_EFFECT_NEVER,
                                     &w->tools[3], &err),
                     0);
    world_asks(w);
    return 0;
}

static void start_with(struct world *w, json_t *calls)
{
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, calls);
}

static void decide(struct world *w, const char *call, enum run_choice choice, const char *reason)
{
    struct err err = {.text = ""};
    if (run_decide(w->run, call, choice, reason, &err) != 0)
        fail_msg("%s", err.text);
}

static void decided(struct world *w, const char *decision, const char *by)
{
    const json_t *event = world_event(w, "permission.decided");
    assert_non_null(event);
    assert_string_equal(text_at(event, "decision"), decision);
    assert_string_equal(text_at(event, "by"), by);
}

static void a_call_waits_while_others_go_on(void **state)
{
    struct world *w = *state;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "look", "{\"path\":\"a\"}",
                              "c3", "save", "{\"path\":\"b\"}", NULL));
    const json_t *asked = world_event(w, "approval.requested");
    assert_int_equal(world_count(w, "approval.requested"), 2);
    assert_string_equal(text_at(asked, "name"), "save");
    assert_string_equal(text_at(asked, "always"), "save(b)");
    assert_true(json_is_true(json_object_get(asked, "write")));
    struct run_call *look = world_next_call(w, "look");
    (void)world_next(w, RUN_WAIT);
    world_call_done(w, look, "seen");
    (void)world_next(w, RUN_WAIT);
    decide(w, "1.3", RUN_ALLOW_ONCE, NULL);
    (void)world_next(w, RUN_WAIT); /* it keeps its place behind the first */
    decide(w, "1.1", RUN_ALLOW_ONCE, NULL);
    decided(w, "allow", "person");
    struct run_call *save = world_next_call(w, "save");
    assert_string_equal(save->id, "c1");
    assert_true(save->write);
    assert_false(look->write);
    world_call_done(w, save, "saved");
    world_call_done(w, world_next_call(w, "save"), "saved");
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
    world_reply(w, reply_text("Done."));
    json_decref(world_end(w, "final", 0));
}

static void a_no_is_told_to_the_model(void **state)
{
    struct world *w = *state;
    start_with(
        w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "save", "{\"path\":\"b\"}", NULL));
    decide(w, "1.1", RUN_DENY, "use\x1b b instead");
    decided(w, "deny", "person");
    decide(w, NULL, RUN_DENY, NULL);
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -2)),
                        "error: denied by a person: use<U+001B> b instead");
    assert_non_null(strstr(message_text(body_message(body, -1)), "denied by a person; "));
    json_decref(body);
    world_reply(w, reply_text("I may not."));
    json_t *result = world_end(w, "final", 0);
    assert_int_equal(json_array_size(json_object_get(result, "denials")), 2);
    assert_int_equal(json_array_size(json_object_get(result, "approvals")), 0);
    json_decref(result);
}

/* One more step, whose call is answered as `choice` says when it is asked for (0: it must not be);
 * true: it was allowed to write. */
static bool one_more(struct world *w, const char *tool, const char *args, int choice)
{
    size_t asked = world_count(w, "approval.requested");
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c", tool, args, NULL));
    assert_int_equal(world_count(w, "approval.requested"), asked + (choice != 0));
    if (choice != 0) {
        (void)world_next(w, RUN_WAIT);
        decide(w, NULL, (enum run_choice)choice, NULL);
    }
    if (choice == RUN_DENY)
        return false;
    struct run_call *call = world_next_call(w, tool);
    bool write = call->write;
    world_call_done(w, call, choice ? "done" : "done at once");
    return write;
}

static void a_yes_for_the_run_covers_its_shape(void **state)
{
    struct world *w = *state;
    w->config.max_steps = 20;
    w->config.max_denials = 0;
    world_start(w);
    assert_true(one_more(w, "save", "{\"path\":\"a\"}", RUN_ALLOW_RUN));
    assert_string_equal(text_at(world_event(w, "approval.requested"), "always"), "save(a)");
    assert_true(one_more(w, "save", "{\"path\":\"a\",\"text\":\"other\"}", 0));
    decided(w, "allow", "person");
    assert_false(one_more(w, "save", "{\"path\":\"b\"}", RUN_DENY));
    assert_true(one_more(w, "save", "{\"path\":\"b\"}", RUN_ALLOW_ONCE));
    assert_false(one_more(w, "save", "{\"path\":\"b\"}", RUN_DENY));
    assert_true(one_more(w, "run", "{\"argv\":[\"git\",\"log\",\"-n 1\"]}", RUN_ALLOW_RUN));
    assert_string_equal(text_at(world_event(w, "approval.requested"), "always"),
                        "run(git log '-n 1')");
    assert_true(one_more(w, "run", "{\"argv\":[\"git\",\"log\",\"-n 1\"]}", 0));
    (void)one_more(w, "run", "{\"argv\":[\"git\",\"log\"]}", RUN_DENY);
    (void)one_more(w, "run", "{\"argv\":[\"git\",\"log\",\"-n\",\"1\"]}", RUN_DENY);
    (void)one_more(w, "run", "{\"argv\":[\"git\",\"log\",\"-n 1\",\"--all\"]}", RUN_DENY);
    (void)one_more(w, "run", "{\"argv\":[\"git\",\"log\",\"-n 1\"],\"cwd\":\"sub\"}", RUN_DENY);
    assert_string_equal(text_at(world_event(w, "approval.requested"), "always"),
                        "run(git log '-n 1') with the same cwd");
}

static void with_nobody_to_ask_it_is_denied(void **state)
{
    struct world *w = *state;
    w->config.ask = false;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    assert_int_equal(world_count(w, "approval.requested"), 0);
    decided(w, "deny", "nobody");
    assert_string_equal(text_at(world_event(w, "permission.decided"), "verdict"), "ask");
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -1)), "nobody can be asked"));
    json_decref(body);
    world_reply(w, reply_text("I may not."));
    json_decref(world_end(w, "final", 0));
}

static void or_the_run_pauses_when_all_else_is_done(void **state)
{
    struct world *w = *state;
    w->config.ask = false;
    w->config.on_deny_fail = true;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "look", "{\"path\":\"a\"}",
                              "c3", "run", "{\"argv\":[\"make\"]}", NULL));
    world_call_done(w, world_next_call(w, "look"), "seen");
    json_t *result = world_end(w, "approval_pending", 8);
    assert_string_equal(text_at(result, "status"), "paused");
    const json_t *waiting = json_object_get(result, "approvals");
    assert_int_equal(json_array_size(waiting), 2);
    assert_string_equal(text_at(json_array_get(waiting, 1), "name"), "run");
    assert_non_null(
        json_object_get(json_object_get(json_array_get(waiting, 1), "arguments"), "argv"));
    assert_int_equal(json_array_size(json_object_get(result, "denials")), 0);
    json_decref(result);
}

static void a_denial_may_end_the_run(void **state)
{
    struct world *w = *state;
    struct world *plain;
    assert_int_equal(world_set_up((void **)&plain), 0); /* whose policy denies */
    w->config.policy = plain->policy;
    w->config.ask = false;
    w->config.on_deny_fail = true;
    start_with(
        w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "look", "{\"path\":\"a\"}", NULL));
    json_t *result = world_end(w, "denied", 7);
    assert_string_equal(text_at(result, "status"), "error");
    assert_non_null(strstr(text_at(json_object_get(result, "error"), "message"), "--on-deny fail"));
    assert_int_equal(world_count(w, "tool.started"), 0);
    json_decref(result);
    run_free(w->run);
    w->run = NULL;
    (void)world_tear_down((void **)&plain);
}

static void so_many_denials_are_enough(void **state)
{
    struct world *w = *state;
    char path[32];
    w->config.ask = false;
    w->config.max_denials = 3;
    world_start(w);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "{\"path\":\"%d\"}", i);
        (void)world_next(w, RUN_ASK);
        world_reply(w, reply_calls("c", "save", path, NULL));
    }
    json_t *result = world_end(w, "denied", 7);
    assert_int_equal(number_at(json_object_get(result, "counts"), "denials"), 3);
    assert_non_null(strstr(text_at(json_object_get(result, "error"), "message"), "--max-denials"));
    json_decref(result);
    struct err err;
    assert_int_equal(world_prompt(w, "Go on.", &err), 0); /* counted anew */
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c", "save", "{\"path\":\"x\"}", NULL));
    (void)world_next(w, RUN_ASK);
}

static void an_end_of_its_own_after_a_denial_is_no_success(void **state)
{
    struct world *w = *state;
    w->config.ask = false;
    w->config.max_steps = 2;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_text("As far as I came."));
    json_t *result = world_end(w, "denied", 7);
    const char *message = text_at(json_object_get(result, "error"), "message");
    assert_non_null(strstr(message, "--max-steps"));
    assert_non_null(strstr(message, "1 had been denied"));
    assert_string_equal(text_at(result, "text"), "As far as I came.");
    json_decref(result);
    struct err err;
    assert_int_equal(world_prompt(w, "Again.", &err), 0); /* nothing was denied since */
    for (int i = 0; i < 2; i++) {
        (void)world_next(w, RUN_ASK);
        world_reply(w,
                    i ? reply_text("So far.") : reply_calls("c", "look", "{\"path\":\"a\"}", NULL));
        if (i == 0)
            world_call_done(w, world_next_call(w, "look"), "x");
    }
    json_decref(world_end(w, "max_steps", 9));
}

static void what_fails_outside_keeps_its_reason(void **state)
{
    struct world *w = *state;
    w->config.ask = false;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    (void)world_next(w, RUN_ASK);
    world_fail(w, 401, "{\"error\":{\"message\":\"no\"}}", NULL);
    json_decref(world_end(w, "auth_error", 4));
}

static void only_what_waits_can_be_answered(void **state)
{
    struct world *w = *state;
    struct err err = {.text = ""};
    start_with(
        w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "look", "{\"path\":\"a\"}", NULL));
    assert_int_equal(run_decide(w->run, "1.2", RUN_ALLOW_ONCE, NULL, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "these do: 1.1"));
    assert_int_equal(run_decide(w->run, "1.1", (enum run_choice)7, NULL, &err), -1);
    assert_int_equal(run_decide(w->run, "", RUN_ALLOW_ONCE, NULL, &err), -1);
    decide(w, "1.1", RUN_DENY, "");
    assert_int_equal(run_decide(w->run, "1.1", RUN_ALLOW_ONCE, NULL, &err), -1);
    assert_non_null(strstr(err.text, "no call of this run waits"));
    run_stop(w->run, STOP_INTERRUPTED, 2, NULL);
    assert_int_equal(run_decide(w->run, NULL, RUN_ALLOW_ONCE, NULL, &err), -1);
}

static void a_run_that_waits_can_be_stopped(void **state)
{
    struct world *w = *state;
    struct err err;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    (void)world_next(w, RUN_WAIT);
    run_stop(w->run, STOP_INTERRUPTED, 2, NULL);
    json_decref(world_end(w, "interrupted", 130));
    assert_int_equal(world_prompt(w, "Something else.", &err), 0);
    (void)world_next(w, RUN_ASK);
    json_decref(world_body(w));
}

static void the_limit_on_calls_counts_for_a_yes(void **state)
{
    struct world *w = *state;
    w->config.max_tool_calls = 1;
    start_with(
        w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "save", "{\"path\":\"b\"}", NULL));
    decide(w, NULL, RUN_ALLOW_ONCE, NULL);
    world_call_done(w, world_next_call(w, "save"), "x");
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -2)), "limit on tool calls"));
    json_decref(body);
}

static void nobody_is_asked_in_vain(void **state)
{
    struct world *w = *state;
    w->config.max_tool_calls = 1;
    start_with(w, reply_calls("c1", "look", "{\"path\":\"a\"}", "c2", "save", "{\"path\":\"b\"}",
                              "c3", "save", "{\"path\":7}", NULL));
    assert_int_equal(world_count(w, "approval.requested"), 0);
}

/* ---- From a journal ---- */

#define RECORDS_MAX 64

struct records {
    char *kinds[RECORDS_MAX], *bodies[RECORDS_MAX];
    size_t count;
    char run[EVENT_RUN_ID_SIZE];
};

static int take_record(void *user, const char *kind, const char *body, size_t len, bool sync,
                       struct err *err)
{
    struct records *r = user;
    (void)sync;
    (void)err;
    assert_true(r->count < RECORDS_MAX);
    r->kinds[r->count] = strdup(kind);
    r->bodies[r->count++] = strndup(body, len);
    return 0;
}

static void forget(struct records *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->kinds[i]);
        free(r->bodies[i]);
    }
    r->count = 0;
}

/* The run again, from its first `count` records. */
static void restore(struct world *w, const struct records *r, size_t count)
{
    struct err err = {.text = ""};
    json_decref(w->events);
    w->events = json_array();
    run_free(w->run);
    w->config.journal = NULL;
    w->run = run_new(&w->config, &err);
    assert_non_null(w->run);
    assert_int_equal(run_restore_begin(w->run, r->run, &err), 0);
    for (size_t i = 0; i < count; i++)
        if (run_restore(w->run, r->kinds[i], r->bodies[i], strlen(r->bodies[i]), &err) != 0)
            fail_msg("record %zu (%s): %s", i, r->kinds[i], err.text);
    assert_int_equal(run_resume(w->run, &err), 0);
}

/* A run that asks for two writes and pauses, or is denied. */
static void pause_at_two(struct world *w, struct records *r)
{
    w->config.ask = false;
    w->config.on_deny_fail = true;
    w->config.journal = take_record;
    w->config.journal_user = r;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", "c2", "run",
                              "{\"argv\":[\"make\"]}", NULL));
    memcpy(r->run, run_events(w->run)->run, sizeof r->run);
    json_t *result = world_end(w, "approval_pending", 8);
    assert_true(json_is_true(json_object_get(result, "resumable")));
    char wanted[128];
    (void)snprintf(wanted, sizeof wanted, "tackle resume %s --approve 1.1 --approve 1.2", r->run);
    assert_string_equal(text_at(result, "resume_cmd"), wanted);
    json_decref(result);
    r->count--; /* as if it had been killed then */
    free(r->kinds[r->count]);
    free(r->bodies[r->count]);
}

static void answers_may_come_before_it_goes_on(void **state)
{
    struct world *w = *state;
    struct records r = {.count = 0};
    pause_at_two(w, &r);
    restore(w, &r, r.count);
    decide(w, "1.1", RUN_ALLOW_ONCE, NULL);
    decide(w, "1.2", RUN_DENY, "not now");
    struct run_call *save = world_next_call(w, "save");
    assert_true(save->write);
    world_call_done(w, save, "saved");
    (void)world_next(w, RUN_ASK);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -2)), "saved");
    assert_non_null(strstr(message_text(body_message(body, -1)), "not now"));
    json_decref(body);
    forget(&r);
}

static void what_is_not_answered_stays_open(void **state)
{
    struct world *w = *state;
    struct records r = {.count = 0};
    pause_at_two(w, &r);
    restore(w, &r, r.count);
    decide(w, "1.1", RUN_ALLOW_ONCE, NULL);
    world_call_done(w, world_next_call(w, "save"), "saved");
    json_t *result = world_end(w, "approval_pending", 8);
    const json_t *waiting = json_object_get(result, "approvals");
    assert_int_equal(json_array_size(waiting), 1);
    assert_string_equal(text_at(json_array_get(waiting, 0), "name"), "run");
    json_decref(result);
    forget(&r);
}

/* A yes given before does not lift what a rule denies now. */
static void a_stricter_policy_wins_over_an_answer(void **state)
{
    struct world *w = *state;
    struct world *plain;
    struct records r = {.count = 0};
    pause_at_two(w, &r);
    assert_int_equal(world_set_up((void **)&plain), 0);
    w->config.policy = plain->policy;
    w->config.on_deny_fail = false;
    restore(w, &r, r.count);
    decide(w, NULL, RUN_ALLOW_RUN, NULL);
    (void)world_next(w, RUN_ASK);
    decided(w, "deny", "policy");
    assert_int_equal(world_count(w, "tool.started"), 0);
    run_free(w->run);
    w->run = NULL;
    forget(&r);
    (void)world_tear_down((void **)&plain);
}

/* And what was denied then is not allowed by a looser policy now, wherever it stopped. */
static void what_was_denied_stays_denied(void **state)
{
    struct world *w = *state;
    struct records r = {.count = 0};
    w->config.ask = false;
    w->config.journal = take_record;
    w->config.journal_user = &r;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    memcpy(r.run, run_events(w->run)->run, sizeof r.run);
    (void)world_next(w, RUN_ASK);
    size_t decision = 0;
    while (strcmp(r.kinds[decision], "decision") != 0)
        decision++;
    world_may_write(w);
    for (size_t count = decision; count <= r.count; count++) {
        restore(w, &r, count);
        struct run_action action;
        run_next(w->run, &action);
        assert_int_equal(action.kind, count == decision ? RUN_CALL : RUN_ASK);
        assert_int_equal(run_counts(w->run)->denials, count != decision);
    }
    forget(&r);
}

/* An answer that was recorded counts, also for the rest of the run. */
static void an_answer_is_given_once(void **state)
{
    struct world *w = *state;
    struct records r = {.count = 0};
    w->config.journal = take_record;
    w->config.journal_user = &r;
    start_with(w, reply_calls("c1", "save", "{\"path\":\"a\"}", NULL));
    memcpy(r.run, run_events(w->run)->run, sizeof r.run);
    decide(w, NULL, RUN_ALLOW_RUN, NULL);
    restore(w, &r, r.count);
    struct run_call *save = world_next_call(w, "save");
    assert_true(save->write);
    assert_int_equal(world_count(w, "approval.requested"), 0);
    world_call_done(w, save, "saved");
    assert_true(one_more(w, "save", "{\"path\":\"a\"}", 0));
    assert_true(one_more(w, "save", "{\"path\":\"b\"}", RUN_ALLOW_ONCE));
    forget(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_waits_while_others_go_on),
        TEST(a_no_is_told_to_the_model),
        TEST(a_yes_for_the_run_covers_its_shape),
        TEST(with_nobody_to_ask_it_is_denied),
        TEST(or_the_run_pauses_when_all_else_is_done),
        TEST(a_denial_may_end_the_run),
        TEST(so_many_denials_are_enough),
        TEST(an_end_of_its_own_after_a_denial_is_no_success),
        TEST(what_fails_outside_keeps_its_reason),
        TEST(only_what_waits_can_be_answered),
        TEST(a_run_that_waits_can_be_stopped),
        TEST(the_limit_on_calls_counts_for_a_yes),
        TEST(nobody_is_asked_in_vain),
        TEST(answers_may_come_before_it_goes_on),
        TEST(what_is_not_answered_stays_open),
        TEST(a_stricter_policy_wins_over_an_answer),
        TEST(what_was_denied_stays_denied),
        TEST(an_answer_is_given_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
