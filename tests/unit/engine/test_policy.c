#include "test_support.h"

#include <string.h>

#include <tackle/plugin.h>

#include "engine/policy.h"

static void check(const char *sandbox, uint32_t does, bool allowed, const char *reason)
{
    struct settings s;
    struct err err;
    struct policy_decision d;
    const struct tool tool = {.name = (char *)"act", .does = does};
    assert_int_equal(settings_init(&s), 0);
    if (sandbox)
        assert_int_equal(settings_set(&s, LAYER_FLAG, "sandbox", sandbox, &err), 0);
    struct policy *p = policy_new(&s, &err);
    assert_non_null(p);
    settings_release(&s);
    policy_decide(p, &tool, NULL, &d);
    assert_int_equal(d.verdict, allowed ? POLICY_ALLOW : POLICY_DENY);
    assert_int_equal(policy_offers(p, &tool), allowed);
    if (!allowed) {
        assert_non_null(strstr(d.why, reason));
        assert_non_null(strstr(d.why, "--sandbox workspace-write"));
    }
    policy_free(p);
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
