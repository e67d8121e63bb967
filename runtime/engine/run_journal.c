#include "engine/run_journal.h"

#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/text.h"
#include "engine/run_state.h"

#define NOTE_MAX 4096

static bool is_kept(const struct run *run)
{
    return run->config.journal && !run->restoring;
}

static int write_record(struct run *r, const char *kind, const char *body, size_t len, bool sync)
{
    struct err err;
    if (r->config.journal(r->config.journal_user, kind, body, len, sync, &err) == 0)
        return 0;
    run_end(r, STOP_SESSION_ERROR, err.text);
    return -1;
}

/* The members of an object; takes it. NULL, of a failed json_pack, is an error like any other. */
static int write_members(struct run *r, const char *kind, json_t *fields, bool sync)
{
    char *text = fields ? json_dumps(fields, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    int status = -1;
    if (text)
        status = write_record(r, kind, text + 1, strlen(text) - 2, sync);
    else
        run_end(r, STOP_INTERNAL, "out of memory");
    free(text);
    json_decref(fields);
    return status;
}

static bool has_effect(const struct run_call *c)
{
    return c->tool && c->tool->effect != TACKLE_EFFECT_SAFE;
}

/* ---- Where the run stands ---- */

/* Calls whose arguments stand in the message as {} for want of better: "unreadable":[places]. */
static int add_unreadable(const struct run *r, struct buf *body)
{
    bool any = false;
    int status = 0;
    for (size_t i = 0; i < r->call_count && status == 0; i++)
        if (r->calls[i].unreadable) {
            status = buf_format(body, "%s%zu", any ? "," : "\"unreadable\":[", i);
            any = true;
        }
    return status || !any ? status : buf_text(body, "],");
}

static json_t *counts_json(const struct run_counts *c)
{
    return json_pack("[I, I, I, I, I, I, I, I, I]", (json_int_t)c->steps, (json_int_t)c->tool_calls,
                     (json_int_t)c->tool_errors, (json_int_t)c->denials, (json_int_t)c->retries,
                     (json_int_t)c->input_tokens, (json_int_t)c->output_tokens,
                     (json_int_t)c->reasoning_tokens, (json_int_t)c->cached_tokens);
}

static json_t *state_json(const struct run *r)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:f, s:f, s:I, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:b, "
                     "s:s}",
                     "step", (json_int_t)r->step, "calls_used", (json_int_t)r->calls_used, "counts",
                     counts_json(&r->counts), "before", counts_json(&r->before), "cost_usd",
                     r->cost_usd, "cost_before_usd", r->cost_before_usd, "call_ids",
                     (json_int_t)r->call_ids, "left_out", (json_int_t)r->left_out, "known_tokens",
                     (json_int_t)r->known_tokens, "known_bytes", (json_int_t)r->known_bytes,
                     "structuring", r->structuring, "corrected", r->corrected, "calls_refused",
                     r->calls_refused, "kept", r->offers_kept, "fallback",
                     r->provider != r->config.provider, "landing", outcome_name(r->landing));
}

/* One record, so that a message and what it changed are there together or not at all. */
static int write_progress(struct run *r, const char *state)
{
    struct buf body;
    size_t from = r->recorded;
    bool more = r->messages.len > from;
    const char *kind = !more ? "state" : from > 0 ? "messages" : "conversation";
    from += from > 0; /* the comma */
    buf_init(&body, RUN_CONVERSATION_MAX + 4096);
    int status = add_unreadable(r, &body) || buf_format(&body, "\"state\":%s", state);
    if (status == 0 && more)
        status = buf_text(&body, ",\"messages\":[") ||
                 buf_append(&body, r->messages.data + from, r->messages.len - from) ||
                 buf_byte(&body, ']');
    if (status)
        run_end(r, STOP_INTERNAL, "out of memory");
    else if ((status = write_record(r, kind, body.data, body.len, false)) == 0)
        r->recorded = r->messages.len;
    buf_release(&body);
    return status ? -1 : 0;
}

int journal_progress(struct run *run)
{
    if (!is_kept(run))
        return 0;
    json_t *state = state_json(run);
    char *text = state ? json_dumps(state, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    int status = 0;
    json_decref(state);
    if (!text) {
        run_end(run, STOP_INTERNAL, "out of memory");
        return -1;
    }
    if (run->messages.len > run->recorded || !run->recorded_state ||
        strcmp(text, run->recorded_state) != 0)
        status = write_progress(run, text);
    free(run->recorded_state);
    run->recorded_state = text;
    return status;
}

/* ---- Calls ---- */

int journal_answered(struct run *run, const char *text)
{
    if (!is_kept(run))
        return 0;
    run->recorded = run->messages.len; /* results can be made again from their calls */
    return write_members(run, "answered", json_pack("{s:s}", "text", text), false);
}

int journal_decision(struct run *run, const struct run_call *call, bool allowed, const char *reason)
{
    if (!is_kept(run))
        return 0;
    return write_members(run, "decision",
                         json_pack("{s:s, s:s, s:s, s:s}", "call", call->key, "name", call->name,
                                   "decision", allowed ? "allow" : "deny", "reason", reason),
                         false);
}

int journal_tool_started(struct run *run, const struct run_call *call)
{
    if (!is_kept(run))
        return 0;
    struct buf body;
    json_t *head =
        json_pack("{s:s, s:s, s:s, s:s}", "call", call->key, "id", call->id, "name", call->name,
                  "effect", call->tool ? tool_effect_name(call->tool) : "safe");
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    buf_init(&body, JOURNAL_CALL_MAX);
    int status = !text || buf_append(&body, text + 1, strlen(text) - 2) ||
                 buf_text(&body, ",\"args\":") || buf_append(&body, call->args, call->args_len);
    if (status)
        run_end(run, STOP_INTERNAL, "out of memory");
    else
        status = write_record(run, "tool_started", body.data, body.len, has_effect(call));
    buf_release(&body);
    free(text);
    json_decref(head);
    return status ? -1 : 0;
}

int run_call_remember(struct run *run, const struct run_call *call, const char *note, size_t len,
                      struct err *err)
{
    if (!is_kept(run))
        return 0;
    if (len > NOTE_MAX || memchr(note, '\0', len) || !text_is_utf8(note, len))
        return err_set(err, ERR_LIMIT, "a note is UTF-8 text of %d bytes at most", NOTE_MAX);
    if (write_members(run, "remember",
                      json_pack("{s:s, s:o}", "call", call->key, "note", json_stringn(note, len)),
                      true) == 0)
        return 0;
    return err_set(err, ERR_SESSION, "the journal cannot be written");
}

int journal_file_changed(struct run *run, const struct run_call *call, const char *path,
                         const char *what)
{
    if (!is_kept(run))
        return 0;
    return write_members(
        run, "file_changed",
        json_pack("{s:s, s:s, s:s}", "call", call->key, "path", path, "what", what), false);
}

int journal_tool_finished(struct run *run, const struct run_call *call, const char *code,
                          int64_t duration_ms)
{
    if (!is_kept(run))
        return 0;
    return write_members(run, "tool_finished",
                         json_pack("{s:s, s:s, s:b, s:s, s:I, s:o}", "call", call->key, "name",
                                   call->name, "ok", strcmp(code, "ok") == 0, "code", code,
                                   "duration_ms", (json_int_t)duration_ms, "result",
                                   json_stringn(call->result.data, call->result.len)),
                         has_effect(call));
}

/* ---- The end ---- */

int journal_run_finished(struct run *run, const char *result)
{
    struct buf body;
    if (!is_kept(run))
        return 0;
    buf_init(&body, strlen(result) + 64);
    int status = buf_text(&body, "\"result\":") || buf_text(&body, result)
                     ? -1
                     : write_record(run, "run_finished", body.data, body.len, true);
    buf_release(&body);
    return status;
}
