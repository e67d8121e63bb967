#include "test_support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/event.h"

struct receipt {
    struct events events;
    json_t *all;
    bool nest; /* emit another from inside the first */
};

static void take(void *user, uint64_t seq, const char *type, const char *json, size_t json_len,
                 const char *text, size_t text_len)
{
    struct receipt *r = user;
    char *copy = strndup(json, json_len);
    assert_non_null(copy);
    if (r->nest) {
        r->nest = false;
        event_emit(&r->events, "inner",
                   json_pack("{s:s}", "text",
                             "a much longer one, so that "
                             "memory has to move: 0123456789"
                             "0123456789012345678901234567"));
    }
    /* An event is valid until its receipt returns, whatever happens meanwhile. */
    assert_memory_equal(json, copy, json_len);
    json_t *event = json_loadb(json, json_len, JSON_ALLOW_NUL, NULL);
    assert_non_null(event);
    assert_int_equal(json_integer_value(json_object_get(event, "seq")), seq);
    assert_string_equal(json_string_value(json_object_get(event, "type")), type);
    if (text && text_is_utf8(text, text_len))
        assert_int_equal(json_string_length(json_object_get(event, "text")), text_len);
    (void)json_array_append_new(r->all, event);
    free(copy);
}

static int set_up(void **state)
{
    struct receipt *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->all = json_array();
    events_init(&r->events, take, r);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct receipt *r = *state;
    events_release(&r->events);
    json_decref(r->all);
    free(r);
    return 0;
}

static const char *text_of(const struct receipt *r, size_t index, const char *key)
{
    return json_string_value(json_object_get(json_array_get(r->all, index), key));
}

static void events_are_numbered_without_gaps(void **state)
{
    struct receipt *r = *state;
    event_emit(&r->events, "one", json_pack("{s:i, s:[i,i]}", "a", 1, "b", 2, 3));
    event_emit(&r->events, "two", NULL);
    event_emit(&r->events, "three", json_object());
    event_delta(&r->events, "message.delta", 7, "text", 4);
    assert_int_equal(json_array_size(r->all), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *event = json_array_get(r->all, i);
        assert_int_equal(json_integer_value(json_object_get(event, "seq")), i + 1);
        assert_int_equal(json_integer_value(json_object_get(event, "v")), 1);
        assert_string_equal(text_of(r, i, "run"), r->events.run);
    }
    assert_int_equal(json_object_size(json_array_get(r->all, 0)), 7);
    assert_int_equal(json_object_size(json_array_get(r->all, 1)), 5);
    assert_int_equal(json_object_size(json_array_get(r->all, 2)), 5);
    assert_string_equal(text_of(r, 3, "text"), "text");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(r->all, 3), "step")), 7);
}

static void any_text_makes_valid_json(void **state)
{
    struct receipt *r = *state;
    event_delta(&r->events, "message.delta", 1, "\"\\\n\x01\0\xff", 6);
    event_delta(&r->events, "message.delta", 1, "", 0);
    assert_int_equal(json_array_size(r->all), 2);
    assert_int_equal(json_string_length(json_object_get(json_array_get(r->all, 0), "text")), 5 + 3);
}

static void fields_that_could_not_be_made_cost_the_fields_only(void **state)
{
    struct receipt *r = *state;
    event_emit(&r->events, "odd", json_pack("{s:s}", "text", "\xff"));
    assert_int_equal(json_array_size(r->all), 1);
    assert_string_equal(text_of(r, 0, "type"), "odd");
}

static void without_a_receiver_they_are_counted(void **state)
{
    struct receipt *r = *state;
    r->events.sink = NULL;
    event_emit(&r->events, "one", json_pack("{s:i}", "a", 1));
    event_delta(&r->events, "message.delta", 7, "text", 4);
    assert_int_equal(r->events.seq, 2);
}

static void an_event_within_an_event_leaves_the_outer_one_whole(void **state)
{
    struct receipt *r = *state;
    r->nest = true;
    event_emit(&r->events, "outer", json_pack("{s:s}", "text", "short"));
    r->nest = true;
    event_delta(&r->events, "message.delta", 1, "short", 5);
    assert_int_equal(json_array_size(r->all), 4);
    assert_string_equal(text_of(r, 0, "type"), "inner");
    assert_string_equal(text_of(r, 1, "text"), "short");
}

static void ids_of_runs_are_short_and_differ(void **state)
{
    (void)state;
    char ids[200][EVENT_RUN_ID_SIZE];
    for (size_t i = 0; i < 200; i++) {
        event_make_run_id(ids[i]);
        assert_int_equal(strlen(ids[i]), 19);
        assert_int_equal(strspn(ids[i], "0123456789abcdefghjkmnpqrstvwxyz"), 19);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
        if (i > 0) /* sortable by time */
            assert_true(strncmp(ids[i - 1], ids[i], 10) <= 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(events_are_numbered_without_gaps),
        TEST(any_text_makes_valid_json),
        TEST(fields_that_could_not_be_made_cost_the_fields_only),
        TEST(without_a_receiver_they_are_counted),
        TEST(an_event_within_an_event_leaves_the_outer_one_whole),
        TEST(ids_of_runs_are_short_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
