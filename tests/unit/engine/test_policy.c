#include "test_support.h"

#include <string.h>

#include <tackle/plugin.h>

#include "engine/policy.h"

static void check(const char *sandbox, uint32_t does, bool allowed, const char *reason)
{
    struct settings s;
    struct err err, why = {.text = ""};
    struct policy p;
    const struct tool tool = {.name = (char *)"act", .does = does};
    assert_int_equal(settings_init(&s), 0);
    if (sandbox)
        assert_int_equal(settings_set(&s, LAYER_FLAG, "sandbox", sandbox, &err), 0);
    policy_init(&p, &s);
    settings_release(&s);
    assert_int_equal(policy_allows(&p, &tool, &why), allowed);
    assert_int_equal(policy_allows(&p, &tool, NULL), allowed);
    if (!allowed) {
        assert_int_equal(why.code, ERR_DENIED);
        assert_non_null(strstr(why.text, reason));
        assert_non_null(strstr(why.text, "--sandbox workspace-write"));
    }
}

static void by_default_a_run_only_reads(void **state)
{
    (void)state;
    check(NULL, 0, true, NULL);
    check(NULL, TACKLE_READS | TACKLE_PARALLEL, true, NULL);
    check(NULL, TACKLE_READS | TACKLE_NETWORK, true, NULL);
    check(NULL, TACKLE_READS | TACKLE_WRITES, false, "changes files");
    check(NULL, TACKLE_RUNS, false, "runs commands");
    check(NULL, TACKLE_RUNS | TACKLE_WRITES, false, "runs commands");
    check("read-only", TACKLE_WRITES, false, "changes files");
}

static void it_may_be_given_more(void **state)
{
    (void)state;
    check("workspace-write", TACKLE_WRITES, true, NULL);
    check("workspace-write", TACKLE_RUNS | TACKLE_READS, true, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_a_run_only_reads),
        cmocka_unit_test(it_may_be_given_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
