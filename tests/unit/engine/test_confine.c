/* How plugins are confined: what OPEN says for each, and what people are told when it cannot be. */
#include "test_support.h"

#include <string.h>

#include <tackle/plugin.h>

#include "engine/confine.h"

static int files, commands; /* two owners */
static char read_name[] = "read_file", write_name[] = "write_file", run_name[] = "run_command";

static struct tool reads = {.name = read_name, .does = TACKLE_READS, .owner = &files};
static struct tool writes = {
    .name = write_name, .does = TACKLE_READS | TACKLE_WRITES, .owner = &files};
static struct tool runs = {.name = run_name, .does = TACKLE_RUNS, .owner = &commands};
static const struct tool *const tools[] = {&reads, &writes, &runs};

static void set(struct settings *s, const char *key, const char *value)
{
    struct err err;
    if (settings_set(s, LAYER_FLAG, key, value, &err) != 0)
        fail_msg("%s", err.text);
}

/* The sandbox of one plugin of a run in this mode. */
static json_t *sandbox(struct settings *s, const char *mode, const void *owner, size_t count,
                       bool write)
{
    struct err err;
    set(s, "sandbox", mode);
    struct policy *policy = policy_new(s, &err);
    assert_non_null(policy);
    json_t *all = confine_plugin(s, policy, tools, count, owner, write);
    policy_free(policy);
    json_t *inner = json_incref(json_object_get(all, "sandbox"));
    json_decref(all);
    assert_non_null(inner);
    return inner;
}

static void check(json_t *got, const char *key, const char *wanted)
{
    json_t *value = json_loads(wanted, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    if (!json_equal(json_object_get(got, key), value))
        fail_msg("%s is %s", key, json_dumps(json_object_get(got, key), JSON_ENCODE_ANY));
    json_decref(value);
}

static void each_plugin_gets_what_its_tools_declare(void **state)
{
    (void)state;
    struct settings s;
    assert_int_equal(settings_init(&s), 0);
    set(&s, "sandbox_tier", "t3");
    set(&s, "command_network", "host");
    set(&s, "sandbox_read", "/opt/toolchain");
    json_t *file = sandbox(&s, "workspace-write", &files, 3, true);
    check(file, "tier", "\"t3\"");
    check(file, "write", "true");
    check(file, "runs", "false");
    check(file, "git", "\"write\"");
    check(file, "network", "\"none\""); /* it asks through the runtime */
    check(file, "read", "[\"/opt/toolchain\"]");
    check(file, "hide", "[]");
    check(file, "memory_mib", "4096");
    check(file, "processes", "512");
    check(file, "file_mib", "4096");
    json_decref(file);
    json_t *shell = sandbox(&s, "workspace-write", &commands, 3, true);
    check(shell, "write", "true");
    check(shell, "runs", "true");
    check(shell, "git", "\"read\"");
    check(shell, "network", "\"host\"");
    json_decref(shell);
    /* Of the file plugin only read_file takes part. */
    json_t *reader = sandbox(&s, "workspace-write", &files, 1, true);
    check(reader, "write", "false");
    json_decref(reader);
    settings_release(&s);
}

static void a_run_that_may_only_read_writes_with_permission_only(void **state)
{
    (void)state;
    struct settings s;
    assert_int_equal(settings_init(&s), 0);
    json_t *plain = sandbox(&s, "read-only", &files, 3, false);
    check(plain, "write", "false");
    json_decref(plain);
    json_t *shell = sandbox(&s, "read-only", &commands, 3, false);
    check(shell, "write", "false");
    check(shell, "runs", "false");
    json_decref(shell);
    json_t *never = sandbox(&s, "read-only", &commands, 3, true);
    check(never, "write", "false");
    check(never, "runs", "false");
    json_decref(never);
    set(&s, "approval", "ask");
    plain = sandbox(&s, "read-only", &commands, 3, false);
    check(plain, "write", "false");
    check(plain, "runs", "false");
    json_decref(plain);
    json_t *granted = sandbox(&s, "read-only", &commands, 3, true);
    check(granted, "write", "true");
    check(granted, "runs", "true");
    json_decref(granted);
    settings_release(&s);
}

static void off_is_no_tier(void **state)
{
    (void)state;
    struct settings s;
    struct err err;
    static const char *const no_ci[] = {NULL, "", "0", "false"};
    assert_int_equal(settings_init(&s), 0);
    set(&s, "sandbox_tier", "t2");
    assert_string_equal(confine_tier(&s), "t2");
    assert_int_equal(confine_check_off(&s, "true", &err), 0);
    json_t *shell = sandbox(&s, "off", &commands, 3, true);
    check(shell, "tier", "\"off\"");
    check(shell, "write", "true");
    json_decref(shell);
    for (size_t i = 0; i < sizeof no_ci / sizeof *no_ci; i++)
        assert_int_equal(confine_check_off(&s, no_ci[i], &err), 0);
    assert_int_equal(confine_check_off(&s, "true", &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "--sandbox-tier external"));
    assert_true(confine_is_enforced("t3"));
    assert_true(confine_is_enforced("t2"));
    assert_false(confine_is_enforced("external"));
    assert_false(confine_is_enforced("off"));
    settings_release(&s);
}

static void what_cannot_be_had_says_what_to_do(void **state)
{
    (void)state;
    struct err err;
    char endless[3000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_int_equal(confine_fail(&err, "t3", "unshare", "Operation not permitted"), -1);
    assert_int_equal(err.code, ERR_SANDBOX);
    assert_non_null(strstr(err.text, "(tier t3)"));
    assert_non_null(strstr(
        err.text, "step 'unshare': Operation not permitted; user namespaces are switched by"));
    assert_non_null(strstr(err.text, "user.max_user_namespaces"));
    assert_non_null(strstr(err.text, "--sandbox-tier external"));
    (void)confine_fail(&err, "t3", "mount proc", "Operation not permitted");
    assert_null(strstr(err.text, "sysctls"));
    assert_non_null(strstr(err.text, "--sandbox-tier t2"));
    (void)confine_fail(&err, "t2", "landlock", "not supported");
    assert_null(strstr(err.text, "--sandbox-tier t2"));
    assert_non_null(strstr(err.text, "--sandbox-tier external"));
    (void)confine_fail(&err, NULL, NULL, NULL);
    assert_non_null(strstr(err.text, "does not say why"));
    (void)confine_fail(&err, endless, endless, endless);
    assert_non_null(strstr(err.text, "--sandbox-tier external"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_plugin_gets_what_its_tools_declare),
        cmocka_unit_test(a_run_that_may_only_read_writes_with_permission_only),
        cmocka_unit_test(off_is_no_tier),
        cmocka_unit_test(what_cannot_be_had_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
