/* Runs that are recorded and replayed, as a program that embeds tackle does it. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint/endpoint.h"
#include "unit/api/api_world.h"

struct tape {
    struct world *world;
    char *record, *replay; /* settings */
};

/* Records a run of two calls; the endpoint is gone afterwards. */
static void record(struct world *w, struct tape *t)
{
    static const char script[] = "=== reply\n"
                                 "call act {\"do\":\"echo\",\"with\":\"one\"}\n"
                                 "call act {\"do\":\"crash\"}\n"
                                 "=== reply\ntext Done.\n";
    struct endpoint_child endpoint;
    struct err err;
    char url[ENDPOINT_URL_SIZE + 16];
    *t = (struct tape){.world = w};
    char *path = world_path(w, "tape");
    if (asprintf(&t->record, "record=%s", path) < 0 || asprintf(&t->replay, "replay=%s", path) < 0)
        fail();
    free(path);
    if (endpoint_child_start(script, &endpoint, &err) != 0)
        fail_msg("%s", err.text);
    (void)snprintf(url, sizeof url, "base_url=%s", endpoint.url);
    tackle_run *run = world_start(w, (const char *const[]){url, t->record, NULL}, NULL);
    json_decref(world_end(w, run, "final", 0));
    tackle_run_free(run);
    json_decref(endpoint_child_stop(&endpoint));
    world_runtime(w); /* without its plugin processes */
}

static void tape_release(struct tape *t)
{
    free(t->record);
    free(t->replay);
}

static bool has_children(void)
{
    char path[64], text[64] = "";
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    return len > 0;
}

static void look_for_children(struct receipt *r, tackle_run *run, const tackle_event *event)
{
    bool *seen = r->user;
    (void)run;
    if (strcmp(event->type, "tool.completed") == 0)
        *seen = *seen || has_children();
}

static void replay_in(struct world *w, struct tape *t, const char *mode, struct receipt *r)
{
    receipt_init(r, w);
    bool children = false;
    r->inside = look_for_children;
    r->user = &children;
    tackle_run *run = world_start(w, (const char *const[]){t->replay, mode, NULL}, r);
    json_t *result = world_end(w, run, "final", 0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(result, "counts"), "tool_errors")), 1);
    assert_int_equal(receipt_count(r, "tool.completed"), 2);
    assert_int_equal(children, strcmp(mode, "replay_mode=full") != 0);
    json_decref(result);
    tackle_run_free(run);
}

static void a_full_replay_starts_no_process(void **state)
{
    struct world *w = *state;
    struct tape t;
    struct receipt r;
    record(w, &t);
    replay_in(w, &t, "replay_mode=full", &r);
    receipt_release(&r);
    replay_in(w, &t, "replay_mode=model", &r);
    receipt_release(&r);
    tape_release(&t);
}

static void a_mismatch_is_the_result(void **state)
{
    struct world *w = *state;
    struct tape t;
    struct receipt r;
    record(w, &t);
    receipt_init(&r, w);
    tackle_run *run = world_start(
        w, (const char *const[]){t.replay, "replay_mode=full", "system=Be long.", NULL}, &r);
    json_t *result = world_end(w, run, "replay_mismatch", TACKLE_EXIT_REPLAY);
    const json_t *error = json_object_get(result, "error");
    assert_non_null(strstr(text_at(error, "diff"), "-Be brief."));
    assert_non_null(strstr(text_at(error, "diff"), "+Be long."));
    assert_non_null(strstr(text_at(error, "message"), "the system prompt"));
    assert_string_equal(text_at(receipt_last(&r, "error"), "diff"), text_at(error, "diff"));
    json_decref(result);
    tackle_run_free(run);
    receipt_release(&r);
    tape_release(&t);
}

/* A recording is not for what has begun already, nor for what is one. */
static void what_cannot_be_recorded_says_so(void **state)
{
    struct world *w = *state;
    struct tape t;
    record(w, &t);
    world_start_fails(w, (const char *const[]){t.record, t.replay, NULL}, TACKLE_EXIT_USAGE,
                      "a replay is not recorded");
    world_start_fails(w, (const char *const[]){t.record, "base_url=http://127.0.0.1:9/v1", NULL},
                      TACKLE_EXIT_USAGE, "--refresh");
    char *bodies = world_replay(w, "Done.", NULL);
    world_start_fails(w, (const char *const[]){bodies, "replay_mode=full", NULL}, TACKLE_EXIT_USAGE,
                      "replies only");
    free(bodies);
    tape_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_full_replay_starts_no_process, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_mismatch_is_the_result, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_recorded_says_so, world_set_up,
                                        world_tear_down),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
