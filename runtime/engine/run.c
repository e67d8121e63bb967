#include "engine/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/text.h"
#include "engine/run_answer.h"
#include "engine/run_result.h"
#include "engine/run_state.h"

#define MESSAGE_MAX 3000 /* bytes of a tool's reason for its failure */

/* ---- Setting up ---- */

static int offer_tools(struct run *r, struct err *err)
{
    if (r->config.google_search)
        return chat_add_google_search(&r->tools) == 0 ? 0
                                                      : err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->config.tool_count; i++) {
        const struct tool *tool = r->config.tools[i];
        if (policy_allows(&r->config.policy, tool, NULL) &&
            chat_add_function(&r->tools, tool->name, tool->description, tool->params) != 0)
            return err_set(err, ERR_LIMIT, "the tools' descriptions are too large");
    }
    return 0;
}

struct run *run_new(const struct run_config *config, struct err *err)
{
    struct run *r = calloc(1, sizeof *r);
    if (!r) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    r->config = *config;
    r->state = STATE_ENDED;
    buf_init(&r->messages, RUN_CONVERSATION_MAX);
    buf_init(&r->tools, 4u << 20);
    buf_init(&r->text, CHAT_TEXT_MAX);
    events_init(&r->events, config->sink, config->user);
    r->files = json_array();
    r->denials = json_array();
    if (!r->files || !r->denials) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto fail;
    }
    r->provider = config->provider;
    if (offer_tools(r, err) != 0 || answer_prepare(r, err) != 0)
        goto fail;
    if (config->system && *config->system &&
        chat_add_system(&r->messages, config->system, strlen(config->system)) != 0) {
        err_set(err, ERR_LIMIT, "the system prompt is too large");
        goto fail;
    }
    return r;
fail:
    run_free(r);
    return NULL;
}

static void forget_calls(struct run *r)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        free(c->id);
        free(c->name);
        free(c->args);
        buf_release(&c->result);
    }
    free(r->calls);
    r->calls = NULL;
    r->call_count = 0;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    forget_calls(run);
    buf_release(&run->messages);
    buf_release(&run->tools);
    buf_release(&run->text);
    events_release(&run->events);
    json_decref(run->files);
    json_decref(run->denials);
    json_decref(run->structured);
    schema_free(run->schema);
    free(run->format);
    free(run->error);
    free(run->result);
    free(run);
}

struct events *run_events(struct run *run)
{
    return &run->events;
}

/* The message may quote anything: a path, an endpoint, a plugin. */
static void end(struct run *r, enum stop_reason reason, const char *message)
{
    struct buf text;
    if (r->state == STATE_ENDED)
        return;
    r->state = STATE_ENDED;
    r->reason = reason;
    free(r->error);
    r->error = NULL;
    if (!message)
        return;
    buf_init(&text, 65536);
    (void)text_fix_utf8(&text, message, strlen(message), NULL);
    r->error = buf_take(&text);
    if (r->error && reason != STOP_INTERRUPTED)
        event_emit(&r->events, "error",
                   json_pack("{s:s, s:s}", "reason", outcome_name(reason), "message", r->error));
}

/* Calls that will get no result of their own are answered, so that the conversation stays one that
 * an endpoint accepts: every call has one result, right after it (wire.md, request rules). */
static void answer_open_calls(struct run *r, const char *text)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        if (c->state != CALL_DONE) {
            buf_clear(&c->result);
            (void)buf_text(&c->result, text);
        }
        (void)chat_add_tool(&r->messages, c->id, c->name, c->result.data, c->result.len);
    }
    forget_calls(r);
}

int run_prompt(struct run *run, const struct chat_part *parts, size_t count, struct err *err)
{
    bool plain = count == 1 && parts[0].text;
    if (run->state != STATE_ENDED)
        return err_set(err, ERR_USAGE, "the run is still going on");
    answer_open_calls(run, "error: the run was stopped before this call was done");
    if ((plain ? chat_add_user(&run->messages, parts[0].text, parts[0].len)
               : chat_add_user_parts(&run->messages, parts, count)) != 0)
        return err_set(err, ERR_LIMIT, "the conversation is too large");
    buf_clear(&run->text);
    run->state = STATE_ASK;
    run->step = 0;
    run->calls_used = 0;
    run->calls_refused = false;
    run->attempt = run->reasks = 0;
    run->waited_ms = 0;
    run->structuring = run->corrected = false;
    json_decref(run->structured);
    run->structured = NULL;
    return 0;
}

/* ---- What to do next ----
 *
 * Whoever receives an event may stop the run from inside: so the state is what it will be before an
 * event is emitted, and may be STATE_ENDED after it. */

/* Calls start in order. One that may run side by side waits for nothing but others that may not. */
static struct run_call *next_call(struct run *r)
{
    size_t running = 0;
    bool all_parallel = true;
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        if (c->state == CALL_RUNNING) {
            running++;
            all_parallel = all_parallel && c->tool->parallel;
        } else if (c->state == CALL_READY) {
            bool may =
                running == 0 || (all_parallel && c->tool->parallel && running < RUN_CALLS_AT_ONCE);
            return may ? c : NULL;
        }
    }
    return NULL;
}

static bool all_calls_done(const struct run *r)
{
    for (size_t i = 0; i < r->call_count; i++)
        if (r->calls[i].state != CALL_DONE)
            return false;
    return true;
}

static void start_call(struct run *r, struct run_call *c, struct run_action *action)
{
    c->state = CALL_RUNNING;
    *action = (struct run_action){.kind = RUN_CALL, .call = c};
    event_emit(
        &r->events, "tool.started",
        json_pack("{s:I, s:s, s:s}", "step", (json_int_t)r->step, "call", c->key, "name", c->name));
    if (r->state == STATE_ENDED)
        action->kind = RUN_ENDED;
}

/* All results are there: they go back in the order asked, and the step is over. */
static void close_step(struct run *r)
{
    answer_open_calls(r, "");
    r->state = STATE_ASK;
    emit_step_completed(r);
    if (r->step >= r->config.max_steps)
        end(r, STOP_MAX_STEPS, "the limit on steps was reached (--max-steps)");
    else if (r->calls_refused)
        end(r, STOP_MAX_TOOL_CALLS, "the limit on tool calls was reached (--max-tool-calls)");
}

static void begin_asking(struct run *r, struct run_action *action)
{
    r->state = STATE_ASKING;
    if (r->attempt == 0 && r->reasks == 0) {
        r->step++;
        r->counts.steps++;
        event_emit(&r->events, "step.started", json_pack("{s:I}", "step", (json_int_t)r->step));
    }
    action->kind = r->state == STATE_ENDED ? RUN_ENDED : RUN_ASK;
}

void run_next(struct run *run, struct run_action *action)
{
    *action = (struct run_action){.kind = RUN_WAIT};
    if (run->state == STATE_CALLING) {
        struct run_call *call = next_call(run);
        if (call) {
            start_call(run, call, action);
            return;
        }
        if (all_calls_done(run))
            close_step(run);
    }
    switch (run->state) {
    case STATE_ASK:
        begin_asking(run, action);
        break;
    case STATE_SLEEP:
        run->state = STATE_SLEEPING;
        *action = (struct run_action){.kind = RUN_SLEEP, .wait_ms = run->wait_ms};
        break;
    case STATE_ENDED:
        action->kind = RUN_ENDED;
        break;
    case STATE_ASKING:
    case STATE_SLEEPING:
    case STATE_CALLING:
    default:
        break;
    }
}

const struct provider *run_provider(const struct run *run)
{
    return run->provider;
}

int run_body(struct run *run, struct chat_body *body, struct err *err)
{
    const struct run_config *config = &run->config;
    bool thoughts = run->provider->thoughts_field && !(run->left_out & LEFT_OUT_THOUGHTS);
    struct chat_request request = {
        .model = run->provider->model,
        .stream = config->stream,
        .want_usage = !(run->left_out & LEFT_OUT_USAGE),
        .effort = run->left_out & LEFT_OUT_EFFORT ? NULL : config->effort,
        .include_thoughts = thoughts ? config->thoughts : CHAT_CHOICE_UNSET,
        .response_format = answer_wants_format(run) ? run->format : NULL,
        .tools = run->structuring ? NULL : &run->tools,
        .messages = &run->messages,
    };
    return chat_body_init(body, &request, err);
}

void run_awake(struct run *run)
{
    if (run->state == STATE_SLEEPING)
        run->state = STATE_ASK;
}

void run_delta(struct run *run, enum chat_delta kind, const char *text, size_t len)
{
    event_delta(&run->events, kind == CHAT_DELTA_TEXT ? "message.delta" : "reasoning.delta",
                (long)run->step, text, len);
}

/* ---- Retries ---- */

static enum stop_reason reason_of(const struct chat_error *e)
{
    switch (e->class) {
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

static void sleep_and_repeat(struct run *r, int64_t wait_ms, const char *why)
{
    r->wait_ms = wait_ms;
    r->waited_ms += wait_ms;
    r->state = STATE_SLEEP;
    r->counts.retries++;
    event_emit(&r->events, "model.retry",
               json_pack("{s:I, s:I, s:I, s:{s:s}}", "step", (json_int_t)r->step, "attempt",
                         (json_int_t)(r->attempt + r->reasks), "wait_ms", (json_int_t)wait_ms,
                         "error", "message", why));
}

/* 1, 2, 4 ... s, each times 0.5 to 1.5, so that many clients do not come back at once. */
static int64_t backoff_ms(unsigned attempt)
{
    int64_t base = INT64_C(1000) << (attempt < 6 ? attempt - 1 : 5);
    return base / 2 + (int64_t)arc4random_uniform((uint32_t)base + 1);
}

/* Another model may do what this one does not; but not when the request itself is wrong. */
static bool fall_back(struct run *r, const struct chat_error *e, const char *why)
{
    const struct provider *next = r->config.fallback;
    if (!next || r->provider == next || e->class == CHAT_ERROR_FATAL ||
        e->class == CHAT_ERROR_REFUSED)
        return false;
    const char *from = r->provider->model;
    r->provider = next;
    r->attempt = 1; /* the same step goes on */
    r->reasks = 0;
    r->waited_ms = 0;
    r->left_out = 0;
    r->state = STATE_ASK;
    event_emit(&r->events, "model.fallback",
               json_pack("{s:I, s:s, s:s, s:s}", "step", (json_int_t)r->step, "from", from, "to",
                         next->model, "reason", why));
    return true;
}

/* The answer has no use: ask again, a few times. */
static void ask_again(struct run *r, enum stop_reason reason, const char *why)
{
    const struct chat_error fault = {.class = CHAT_ERROR_MODEL};
    if (r->reasks < RUN_REASK_MAX) {
        r->reasks++;
        sleep_and_repeat(r, backoff_ms(r->reasks), why);
    } else if (!fall_back(r, &fault, why)) {
        end(r, reason, why);
    }
}

static void fail_or_retry(struct run *r, const struct chat_turn *turn,
                          const struct chat_wait_headers *headers)
{
    struct buf text;
    buf_init(&text, 4096);
    const struct chat_error *e = &turn->error;
    if (chat_error_text(e, r->provider->base_url, &text) != 0)
        (void)buf_text(&text, "the endpoint failed");
    int64_t hint = chat_error_wait_ms(e, headers, clock_wall_ms());
    int64_t wait_ms = hint >= 0 ? hint : backoff_ms(r->attempt + 1);
    bool may = chat_error_may_retry(e, headers) && (int64_t)r->attempt < r->config.retries &&
               hint <= RUN_WAIT_MAX_MS && r->waited_ms + wait_ms <= RUN_WAITING_MAX_MS;
    if (answer_leave_out(r, e)) {
        r->attempt++;
        if (r->state != STATE_ENDED)
            sleep_and_repeat(r, 0, text.data);
    } else if (may) {
        r->attempt++;
        sleep_and_repeat(r, wait_ms, text.data);
    } else if (e->class == CHAT_ERROR_MODEL) {
        ask_again(r, reason_of(e), text.data);
    } else if (!fall_back(r, e, text.data)) {
        end(r, reason_of(e), text.data);
    }
    buf_release(&text);
}

/* ---- Replies ---- */

static void count_usage(struct run *r, const struct chat_turn *turn)
{
    const struct chat_usage *u = &turn->usage;
    r->step_input = r->step_output = 0;
    if (!turn->has_usage)
        return;
    r->step_input = u->prompt > 0 ? u->prompt : 0;
    r->step_output = chat_usage_output(u);
    r->counts.input_tokens += r->step_input;
    r->counts.output_tokens += r->step_output;
    r->counts.reasoning_tokens += u->reasoning > 0 ? u->reasoning : 0;
    r->counts.cached_tokens += u->cached > 0 ? u->cached : 0;
    double cost = provider_cost(r->provider, r->step_input, r->step_output);
    r->cost_usd = cost < 0 || r->cost_usd < 0 ? -1 : r->cost_usd + cost;
}

static int keep_text(struct run *r, const struct chat_turn *turn)
{
    if (turn->text.len == 0)
        return 0;
    buf_clear(&r->text);
    return buf_append(&r->text, turn->text.data, turn->text.len);
}

/* A call that cannot be run is answered at once; the model reads why. */
static void answer_call(struct run *r, struct run_call *c, int32_t code, const char *message)
{
    struct run_result_of_call result = {.code = code, .output = "", .message = message};
    run_call_done(r, c, &result);
}

static void refuse_unknown(struct run *r, struct run_call *c)
{
    struct buf text;
    size_t listed = 0;
    buf_init(&text, 4096);
    (void)buf_format(&text, "there is no tool '%.80s'; there are:", c->name);
    for (size_t i = 0; i < r->config.tool_count && listed < 40; i++)
        if (policy_allows(&r->config.policy, r->config.tools[i], NULL))
            (void)buf_format(&text, "%s %s", listed++ ? "," : "", r->config.tools[i]->name);
    if (listed == 0)
        (void)buf_text(&text, " none");
    answer_call(r, c, TACKLE_E_ARGS, text.data);
    buf_release(&text);
}

static bool permit(struct run *r, struct run_call *c)
{
    struct err why = {.text = ""};
    bool allowed = policy_allows(&r->config.policy, c->tool, &why);
    event_emit(&r->events, "permission.decided",
               json_pack("{s:I, s:s, s:s, s:s, s:s}", "step", (json_int_t)r->step, "call", c->key,
                         "name", c->name, "decision", allowed ? "allow" : "deny", "reason",
                         why.text));
    if (allowed)
        return true;
    r->counts.denials++;
    (void)json_array_append_new(r->denials, json_pack("{s:s, s:s, s:s}", "call", c->key, "name",
                                                      c->name, "reason", why.text));
    answer_call(r, c, TACKLE_E_DENIED, why.text);
    return false;
}

static bool arguments_fit(struct run *r, struct run_call *c, const struct chat_call *asked)
{
    struct buf text;
    bool fit = true;
    buf_init(&text, 8192);
    if (!asked->args) {
        fit = false;
        (void)buf_text(&text, asked->problem ? asked->problem : "the arguments are not JSON");
    } else if (c->tool->schema) {
        (void)buf_text(&text, "the arguments do not fit: ");
        fit = schema_check(c->tool->schema, asked->args, &text) == 0;
    } else if (json_object_size(asked->args) > 0) {
        fit = false;
        (void)buf_format(&text, "%s takes no arguments", c->name);
    }
    if (!fit)
        answer_call(r, c, TACKLE_E_ARGS, text.data);
    buf_release(&text);
    return fit;
}

static const struct tool *find_tool(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->config.tool_count; i++)
        if (strcmp(r->config.tools[i]->name, name) == 0)
            return r->config.tools[i];
    return NULL;
}

static int take_call(struct run *r, struct run_call *c, const struct chat_call *asked, size_t place)
{
    const char *name = find_tool(r, asked->name) ? asked->name : chat_call_plain_name(asked->name);
    *c = (struct run_call){.state = CALL_READY, .tool = find_tool(r, name)};
    buf_init(&c->result, RUN_RESULT_MAX + 4096);
    (void)snprintf(c->key, sizeof c->key, "%s.%" PRId64 ".%zu", r->events.run, r->step, place + 1);
    c->id = strdup(asked->id);
    c->name = strdup(asked->name);
    c->args = asked->args ? json_dumps(asked->args, JSON_COMPACT | JSON_REAL_PRECISION(15))
                          : strdup("{}");
    if (!c->id || !c->name || !c->args)
        return -1;
    c->args_len = strlen(c->args);
    return 0;
}

static void check_call(struct run *r, struct run_call *c, const struct chat_call *asked)
{
    json_t *arguments =
        asked->args ? json_incref(asked->args) : json_stringn(asked->text, asked->len);
    r->counts.tool_calls++;
    event_emit(&r->events, "tool.requested",
               json_pack("{s:I, s:s, s:s, s:o?}", "step", (json_int_t)r->step, "call", c->key,
                         "name", c->name, "arguments", arguments));
    if (!c->tool) {
        refuse_unknown(r, c);
        return;
    }
    if (!permit(r, c) || !arguments_fit(r, c, asked))
        return;
    if (r->config.max_tool_calls > 0 && r->calls_used >= r->config.max_tool_calls) {
        r->calls_refused = true;
        answer_call(r, c, TACKLE_E_LIMIT, "the limit on tool calls is reached");
        return;
    }
    r->calls_used++;
}

static void take_calls(struct run *r, struct chat_turn *turn)
{
    r->calls = calloc(turn->call_count, sizeof *r->calls);
    if (!r->calls) {
        end(r, STOP_INTERNAL, "out of memory");
        return;
    }
    r->state = STATE_CALLING;
    for (; r->call_count < turn->call_count; r->call_count++) {
        if (take_call(r, &r->calls[r->call_count], &turn->calls[r->call_count], r->call_count) !=
            0) {
            r->call_count++; /* so that its parts are freed */
            end(r, STOP_INTERNAL, "out of memory");
            return;
        }
    }
}

static void emit_message(struct run *r, const struct chat_turn *turn)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < turn->call_count; i++) {
        const struct chat_call *c = &turn->calls[i];
        (void)json_array_append_new(calls,
                                    json_pack("{s:s, s:s, s:o?}", "id", c->id ? c->id : "", "name",
                                              c->name, "arguments", json_stringn(c->text, c->len)));
    }
    event_emit(&r->events, "message.completed",
               json_pack("{s:I, s:o?, s:o, s:s?, s:s}", "step", (json_int_t)r->step, "text",
                         json_stringn(turn->text.data, turn->text.len), "tool_calls", calls,
                         "finish_reason", turn->finish_reason, "stop", chat_stop_name(turn->stop)));
}

static void accept_turn(struct run *r, struct chat_turn *turn)
{
    if (keep_text(r, turn) != 0 || chat_turn_complete_ids(turn, &r->call_ids) != 0 ||
        chat_add_assistant(&r->messages, turn) != 0) {
        end(r, STOP_INTERNAL, "the conversation is too large");
        return;
    }
    r->attempt = r->reasks = 0;
    r->waited_ms = 0;
    if (turn->stop == CHAT_STOP_TOOL_CALLS)
        take_calls(r, turn);
    emit_message(r, turn);
    if (turn->stop == CHAT_STOP_TOOL_CALLS) {
        for (size_t i = 0; i < r->call_count && r->state == STATE_CALLING; i++)
            check_call(r, &r->calls[i], &turn->calls[i]);
        return;
    }
    emit_step_completed(r);
    if (r->state != STATE_ENDED && !answer_take(r))
        end(r, STOP_FINAL, NULL);
}

void run_reply(struct run *run, struct chat_turn *turn, const struct chat_wait_headers *headers)
{
    struct run *r = run;
    if (r->state != STATE_ASKING)
        return;
    count_usage(r, turn);
    emit_warnings(r, turn);
    if (r->state != STATE_ASKING)
        return;
    switch (turn->stop) {
    case CHAT_STOP_STOP:
    case CHAT_STOP_TOOL_CALLS:
        accept_turn(r, turn);
        break;
    case CHAT_STOP_UNKNOWN:
        if (turn->text.len)
            accept_turn(r, turn);
        else
            ask_again(r, STOP_EMPTY_ANSWER, "the model ended without an answer");
        break;
    case CHAT_STOP_LENGTH:
        (void)keep_text(r, turn);
        emit_message(r, turn);
        end(r, STOP_OUTPUT_TRUNCATED,
            turn->text.len ? "the answer was cut at the model's output limit"
                           : "the model's output limit was used up before any text came; less "
                             "thinking (--effort low) leaves more room");
        break;
    case CHAT_STOP_CONTENT_FILTER:
        (void)keep_text(r, turn);
        emit_message(r, turn);
        end(r, STOP_CONTENT_FILTER, "the endpoint refused to answer (content filter)");
        break;
    case CHAT_STOP_MALFORMED_TOOL_CALL:
        ask_again(r, STOP_API_ERROR, "the model wrote a tool call that could not be read");
        break;
    case CHAT_STOP_EMPTY:
        ask_again(r, STOP_EMPTY_ANSWER, "the model gave an empty answer");
        break;
    case CHAT_STOP_INCOMPLETE:
    case CHAT_STOP_ERROR:
    default:
        fail_or_retry(r, turn, headers);
    }
}

/* ---- Calls ---- */

static const char *code_name(int32_t code)
{
    static const char *const names[] = {"ok",      "failed", "args",   "denied",   "cancelled",
                                        "timeout", "limit",  "memory", "not_found"};
    int32_t index = code < 0 ? -code : 0;
    return index < (int32_t)(sizeof names / sizeof *names) ? names[index] : "failed";
}

/* Cleaned; where that makes it too long (a control character becomes eight), cut before. */
static bool clean_output(struct buf *out, const char *text, size_t len)
{
    struct buf part;
    if (text_for_model(out, text, len) == 0)
        return out->len > RUN_RESULT_MAX;
    buf_init(&part, RUN_RESULT_MAX + 4096);
    (void)text_head_tail(&part, text, len, RUN_RESULT_MAX / 2, RUN_RESULT_MAX / 2);
    (void)text_for_model(out, part.data, part.len);
    buf_release(&part);
    return true;
}

/* What the model reads: the output, cleaned and cut; then why it failed. */
static void write_result(struct run_call *c, const struct run_result_of_call *result, bool *cut)
{
    struct buf clean;
    buf_init(&clean, 64u << 20);
    *cut = clean_output(&clean, result->output, result->len) || result->omitted > 0;
    (void)text_head_tail(&c->result, clean.data, clean.len, RUN_RESULT_MAX / 2, RUN_RESULT_MAX / 2);
    if (result->omitted)
        (void)buf_format(&c->result, "\n[%" PRIu64 " bytes more were not kept]", result->omitted);
    if (result->code != 0) {
        buf_clear(&clean);
        (void)text_for_model(&clean, result->message, strlen(result->message));
        (void)buf_format(&c->result, "%serror: ", c->result.len ? "\n" : "");
        (void)buf_append(&c->result, clean.data, text_edge(clean.data, clean.len, MESSAGE_MAX));
    }
    buf_release(&clean);
}

void run_call_done(struct run *run, struct run_call *call, const struct run_result_of_call *result)
{
    bool cut = false;
    if (call->state == CALL_DONE)
        return;
    call->state = CALL_DONE;
    call->handle = NULL;
    write_result(call, result, &cut);
    if (result->code != 0)
        run->counts.tool_errors++;
    event_emit(&run->events, "tool.completed",
               json_pack("{s:I, s:s, s:s, s:b, s:s, s:I, s:I, s:b, s:o?}", "step",
                         (json_int_t)run->step, "call", call->key, "name", call->name, "ok",
                         result->code == 0, "code", code_name(result->code), "duration_ms",
                         (json_int_t)result->duration_ms, "bytes", (json_int_t)call->result.len,
                         "truncated", cut, "output",
                         json_stringn(call->result.data, call->result.len)));
}

void run_call_progress(struct run *run, struct run_call *call, const char *text, size_t len)
{
    struct buf clean;
    buf_init(&clean, 65536);
    if (text_for_model(&clean, text, len) == 0)
        event_emit(&run->events, "tool.output",
                   json_pack("{s:I, s:s, s:s}", "step", (json_int_t)run->step, "call", call->key,
                             "text", clean.data));
    buf_release(&clean);
}

struct run_call *run_running(struct run *run, const struct run_call *after)
{
    size_t i = after ? (size_t)(after - run->calls) + 1 : 0;
    for (; i < run->call_count; i++)
        if (run->calls[i].state == CALL_RUNNING)
            return &run->calls[i];
    return NULL;
}

void run_stop(struct run *run, enum stop_reason reason, int signal, const char *message)
{
    if (run->state != STATE_ENDED)
        run->signal = signal;
    end(run, reason, message);
}

bool run_is_ended(const struct run *run)
{
    return run->state == STATE_ENDED;
}

int run_exit_code(const struct run *run)
{
    return outcome_exit_code(run->reason, run->signal);
}

const char *run_text(const struct run *run)
{
    return run->text.data;
}

const struct run_counts *run_counts(const struct run *run)
{
    return &run->counts;
}
