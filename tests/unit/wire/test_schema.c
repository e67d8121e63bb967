/* JSON Schema: what models get to read, what is refused, and the public test suite for draft-07
 * (Debian package json-schema-test-suite) as far as our keywords go. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/schema.h"

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7"

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        print_error("%s: %s\n", text, error.text);
    assert_non_null(value);
    return value;
}

static struct schema *compile(const char *text, unsigned flags)
{
    struct err err = {0};
    struct schema *schema = schema_compile(text, strlen(text), flags, &err);
    if (!schema)
        print_error("%s: %s\n", text, err.text);
    assert_non_null(schema);
    return schema;
}

/* `problems` NULL: the value fits. */
static void expect(const char *schema_text, unsigned flags, const char *value_text,
                   const char *problems)
{
    struct buf got;
    buf_init(&got, 1 << 16);
    struct schema *schema = compile(schema_text, flags);
    json_t *value = parse(value_text);
    int status = schema_check(schema, value, &got);
    assert_string_equal(got.data, problems ? problems : "");
    assert_int_equal(status, problems ? -1 : 0);
    assert_int_equal(schema_check(schema, value, NULL), status);
    json_decref(value);
    schema_free(schema);
    buf_release(&got);
}

static void refused(const char *schema_text, const char *part)
{
    struct err err = {0};
    struct schema *schema = schema_compile(schema_text, strlen(schema_text), 0, &err);
    assert_null(schema);
    if (!strstr(err.text, part))
        print_error("\"%s\" is not in \"%s\"\n", part, err.text);
    assert_non_null(strstr(err.text, part));
}

static const char tool[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"path\":{\"type\":\"string\",\"minLength\":1},"
    "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":500},"
    "\"mode\":{\"enum\":[\"text\",\"lines\"]},"
    "\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
    "\"at\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"number\"}},"
    "\"required\":[\"x\"]}},"
    "\"required\":[\"path\"]}";

static void test_words_for_a_model(void **state)
{
    (void)state;
    expect(tool, 0, "{\"path\":\"a\"}", NULL);
    expect(tool, 0, "{}", "path: required, but missing");
    expect(tool, 0, "[1]", "must be of type object, got [1]");
    expect(tool, 0, "{\"path\":5}", "path: must be of type string, got 5");
    expect(tool, 0, "{\"path\":\"a\",\"limit\":\"10\"}",
           "limit: must be of type integer, got \"10\"");
    expect(tool, 0, "{\"path\":\"a\",\"limit\":10.0}", NULL);
    expect(tool, 0, "{\"path\":\"a\",\"limit\":1e2}", NULL);
    expect(tool, 0, "{\"path\":\"a\",\"limit\":1.5}", "limit: must be of type integer, got 1.5");
    expect(tool, 0, "{\"path\":\"a\",\"limit\":0}", "limit: must be at least 1, got 0");
    expect(tool, 0, "{\"path\":\"a\",\"limit\":2147483648}",
           "limit: must be at most 500, got 2147483648");
    expect(tool, 0, "{\"path\":\"\",\"mode\":\"raw\"}",
           "path: must have at least 1 characters, has 0\n"
           "mode: must be one of \"text\", \"lines\"; got \"raw\"");
    expect(tool, 0, "{\"path\":\"a\",\"tags\":[\"x\",1]}",
           "tags[1]: must be of type string, got 1");
    expect(tool, 0, "{\"path\":\"a\",\"at\":{}}", "at.x: required, but missing");
}

static void test_no_more_than_five_problems(void **state)
{
    (void)state;
    expect("{\"items\":{\"type\":\"null\"}}", 0, "[1,2,3,4,5,6,7]",
           "[0]: must be of type null, got 1\n[1]: must be of type null, got 2\n"
           "[2]: must be of type null, got 3\n[3]: must be of type null, got 4\n"
           "[4]: must be of type null, got 5");
}

static void test_unknown_properties(void **state)
{
    (void)state;
    expect(tool, 0, "{\"path\":\"a\",\"pth\":1}", NULL);
    expect(tool, SCHEMA_STRICT_PROPERTIES, "{\"path\":\"a\"}", NULL);
    expect(tool, SCHEMA_STRICT_PROPERTIES, "{\"path\":\"a\",\"limt\":1}",
           "limt: unknown property; did you mean \"limit\"?");
    expect(tool, SCHEMA_STRICT_PROPERTIES, "{\"path\":\"a\",\"recursive\":true}",
           "recursive: unknown property; known are: path, limit, mode, tags, at");
    expect(tool, SCHEMA_STRICT_PROPERTIES, "{\"path\":\"a\",\"at\":{\"x\":1,\"y\":2}}",
           "at.y: unknown property; known are: x");
    expect("{\"type\":\"object\",\"properties\":{}}", SCHEMA_STRICT_PROPERTIES, "{\"a\":1}",
           "a: unknown property; none is allowed here");
    expect("{\"additionalProperties\":false,\"properties\":{\"city\":{}}}", 0, "{\"ciy\":1}",
           "ciy: unknown property; did you mean \"city\"?");
    /* a schema that says what else may come is taken at its word */
    expect("{\"properties\":{\"a\":{}},\"additionalProperties\":true}", SCHEMA_STRICT_PROPERTIES,
           "{\"b\":1}", NULL);
    expect("{\"properties\":{\"a\":{}},\"patternProperties\":{\"^x\":{}}}",
           SCHEMA_STRICT_PROPERTIES, "{\"b\":1}", NULL);
    expect("{\"allOf\":[{\"properties\":{\"a\":{}}},{\"properties\":{\"b\":{}}}]}",
           SCHEMA_STRICT_PROPERTIES, "{\"a\":1,\"b\":1}", NULL);
    expect("{\"type\":\"object\"}", SCHEMA_STRICT_PROPERTIES, "{\"b\":1}", NULL);
}

static void test_alternatives(void **state)
{
    (void)state;
    const char *nullable = "{\"properties\":{\"n\":{\"anyOf\":[{\"type\":\"integer\"},"
                           "{\"type\":\"null\"}]}}}";
    expect(nullable, 0, "{\"n\":null}", NULL);
    expect(nullable, 0, "{\"n\":\"x\"}",
           "n: fits none of 2 alternatives: (1) n: must be of type integer, got \"x\" "
           "(2) n: must be of type null, got \"x\"");
    expect("{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]}", 0, "1",
           "must fit exactly one of 2 alternatives, fits 2");
    expect("{\"not\":{\"type\":\"string\"}}", 0, "\"x\"",
           "must not be what its schema excludes, got \"x\"");
}

static void test_keywords_of_2020(void **state)
{
    (void)state;
    expect("{\"prefixItems\":[{\"type\":\"integer\"}],\"items\":{\"type\":\"string\"}}", 0,
           "[1,\"a\"]", NULL);
    expect("{\"prefixItems\":[{\"type\":\"integer\"}],\"items\":false}", 0, "[1,2]",
           "[1]: is not allowed here");
    expect("{\"contains\":{\"const\":1},\"minContains\":2,\"maxContains\":3}", 0, "[1,0,1]", NULL);
    expect("{\"contains\":{\"const\":1},\"minContains\":0}", 0, "[]", NULL);
    expect("{\"contains\":{\"const\":1},\"maxContains\":1}", 0, "[1,1]",
           "must hold at most 1 items of the kind its schema names, holds 2");
    expect("{\"dependentRequired\":{\"a\":[\"b\"]}}", 0, "{\"a\":1}",
           "b: required together with \"a\", but missing");
    expect("{\"dependentSchemas\":{\"a\":{\"required\":[\"c\"]}}}", 0, "{\"a\":1}",
           "c: required, but missing");
    expect("{\"$defs\":{\"p\":{\"$anchor\":\"pos\",\"minimum\":1}},\"$ref\":\"#pos\"}", 0, "0",
           "must be at least 1, got 0");
    /* siblings of $ref count since 2019-09 */
    expect("{\"$defs\":{\"s\":{\"type\":\"string\"}},\"$ref\":\"#/$defs/s\",\"maxLength\":1}", 0,
           "\"ab\"", "must have at most 1 characters, has 2");
    expect("{\"$defs\":{\"a/b%\":{\"type\":\"null\"}},\"$ref\":\"#/$defs/a~1b%25\"}", 0, "null",
           NULL);
}

static void test_recursion(void **state)
{
    (void)state;
    const char *tree = "{\"type\":\"object\",\"properties\":{\"kids\":{\"type\":\"array\","
                       "\"items\":{\"$ref\":\"#\"}},\"name\":{\"type\":\"string\"}}}";
    expect(tree, 0, "{\"name\":\"a\",\"kids\":[{\"kids\":[{\"name\":\"c\"}]}]}", NULL);
    expect(tree, 0, "{\"kids\":[{\"kids\":[{\"name\":1}]}]}",
           "kids[0].kids[0].name: must be of type string, got 1");
    refused("{\"$ref\":\"#\"}", "leads back to itself");
    refused("{\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"}]},"
            "\"b\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"}]}},\"$ref\":\"#/$defs/a\"}",
            "leads back to itself");
}

static void test_refused_schemas(void **state)
{
    (void)state;
    refused("{", "not valid JSON");
    refused("5", "must be an object, true or false");
    refused("{\"type\":\"strin\"}", "type must be");
    refused("{\"type\":[]}", "empty array");
    refused("{\"properties\":{\"a\":{\"type\":7}}}", "schema at /properties/a: type");
    refused("{\"properties\":[]}", "properties must be an object");
    refused("{\"required\":\"a\"}", "required must be an array");
    refused("{\"minimum\":\"1\"}", "minimum must be a number");
    refused("{\"minLength\":-1}", "minLength must be a whole number");
    refused("{\"multipleOf\":0}", "multipleOf must be greater");
    refused("{\"pattern\":\"(\"}", "no regular expression");
    refused("{\"anyOf\":[]}", "anyOf must be an array");
    refused("{\"enum\":1}", "enum must be an array");
    refused("{\"$ref\":\"https://example.org/s.json\"}", "leads out of the schema");
    refused("{\"$ref\":\"#/definitions/x\"}", "leads nowhere");
    refused("{\"$ref\":\"#/definitions/x\",\"definitions\":{\"x\":3}}", "must be an object, true");
    refused("{\"unevaluatedProperties\":false}", "not supported");
    refused("{\"properties\":{\"a\":{}},\"properties\":{}}", "duplicate");
}

static void test_bounds(void **state)
{
    (void)state;
    struct buf text, problems;
    struct err err = {0};
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 400; i++)
        assert_int_equal(buf_text(&text, "{\"not\":"), 0);
    assert_int_equal(buf_text(&text, "{}"), 0);
    for (int i = 0; i < 400; i++)
        assert_int_equal(buf_byte(&text, '}'), 0);
    assert_null(schema_compile(text.data, text.len, 0, &err));
    assert_int_equal(err.code, ERR_LIMIT);

    /* a pattern that backtracks for ever, and unique items by the thousand */
    buf_init(&problems, 4096);
    struct schema *schema = compile("{\"pattern\":\"^(a+)+$\"}", 0);
    json_t *value = parse("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"");
    assert_int_equal(schema_check(schema, value, &problems), -1);
    assert_non_null(strstr(problems.data, "too complex"));
    json_decref(value);
    schema_free(schema);

    buf_clear(&problems);
    schema = compile("{\"uniqueItems\":true}", 0);
    value = json_array();
    for (int i = 0; i < 5000; i++)
        assert_int_equal(json_array_append_new(value, json_integer(i)), 0);
    assert_int_equal(schema_check(schema, value, &problems), -1);
    assert_non_null(strstr(problems.data, "too large"));
    json_decref(value);
    schema_free(schema);

    /* a value that is deeper than we go */
    buf_clear(&problems);
    schema = compile("{\"items\":{\"$ref\":\"#\"}}", 0);
    value = json_array();
    for (int i = 0; i < 300; i++) {
        json_t *outer = json_array();
        assert_int_equal(json_array_append_new(outer, value), 0);
        value = outer;
    }
    assert_int_equal(schema_check(schema, value, &problems), -1);
    assert_non_null(strstr(problems.data, "nested too deep"));
    json_decref(value);
    schema_free(schema);
    buf_release(&problems);
    buf_release(&text);
}

/* What we leave out on purpose: schemas somewhere else, and $id as a base for references. */
static bool is_left_out(const char *schema_text, const char *file)
{
    return strstr(schema_text, "http://") || strcmp(file, "refRemote.json") == 0;
}

static void run_group(const json_t *group, const char *file, unsigned *run, unsigned *left_out)
{
    size_t i;
    json_t *test;
    struct err err = {0};
    json_t *json = json_deep_copy(json_object_get(group, "schema"));
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    assert_non_null(text);
    const json_t *tests = json_object_get(group, "tests");
    if (is_left_out(text, file)) {
        *left_out += (unsigned)json_array_size(tests);
    } else {
        if (json_is_object(json))
            assert_int_equal(json_object_set_new(json, "$schema", json_string("draft-07")), 0);
        struct schema *schema = schema_compile_json(json, 0, &err);
        if (!schema)
            print_error("%s: %s: %s\n", file, text, err.text);
        assert_non_null(schema);
        json_array_foreach(tests, i, test)
        {
            struct buf problems;
            buf_init(&problems, 1 << 16);
            bool valid = json_is_true(json_object_get(test, "valid"));
            int status = schema_check(schema, json_object_get(test, "data"), &problems);
            if ((status == 0) != valid || (problems.len == 0) != valid)
                print_error("%s: %s: \"%s\" gives \"%s\"\n", file, text,
                            json_string_value(json_object_get(test, "description")), problems.data);
            assert_int_equal(status, valid ? 0 : -1);
            assert_int_equal(problems.len == 0, valid);
            buf_release(&problems);
            ++*run;
        }
        schema_free(schema);
    }
    free(text);
    json_decref(json);
}

static void test_public_suite(void **state)
{
    (void)state;
    unsigned run = 0, left_out = 0;
    DIR *dir = opendir(SUITE);
    if (!dir)
        test_skip("the public cases are not there: apt install json-schema-test-suite");
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        size_t i;
        json_t *group;
        json_error_t error;
        if (!strstr(entry->d_name, ".json"))
            continue;
        char *path = test_join(SUITE, entry->d_name);
        json_t *groups = json_load_file(path, JSON_ALLOW_NUL, &error);
        assert_non_null(groups);
        json_array_foreach(groups, i, group) run_group(group, entry->d_name, &run, &left_out);
        json_decref(groups);
        free(path);
    }
    assert_int_equal(closedir(dir), 0);
    print_message("%u tests of the public suite run, %u left out (remote or re-based $ref)\n", run,
                  left_out);
    assert_true(run >= 380);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_for_a_model),
        cmocka_unit_test(test_no_more_than_five_problems),
        cmocka_unit_test(test_unknown_properties),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_keywords_of_2020),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_refused_schemas),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_public_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
