/* Schemas for Gemini: only safe keywords are left, and nothing is lost without a word. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/sanitise.h"

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, 0, &error);
    if (!value)
        print_error("%s: %s\n", text, error.text);
    assert_non_null(value);
    return value;
}

static bool is_safe(const json_t *schema, unsigned depth)
{
    static const char *const safe[] = {
        "type",  "description", "properties", "required", "items",    "enum",    "nullable",
        "anyOf", "format",      "minimum",    "maximum",  "minItems", "maxItems"};
    const char *key, *name;
    json_t *value, *item;
    size_t i;
    if (!json_is_object(schema) || depth == 0)
        return false;
    if (!json_is_string(json_object_get(schema, "type")) && !json_object_get(schema, "anyOf"))
        return false;
    json_object_foreach((json_t *)schema, key, value)
    {
        bool known = false;
        for (i = 0; i < sizeof safe / sizeof safe[0]; i++)
            known = known || strcmp(key, safe[i]) == 0;
        if (!known)
            return false;
    }
    json_object_foreach(json_object_get(schema, "properties"), name,
                        item) if (!is_safe(item, depth - 1)) return false;
    json_array_foreach(json_object_get(schema, "anyOf"), i,
                       item) if (!is_safe(item, depth - 1)) return false;
    json_array_foreach(json_object_get(schema, "enum"), i,
                       item) if (json_string_length(item) == 0) return false;
    json_array_foreach(json_object_get(schema, "required"), i,
                       item) if (!json_object_get(json_object_get(schema, "properties"),
                                                  json_string_value(item))) return false;
    const json_t *items = json_object_get(schema, "items");
    bool array = json_object_get(schema, "type") &&
                 strcmp(json_string_value(json_object_get(schema, "type")), "array") == 0;
    return array ? is_safe(items, depth - 1) : !items;
}

static void expect_tool(const char *text, const char *expected)
{
    struct err err = {0};
    json_t *schema = parse(text), *want = parse(expected);
    json_t *got = sanitise_schema(schema, NULL, &err);
    if (!got)
        print_error("%s: %s\n", text, err.text);
    assert_non_null(got);
    assert_true(is_safe(got, 64));
    if (!json_equal(got, want)) {
        char *dump = json_dumps(got, 0);
        print_error("got %s\nwant %s\n", dump, expected);
        free(dump);
        fail();
    }
    json_decref(got);
    json_decref(want);
    json_decref(schema);
}

/* The schema of one property `x`. */
static void expect(const char *text, const char *expected)
{
    char in[2048], out[2048];
    (void)snprintf(in, sizeof in, "{\"type\":\"object\",\"properties\":{\"x\":%s}}", text);
    (void)snprintf(out, sizeof out, "{\"type\":\"object\",\"properties\":{\"x\":%s}}", expected);
    expect_tool(in, out);
}

static void test_simple_schemas_stay(void **state)
{
    (void)state;
    const char *plain = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\","
                        "\"description\":\"Where\"},\"n\":{\"type\":\"integer\",\"minimum\":1,"
                        "\"maximum\":9},\"kind\":{\"type\":\"string\",\"enum\":[\"a\",\"b\"]},"
                        "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"},"
                        "\"minItems\":1}},\"required\":[\"path\"]}";
    struct buf changes;
    buf_init(&changes, 4096);
    json_t *schema = parse(plain), *got = sanitise_schema(schema, &changes, NULL);
    assert_true(json_equal(got, schema));
    assert_string_equal(changes.data, "");
    json_decref(got);
    json_decref(schema);
    buf_release(&changes);
    expect_tool("{\"type\":\"object\"}", "{\"type\":\"object\",\"properties\":{}}");
}

static void test_keywords_become_words(void **state)
{
    (void)state;
    expect("{\"type\":\"string\",\"description\":\"Name\",\"minLength\":1,\"pattern\":\"^a\"}",
           "{\"type\":\"string\",\"description\":\"Name (least length: 1; must match the pattern "
           "\\\"^a\\\")\"}");
    expect(
        "{\"type\":\"integer\",\"default\":5,\"exclusiveMinimum\":0,\"multipleOf\":2}",
        "{\"type\":\"integer\",\"description\":\"default: 5; greater than 0; a multiple of 2\"}");
    expect("{\"type\":\"string\",\"format\":\"uri\",\"title\":\"Link\",\"examples\":[\"a\"]}",
           "{\"type\":\"string\",\"description\":\"Link (format: \\\"uri\\\"; examples: "
           "[\\\"a\\\"])\"}");
    expect("{\"type\":\"array\",\"format\":\"argv\",\"items\":{\"type\":\"string\",\"format\":"
           "\"path\"}}",
           "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    expect("{\"type\":\"string\",\"format\":\"date-time\"}",
           "{\"type\":\"string\",\"format\":\"date-time\"}");
    expect("{\"const\":\"\"}", "{\"type\":\"string\",\"description\":\"always \\\"\\\"\"}");
    expect("{\"type\":\"objet\"}", "{\"type\":\"string\",\"description\":\"any JSON value\"}");
    expect("{\"type\":[\"integer\",7,\"thing\"]}", "{\"type\":\"integer\"}");
    expect("{\"type\":\"array\",\"uniqueItems\":true,\"items\":{\"type\":\"number\"}}",
           "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"description\":\"items must "
           "differ\"}");
    expect("{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}",
           "{\"type\":\"object\",\"description\":\"values of other properties: "
           "{\\\"type\\\":\\\"integer\\\"}\"}");
    expect(
        "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{},\"$comment\":\"c\"}",
        "{\"type\":\"object\"}");
    expect("{\"not\":{\"type\":\"null\"}}", "{\"type\":\"string\",\"description\":\"any JSON "
                                            "value; not: {\\\"type\\\":\\\"null\\\"}\"}");
}

static void test_types(void **state)
{
    (void)state;
    expect("{\"type\":[\"string\",\"null\"]}", "{\"type\":\"string\",\"nullable\":true}");
    expect("{\"type\":[\"integer\",\"string\"]}",
           "{\"type\":\"integer\",\"description\":\"may also be of type string\"}");
    expect("{\"properties\":{\"a\":{\"type\":\"boolean\"}}}",
           "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"boolean\"}}}");
    expect("{\"type\":\"null\"}",
           "{\"type\":\"string\",\"nullable\":true,\"description\":\"is always null\"}");
    expect("true", "{\"type\":\"string\",\"description\":\"any JSON value\"}");
    expect("{\"type\":\"array\"}", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    expect("{\"type\":\"array\",\"items\":{\"type\":\"array\"}}",
           "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}");
    expect("{\"type\":\"array\",\"prefixItems\":[{\"type\":\"number\"},{\"type\":\"string\"}]}",
           "{\"type\":\"array\",\"items\":{\"type\":\"number\"},\"description\":\"items in this "
           "order: "
           "[{\\\"type\\\":\\\"number\\\"},{\\\"type\\\":\\\"string\\\"}]\"}");
}

static void test_fixed_values(void **state)
{
    (void)state;
    expect("{\"const\":\"a\"}", "{\"type\":\"string\",\"enum\":[\"a\"]}");
    expect("{\"const\":5}", "{\"type\":\"integer\",\"description\":\"always 5\"}");
    expect("{\"enum\":[1,2]}", "{\"type\":\"integer\",\"description\":\"one of [1,2]\"}");
    expect("{\"type\":\"string\",\"enum\":[\"a\",null]}",
           "{\"type\":\"string\",\"enum\":[\"a\"],\"nullable\":true}");
    expect("{\"type\":\"string\",\"enum\":[\"a\",\"\"]}",
           "{\"type\":\"string\",\"description\":\"one of [\\\"a\\\",\\\"\\\"]\"}");
}

static void test_alternatives(void **state)
{
    (void)state;
    expect("{\"anyOf\":[{\"type\":\"integer\",\"minimum\":1},{\"type\":\"null\"}],\"description\":"
           "\"n\"}",
           "{\"type\":\"integer\",\"minimum\":1,\"nullable\":true,\"description\":\"n\"}");
    expect("{\"oneOf\":[{\"const\":\"a\"},{\"enum\":[\"b\",\"c\"]}]}",
           "{\"type\":\"string\",\"enum\":[\"a\",\"b\",\"c\"]}");
    expect("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}",
           "{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\"}]}");
    expect("{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"anyOf\":["
           "{\"type\":\"number\"},{\"type\":\"string\"}]}}}",
           "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}}}");
    expect_tool("{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"a\":{\"type\":\"string\"}},"
                "\"required\":[\"a\"]},{\"properties\":{\"b\":{\"type\":\"string\"}}}]}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
                "\"b\":{\"type\":\"string\"}}}");
}

static void test_references(void **state)
{
    (void)state;
    expect_tool("{\"type\":\"object\",\"$defs\":{\"p\":{\"type\":\"object\",\"properties\":{\"x\":"
                "{\"type\":\"number\"}},\"required\":[\"x\",\"gone\"]}},\"properties\":{"
                "\"from\":{\"$ref\":\"#/$defs/p\",\"description\":\"start\"},"
                "\"to\":{\"$ref\":\"#/$defs/p\"}}}",
                "{\"type\":\"object\",\"properties\":{"
                "\"from\":{\"type\":\"object\",\"description\":\"start\",\"properties\":{\"x\":"
                "{\"type\":\"number\"}},\"required\":[\"x\"]},"
                "\"to\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"}},"
                "\"required\":[\"x\"]}}}");
    /* a tree */
    expect_tool(
        "{\"type\":\"object\",\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{"
        "\"kids\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/t\"}}}}},"
        "\"properties\":{\"root\":{\"$ref\":\"#/$defs/t\"}}}",
        "{\"type\":\"object\",\"properties\":{\"root\":{\"type\":\"object\",\"properties\":{"
        "\"kids\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}}}}}}");
    expect("{\"$ref\":\"https://example.org/x\"}", "{\"type\":\"object\"}");
    expect_tool("{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},"
                "\"required\":[\"a\"]},{\"properties\":{\"b\":{\"type\":\"string\"}},"
                "\"required\":[\"b\"]}]}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},"
                "\"b\":{\"type\":\"string\"}},\"required\":[\"a\",\"b\"]}");
}

static void test_changes_are_told(void **state)
{
    (void)state;
    struct buf changes;
    buf_init(&changes, 4096);
    json_t *schema =
        parse("{\"type\":\"object\",\"$schema\":\"s\",\"properties\":{\"a\":{"
              "\"type\":\"array\",\"items\":{\"type\":\"string\",\"default\":\"x\"}}}}");
    json_t *got = sanitise_schema(schema, &changes, NULL);
    assert_non_null(got);
    assert_string_equal(changes.data, "a.items: default was taken out\n");
    json_decref(got);
    json_decref(schema);
    buf_release(&changes);
}

static void test_refused(void **state)
{
    (void)state;
    const char *bad[] = {"{\"type\":\"string\"}", "[]", "{\"type\":\"array\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        json_t *schema = parse(bad[i]);
        assert_null(sanitise_schema(schema, NULL, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        json_decref(schema);
    }
    /* references that multiply: each level names the next one twice */
    struct buf text;
    struct err err = {0};
    buf_init(&text, 1 << 20);
    assert_int_equal(buf_text(&text, "{\"type\":\"object\",\"$defs\":{"), 0);
    for (int i = 0; i < 30; i++)
        assert_int_equal(buf_format(&text,
                                    "\"d%d\":{\"properties\":{\"a\":{\"$ref\":\"#/$defs/d%d\"},"
                                    "\"b\":{\"$ref\":\"#/$defs/d%d\"}}},",
                                    i, i + 1, i + 1),
                         0);
    assert_int_equal(buf_text(&text, "\"d30\":{}},\"$ref\":\"#/$defs/d0\"}"), 0);
    json_t *schema = parse(text.data);
    assert_null(sanitise_schema(schema, NULL, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    json_decref(schema);
    buf_release(&text);
}

/* Whatever comes in, what goes out is safe, or an error. */
static void test_schemas_of_the_public_suite(void **state)
{
    (void)state;
    unsigned count = 0;
    DIR *dir = opendir(SUITE);
    if (!dir) {
        print_message("SKIPPED: %s is not there (apt install json-schema-test-suite)\n", SUITE);
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t i;
        json_t *group;
        json_error_t error;
        if (!strstr(entry->d_name, ".json"))
            continue;
        char *path = test_join(SUITE, entry->d_name);
        json_t *groups = json_load_file(path, JSON_ALLOW_NUL, &error);
        assert_non_null(groups);
        json_array_foreach(groups, i, group)
        {
            struct err err = {0};
            json_t *schema = json_pack("{s:s, s:{s:O}}", "type", "object", "properties", "x",
                                       json_object_get(group, "schema"));
            json_t *got = sanitise_schema(schema, NULL, &err);
            assert_true(got ? is_safe(got, 64) : err.code == ERR_LIMIT);
            count += got != NULL;
            json_decref(got);
            json_decref(schema);
        }
        json_decref(groups);
        free(path);
    }
    assert_int_equal(closedir(dir), 0);
    assert_true(count > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_simple_schemas_stay),
        cmocka_unit_test(test_keywords_become_words),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_fixed_values),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_changes_are_told),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_schemas_of_the_public_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
