/* What a run records, when, and what happens when that fails. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "unit/engine/run_world.h"

struct records {
    char kinds[512];   /* each with a blank behind it; "!" marks sync */
    struct buf bodies; /* a line each */
    size_t count, fail_at;
};

static int take_record(void *user, const char *kind, const char *body, size_t len, bool sync,
                       struct err *err)
{
    struct records *r = user;
    size_t used = strlen(r->kinds);
    struct buf whole;
    if (++r->count >= r->fail_at && r->fail_at > 0)
        return err_set(err, ERR_SESSION, "no room");
    (void)snprintf(r->kinds + used, sizeof r->kinds - used, "%s%s ", kind, sync ? "!" : "");
    buf_init(&whole, 1 << 20);
    assert_int_equal(buf_byte(&whole, '{'), 0);
    assert_int_equal(buf_append(&whole, body, len), 0);
    assert_int_equal(buf_byte(&whole, '}'), 0);
    assert_null(memchr(body, '\n', len));
    json_t *value = json_loadb(whole.data, whole.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    json_decref(value);
    assert_int_equal(buf_append(&r->bodies, whole.data, whole.len), 0);
    assert_int_equal(buf_byte(&r->bodies, '\n'), 0);
    buf_release(&whole);
    return 0;
}

static void begin(struct world *w, struct records *r)
{
    *r = (struct records){.count = 0};
    buf_init(&r->bodies, 1 << 20);
    w->config.journal = take_record;
    w->config.journal_user = r;
    w->tools[3].effect = TACKLE_EFFECT_PROBE;
    world_may_write(w);
}

static void records_come_before_what_they_tell_of(void **state)
{
    struct world *w = *state;
    struct records r;
    struct err err;
    begin(w, &r);
    world_start(w);
    assert_string_equal(r.kinds, "conversation ");
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "change", "{}", NULL));
    assert_string_equal(r.kinds, "conversation messages decision ");
    r.kinds[0] = '\0';
    struct run_call *call = world_next_call(w, "change");
    assert_string_equal(r.kinds, "tool_started! ");
    assert_int_equal(run_call_remember(w->run, call, "note", 4, &err), 0);
    assert_int_equal(run_call_remember(w->run, call, "\xff", 1, &err), -1);
    run_file_changed(w->run, call, "a.txt", "created");
    world_call_done(w, call, "ok");
    assert_string_equal(r.kinds, "tool_started! remember! file_changed tool_finished! ");
    r.kinds[0] = '\0';
    (void)world_next(w, RUN_ASK);
    assert_string_equal(r.kinds, "answered state ");
    world_reply(w, reply_text("Done."));
    json_decref(world_end(w, "final", 0));
    assert_string_equal(r.kinds, "answered state messages run_finished! ");
    assert_non_null(strstr(r.bodies.data, "\"effect\":\"probe\",\"args\":{}"));
    assert_non_null(strstr(r.bodies.data, "\"result\":\"ok\""));
    buf_release(&r.bodies);
}

static void a_call_that_is_safe_is_not_waited_for(void **state)
{
    struct world *w = *state;
    struct records r;
    begin(w, &r);
    world_start(w);
    (void)world_next(w, RUN_ASK);
    world_reply(w, reply_calls("c1", "look", "{\"path\":\"a\"}", NULL));
    r.kinds[0] = '\0';
    world_call_done(w, world_next_call(w, "look"), "ok");
    assert_string_equal(r.kinds, "tool_started tool_finished ");
    buf_release(&r.bodies);
}

/* However far it comes: no call is handed out that is not recorded, and the result says why. */
static void a_record_that_fails_ends_the_run(void **state)
{
    struct world *w = *state;
    for (size_t fail_at = 1;; fail_at++) {
        struct records r;
        struct run_action action;
        struct err err;
        bool started = false;
        begin(w, &r);
        r.fail_at = fail_at;
        w->run = run_new(&w->config, &err);
        assert_non_null(w->run);
        if (world_prompt(w, "Go.", &err) != 0) {
            assert_int_equal(err.code, ERR_SESSION);
        } else {
            for (run_next(w->run, &action); action.kind != RUN_ENDED; run_next(w->run, &action)) {
                if (action.kind == RUN_ASK)
                    world_reply(w, started ? reply_text("Done.")
                                           : reply_calls("c1", "change", "{}", NULL));
                if (action.kind == RUN_CALL) {
                    assert_non_null(strstr(r.kinds, "tool_started! "));
                    started = true;
                    world_call_done(w, action.call, "ok");
                }
            }
        }
        (void)run_finish(w->run, 1);
        size_t count = r.count;
        bool ended = strstr(r.kinds, "conversation messages decision tool_started! "
                                     "tool_finished! answered state messages ") != NULL;
        assert_int_equal(run_exit_code(w->run), ended ? 0 : 13);
        run_free(w->run);
        w->run = NULL;
        buf_release(&r.bodies);
        if (count < fail_at)
            break; /* there is nothing left to fail */
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(records_come_before_what_they_tell_of),
        CASE(a_call_that_is_safe_is_not_waited_for),
        CASE(a_record_that_fails_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
