/* What OPEN may say of the sandbox, and what it may not. */
#include "test_support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/sandbox_spec.h"

#define GOOD                                                                                       \
    "\"tier\":\"t3\",\"write\":true,\"runs\":true,\"git\":\"read\",\"network\":\"none\","          \
    "\"read\":[\"/opt/x\"],\"hide\":[\"*.pem\",\".env\"],\"memory_mib\":1,\"processes\":2,"        \
    "\"file_mib\":3"

static json_t *open_of(const char *text)
{
    json_error_t where;
    json_t *open = json_loads(text, JSON_ALLOW_NUL, &where);
    if (!open)
        fail_msg("%s: %s", text, where.text);
    return open;
}

static void everything(void **state)
{
    struct sandbox_spec spec;
    struct err err;
    (void)state;
    json_t *open = open_of("{\"workspace\":\"/w\",\"home\":\"/h\",\"tmp\":\"/t\",\"write\":false,"
                           "\"sandbox\":{" GOOD "}}");
    assert_int_equal(sandbox_spec_read(open, &spec, &err), 0);
    assert_int_equal(spec.tier, TIER_T3);
    assert_string_equal(spec.workspace, "/w");
    assert_string_equal(spec.home, "/h");
    assert_string_equal(spec.tmp, "/t");
    assert_true(spec.write && spec.runs && !spec.git_write && !spec.network);
    assert_string_equal(spec.read[0], "/opt/x");
    assert_null(spec.read[1]);
    assert_string_equal(spec.hide[1], ".env");
    assert_null(spec.hide[2]);
    assert_int_equal(spec.memory_mib, 1);
    assert_int_equal(spec.processes, 2);
    assert_int_equal(spec.file_mib, 3);
    json_decref(open);
}

static void without_one_it_is_off(void **state)
{
    struct sandbox_spec spec;
    struct err err;
    (void)state;
    json_t *open = open_of("{\"workspace\":\"/w\",\"write\":true}");
    assert_int_equal(sandbox_spec_read(open, &spec, &err), 0);
    assert_int_equal(spec.tier, TIER_OFF);
    assert_true(spec.write);
    assert_null(spec.home);
    json_decref(open);
}

static void refused(const char *text)
{
    struct sandbox_spec spec;
    struct err err = {.code = ERR_NONE};
    json_t *open = open_of(text);
    if (sandbox_spec_read(open, &spec, &err) == 0)
        fail_msg("taken: %s", text);
    assert_int_equal(err.code, ERR_USAGE);
    json_decref(open);
}

/* The last member of a name counts. */
static void member(const char *text)
{
    char open[8 * (SANDBOX_LIST_MAX + 4) + 1024];
    (void)snprintf(open, sizeof open, "{\"workspace\":\"/w\",\"sandbox\":{" GOOD ",%s}}", text);
    refused(open);
}

static void what_is_wrong_is_refused(void **state)
{
    char list[8 * (SANDBOX_LIST_MAX + 4)];
    size_t used = (size_t)snprintf(list, sizeof list, "\"hide\":[\"a\"");
    (void)state;
    member("\"tier\":\"t4\"");
    member("\"tier\":3");
    member("\"write\":\"yes\"");
    member("\"runs\":1");
    member("\"git\":\"none\"");
    member("\"network\":\"all\"");
    member("\"read\":\"/x\"");
    member("\"read\":[1]");
    member("\"read\":[\"relative\"]");
    member("\"read\":[\"/a/../b\"]");
    member("\"read\":[\"/..\"]");
    member("\"read\":[\"/a\\u0000b\"]");
    member("\"hide\":[\"[a\"]");
    member("\"hide\":[\"\"]");
    member("\"memory_mib\":-1");
    member("\"memory_mib\":1.5");
    member("\"processes\":\"5\"");
    member("\"file_mib\":4294967296");
    refused("{\"workspace\":\"w\",\"sandbox\":{" GOOD "}}");
    refused("{\"workspace\":\"/w/../x\"}");
    refused("{\"workspace\":\"/w\\u0000x\"}");
    refused("{\"workspace\":\"/w\",\"home\":\"h\"}");
    refused("{\"workspace\":\"/w\",\"tmp\":5}");
    refused("{\"workspace\":\"/w\",\"sandbox\":{}}");
    refused("{\"workspace\":\"/w\",\"sandbox\":\"t3\"}");
    for (int i = 0; i < SANDBOX_LIST_MAX; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, ",\"a\"");
    (void)snprintf(list + used, sizeof list - used, "]");
    member(list);
}

static void names_with_dots_are_no_way_up(void **state)
{
    struct sandbox_spec spec;
    struct err err;
    (void)state;
    json_t *open = open_of("{\"workspace\":\"/w/..x/a..b/...\"}");
    assert_int_equal(sandbox_spec_read(open, &spec, &err), 0);
    json_decref(open);
}

static void tiers_have_names(void **state)
{
    (void)state;
    for (int tier = TIER_OFF; tier <= TIER_T3; tier++)
        assert_int_equal(sandbox_tier_of(sandbox_tier_name((enum sandbox_tier)tier)), tier);
    assert_int_equal(sandbox_tier_of("T3"), -1);
    assert_int_equal(sandbox_tier_of(NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything),
        cmocka_unit_test(without_one_it_is_off),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(names_with_dots_are_no_way_up),
        cmocka_unit_test(tiers_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
