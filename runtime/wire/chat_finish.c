/* How a turn ended: what the finish reasons of many servers mean, and what counts as whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/chat_build.h"

/* `prefix`: the reason may go on after the word. */
static const struct {
    const char *word;
    bool prefix;
    enum chat_stop stop;
} reasons[] = {
    {"stop", false, CHAT_STOP_STOP},
    {"eos", false, CHAT_STOP_STOP},
    {"eos_token", false, CHAT_STOP_STOP},
    {"end_turn", false, CHAT_STOP_STOP},
    {"completed", false, CHAT_STOP_STOP},
    {"complete", false, CHAT_STOP_STOP},
    {"stop_sequence", false, CHAT_STOP_STOP},
    {"tool_calls", false, CHAT_STOP_TOOL_CALLS},
    {"tool_call", false, CHAT_STOP_TOOL_CALLS},
    {"tool_use", false, CHAT_STOP_TOOL_CALLS},
    {"function_call", false, CHAT_STOP_TOOL_CALLS},
    {"length", false, CHAT_STOP_LENGTH},
    {"max_tokens", false, CHAT_STOP_LENGTH},
    {"max_output_tokens", false, CHAT_STOP_LENGTH},
    {"model_length", false, CHAT_STOP_LENGTH},
    {"content_filter", true, CHAT_STOP_CONTENT_FILTER},
    {"safety", false, CHAT_STOP_CONTENT_FILTER},
    {"image_safety", false, CHAT_STOP_CONTENT_FILTER},
    {"recitation", false, CHAT_STOP_CONTENT_FILTER},
    {"prohibited_content", false, CHAT_STOP_CONTENT_FILTER},
    {"blocklist", false, CHAT_STOP_CONTENT_FILTER},
    {"spii", false, CHAT_STOP_CONTENT_FILTER},
    {"refusal", false, CHAT_STOP_CONTENT_FILTER},
    {"malformed_function_call", false, CHAT_STOP_MALFORMED_TOOL_CALL},
    {"function_call_filter", true, CHAT_STOP_MALFORMED_TOOL_CALL},
    {"unexpected_tool_call", false, CHAT_STOP_MALFORMED_TOOL_CALL},
    {"error", false, CHAT_STOP_ERROR},
};

static enum chat_stop meaning(const char *reason)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        size_t len = strlen(reasons[i].word);
        if (strncasecmp(reason, reasons[i].word, len) == 0 &&
            (reasons[i].prefix || reason[len] == '\0'))
            return reasons[i].stop;
    }
    return CHAT_STOP_UNKNOWN;
}

/* Did all of the answer arrive? [DONE] says so, and so does a finish_reason, unless the server puts
 * one on every chunk and the transfer broke. */
static bool is_whole(const struct chat_build *build, bool transfer_ok)
{
    const struct chat_turn *turn = &build->turn;
    if (build->bad_chunks > 0 && !turn->finish_reason)
        return false;
    if (turn->done_marker)
        return true;
    if (!turn->finish_reason)
        return false;
    return transfer_ok || (!build->after_finish && !chat_calls_any_without_args(&build->calls));
}

static enum chat_stop settle_error(struct chat_build *build)
{
    if (build->turn.error.class == CHAT_ERROR_NONE)
        chat_error_set(&build->turn.error, CHAT_ERROR_TRANSIENT,
                       "the endpoint ended the answer with finish_reason \"error\"");
    return CHAT_STOP_ERROR;
}

static enum chat_stop settle(struct chat_build *build)
{
    struct chat_turn *turn = &build->turn;
    bool calls = turn->call_count > 0, text = turn->text.len > 0;
    enum chat_stop stop = turn->finish_reason ? meaning(turn->finish_reason) : CHAT_STOP_STOP;
    if (build->native_malformed && !calls && stop != CHAT_STOP_LENGTH)
        return CHAT_STOP_MALFORMED_TOOL_CALL;
    if (stop == CHAT_STOP_ERROR)
        return settle_error(build);
    if (stop == CHAT_STOP_UNKNOWN)
        chat_build_warn(build, "the finish_reason is none that is known");
    if (stop == CHAT_STOP_STOP || stop == CHAT_STOP_TOOL_CALLS || stop == CHAT_STOP_UNKNOWN) {
        if (calls)
            return CHAT_STOP_TOOL_CALLS;
        if (build->refused)
            return CHAT_STOP_CONTENT_FILTER;
        if (stop == CHAT_STOP_UNKNOWN)
            return stop;
        return text ? CHAT_STOP_STOP : CHAT_STOP_EMPTY;
    }
    return stop;
}

void chat_build_finish(struct chat_build *build, bool whole_body, bool transfer_ok)
{
    struct chat_turn *turn = &build->turn;
    struct err err = {0};
    if (chat_calls_finish(&build->calls, turn, &err) && turn->error.class == CHAT_ERROR_NONE)
        chat_error_set(&turn->error, CHAT_ERROR_MODEL, "%s", err.text);
    json_t *details = chat_details_list(&build->details);
    if (details) {
        if (!turn->echo)
            turn->echo = json_object();
        if (json_object_set(turn->echo, "reasoning_details", details))
            chat_build_warn(build, "reasoning_details could not be kept");
    }
    /* the reason below a gateway's "upstream error": to be asked again, not waited for */
    if (build->native_malformed && turn->error.class == CHAT_ERROR_TRANSIENT)
        turn->error.class = CHAT_ERROR_MODEL;
    if (turn->error.class != CHAT_ERROR_NONE)
        turn->stop = CHAT_STOP_ERROR;
    else if (whole_body || is_whole(build, transfer_ok))
        turn->stop = settle(build);
    else
        turn->stop = CHAT_STOP_INCOMPLETE;
}
