/* From the chunks of a chat completion to a turn: text, reasoning, calls, usage, errors, and what
 * has to be echoed. Anything may be missing, null or of another type than documented. */
#include "wire/chat_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define FINISH_MAX    256u /* bytes of a finish_reason */
#define PART_DEPTH    8u   /* lists and objects inside content parts */
#define THOUGHT_BEGIN "<thought>"
#define THOUGHT_END   "</thought>"

void chat_build_init(struct chat_build *build, int http_status, chat_delta_fn on_delta, void *user)
{
    *build = (struct chat_build){.on_delta = on_delta, .user = user, .http_status = http_status};
    chat_turn_init(&build->turn);
    chat_calls_init(&build->calls);
    chat_details_init(&build->details);
}

void chat_build_release(struct chat_build *build)
{
    chat_turn_release(&build->turn);
    chat_calls_release(&build->calls);
    chat_details_release(&build->details);
}

void chat_build_warn(struct chat_build *build, const char *line)
{
    (void)buf_format(&build->turn.warnings, "%s\n", line); /* full: there are warnings enough */
}

static int fail(struct chat_build *build, const char *reason)
{
    if (build->turn.error.class == CHAT_ERROR_NONE)
        chat_error_set(&build->turn.error, CHAT_ERROR_MODEL, "%s", reason);
    return -1;
}

int chat_build_text(struct chat_build *build, enum chat_delta kind, const char *text, size_t len)
{
    struct buf *into = kind == CHAT_DELTA_TEXT ? &build->turn.text : &build->turn.reasoning;
    if (len == 0)
        return 0;
    if (buf_append(into, text, len))
        return fail(build, "the answer is longer than any answer should be, or memory is out");
    if (build->turn.finish_reason)
        build->after_finish = true;
    if (build->on_delta)
        build->on_delta(build->user, kind, text, len);
    return 0;
}

/* Answer text, out of which Gemini's thoughts are sorted: they begin with <thought> in a delta that
 * is flagged, and last until a delta that is not, which may begin with </thought>. */
static int take_text(struct chat_build *build, const char *text, size_t len, bool flagged)
{
    size_t begin = strlen(THOUGHT_BEGIN), end = strlen(THOUGHT_END);
    if (!build->in_thought && flagged && len >= begin && memcmp(text, THOUGHT_BEGIN, begin) == 0) {
        build->in_thought = true;
        text += begin;
        len -= begin;
    }
    if (!build->in_thought)
        return chat_build_text(build, CHAT_DELTA_TEXT, text, len);
    const char *closing = memmem(text, len, THOUGHT_END, end);
    if (flagged && !closing)
        return chat_build_text(build, CHAT_DELTA_REASONING, text, len);
    if (flagged) {
        if (chat_build_text(build, CHAT_DELTA_REASONING, text, (size_t)(closing - text)))
            return -1;
        len -= (size_t)(closing - text);
        text = closing;
    }
    build->in_thought = false;
    if (closing == text) {
        text += end;
        len -= end;
    }
    return chat_build_text(build, CHAT_DELTA_TEXT, text, len);
}

static int take_json_text(struct chat_build *build, enum chat_delta kind, const json_t *text)
{
    return chat_build_text(build, kind, json_string_value(text), json_string_length(text));
}

/* A content part: text, thinking (which may hold a list of its own), refusal; others are media. */
static int take_part(struct chat_build *build, const json_t *part, enum chat_delta kind,
                     bool flagged, unsigned depth)
{
    static const char *const members[] = {"text", "thinking", "reasoning", "refusal"};
    size_t i;
    json_t *item;
    if (depth == 0)
        return 0;
    if (json_is_string(part))
        return kind == CHAT_DELTA_TEXT
                   ? take_text(build, json_string_value(part), json_string_length(part), flagged)
                   : take_json_text(build, kind, part);
    json_array_foreach(part, i,
                       item) if (take_part(build, item, kind, flagged, depth - 1)) return -1;
    for (i = 0; json_is_object(part) && i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(part, members[i]);
        bool thinking = strcmp(members[i], "thinking") == 0 || strcmp(members[i], "reasoning") == 0;
        if (strcmp(members[i], "refusal") == 0 && json_is_string(value))
            build->refused = true;
        if (!json_is_object(value) &&
            take_part(build, value, thinking ? CHAT_DELTA_REASONING : kind, flagged, depth - 1))
            return -1;
    }
    return 0;
}

static int take_content(struct chat_build *build, const json_t *content, bool flagged)
{
    if (!json_is_object(content))
        return take_part(build, content, CHAT_DELTA_TEXT, flagged, PART_DEPTH);
    char *text = json_dumps(content, JSON_COMPACT);
    if (!text)
        return fail(build, "out of memory");
    int status = chat_build_text(build, CHAT_DELTA_TEXT, text, strlen(text));
    free(text);
    return status;
}

/* Servers send the same reasoning under several names: the first that is there counts. */
static int take_reasoning(struct chat_build *build, const json_t *message)
{
    static const char *const members[] = {"reasoning_content", "reasoning"};
    size_t i;
    json_t *detail;
    for (i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *text = json_object_get(message, members[i]);
        if (json_string_length(text) > 0)
            return take_json_text(build, CHAT_DELTA_REASONING, text);
    }
    json_array_foreach(json_object_get(message, "reasoning_details"), i, detail)
    {
        const json_t *text = json_object_get(detail, "text");
        if (!json_is_string(text))
            text = json_object_get(detail, "summary");
        if (json_is_string(text) && take_json_text(build, CHAT_DELTA_REASONING, text))
            return -1;
    }
    return 0;
}

static int take_calls(struct chat_build *build, const json_t *message)
{
    struct err err = {0};
    size_t i;
    json_t *piece;
    const json_t *list = json_object_get(message, "tool_calls");
    const json_t *function_call = json_object_get(message, "function_call");
    if (json_array_size(list) > 0 && build->turn.finish_reason)
        build->after_finish = true;
    json_array_foreach(list, i, piece) if (chat_calls_take(&build->calls, piece, build->whole,
                                                           &err)) return fail(build, err.text);
    if (json_is_object(list) && chat_calls_take(&build->calls, list, build->whole, &err))
        return fail(build, err.text);
    if (json_is_object(function_call) &&
        chat_calls_take_function_call(&build->calls, function_call, &err))
        return fail(build, err.text);
    return 0;
}

/* Is this a mark on a piece of thought and nothing that has to go back? */
static bool is_thought_mark(const json_t *extra)
{
    const json_t *google = json_object_get(extra, "google");
    return json_object_size(extra) == 1 && json_object_size(google) == 1 &&
           json_object_get(google, "thought");
}

static int take_echo(struct chat_build *build, const json_t *message)
{
    static const char *const members[] = {"extra_content", "thought_signature"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(message, members[i]);
        if (!value || json_is_null(value) || is_thought_mark(value))
            continue;
        if (!build->turn.echo)
            build->turn.echo = json_object();
        if (chat_echo_merge(build->turn.echo, members[i], value))
            return fail(build, "out of memory");
    }
    if (chat_details_add(&build->details, json_object_get(message, "reasoning_details"),
                         build->whole))
        return fail(build, "the reasoning is longer than it should be, or memory is out");
    return 0;
}

static int take_message(struct chat_build *build, const json_t *message)
{
    const json_t *google = json_object_get(json_object_get(message, "extra_content"), "google");
    bool flagged = json_is_true(json_object_get(google, "thought"));
    const json_t *refusal = json_object_get(message, "refusal");
    if (take_reasoning(build, message) ||
        take_content(build, json_object_get(message, "content"), flagged) ||
        take_calls(build, message) || take_echo(build, message))
        return -1;
    if (json_string_length(refusal) > 0) {
        build->refused = true;
        return take_json_text(build, CHAT_DELTA_TEXT, refusal);
    }
    return 0;
}

static int take_finish(struct chat_build *build, const json_t *choice)
{
    const json_t *reason = json_object_get(choice, "finish_reason");
    const char *native = json_string_value(json_object_get(choice, "native_finish_reason"));
    if (native && strcasestr(native, "MALFORMED_FUNCTION_CALL"))
        build->native_malformed = true;
    if (json_string_length(reason) == 0)
        return 0;
    const char *text = json_string_value(reason);
    char *copy = strndup(text, text_edge(text, strlen(text), FINISH_MAX));
    if (!copy)
        return fail(build, "out of memory");
    free(build->turn.finish_reason);
    build->turn.finish_reason = copy;
    return 0;
}

static void take_error(struct chat_build *build, const json_t *value)
{
    if (build->turn.error.class == CHAT_ERROR_NONE)
        (void)chat_error_from_json(&build->turn.error, value, build->http_status);
}

static int take_choice(struct chat_build *build, const json_t *choice)
{
    const json_t *message = json_object_get(choice, "delta");
    if (json_object_get(choice, "error"))
        take_error(build, choice);
    if (!json_is_object(message))
        message = json_object_get(choice, "message");
    if (json_is_object(message) && take_message(build, message))
        return -1;
    return take_finish(build, choice);
}

static int64_t count_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static int64_t first_count(int64_t a, int64_t b)
{
    return a >= 0 ? a : b;
}

/* The last usage object counts, for servers send running totals; one without a number is none. */
static void take_usage(struct chat_turn *turn, const json_t *usage)
{
    const json_t *output = json_object_get(usage, "completion_tokens_details");
    const json_t *input = json_object_get(usage, "prompt_tokens_details");
    const struct chat_usage found = {
        .prompt = count_of(usage, "prompt_tokens"),
        .completion = count_of(usage, "completion_tokens"),
        .total = count_of(usage, "total_tokens"),
        .reasoning =
            first_count(count_of(output, "reasoning_tokens"), count_of(usage, "reasoning_tokens")),
        .cached = first_count(count_of(input, "cached_tokens"),
                              count_of(usage, "prompt_cache_hit_tokens")),
    };
    if (found.prompt < 0 && found.completion < 0 && found.total < 0)
        return;
    turn->usage = found;
    turn->has_usage = true;
}

int chat_build_take(struct chat_build *build, const json_t *chunk)
{
    size_t i;
    json_t *choice;
    const json_t *usage = json_object_get(chunk, "usage");
    const json_t *choices = json_object_get(chunk, "choices");
    take_error(build, chunk);
    if (choices || usage)
        build->chunks++;
    json_array_foreach(choices, i, choice)
    {
        const json_t *index = json_object_get(choice, "index");
        if (json_is_integer(index) ? json_integer_value(index) != 0 : i != 0)
            continue;
        if (!json_is_object(usage))
            usage = json_object_get(choice, "usage");
        if (take_choice(build, choice))
            return -1;
    }
    if (!json_is_object(usage))
        usage = json_object_get(json_object_get(chunk, "x_groq"), "usage");
    take_usage(&build->turn, usage);
    return 0;
}
