/* How a run ended: one table from the stop reason to status and exit code. */
#ifndef ENGINE_OUTCOME_H
#define ENGINE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/chat_error.h"

enum stop_reason {
    STOP_FINAL,
    STOP_INTERNAL,
    STOP_USAGE,
    STOP_CONFIG_ERROR,
    STOP_PLUGIN_ERROR,
    STOP_AUTH_ERROR,
    STOP_API_ERROR,
    STOP_RATE_LIMITED,
    STOP_BILLING,
    STOP_DENIED,
    STOP_APPROVAL_PENDING,
    STOP_MAX_STEPS,
    STOP_MAX_TOOL_CALLS,
    STOP_MAX_TOKENS,
    STOP_MAX_COST,
    STOP_MAX_TIME,
    STOP_SCHEMA_INVALID,
    STOP_REFUSAL,
    STOP_CONTENT_FILTER,
    STOP_OUTPUT_TRUNCATED,
    STOP_EMPTY_ANSWER,
    STOP_REPLAY_MISMATCH,
    STOP_SANDBOX_UNAVAILABLE,
    STOP_SESSION_ERROR,
    STOP_LOOP_DETECTED,
    STOP_INTERRUPTED,
    STOP_REASONS
};

const char *outcome_name(enum stop_reason reason);

/* "success", "partial", "error", "paused", "interrupted". */
const char *outcome_status(enum stop_reason reason);

/* Is it an end that a run comes to by itself: a limit, a loop, an answer of no use? */
bool outcome_is_own(enum stop_reason reason);

/* The one place that knows exit codes. `signal` counts for STOP_INTERRUPTED only; 0 is SIGINT. */
int outcome_exit_code(enum stop_reason reason, int signal);

/* The stop reason that an error before or during a run stands for. */
enum stop_reason outcome_of_error(enum err_code code);

/* The same for an error that the endpoint answered with. */
enum stop_reason outcome_of_answer(enum chat_error_class class);

#endif
