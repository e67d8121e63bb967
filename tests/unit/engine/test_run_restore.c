/* A run that stops behind any of its records goes on as if nothing had been. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "engine/run_restore.h"
#include "unit/engine/run_world.h"

#define RECORDS_MAX 64

struct records {
    char *kinds[RECORDS_MAX];
    char *bodies[RECORDS_MAX];
    size_t count;
    char run[EVENT_RUN_ID_SIZE]; /* whose they are */
};

static int take_record(void *user, const char *kind, const char *body, size_t len, bool sync,
                       struct err *err)
{
    struct records *r = user;
    (void)sync;
    (void)err;
    assert_true(r->count < RECORDS_MAX);
    r->kinds[r->count] = strdup(kind);
    r->bodies[r->count] = strndup(body, len);
    assert_non_null(r->bodies[r->count]);
    r->count++;
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

/* look is safe, note keyed, peek asks, change is never repeated. */
static void begin(struct world *w, struct records *r)
{
    w->tools[1].effect = TACKLE_EFFECT_PROBE;
    w->tools[1].owner = w;
    w->tools[2].effect = TACKLE_EFFECT_KEYED;
    w->tools[3].effect = TACKLE_EFFECT_NEVER;
    world_may_write(w);
    w->config.journal = take_record;
    w->config.journal_user = r;
}

static void keep_id(struct world *w, struct records *r)
{
    memcpy(r->run, run_events(w->run)->run, sizeof r->run);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* The answer that the scripted model gives to a conversation. */
static json_t *answer_to(const json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    assert_non_null(text);
    size_t turns = count_of(text, "\"role\":\"assistant\"");
    free(text);
    if (turns == 0)
        return reply_calls("c1", "look", "{\"path\":\"a\"}", "c2", "change", "{}", "c3", "note",
                           "{}", "c4", "peek", "{}", "c5", "look", "{", NULL);
    return turns == 1 ? reply_calls("c6", "change", "{}", NULL) : reply_text("Done.");
}

/* Runs to the end; `done` gets the ids of the calls that were run, `last` the last request. */
static void drive(struct world *w, char done[256], char **last, int32_t probe_says)
{
    struct run_action action;
    for (run_next(w->run, &action); action.kind != RUN_ENDED; run_next(w->run, &action)) {
        if (action.kind == RUN_ASK) {
            json_t *body = world_body(w);
            free(*last);
            *last = json_dumps(body, JSON_COMPACT);
            world_reply(w, answer_to(body));
            json_decref(body);
        } else if (action.kind == RUN_CALL && action.call->probe) {
            const struct run_result_of_call result = {
                .code = probe_says, .output = "ok", .len = 2, .message = ""};
            run_call_probed(w->run, action.call, &result);
        } else if (action.kind == RUN_CALL) {
            size_t used = strlen(done);
            (void)snprintf(done + used, 256 - used, "%s ", action.call->id);
            world_call_done(w, action.call, "ok");
        }
    }
    (void)run_finish(w->run, 1);
}

/* Everything but the first `count` records is forgotten. */
static void restore(struct world *w, const struct records *r, size_t count)
{
    struct err err = {.text = ""};
    w->run = run_new(&w->config, &err);
    assert_non_null(w->run);
    if (run_restore_begin(w->run, r->run, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < count; i++)
        if (run_restore(w->run, r->kinds[i], r->bodies[i], strlen(r->bodies[i]), &err) != 0)
            fail_msg("record %zu (%s): %s", i, r->kinds[i], err.text);
}

/* Was this begun, or finished, in these records? Ids of calls stand in tool_started. */
static bool says(const struct records *r, size_t count, const char *kind, const char *id)
{
    char part[48], key[64] = "";
    (void)snprintf(part, sizeof part, "\"id\":\"%s\"", id);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(r->kinds[i], "tool_started") == 0 && strstr(r->bodies[i], part)) {
            (void)snprintf(key, sizeof key, "%.40s", r->bodies[i]);
            *(strchr(key, ',') + 1) = '\0';
        }
        if (*key && strcmp(r->kinds[i], kind) == 0 && strstr(r->bodies[i], key))
            return true;
    }
    return false;
}

static void check_from(struct world *w, const struct records *all, size_t count, const char *whole,
                       int32_t probe_says)
{
    static const char *const ids[] = {"c1", "c2", "c3", "c4", "c6"};
    struct records more = {.count = 0};
    struct err err;
    char done[256] = "", *last = NULL;
    bool unknown = false;
    w->config.journal_user = &more;
    restore(w, all, count);
    if (run_resume(w->run, &err) != 0)
        fail_msg("behind record %zu: %s", count, err.text);
    drive(w, done, &last, probe_says);
    assert_int_equal(run_exit_code(w->run), 0);
    assert_string_equal(run_text(w->run), "Done.");
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        bool begun = says(all, count, "tool_started", ids[i]);
        bool finished = says(all, count, "tool_finished", ids[i]);
        bool never = strcmp(ids[i], "c2") == 0 || strcmp(ids[i], "c6") == 0;
        bool asked = strcmp(ids[i], "c4") == 0 && probe_says != TACKLE_PROBE_NOT_DONE;
        if (finished || (begun && (never || asked)))
            assert_null(strstr(done, ids[i]));
        else
            assert_int_equal(count_of(done, ids[i]), 1);
        unknown = unknown || (begun && !finished && never) ||
                  (begun && !finished && asked && probe_says == TACKLE_PROBE_UNKNOWN);
    }
    assert_int_equal(run_counts(w->run)->steps, 3);
    assert_int_equal(run_counts(w->run)->tool_calls, 6);
    if (last && strstr(last, "the arguments could not be read"))
        assert_false(unknown); /* nobody knows any more what was wrong with them */
    else if (last && unknown)
        assert_non_null(strstr(last, "may or may not have taken effect"));
    else if (last)
        assert_string_equal(last, whole);
    free(last);
    run_free(w->run);
    w->run = NULL;
    forget(&more);
}

static void it_goes_on_behind_any_record(void **state)
{
    static const int32_t answers[] = {TACKLE_PROBE_DONE, TACKLE_PROBE_NOT_DONE,
                                      TACKLE_PROBE_UNKNOWN};
    struct world *w = *state;
    struct records all = {.count = 0};
    char done[256] = "", *whole = NULL;
    begin(w, &all);
    world_start(w);
    drive(w, done, &whole, TACKLE_PROBE_UNKNOWN);
    assert_string_equal(done, "c1 c2 c3 c4 c6 ");
    assert_string_equal(all.kinds[all.count - 1], "run_finished");
    assert_int_equal(run_counts(w->run)->tool_calls, 6);
    keep_id(w, &all);
    run_free(w->run);
    w->run = NULL;
    w->config.sink = NULL;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        for (size_t count = 1; count < all.count; count++)
            check_from(w, &all, count, whole, answers[i]);
    free(whole);
    forget(&all);
}

static void what_has_ended_is_not_begun_again(void **state)
{
    struct world *w = *state;
    struct records all = {.count = 0};
    struct err err;
    char done[256] = "", *whole = NULL;
    begin(w, &all);
    world_start(w);
    drive(w, done, &whole, TACKLE_PROBE_UNKNOWN);
    keep_id(w, &all);
    run_free(w->run);
    w->config.sink = NULL;
    size_t count = all.count;
    restore(w, &all, count);
    assert_int_equal(run_resume(w->run, &err), -1);
    assert_non_null(strstr(err.text, "has ended with its answer"));
    assert_int_equal(world_prompt(w, "And now?", &err), 0);
    json_t *body = world_body(w);
    assert_string_equal(message_text(body_message(body, -1)), "And now?");
    assert_string_equal(message_text(body_message(body, -2)), "Done.");
    json_decref(body);
    free(whole);
    forget(&all);
}

static void a_tool_that_has_changed_is_not_trusted(void **state)
{
    struct world *w = *state;
    struct records all = {.count = 0};
    struct err err;
    struct run_action action;
    begin(w, &all);
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "look", "{\"path\":\"a\"}", NULL));
    (void)world_next_call(w, "look");
    keep_id(w, &all);
    run_free(w->run);
    w->config.sink = NULL;
    w->tools[0].effect = TACKLE_EFFECT_KEYED;
    restore(w, &all, all.count);
    assert_int_equal(run_resume(w->run, &err), 0);
    run_next(w->run, &action);
    assert_int_equal(action.kind, RUN_ASK);
    json_t *body = world_body(w);
    assert_non_null(strstr(message_text(body_message(body, -1)), "may or may not"));
    json_decref(body);
    forget(&all);
}

static void records_without_sense_are_refused(void **state)
{
    static const struct {
        const char *kind, *body;
    } bad[] = {{"messages", "\"messages\":7"},
               {"messages", "\"messages\":["},
               {"conversation", "\"state\":{}"},
               {"tool_finished", "\"call\":\"r1.9.9\",\"result\":\"x\""},
               {"state", "}{"}};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {.code = ERR_NONE};
        w->run = run_new(&w->config, &err);
        assert_non_null(w->run);
        assert_int_equal(run_restore_begin(w->run, "r1", &err), 0);
        assert_int_equal(run_restore(w->run, bad[i].kind, bad[i].body, strlen(bad[i].body), &err),
                         -1);
        assert_int_equal(err.code, ERR_SESSION);
        run_free(w->run);
        w->run = NULL;
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_goes_on_behind_any_record),
        CASE(what_has_ended_is_not_begun_again),
        CASE(a_tool_that_has_changed_is_not_trusted),
        CASE(records_without_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
