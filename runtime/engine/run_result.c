#include "engine/run_result.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/run_approve.h"
#include "engine/run_journal.h"
#include "engine/run_state.h"

static json_t *cost_json(double cost)
{
    return cost < 0 ? json_null() : json_real(cost);
}

void emit_step_completed(struct run *run)
{
    double cost = provider_cost(run->provider, run->step_input, run->step_output);
    struct json_members *m = event_begin(&run->events, "step.completed");
    member_int(m, "step", run->step);
    member_open(m, "usage", '{');
    member_int(m, "input_tokens", run->step_input);
    member_int(m, "output_tokens", run->step_output);
    member_close(m, '}');
    if (cost < 0)
        member_null(m, "cost_usd");
    else
        member_real(m, "cost_usd", cost);
    event_end(&run->events);
}

void run_warn(struct run *run, const char *text)
{
    event_emit(&run->events, "warning", json_pack("{s:s}", "message", text));
}

void emit_warnings(struct run *run, const struct chat_turn *turn)
{
    const char *line = turn->warnings.data;
    while (*line) {
        size_t len = strcspn(line, "\n");
        if (len)
            event_emit(&run->events, "warning", json_pack("{s:s%}", "message", line, len));
        line += len + (line[len] == '\n');
    }
}

/* A path is listed once: created and then modified stays created; deleted wins. */
void run_note_file(struct run *run, const char *path, const char *what)
{
    size_t index;
    json_t *file;
    json_array_foreach(run->files, index, file)
    {
        if (strcmp(json_string_value(json_object_get(file, "path")), path) == 0) {
            if (strcmp(what, "modified") != 0)
                (void)json_object_set_new(file, "what", json_string(what));
            return;
        }
    }
    (void)json_array_append_new(run->files, json_pack("{s:s, s:s}", "path", path, "what", what));
}

void run_file_changed(struct run *run, struct run_call *call, const char *path, const char *what)
{
    (void)journal_file_changed(run, call, path, what);
    event_emit(&run->events, "file.changed",
               json_pack("{s:I, s:s, s:s, s:s}", "step", (json_int_t)run->step, "call", call->key,
                         "path", path, "what", what));
    run_note_file(run, path, what);
}

static json_t *error_json(const struct run *r)
{
    if (!r->error)
        return json_null();
    return json_pack("{s:s, s:s, s:s*}", "reason", outcome_name(r->reason), "message", r->error,
                     "diff", r->diff);
}

static json_t *usage_json(const struct run_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "input_tokens", (json_int_t)c->input_tokens,
                     "output_tokens", (json_int_t)c->output_tokens, "reasoning_tokens",
                     (json_int_t)c->reasoning_tokens, "cached_tokens",
                     (json_int_t)c->cached_tokens);
}

static json_t *counts_json(const struct run_counts *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I}", "steps", (json_int_t)c->steps, "tool_calls",
                     (json_int_t)c->tool_calls, "tool_errors", (json_int_t)c->tool_errors,
                     "denials", (json_int_t)c->denials, "retries", (json_int_t)c->retries);
}

/* Is there something recorded that could go on? Not behind an answer, unless it is that of a
 * budget's last turn. */
static bool run_can_resume(const struct run *r)
{
    return r->config.journal && r->reason != STOP_FINAL &&
           (!r->answered || r->landing != STOP_FINAL);
}

/* Names the calls that a paused run waits for. */
static json_t *resume_command(const struct run *r)
{
    struct buf text;
    buf_init(&text, 4096);
    (void)buf_format(&text, "tackle resume %s", r->events.run);
    if (r->reason == STOP_APPROVAL_PENDING)
        (void)run_put_approvals(r, &text);
    json_t *command = json_stringn(text.data, text.len);
    buf_release(&text);
    return command;
}

static json_t *result_json(const struct run *r, int64_t duration_ms)
{
    const struct run_counts *c = &r->counts;
    bool resumable = run_can_resume(r), pending = r->reason == STOP_APPROVAL_PENDING;
    return json_pack("{s:s, s:s, s:i, s:o?, s:O?, s:o, s:o, s:o, s:O, s:o, s:O, s:o, s:I, s:b, "
                     "s:o, s:O?, s:o}",
                     "status", outcome_status(r->reason), "stop_reason", outcome_name(r->reason),
                     "exit_code", run_exit_code(r), "text", json_stringn(r->text.data, r->text.len),
                     "structured", r->structured, "usage", usage_json(c), "cost_usd",
                     cost_json(r->cost_usd), "counts", counts_json(c), "denials", r->denials,
                     "approvals", pending ? run_approvals_json(r) : json_array(), "files", r->files,
                     "error", error_json(r), "duration_ms", (json_int_t)duration_ms, "resumable",
                     resumable, "resume_cmd", resumable ? resume_command(r) : json_null(),
                     "sandbox", r->config.sandbox, "report",
                     run_report_json(&r->report, c->denials, r->files));
}

/* The result must be there even when memory for the long one is not. */
static char *short_result(const struct run *r)
{
    struct buf text;
    buf_init(&text, 1024);
    (void)buf_format(&text,
                     "{\"type\":\"result\",\"v\":1,\"run\":\"%s\",\"status\":\"error\","
                     "\"stop_reason\":\"internal\",\"exit_code\":1,\"text\":\"\","
                     "\"error\":{\"reason\":\"internal\",\"message\":\"out of memory\"}}",
                     r->events.run);
    return buf_take(&text);
}

static int result_without_secrets(struct run *r)
{
    struct buf clean;
    size_t len = strlen(r->result);
    buf_init(&clean, 2 * len + 4096);
    long count = redact_copy(r->config.redact, REDACT_JSON, r->result, len, &clean);
    if (count > 0) {
        free(r->result);
        r->result = buf_take(&clean);
    }
    buf_release(&clean);
    return count < 0 || !r->result ? -1 : 0;
}

void run_finish(struct run *run, int64_t duration_ms)
{
    /* Calls that were given up are counted again when the run goes on. */
    if (run->call_count == 0)
        (void)journal_progress(run);
    for (struct run_call *c = run_running(run, NULL); c; c = run_running(run, c))
        run_report_open(&run->report, c);
    json_t *fields = result_json(run, duration_ms);
    json_t *whole = json_pack("{s:s, s:i, s:s}", "type", "result", "v", 1, "run", run->events.run);
    free(run->result);
    run->result = NULL;
    if (fields && whole && json_object_update(whole, fields) == 0)
        run->result = json_dumps(whole, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (!run->result || result_without_secrets(run) != 0) {
        free(run->result);
        run->result = short_result(run);
    }
    json_decref(whole);
    if (run->result && journal_run_finished(run, run->result) != 0 &&
        run->reason != STOP_SESSION_ERROR)
        run_warn(run, "the journal cannot be written: the end of this run is not in it");
    event_emit(&run->events, "result", fields);
}

const char *run_result(const struct run *run)
{
    return run->result ? run->result : "{}";
}
