#include "engine/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/enforce.h"
#include "engine/run_answer.h"
#include "engine/run_approve.h"
#include "engine/run_journal.h"
#include "engine/run_result.h"
#include "engine/run_secrets.h"
#include "engine/run_state.h"

/* ---- Setting up ---- */

static int offer_tools(struct run *r, struct err *err)
{
    if (r->config.google_search)
        return chat_add_google_search(&r->tools) == 0 ? 0
                                                      : err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->config.tool_count; i++) {
        const struct tool *tool = r->config.tools[i];
        if (policy_offers(r->config.policy, tool) &&
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
    r->events.redact = config->redact;
    redact_stream_init(&r->deltas[0], config->redact);
    redact_stream_init(&r->deltas[1], config->redact);
    r->files = json_array();
    r->denials = json_array();
    r->allowed = json_array();
    if (!r->files || !r->denials || !r->allowed || run_report_init(&r->report) != 0) {
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

void run_free(struct run *run)
{
    if (!run)
        return;
    run_forget_calls(run);
    buf_release(&run->messages);
    buf_release(&run->tools);
    buf_release(&run->text);
    redact_stream_release(&run->deltas[0]);
    redact_stream_release(&run->deltas[1]);
    events_release(&run->events);
    json_decref(run->files);
    run_report_release(&run->report);
    json_decref(run->denials);
    json_decref(run->allowed);
    json_decref(run->structured);
    schema_free(run->schema);
    free(run->format);
    free(run->recorded_state);
    free(run->error);
    free(run->diff);
    free(run->result);
    free(run);
}

const char *run_id(const struct run *run)
{
    return run->events.run;
}

struct events *run_events(struct run *run)
{
    return &run->events;
}

/* An end that the model might not have come to if it had been allowed more. What failed outside of
 * it, or was stopped, keeps its reason. */
static bool is_for_want_of_rights(const struct run *r, enum stop_reason reason)
{
    return ENFORCED(denied_is_no_success) && r->counts.denials > r->before.denials &&
           outcome_is_own(reason);
}

/* The message may quote anything: a path, an endpoint, a plugin. */
void run_end(struct run *r, enum stop_reason reason, const char *message)
{
    struct buf text;
    if (r->state == STATE_ENDED)
        return;
    bool denied = is_for_want_of_rights(r, reason);
    if (denied)
        reason = STOP_DENIED;
    r->state = STATE_ENDED;
    r->reason = reason;
    free(r->error);
    r->error = NULL;
    if (!message && !denied)
        return;
    buf_init(&text, 65536);
    if (message)
        (void)text_fix_utf8(&text, message, strlen(message), NULL);
    if (denied)
        (void)buf_format(&text, "%sof the tool calls of this run, %" PRId64 " had been denied",
                         message ? "; " : "", r->counts.denials - r->before.denials);
    r->error = buf_take(&text);
    if (r->error && reason != STOP_INTERRUPTED)
        event_emit(&r->events, "error",
                   json_pack("{s:s, s:s, s:s*}", "reason", outcome_name(reason), "message",
                             r->error, "diff", r->diff));
}

int run_prompt(struct run *run, const struct chat_part *parts, size_t count, struct err *err)
{
    bool plain = count == 1 && parts[0].text;
    if (run->state != STATE_ENDED)
        return err_set(err, ERR_USAGE, "the run is still going on");
    run_answer_calls(run, "error: the run was stopped before this call was done");
    if ((plain ? chat_add_user(&run->messages, parts[0].text, parts[0].len)
               : chat_add_user_parts(&run->messages, parts, count)) != 0)
        return err_set(err, ERR_LIMIT, "the conversation is too large");
    buf_clear(&run->text);
    run->restoring = run->limited = run->answered = false;
    run->state = STATE_ASK;
    run->step = 0;
    run->calls_used = 0;
    run->calls_refused = false;
    run->started_ms = clock_ms();
    run->before = run->counts;
    run->cost_before_usd = run->cost_usd < 0 ? 0 : run->cost_usd;
    run->landing = STOP_FINAL;
    run->seen_count = 0;
    memset(run->warned, 0, sizeof run->warned);
    run->attempt = run->reasks = 0;
    run->waited_ms = 0;
    run->structuring = run->corrected = false;
    json_decref(run->structured);
    run->structured = NULL;
    return journal_progress(run) == 0 ? 0 : err_set(err, ERR_SESSION, "%s", run->error);
}

/* ---- What to do next ----
 *
 * Whoever receives an event may stop the run from inside: so the state is what it will be before an
 * event is emitted, and may be STATE_ENDED after it. */

/* All results are there: they go back in the order asked, and the step is over. */
static void close_step(struct run *r)
{
    r->state = STATE_ASK;
    run_answer_calls(r, "");
    if (r->state == STATE_ASK)
        emit_step_completed(r);
    if (r->state == STATE_ASK)
        budget_warn(r);
    if (r->step >= r->config.max_steps)
        run_end(r, STOP_MAX_STEPS, "the limit on steps was reached (--max-steps)");
}

static void begin_asking(struct run *r, struct run_action *action)
{
    r->state = STATE_ASKING;
    r->answered = false;
    if (r->attempt == 0 && r->reasks == 0) {
        r->step++;
        r->counts.steps++;
        member_int(event_begin(&r->events, "step.started"), "step", r->step);
        event_end(&r->events);
    }
    if (r->state != STATE_ENDED)
        (void)budget_before_request(r);
    action->kind = r->state == STATE_ENDED ? RUN_ENDED : RUN_ASK;
}

void run_next(struct run *run, struct run_action *action)
{
    *action = (struct run_action){.kind = RUN_WAIT};
    if (run->state == STATE_RESUMING)
        run_settle_calls(run);
    if (run->state == STATE_CALLING) {
        if (run_start_call(run, action))
            return;
        if (run_calls_done(run))
            close_step(run);
        else if (!run->config.ask && run_is_asking(run) && !run_running(run, NULL))
            run_pause(run);
    }
    switch (run->state) {
    case STATE_ASK:
        if (journal_progress(run) == 0)
            begin_asking(run, action);
        else
            action->kind = RUN_ENDED;
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
    case STATE_RESUMING:
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
    char extra[64];
    if (secrets_from_messages(run) != 0)
        return err_set(err, ERR_LIMIT, "the conversation is too large");
    bool thoughts = run->provider->thoughts_field && !(run->left_out & LEFT_OUT_THOUGHTS);
    (void)snprintf(extra, sizeof extra, "{\"max_completion_tokens\":%" PRId64 "}",
                   run->output_limit);
    struct chat_request request = {
        .model = run->provider->model,
        .stream = config->stream,
        .want_usage = !(run->left_out & LEFT_OUT_USAGE),
        .effort = run->left_out & LEFT_OUT_EFFORT ? NULL : config->effort,
        .include_thoughts = thoughts ? config->thoughts : CHAT_CHOICE_UNSET,
        .max_tokens = run->left_out & LEFT_OUT_MAX ? 0 : (long)run->output_limit,
        .extra = run->output_limit > 0 && (run->left_out & LEFT_OUT_MAX) ? extra : NULL,
        .response_format = answer_wants_format(run) ? run->format : NULL,
        .tools = run->structuring || run->landing ? NULL : &run->tools,
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
    secrets_from_delta(run, kind, text, len);
}

void run_stop(struct run *run, enum stop_reason reason, int signal, const char *message)
{
    if (run->state != STATE_ENDED)
        run->signal = signal;
    run_end(run, reason, message);
}

void run_overrule(struct run *run, enum stop_reason reason, const char *message)
{
    if (run->state == STATE_ENDED)
        run->state = STATE_ASK; /* and to another end */
    run_end(run, reason, message);
}

void run_mismatch(struct run *run, const char *message, const char *diff)
{
    free(run->diff);
    run->diff = *diff ? strdup(diff) : NULL;
    run_overrule(run, STOP_REPLAY_MISMATCH, message);
}

enum stop_reason run_stop_reason(const struct run *run)
{
    return run->reason;
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
