/* The tool calls of a turn: which may run, in what order, and what the model reads of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/enforce.h"
#include "base/text.h"
#include "engine/run_approve.h"
#include "engine/run_journal.h"
#include "engine/run_secrets.h"
#include "engine/run_state.h"

#define MESSAGE_MAX 3000 /* bytes of a tool's reason for its failure */

/* ---- Checking ---- */

/* A call that cannot be run is answered at once; the model reads why. */
void run_answer_call(struct run *r, struct run_call *c, int32_t code, const char *message)
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
        if (policy_offers(r->config.policy, r->config.tools[i]))
            (void)buf_format(&text, "%s %s", listed++ ? "," : "", r->config.tools[i]->name);
    if (listed == 0)
        (void)buf_text(&text, " none");
    run_answer_call(r, c, TACKLE_E_ARGS, text.data);
    buf_release(&text);
}

static bool arguments_fit(struct run *r, struct run_call *c, const struct chat_call *asked)
{
    struct buf text;
    struct err err = {.text = ""};
    bool fit = true;
    buf_init(&text, 8192);
    const struct schema *schema = tool_schema(c->tool, &err);
    if (!asked->args) {
        fit = false;
        (void)buf_text(&text, asked->problem ? asked->problem : "the arguments are not JSON");
    } else if (c->tool->check && !schema) {
        fit = false;
        (void)buf_text(&text, err.text);
    } else if (schema) {
        (void)buf_text(&text, "the arguments do not fit: ");
        fit = schema_check(schema, asked->args, &text) == 0;
    } else if (json_object_size(asked->args) > 0) {
        fit = false;
        (void)buf_format(&text, "%s takes no arguments", c->name);
    }
    if (!fit)
        run_answer_call(r, c, TACKLE_E_ARGS, text.data);
    buf_release(&text);
    return fit;
}

static const struct tool *find_tool(const struct run *r, const char *name)
{
    for (size_t i = 0; i < r->config.tool_count; i++)
        if (strcmp(r->config.tools[i]->name, name) == 0)
            return r->config.tools[i];
    const struct tool *reader = r->config.read_result;
    return r->offers_kept && strcmp(reader->name, name) == 0 ? reader : NULL;
}

static int take_call(struct run *r, struct run_call *c, const struct chat_call *asked, size_t place)
{
    const char *name = find_tool(r, asked->name) ? asked->name : chat_call_plain_name(asked->name);
    *c = (struct run_call){
        .state = CALL_READY, .tool = find_tool(r, name), .unreadable = !asked->args};
    buf_init(&c->result, RUN_RESULT_MAX + 4096);
    (void)snprintf(c->key, sizeof c->key, "%s.%" PRId64 ".%zu", r->events.run, r->counts.steps,
                   place + 1);
    c->id = strdup(asked->id);
    c->name = strdup(asked->name);
    c->args = asked->args ? json_dumps(asked->args, JSON_COMPACT | JSON_REAL_PRECISION(17))
                          : strdup("{}");
    if (!c->id || !c->name || !c->args)
        return -1;
    c->args_len = strlen(c->args);
    return 0;
}

void run_tell_call(struct run *r, const struct run_call *c, const struct chat_call *asked)
{
    struct json_members *m = event_begin(&r->events, "tool.requested");
    member_int(m, "step", r->step);
    member_text(m, "call", c->key);
    member_text(m, "name", c->name);
    if (asked->args)
        member_json(m, "arguments", c->args, c->args_len);
    else
        member_bytes(m, "arguments", asked->text, asked->len);
    event_end(&r->events);
}

void run_check_call(struct run *r, struct run_call *c, const struct chat_call *asked)
{
    r->counts.tool_calls++;
    run_tell_call(r, c, asked);
    if (!c->tool) {
        refuse_unknown(r, c);
        return;
    }
    if (arguments_fit(r, c, asked) && run_permit_call(r, c, asked->args))
        (void)run_use_call(r, c);
}

void run_take_calls(struct run *r, struct chat_turn *turn)
{
    r->calls = calloc(turn->call_count, sizeof *r->calls);
    if (!r->calls) {
        run_end(r, STOP_INTERNAL, "out of memory");
        return;
    }
    r->state = STATE_CALLING;
    for (; r->call_count < turn->call_count; r->call_count++) {
        if (take_call(r, &r->calls[r->call_count], &turn->calls[r->call_count], r->call_count) !=
            0) {
            r->call_count++; /* so that its parts are freed */
            run_end(r, STOP_INTERNAL, "out of memory");
            return;
        }
    }
}

void run_check_calls(struct run *r, const struct chat_turn *turn)
{
    for (size_t i = 0; i < r->call_count && r->state == STATE_CALLING; i++)
        run_check_call(r, &r->calls[i], &turn->calls[i]);
}

/* ---- Running ---- */

/* Calls start in order. One that may run side by side waits for nothing but others that may not;
 * one that may not waits for those before it that somebody is asked about, too. */
static struct run_call *next_call(struct run *r)
{
    size_t running = 0;
    bool all_parallel = true, asked = false;
    for (const struct run_call *c = run_running(r, NULL); c; c = run_running(r, c)) {
        running++;
        all_parallel = all_parallel && c->tool->parallel;
    }
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        asked = asked || c->state == CALL_ASKED;
        if (c->state != CALL_READY)
            continue;
        bool aside = c->tool->parallel && all_parallel && running < RUN_CALLS_AT_ONCE;
        return aside || (running == 0 && !asked) ? c : NULL;
    }
    return NULL;
}

bool run_calls_done(const struct run *r)
{
    for (size_t i = 0; i < r->call_count; i++)
        if (r->calls[i].state != CALL_DONE)
            return false;
    return true;
}

bool run_start_call(struct run *r, struct run_action *action)
{
    struct run_call *c = next_call(r);
    if (!c)
        return false;
    if (!c->probe && journal_tool_started(r, c) != 0) {
        action->kind = RUN_ENDED;
        return true;
    }
    c->state = CALL_RUNNING;
    *action = (struct run_action){.kind = RUN_CALL, .call = c};
    if (!c->told) {
        struct json_members *m = event_begin(&r->events, "tool.started");
        member_int(m, "step", r->step);
        member_text(m, "call", c->key);
        member_text(m, "name", c->name);
        event_end(&r->events);
        r->report.allowed++;
    }
    c->told = true;
    if (r->state == STATE_ENDED)
        action->kind = RUN_ENDED;
    return true;
}

/* ---- Results ---- */

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

/* A large result is kept whole in a file, if there is a place for it; the path, malloc'd, or NULL.
 */
static char *keep_whole(const struct run *r, const struct run_call *c, const struct buf *text)
{
    const char *id = strchr(c->key, '.');
    if (!r->config.keep || !id || text->len <= RUN_EVENT_OUTPUT_MAX)
        return NULL;
    return r->config.keep(r->config.keep_user, id + 1, text->data, text->len);
}

/* Tells the model how to read what was cut. */
static void offer_whole(struct run *r, struct run_call *c)
{
    const struct tool *reader = r->config.read_result;
    if (!r->offers_kept &&
        chat_add_function(&r->tools, reader->name, reader->description, reader->params) != 0)
        return;
    r->offers_kept = true;
    (void)buf_format(&c->result, "\n[cut; the whole is kept: %s {\"id\":\"%s\"}]", reader->name,
                     strchr(c->key, '.') + 1);
}

/* The model is told, so that it does not take the names for what is there. */
static void tell_of_secrets(struct buf *out, long count)
{
    if (count < 0)
        (void)buf_text(out, "\n[the output held secrets, and was too large without them]");
    else if (count > 0)
        (void)buf_format(out,
                         "\n[%ld secret%s in this output: each is shown as [redacted:NAME] and is "
                         "unchanged where it comes from; do not write these marks into files]",
                         count, count == 1 ? "" : "s");
}

/* What the model reads: the output, cleaned and cut; then why it failed. Returns the file that has
 * all of it; malloc'd; NULL. */
static char *write_result(struct run *r, struct run_call *c,
                          const struct run_result_of_call *result, bool *cut)
{
    struct buf clean;
    buf_init(&clean, 64u << 20);
    *cut = clean_output(&clean, result->output, result->len) || result->omitted > 0;
    long secrets = secrets_from_output(r, &clean);
    (void)text_head_tail(&c->result, clean.data, clean.len, RUN_RESULT_MAX / 2, RUN_RESULT_MAX / 2);
    char *file = keep_whole(r, c, &clean);
    if (file && clean.len > RUN_RESULT_MAX)
        offer_whole(r, c);
    if (result->omitted)
        (void)buf_format(&c->result, "\n[%" PRIu64 " bytes more were not kept]", result->omitted);
    if (result->code != 0) {
        buf_clear(&clean);
        (void)text_for_model(&clean, result->message, strlen(result->message));
        long more = secrets_from_output(r, &clean);
        secrets = secrets < 0 || more < 0 ? -1 : secrets + more;
        (void)buf_format(&c->result, "%serror: ", c->result.len ? "\n" : "");
        (void)buf_append(&c->result, clean.data, text_edge(clean.data, clean.len, MESSAGE_MAX));
    }
    tell_of_secrets(&c->result, secrets);
    buf_release(&clean);
    return file;
}

/* In an event a large output is cut once more; `file` has all of it. */
static void emit_completed(struct run *r, const struct run_call *c,
                           const struct run_result_of_call *result, bool cut, const char *file)
{
    struct buf shown;
    buf_init(&shown, RUN_EVENT_OUTPUT_MAX + 4096);
    (void)text_head_tail(&shown, c->result.data, c->result.len, RUN_EVENT_OUTPUT_MAX / 2,
                         RUN_EVENT_OUTPUT_MAX / 2);
    struct json_members *m = event_begin(&r->events, "tool.completed");
    member_int(m, "step", r->step);
    member_text(m, "call", c->key);
    member_text(m, "name", c->name);
    member_bool(m, "ok", result->code == 0);
    member_text(m, "code", code_name(result->code));
    member_int(m, "duration_ms", result->duration_ms);
    member_int(m, "bytes", (int64_t)c->result.len);
    member_bool(m, "truncated", cut || c->result.len > RUN_EVENT_OUTPUT_MAX);
    member_bytes(m, "output", shown.data, shown.len);
    member_text(m, "output_file", file);
    event_end(&r->events);
    buf_release(&shown);
}

void run_call_progress(struct run *run, struct run_call *call, const char *text, size_t len)
{
    struct buf clean, told;
    buf_init(&clean, 65536);
    buf_init(&told, 65536);
    secrets_from_progress(run, call, text, len, &told);
    if (told.len > 0 && text_for_model(&clean, told.data, told.len) == 0)
        event_emit(&run->events, "tool.output",
                   json_pack("{s:I, s:s, s:s}", "step", (json_int_t)run->step, "call", call->key,
                             "text", clean.data));
    buf_release(&clean);
    buf_release(&told);
}

void run_call_done(struct run *run, struct run_call *call, const struct run_result_of_call *result)
{
    bool cut = false;
    if (call->state == CALL_DONE)
        return;
    call->state = CALL_DONE;
    call->handle = NULL;
    if (call->progress.held.len > 0)
        run_call_progress(run, call, NULL, 0);
    char *file = write_result(run, call, result, &cut);
    budget_watch_loop(run, call);
    if (result->code != 0)
        run->counts.tool_errors++;
    (void)journal_tool_finished(run, call, code_name(result->code), result->duration_ms);
    emit_completed(run, call, result, cut, file);
    run_report_call(&run->report, call, result, cut);
    free(file);
    if (ENFORCED(run_ends_unconfined) && result->unconfined)
        run_end(run, STOP_SANDBOX_UNAVAILABLE, result->message);
}

/* ---- The end of a step ---- */

void run_forget_calls(struct run *r)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        free(c->id);
        free(c->name);
        free(c->args);
        free(c->note);
        free(c->asked);
        free(c->denied);
        free(c->answer_reason);
        buf_release(&c->result);
        redact_stream_release(&c->progress);
    }
    free(r->calls);
    r->calls = NULL;
    r->call_count = 0;
}

void run_answer_calls(struct run *r, const char *text)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct run_call *c = &r->calls[i];
        if (c->state != CALL_DONE) {
            buf_clear(&c->result);
            (void)buf_text(&c->result, text);
        }
        (void)chat_add_tool(&r->messages, c->id, c->name, c->result.data, c->result.len);
    }
    if (r->call_count > 0)
        (void)journal_answered(r, text);
    run_forget_calls(r);
}

struct run_call *run_running(struct run *run, const struct run_call *after)
{
    size_t i = after ? (size_t)(after - run->calls) + 1 : 0;
    for (; i < run->call_count; i++)
        if (run->calls[i].state == CALL_RUNNING)
            return &run->calls[i];
    return NULL;
}
