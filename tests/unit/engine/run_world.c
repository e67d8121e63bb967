#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "unit/engine/run_world.h"

#define PATH_PARAMS                                                                                \
    "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},\"required\":[\"path\"]" \
    "}"

static void make_tool(struct tool *tool, const char *name, const char *params, uint32_t does)
{
    struct err err;
    if (tool_from_parts(name, "Does it.", params, does, TACKLE_EFFECT_SAFE, tool, &err) != 0)
        fail_msg("%s", err.text);
}

static struct policy *make_policy(const char *sandbox, const char *approval)
{
    struct settings s;
    struct err err;
    assert_int_equal(settings_init(&s), 0);
    assert_int_equal(settings_set(&s, LAYER_FLAG, "sandbox", sandbox, &err), 0);
    assert_int_equal(settings_set(&s, LAYER_FLAG, "approval", approval, &err), 0);
    struct policy *policy = policy_new(&s, &err);
    assert_non_null(policy);
    settings_release(&s);
    return policy;
}

void world_may_write(struct world *w)
{
    policy_free(w->policy);
    w->policy = NULL;
    w->config.policy = w->policy = make_policy("workspace-write", "never");
}

void world_asks(struct world *w)
{
    policy_free(w->policy);
    w->policy = NULL;
    w->config.policy = w->policy = make_policy("read-only", "ask");
    w->config.ask = true;
}

int world_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    *state = w;
    w->provider = (struct provider){.name = (char *)"default",
                                    .base_url = (char *)"http://127.0.0.1/v1",
                                    .model = (char *)"m",
                                    .input_usd = 1,
                                    .output_usd = 2};
    make_tool(&w->tools[0], "look", PATH_PARAMS, TACKLE_READS | TACKLE_PARALLEL);
    make_tool(&w->tools[1], "peek", NULL, TACKLE_READS | TACKLE_PARALLEL);
    make_tool(&w->tools[2], "note", NULL, 0);
    make_tool(&w->tools[3], "change", NULL, TACKLE_WRITES);
    for (size_t i = 0; i < 4; i++)
        w->list[i] = &w->tools[i];
    w->events = json_array();
    w->policy = make_policy("read-only", "never");
    w->config = (struct run_config){.provider = &w->provider,
                                    .policy = w->policy,
                                    .tools = w->list,
                                    .tool_count = 4,
                                    .system = "Be brief.",
                                    .max_steps = 10,
                                    .retries = 3};
    return 0;
}

int world_tear_down(void **state)
{
    struct world *w = *state;
    run_free(w->run);
    policy_free(w->policy);
    for (size_t i = 0; i < 4; i++)
        tool_release(&w->tools[i]);
    json_decref(w->events);
    free(w);
    return 0;
}

/* Every event is one line of valid JSON, and the next in line. */
static void take_event(void *user, uint64_t seq, const char *type, const char *json,
                       size_t json_len, const char *text, size_t text_len)
{
    struct world *w = user;
    json_error_t error;
    json_t *event = json_loadb(json, json_len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!event)
        fail_msg("%s: %.*s", error.text, (int)json_len, json);
    assert_null(memchr(json, '\n', json_len));
    assert_int_equal(seq, json_array_size(w->events) + 1);
    assert_int_equal(number_at(event, "seq"), seq);
    assert_int_equal(number_at(event, "v"), 1);
    assert_string_equal(text_at(event, "type"), type);
    assert_int_equal(strlen(text_at(event, "ts")), strlen("2026-11-23T10:11:12.345Z"));
    assert_string_equal(text_at(event, "run"), run_events(w->run)->run);
    if (text) {
        assert_int_equal(json_string_length(json_object_get(event, "text")), text_len);
        assert_memory_equal(text_at(event, "text"), text, text_len);
    }
    assert_int_equal(json_array_append_new(w->events, event), 0);
    if (seq == w->cancel_at && !run_is_ended(w->run)) {
        w->cancelled_in = seq;
        run_stop(w->run, STOP_INTERRUPTED, 15, NULL);
    }
}

int world_prompt(struct world *w, const char *text, struct err *err)
{
    const struct chat_part part = {.text = text, .len = strlen(text)};
    return run_prompt(w->run, &part, 1, err);
}

void world_start(struct world *w)
{
    struct err err;
    w->config.sink = take_event;
    w->config.user = w;
    w->run = run_new(&w->config, &err);
    assert_non_null(w->run);
    assert_true(run_is_ended(w->run));
    assert_int_equal(world_prompt(w, "Go.", &err), 0);
    assert_false(run_is_ended(w->run));
}

json_t *reply_text(const char *text)
{
    return json_pack("{s:[{s:s, s:{s:s, s:s}}], s:{s:i, s:i}}", "choices", "finish_reason", "stop",
                     "message", "role", "assistant", "content", text, "usage", "prompt_tokens", 100,
                     "completion_tokens", 10);
}

json_t *reply_calls(const char *id, ...)
{
    json_t *calls = json_array();
    va_list args;
    va_start(args, id);
    for (; id; id = va_arg(args, const char *)) {
        const char *name = va_arg(args, const char *), *arguments = va_arg(args, const char *);
        json_t *call = json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", id, "type", "function",
                                 "function", "name", name, "arguments", arguments);
        assert_int_equal(json_array_append_new(calls, call), 0);
    }
    va_end(args);
    return json_pack("{s:[{s:s, s:{s:s, s:n, s:o}}], s:{s:i, s:i}}", "choices", "finish_reason",
                     "tool_calls", "message", "role", "assistant", "content", "tool_calls", calls,
                     "usage", "prompt_tokens", 100, "completion_tokens", 10);
}

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    struct world *w = user;
    run_delta(w->run, kind, text, len);
}

static void answer(struct world *w, int status, const char *body, const char *transfer_error,
                   const char *retry_after)
{
    struct chat_turn turn;
    struct chat_reply *reply = chat_reply_new(status, on_delta, w);
    assert_non_null(reply);
    (void)chat_reply_feed(reply, body, strlen(body));
    chat_turn_init(&turn);
    chat_reply_end(reply, transfer_error, &turn);
    if (turn.stop == CHAT_STOP_INCOMPLETE && turn.error.class == CHAT_ERROR_NONE)
        chat_error_set(&turn.error, CHAT_ERROR_TRANSIENT, "broken off"); /* as backend_finish() */
    chat_reply_free(reply);
    const struct chat_wait_headers headers = {.retry_after = retry_after};
    run_reply(w->run, &turn, &headers);
    chat_turn_release(&turn);
}

void world_reply(struct world *w, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);
    assert_non_null(text);
    answer(w, 200, text, NULL, NULL);
    free(text);
    json_decref(body);
}

void world_fail(struct world *w, int status, const char *body, const char *retry_after)
{
    answer(w, status, body, NULL, retry_after);
}

void world_reply_bytes(struct world *w, const char *body, const char *transfer_error)
{
    answer(w, 200, body, transfer_error, NULL);
}

struct run_action world_next(struct world *w, enum run_action_kind kind)
{
    struct run_action action;
    run_next(w->run, &action);
    assert_int_equal(action.kind, kind);
    return action;
}

struct run_call *world_next_call(struct world *w, const char *tool)
{
    struct run_action action = world_next(w, RUN_CALL);
    assert_string_equal(action.call->tool->name, tool);
    return action.call;
}

void world_call_done(struct world *w, struct run_call *call, const char *output)
{
    const struct run_result_of_call result = {
        .output = output, .len = strlen(output), .message = "", .duration_ms = 5};
    run_call_done(w->run, call, &result);
}

json_t *world_end(struct world *w, const char *reason, int exit_code)
{
    size_t results = world_count(w, "result");
    (void)world_next(w, RUN_ENDED);
    (void)world_next(w, RUN_ENDED);
    run_finish(w->run, 1234);
    json_t *result = json_loads(run_result(w->run), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(result);
    assert_int_equal(world_count(w, "result"), results + 1);
    const json_t *last = json_array_get(w->events, json_array_size(w->events) - 1);
    assert_string_equal(text_at(last, "type"), "result");
    assert_string_equal(text_at(last, "stop_reason"), reason);
    assert_string_equal(text_at(result, "stop_reason"), reason);
    assert_int_equal(number_at(result, "exit_code"), exit_code);
    assert_int_equal(run_exit_code(w->run), exit_code);
    assert_int_equal(number_at(result, "duration_ms"), 1234);
    assert_string_equal(text_at(result, "text"), run_text(w->run));
    return result;
}

/* The results that follow an assistant's calls: as many, with their ids, in their order. */
static size_t check_results(const json_t *messages, size_t at)
{
    const json_t *calls = json_object_get(json_array_get(messages, at), "tool_calls");
    size_t index;
    json_t *call;
    json_array_foreach(calls, index, call)
    {
        const json_t *result = json_array_get(messages, ++at);
        assert_string_equal(text_at(result, "role"), "tool");
        assert_string_equal(text_at(result, "tool_call_id"), text_at(call, "id"));
        assert_true(json_string_length(json_object_get(result, "content")) > 0);
    }
    return at;
}

json_t *world_body(struct world *w)
{
    struct chat_body body;
    struct err err;
    struct buf text;
    buf_init(&text, 64u << 20);
    assert_int_equal(run_body(w->run, &body, &err), 0);
    for (size_t i = 0; i < body.count; i++)
        assert_int_equal(buf_append(&text, body.slices[i].data, body.slices[i].len), 0);
    assert_int_equal(text.len, body.len);
    json_t *value = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    chat_body_release(&body);
    buf_release(&text);
    const json_t *messages = json_object_get(value, "messages");
    for (size_t i = 0; i < json_array_size(messages); i++) {
        assert_string_not_equal(text_at(json_array_get(messages, i), "role"), "tool");
        i = check_results(messages, i);
    }
    return value;
}

const json_t *body_message(const json_t *body, long index)
{
    const json_t *messages = json_object_get(body, "messages");
    if (index < 0)
        index += (long)json_array_size(messages);
    const json_t *message = json_array_get(messages, (size_t)index);
    assert_non_null(message);
    return message;
}

const char *message_text(const json_t *message)
{
    return text_at(message, "content");
}

const json_t *world_event(const struct world *w, const char *type)
{
    for (size_t i = json_array_size(w->events); i > 0; i--) {
        const json_t *event = json_array_get(w->events, i - 1);
        if (strcmp(text_at(event, "type"), type) == 0)
            return event;
    }
    return NULL;
}

size_t world_count(const struct world *w, const char *type)
{
    size_t count = 0, index;
    json_t *event;
    json_array_foreach(w->events, index, event) count += strcmp(text_at(event, "type"), type) == 0;
    return count;
}

const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        fail_msg("no text '%s' in the object", key);
    return text;
}

long long number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}
