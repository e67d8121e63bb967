/* Calls that need a yes, through the public header: a program that answers them. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "unit/api/api_world.h"

static void finish_call(void *user, tackle_pending *pending, const char *args_json)
{
    int *calls = user;
    (void)args_json;
    (*calls)++;
    tackle_pending_finish(pending, 0, "done", 4);
}

/* A tool that changes something, in a run that may only read and has somebody to ask. */
static void add_change(struct world *w, int *calls)
{
    const tackle_function function = {.size = sizeof function,
                                      .does = TACKLE_WRITES,
                                      .effect = TACKLE_EFFECT_NEVER,
                                      .name = "change",
                                      .description = "Changes something.",
                                      .params = "{\"type\":\"object\",\"properties\":{\"n\":"
                                                "{\"type\":\"integer\"}}}",
                                      .call = finish_call,
                                      .user = calls};
    if (tackle_add_function(w->rt, &function, &w->err) != 0)
        fail_msg("%s", w->err.message);
    world_set(w, "approval", "ask");
}

/* The example: answers in the callback that tells of the question. */
static void answer(struct receipt *r, tackle_run *run, const tackle_event *event)
{
    const int32_t *decision = r->user;
    if (strcmp(event->type, "approval.requested") != 0)
        return;
    json_t *question = json_loadb(event->json, event->json_len, 0, NULL);
    assert_string_equal(text_at(question, "name"), "change");
    assert_int_equal(
        tackle_run_decide(run, text_at(question, "call"), *decision, "not today", &r->world->err),
        0);
    json_decref(question);
}

static void a_program_answers_in_its_callback(void **state)
{
    static const struct {
        int32_t decision;
        int questions, calls, denials;
    } cases[] = {{TACKLE_ALLOW_ONCE, 3, 3, 0}, {TACKLE_ALLOW_RUN, 2, 3, 0}, {TACKLE_DENY, 3, 0, 3}};
    struct world *w = *state;
    int calls = 0;
    add_change(w, &calls);
    char *replay =
        world_replay(w, "@change {\"n\":1}\n@change {\"n\":2}", "@change {\"n\":1}", "Done.", NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct receipt r;
        int32_t decision = cases[i].decision;
        receipt_init(&r, w);
        r.inside = answer;
        r.user = &decision;
        calls = 0;
        tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
        json_t *result = world_end(w, run, "final", 0);
        assert_int_equal(receipt_count(&r, "approval.requested"), cases[i].questions);
        assert_int_equal(calls, cases[i].calls);
        assert_int_equal(json_array_size(json_object_get(result, "denials")), cases[i].denials);
        if (cases[i].denials)
            assert_non_null(
                strstr(text_at(receipt_last(&r, "tool.completed"), "output"), "not today"));
        json_decref(result);
        receipt_release(&r);
    }
    free(replay);
}

static void or_whenever_it_likes(void **state)
{
    struct world *w = *state;
    int calls = 0;
    struct receipt r;
    add_change(w, &calls);
    receipt_init(&r, w);
    char *replay = world_replay(w, "@change {}", "Done.", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, NULL}, &r);
    assert_int_equal(tackle_run_decide(run, NULL, TACKLE_ALLOW_ONCE, NULL, &w->err), -1);
    assert_int_equal(w->err.exit_code, TACKLE_EXIT_USAGE);
    while (receipt_count(&r, "approval.requested") == 0)
        assert_true(tackle_step(w->rt, 1000, &w->err) >= 0);
    assert_int_equal(tackle_step(w->rt, 0, &w->err), 1); /* it waits */
    assert_int_equal(tackle_run_decide(run, "9.9", TACKLE_ALLOW_ONCE, NULL, &w->err), -1);
    assert_non_null(strstr(w->err.message, "these do: 1.1"));
    assert_int_equal(tackle_run_decide(run, "1.1", 0, NULL, &w->err), -1);
    assert_int_equal(tackle_run_decide(run, "1.1", TACKLE_ALLOW_ONCE, NULL, NULL), 0);
    json_decref(world_end(w, run, "final", 0));
    assert_int_equal(calls, 1);
    receipt_release(&r);
    free(replay);
}

/* Nobody answers: time ends it. */
static void or_never(void **state)
{
    struct world *w = *state;
    int calls = 0;
    add_change(w, &calls);
    char *replay = world_replay(w, "@change {}", NULL);
    tackle_run *run = world_start(w, (const char *const[]){replay, "max_time=50ms", NULL}, NULL);
    json_decref(world_end(w, run, "max_time", 9));
    assert_int_equal(calls, 0);
    free(replay);
}

static void unattended_it_never_waits(void **state)
{
    struct world *w = *state;
    int calls = 0;
    add_change(w, &calls);
    char *replay = world_replay(w, "@change {}", "I may not.", NULL);
    for (int fail = 0; fail < 2; fail++) {
        const char *const settings[] = {replay, fail ? "on_deny=fail" : NULL, NULL};
        const tackle_run_options options = {.size = sizeof options,
                                            .flags = TACKLE_RUN_UNATTENDED,
                                            .prompt = "Go.",
                                            .settings = settings};
        tackle_run *run = NULL;
        assert_int_equal(tackle_run_start(w->rt, &options, &run, &w->err), 0);
        json_decref(world_end(w, run, fail ? "approval_pending" : "final", fail ? 8 : 0));
    }
    assert_int_equal(calls, 0);
    free(replay);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_answers_in_its_callback),
        TEST(or_whenever_it_likes),
        TEST(or_never),
        TEST(unattended_it_never_waits),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
