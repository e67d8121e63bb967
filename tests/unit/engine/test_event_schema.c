/* The schema of the events and the page about them: every example fits, every type has one, and
 * what the schema does not know is noticed. */
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/schema.h"

struct fixture {
    json_t *json; /* the schema */
    struct schema *schema;
    json_t *examples; /* of docs/events.md */
};

/* The lines of the blocks ```json. */
static json_t *read_examples(void)
{
    char *text = test_read_file(TEST_SOURCE_DIR "/docs/events.md", NULL);
    json_t *examples = json_array();
    bool inside = false;
    assert_non_null(text);
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) {
        if (strncmp(at, "```", 3) == 0) {
            inside = !inside && strncmp(at, "```json\n", 8) == 0;
        } else if (inside) {
            json_error_t error;
            json_t *event = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, &error);
            if (!event)
                fail_msg("%s in: %.*s", error.text, (int)(end - at), at);
            assert_int_equal(json_array_append_new(examples, event), 0);
        }
    }
    free(text);
    return examples;
}

static int open_fixture(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err err;
    size_t len = 0;
    char *text = test_read_file(TEST_SOURCE_DIR "/docs/events.schema.json", &len);
    assert_non_null(f);
    assert_non_null(text);
    f->schema = schema_compile(text, len, 0, &err);
    if (!f->schema)
        fail_msg("%s", err.text);
    f->json = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(f->json);
    f->examples = read_examples();
    free(text);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;
    schema_free(f->schema);
    json_decref(f->json);
    json_decref(f->examples);
    free(f);
    return 0;
}

static const char *type_of(const json_t *event)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    return type ? type : "(none)";
}

static void test_examples_fit(void **state)
{
    struct fixture *f = *state;
    size_t i;
    json_t *event;
    json_array_foreach(f->examples, i, event)
    {
        struct buf problems;
        buf_init(&problems, 65536);
        if (schema_check(f->schema, event, &problems) != 0)
            fail_msg("example %zu (%s): %s", i + 1, type_of(event), problems.data);
        buf_release(&problems);
    }
}

/* Those that the schema names, has a definition of, and the page an example. */
static void test_every_type_has_all(void **state)
{
    struct fixture *f = *state;
    const json_t *types =
        json_object_get(json_object_get(json_object_get(f->json, "properties"), "type"), "enum");
    const json_t *definitions = json_object_get(f->json, "definitions");
    size_t i, j;
    json_t *type, *event;
    assert_true(json_array_size(types) >= 18);
    assert_int_equal(json_array_size(types), json_array_size(json_object_get(f->json, "allOf")));
    json_array_foreach(types, i, type)
    {
        size_t shown = 0;
        json_array_foreach(f->examples, j, event) shown +=
            strcmp(type_of(event), json_string_value(type)) == 0;
        if (shown == 0)
            fail_msg("docs/events.md has no example of %s", json_string_value(type));
        if (!json_object_get(definitions, json_string_value(type)))
            fail_msg("the schema has no definition of %s", json_string_value(type));
    }
}

/* An example of each type with one member more, and with each of its members missing. */
static void test_other_forms_are_noticed(void **state)
{
    struct fixture *f = *state;
    size_t i;
    json_t *event, *value;
    const char *key;
    json_array_foreach(f->examples, i, event)
    {
        json_t *changed = json_copy(event);
        assert_int_equal(json_object_set_new(changed, "more", json_true()), 0);
        if (schema_check(f->schema, changed, NULL) == 0)
            fail_msg("a new member of %s passes", type_of(event));
        json_decref(changed);
        json_object_foreach(event, key, value)
        {
            changed = json_copy(event);
            assert_int_equal(json_object_del(changed, key), 0);
            if (schema_check(f->schema, changed, NULL) == 0)
                fail_msg("%s without %s passes", type_of(event), key);
            json_decref(changed);
        }
    }
}

static void test_unknown_type(void **state)
{
    struct fixture *f = *state;
    json_t *event =
        json_pack("{si sI ss ss ss}", "v", 1, "seq", (json_int_t)1, "ts",
                  "2026-11-23T18:15:00.285Z", "run", "r1m84swmdwheg3eq9hh", "type", "step.skipped");
    assert_non_null(event);
    assert_int_equal(schema_check(f->schema, event, NULL), -1);
    json_decref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_fit),
        cmocka_unit_test(test_every_type_has_all),
        cmocka_unit_test(test_other_forms_are_noticed),
        cmocka_unit_test(test_unknown_type),
    };
    return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
