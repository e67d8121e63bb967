/* What the model answered, and what to do when it did not. */
#include "engine/run_answer.h"
#include "engine/run_compact.h"
#include "engine/run_journal.h"
#include "engine/run_result.h"
#include "engine/run_secrets.h"
#include "engine/run_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- Retries ---- */

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

static const char valid_json_note[] =
    "Your last reply could not be read. Call a tool with valid JSON arguments, or answer.";

/* The answer has no use: ask again, a few times. */
static void ask_again(struct run *r, enum stop_reason reason, const char *why)
{
    const struct chat_error fault = {.class = CHAT_ERROR_MODEL};
    if (r->reasks < RUN_REASK_MAX) {
        r->reasks++;
        sleep_and_repeat(r, backoff_ms(r->reasks), why);
    } else if (!fall_back(r, &fault, why)) {
        run_end(r, reason, why);
    }
}

/* upstream_error stands for an overloaded model as well as for content it will not take: the
 * default endpoint does not tell which, and the second kind never passes. */
static int64_t tries(const struct run *r, const struct chat_error *e)
{
    bool doubtful = e->code && strcmp(e->code, "upstream_error") == 0;
    return doubtful && r->config.retries > RUN_REASK_MAX ? RUN_REASK_MAX : r->config.retries;
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
    bool may = chat_error_may_retry(e, headers) && (int64_t)r->attempt < tries(r, e) &&
               hint <= RUN_WAIT_MAX_MS && r->waited_ms + wait_ms <= RUN_WAITING_MAX_MS;
    if (e->class == CHAT_ERROR_CONTEXT && run_compact(r)) {
        r->attempt++;
        if (r->state != STATE_ENDED)
            sleep_and_repeat(r, 0, text.data);
    } else if (answer_leave_out(r, e)) {
        r->attempt++;
        if (r->state != STATE_ENDED)
            sleep_and_repeat(r, 0, text.data);
    } else if (may) {
        r->attempt++;
        sleep_and_repeat(r, wait_ms, text.data);
    } else if (e->class == CHAT_ERROR_MODEL) {
        ask_again(r, outcome_of_answer(e->class), text.data);
    } else if (!fall_back(r, e, text.data)) {
        run_end(r, outcome_of_answer(e->class), text.data);
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
    return buf_append(&r->text, turn->text.data, turn->text.len) || secrets_from_text(r) ? -1 : 0;
}

static void emit_message(struct run *r, const struct chat_turn *turn)
{
    struct json_members *m = event_begin(&r->events, "message.completed");
    member_int(m, "step", r->step);
    member_bytes(m, "text", turn->text.data, turn->text.len);
    member_open(m, "tool_calls", '[');
    for (size_t i = 0; i < turn->call_count; i++) {
        const struct chat_call *c = &turn->calls[i];
        member_open(m, NULL, '{');
        member_text(m, "id", c->id ? c->id : "");
        member_text(m, "name", c->name);
        member_bytes(m, "arguments", c->text, c->len);
        member_close(m, '}');
    }
    member_close(m, ']');
    member_text(m, "finish_reason", turn->finish_reason);
    member_text(m, "stop", chat_stop_name(turn->stop));
    event_end(&r->events);
}

/* Calls where no tools are offered any more: what text there is, is the answer. */
static void end_without_calls(struct run *r, const struct chat_turn *turn)
{
    (void)keep_text(r, turn);
    emit_message(r, turn);
    run_end(r, r->landing, run_landing_message(r));
}

static void accept_turn(struct run *r, struct chat_turn *turn)
{
    if (r->landing && turn->stop == CHAT_STOP_TOOL_CALLS) {
        end_without_calls(r, turn);
        return;
    }
    if (keep_text(r, turn) != 0 || chat_turn_complete_ids(turn, &r->call_ids) != 0 ||
        chat_add_assistant(&r->messages, turn) != 0) {
        run_end(r, STOP_INTERNAL, "the conversation is too large");
        return;
    }
    r->attempt = r->reasks = 0;
    r->waited_ms = 0;
    r->compacted = false;
    r->answered = turn->stop != CHAT_STOP_TOOL_CALLS;
    if (turn->stop == CHAT_STOP_TOOL_CALLS)
        run_take_calls(r, turn);
    if (journal_progress(r) != 0)
        return;
    emit_message(r, turn);
    if (turn->stop == CHAT_STOP_TOOL_CALLS) {
        run_check_calls(r, turn);
        return;
    }
    emit_step_completed(r);
    if (r->state != STATE_ENDED && !answer_take(r))
        run_end(r, r->landing, run_landing_message(r));
}

void run_reply(struct run *run, struct chat_turn *turn, const struct chat_wait_headers *headers)
{
    struct run *r = run;
    if (r->state != STATE_ASKING)
        return;
    secrets_from_deltas_end(r, turn->stop != CHAT_STOP_INCOMPLETE && turn->stop != CHAT_STOP_ERROR);
    if (r->state != STATE_ASKING)
        return;
    count_usage(r, turn);
    if (r->step_input > 0) {
        r->known_tokens = r->step_input;
        r->known_bytes = r->request_bytes;
    }
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
        if (r->output_limit > 0) /* it was ours */
            run_end(r, r->limited_by, "the answer was cut where the budget of the run ends");
        run_end(r, STOP_OUTPUT_TRUNCATED,
                turn->text.len ? "the answer was cut at the model's output limit"
                               : "the model's output limit was used up before any text came; less "
                                 "thinking (--effort low) leaves more room");
        break;
    case CHAT_STOP_CONTENT_FILTER:
        (void)keep_text(r, turn);
        emit_message(r, turn);
        run_end(r, STOP_CONTENT_FILTER, "the endpoint refused to answer (content filter)");
        break;
    case CHAT_STOP_MALFORMED_TOOL_CALL:
        if (r->reasks + 1 == RUN_REASK_MAX) /* repeating the question alone did not help */
            (void)chat_add_user(&r->messages, valid_json_note, sizeof valid_json_note - 1);
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
