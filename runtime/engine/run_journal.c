#include "engine/run_journal.h"

#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/enforce.h"
#include "base/text.h"
#include "engine/run_secrets.h"
#include "engine/run_state.h"

#define NOTE_MAX 4096

static bool is_kept(const struct run *run)
{
    return run->config.journal && !run->restoring;
}

static int write_clean(struct run *r, const char *kind, const char *body, size_t len, bool sync)
{
    struct err err;
    if (r->config.journal(r->config.journal_user, kind, body, len, sync, &err) == 0)
        return 0;
    run_end(r, STOP_SESSION_ERROR, err.text);
    return -1;
}

/* A record of anything but messages, which are clean already. */
static int write_record(struct run *r, const char *kind, const char *body, size_t len, bool sync)
{
    struct buf clean;
    buf_init(&clean, RUN_CONVERSATION_MAX);
    long found = ENFORCED(secrets_not_in_journal)
                     ? redact_copy(r->config.redact, REDACT_JSON, body, len, &clean)
                     : 0;
    int status = -1;
    if (found < 0)
        run_end(r, STOP_INTERNAL, "out of memory");
    else if (found > 0)
        status = write_clean(r, kind, clean.data, clean.len, sync);
    else
        status = write_clean(r, kind, body, len, sync);
    buf_release(&clean);
    return status;
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

/* The same without a tree of values: the body is begun, its members are put, and it is written. */
static struct json_members begin_body(struct buf *body)
{
    buf_init(body, JOURNAL_CALL_MAX);
    return (struct json_members){.out = body, .first = true};
}

static int end_body(struct run *r, const char *kind, struct json_members *m, bool sync)
{
    int status = m->failed ? -1 : write_record(r, kind, m->out->data, m->out->len, sync);
    if (m->failed)
        run_end(r, STOP_INTERNAL, "out of memory");
    buf_release(m->out);
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

static void put_counts(struct json_members *m, const char *key, const struct run_counts *c)
{
    const int64_t counts[] = {c->steps,         c->tool_calls,       c->tool_errors,
                              c->denials,       c->retries,          c->input_tokens,
                              c->output_tokens, c->reasoning_tokens, c->cached_tokens};
    member_open(m, key, '[');
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        member_int(m, NULL, counts[i]);
    member_close(m, ']');
}

/* An object; NULL when out of memory. */
static char *state_text(const struct run *r)
{
    struct buf text;
    struct json_members m = {.out = &text, .first = true};
    buf_init(&text, 4096);
    m.failed = buf_byte(&text, '{') != 0;
    member_int(&m, "step", r->step);
    member_int(&m, "calls_used", r->calls_used);
    put_counts(&m, "counts", &r->counts);
    put_counts(&m, "before", &r->before);
    member_real(&m, "cost_usd", r->cost_usd);
    member_real(&m, "cost_before_usd", r->cost_before_usd);
    member_int(&m, "call_ids", (int64_t)r->call_ids);
    member_int(&m, "left_out", r->left_out);
    member_int(&m, "known_tokens", r->known_tokens);
    member_int(&m, "known_bytes", (int64_t)r->known_bytes);
    member_bool(&m, "structuring", r->structuring);
    member_bool(&m, "corrected", r->corrected);
    member_bool(&m, "calls_refused", r->calls_refused);
    member_bool(&m, "kept", r->offers_kept);
    member_bool(&m, "fallback", r->provider != r->config.provider);
    member_text(&m, "landing", outcome_name(r->landing));
    char *taken = m.failed || buf_byte(&text, '}') ? NULL : buf_take(&text);
    buf_release(&text);
    return taken;
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
    else if ((status = write_clean(r, kind, body.data, body.len, false)) == 0)
        r->recorded = r->messages.len;
    buf_release(&body);
    return status ? -1 : 0;
}

int journal_progress(struct run *run)
{
    if (!run->restoring && secrets_from_messages(run) != 0)
        return -1;
    if (!is_kept(run))
        return 0;
    char *text = state_text(run);
    int status = 0;
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

int journal_asked(struct run *run, const struct run_call *call)
{
    if (!is_kept(run))
        return 0;
    return write_members(run, "asked",
                         json_pack("{s:s, s:s, s:s, s:s, s:b}", "call", call->key, "name",
                                   call->name, "why", call->asked->why, "rule", call->asked->rule,
                                   "write", (int)call->asked->needs_write),
                         false);
}

int journal_decision(struct run *run, const struct run_call *call, const struct call_ruling *ruling)
{
    if (!is_kept(run))
        return 0;
    struct buf body;
    struct json_members m = begin_body(&body);
    member_text(&m, "call", call->key);
    member_text(&m, "name", call->name);
    member_text(&m, "decision", ruling->allow ? "allow" : "deny");
    member_text(&m, "verdict", policy_verdict_name(ruling->verdict));
    member_text(&m, "by", ruling->by);
    member_text(&m, "rule", ruling->rule);
    member_text(&m, "reason", ruling->reason);
    member_bool(&m, "for_run", ruling->for_run);
    member_bool(&m, "write", ruling->write);
    return end_body(run, "decision", &m, false);
}

int journal_tool_started(struct run *run, const struct run_call *call)
{
    if (!is_kept(run))
        return 0;
    struct buf body;
    struct json_members m = begin_body(&body);
    member_text(&m, "call", call->key);
    member_text(&m, "id", call->id);
    member_text(&m, "name", call->name);
    member_text(&m, "effect", call->tool ? tool_effect_name(call->tool) : "safe");
    member_json(&m, "args", call->args, call->args_len);
    return end_body(run, "tool_started", &m, has_effect(call));
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
    struct buf body;
    struct json_members m = begin_body(&body);
    member_text(&m, "call", call->key);
    member_text(&m, "name", call->name);
    member_bool(&m, "ok", strcmp(code, "ok") == 0);
    member_text(&m, "code", code);
    member_int(&m, "duration_ms", duration_ms);
    member_bytes(&m, "result", call->result.data, call->result.len);
    return end_body(run, "tool_finished", &m, has_effect(call));
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
