#include "engine/outcome.h"

#include <signal.h>

#include <tackle/tackle.h>

static const struct {
    const char *name;
    const char *status;
    int exit_code;
} table[STOP_REASONS] = {
    [STOP_FINAL] = {"final", "success", TACKLE_EXIT_OK},
    [STOP_INTERNAL] = {"internal", "error", TACKLE_EXIT_INTERNAL},
    [STOP_USAGE] = {"usage", "error", TACKLE_EXIT_USAGE},
    [STOP_CONFIG_ERROR] = {"config_error", "error", TACKLE_EXIT_CONFIG},
    [STOP_PLUGIN_ERROR] = {"plugin_error", "error", TACKLE_EXIT_CONFIG},
    [STOP_AUTH_ERROR] = {"auth_error", "error", TACKLE_EXIT_AUTH},
    [STOP_API_ERROR] = {"api_error", "error", TACKLE_EXIT_API},
    [STOP_RATE_LIMITED] = {"rate_limited", "error", TACKLE_EXIT_API},
    [STOP_BILLING] = {"billing", "error", TACKLE_EXIT_API},
    [STOP_DENIED] = {"denied", "error", TACKLE_EXIT_DENIED},
    [STOP_APPROVAL_PENDING] = {"approval_pending", "paused", TACKLE_EXIT_APPROVAL},
    [STOP_MAX_STEPS] = {"max_steps", "partial", TACKLE_EXIT_BUDGET},
    [STOP_MAX_TOOL_CALLS] = {"max_tool_calls", "partial", TACKLE_EXIT_BUDGET},
    [STOP_MAX_TOKENS] = {"max_tokens", "partial", TACKLE_EXIT_BUDGET},
    [STOP_MAX_COST] = {"max_cost", "partial", TACKLE_EXIT_BUDGET},
    [STOP_MAX_TIME] = {"max_time", "partial", TACKLE_EXIT_BUDGET},
    [STOP_SCHEMA_INVALID] = {"schema_invalid", "error", TACKLE_EXIT_ANSWER},
    [STOP_REFUSAL] = {"refusal", "error", TACKLE_EXIT_ANSWER},
    [STOP_CONTENT_FILTER] = {"content_filter", "error", TACKLE_EXIT_ANSWER},
    [STOP_OUTPUT_TRUNCATED] = {"output_truncated", "partial", TACKLE_EXIT_ANSWER},
    [STOP_EMPTY_ANSWER] = {"empty_answer", "error", TACKLE_EXIT_ANSWER},
    [STOP_REPLAY_MISMATCH] = {"replay_mismatch", "error", TACKLE_EXIT_REPLAY},
    [STOP_SANDBOX_UNAVAILABLE] = {"sandbox_unavailable", "error", TACKLE_EXIT_SANDBOX},
    [STOP_SESSION_ERROR] = {"session_error", "error", TACKLE_EXIT_SESSION},
    [STOP_LOOP_DETECTED] = {"loop_detected", "error", TACKLE_EXIT_LOOP},
    [STOP_INTERRUPTED] = {"interrupted", "interrupted", TACKLE_EXIT_SIGNALLED},
};

const char *outcome_name(enum stop_reason reason)
{
    return table[reason].name;
}

const char *outcome_status(enum stop_reason reason)
{
    return table[reason].status;
}

bool outcome_is_own(enum stop_reason reason)
{
    int code = table[reason].exit_code;
    return code == TACKLE_EXIT_BUDGET || code == TACKLE_EXIT_ANSWER || code == TACKLE_EXIT_LOOP;
}

int outcome_exit_code(enum stop_reason reason, int signal)
{
    if (reason == STOP_INTERRUPTED)
        return TACKLE_EXIT_SIGNALLED + (signal > 0 ? signal : SIGINT);
    return table[reason].exit_code;
}

enum stop_reason outcome_of_error(enum err_code code)
{
    switch (code) {
    case ERR_USAGE:
        return STOP_USAGE;
    case ERR_CONFIG:
    case ERR_PARSE:
    case ERR_NOT_FOUND:
    case ERR_DENIED:
    case ERR_LIMIT:
    case ERR_IO:
        return STOP_CONFIG_ERROR;
    case ERR_PLUGIN:
        return STOP_PLUGIN_ERROR;
    case ERR_AUTH:
        return STOP_AUTH_ERROR;
    case ERR_API:
        return STOP_API_ERROR;
    case ERR_REPLAY:
        return STOP_REPLAY_MISMATCH;
    case ERR_SANDBOX:
        return STOP_SANDBOX_UNAVAILABLE;
    case ERR_SESSION:
        return STOP_SESSION_ERROR;
    case ERR_NONE:
    case ERR_INTERNAL:
    case ERR_NOMEM:
    default:
        return STOP_INTERNAL;
    }
}

enum stop_reason outcome_of_answer(enum chat_error_class class)
{
    switch (class) {
    case CHAT_ERROR_AUTH:
        return STOP_AUTH_ERROR;
    case CHAT_ERROR_BILLING:
        return STOP_BILLING;
    case CHAT_ERROR_RATE:
        return STOP_RATE_LIMITED;
    case CHAT_ERROR_REFUSED:
        return STOP_CONTENT_FILTER;
    case CHAT_ERROR_NONE:
    case CHAT_ERROR_FATAL:
    case CHAT_ERROR_CONTEXT:
    case CHAT_ERROR_TRANSIENT:
    case CHAT_ERROR_MODEL:
    default:
        return STOP_API_ERROR;
    }
}
