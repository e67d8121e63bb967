#include "test_support.h"

#include <signal.h>
#include <string.h>

#include "engine/outcome.h"

/* The table of the documentation, row by row. */
static void exit_codes_are_those_promised(void **state)
{
    static const struct {
        enum stop_reason reason;
        const char *name, *status;
        int exit_code;
    } rows[] = {
        {STOP_FINAL, "final", "success", 0},
        {STOP_INTERNAL, "internal", "error", 1},
        {STOP_USAGE, "usage", "error", 2},
        {STOP_CONFIG_ERROR, "config_error", "error", 3},
        {STOP_PLUGIN_ERROR, "plugin_error", "error", 3},
        {STOP_AUTH_ERROR, "auth_error", "error", 4},
        {STOP_API_ERROR, "api_error", "error", 5},
        {STOP_RATE_LIMITED, "rate_limited", "error", 5},
        {STOP_BILLING, "billing", "error", 5},
        {STOP_DENIED, "denied", "error", 7},
        {STOP_MAX_STEPS, "max_steps", "partial", 9},
        {STOP_MAX_TOOL_CALLS, "max_tool_calls", "partial", 9},
        {STOP_MAX_TIME, "max_time", "partial", 9},
        {STOP_SCHEMA_INVALID, "schema_invalid", "error", 10},
        {STOP_REFUSAL, "refusal", "error", 10},
        {STOP_CONTENT_FILTER, "content_filter", "error", 10},
        {STOP_OUTPUT_TRUNCATED, "output_truncated", "partial", 10},
        {STOP_EMPTY_ANSWER, "empty_answer", "error", 10},
        {STOP_REPLAY_MISMATCH, "replay_mismatch", "error", 11},
        {STOP_SANDBOX_UNAVAILABLE, "sandbox_unavailable", "error", 12},
        {STOP_INTERRUPTED, "interrupted", "interrupted", 130},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(outcome_name(rows[i].reason), rows[i].name);
        assert_string_equal(outcome_status(rows[i].reason), rows[i].status);
        assert_int_equal(outcome_exit_code(rows[i].reason, 0), rows[i].exit_code);
    }
}

/* A reason that is added gets its row. */
static void no_reason_is_without_a_row(void **state)
{
    (void)state;
    for (int reason = 0; reason < STOP_REASONS; reason++) {
        assert_non_null(outcome_name((enum stop_reason)reason));
        assert_non_null(outcome_status((enum stop_reason)reason));
        for (int other = 0; other < reason; other++)
            assert_string_not_equal(outcome_name((enum stop_reason)reason),
                                    outcome_name((enum stop_reason)other));
    }
}

static void a_signal_is_told_by_the_exit_code(void **state)
{
    (void)state;
    assert_int_equal(outcome_exit_code(STOP_INTERRUPTED, SIGINT), 130);
    assert_int_equal(outcome_exit_code(STOP_INTERRUPTED, SIGTERM), 143);
    assert_int_equal(outcome_exit_code(STOP_INTERRUPTED, SIGPIPE), 141);
    assert_int_equal(outcome_exit_code(STOP_FINAL, SIGTERM), 0);
}

static void errors_have_their_exit_codes(void **state)
{
    static const struct {
        enum err_code code;
        int exit_code;
    } rows[] = {{ERR_USAGE, 2},  {ERR_CONFIG, 3}, {ERR_PARSE, 3},    {ERR_NOT_FOUND, 3},
                {ERR_PLUGIN, 3}, {ERR_AUTH, 4},   {ERR_API, 5},      {ERR_REPLAY, 11},
                {ERR_NOMEM, 1},  {ERR_NONE, 1},   {ERR_INTERNAL, 1}, {ERR_IO, 3}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(outcome_exit_code(outcome_of_error(rows[i].code), 0), rows[i].exit_code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_are_those_promised),
        cmocka_unit_test(no_reason_is_without_a_row),
        cmocka_unit_test(a_signal_is_told_by_the_exit_code),
        cmocka_unit_test(errors_have_their_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
