#include "engine/run_approve.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/enforce.h"
#include "base/text.h"
#include "engine/approval.h"
#include "engine/run_journal.h"
#include "wire/chat_args.h"

#define REASON_MAX   2000
#define APPROVE_EACH 4 /* more calls that wait are named together: all */

/* ---- Decided ---- */

static void end_after_denial(struct run *r, const struct call_ruling *is, const char *rule)
{
    int64_t denials = r->counts.denials - r->before.denials;
    char text[1200];
    if (ENFORCED(deny_fails_run) && r->config.on_deny_fail && is->verdict == POLICY_DENY) {
        (void)snprintf(text, sizeof text, "%s (rule: %s; --on-deny fail)", is->reason, rule);
        run_end(r, STOP_DENIED, text);
    } else if (ENFORCED(denials_end_run) && r->config.max_denials > 0 &&
               denials >= r->config.max_denials) {
        (void)snprintf(text, sizeof text,
                       "%" PRId64 " call%s denied, which is the limit (--max-denials); the last: "
                       "%s",
                       denials, denials == 1 ? " was" : "s were", is->reason);
        run_end(r, STOP_DENIED, text);
    }
}

/* Records and tells what was decided. True: the call may run. */
static bool settle(struct run *r, struct run_call *c, const struct policy_decision *d,
                   const struct call_ruling *is)
{
    struct call_ruling told = *is;
    told.verdict = d->verdict;
    told.rule = d->rule;
    told.write = is->allow && d->needs_write;
    if (journal_decision(r, c, &told) != 0)
        return false;
    c->write = told.write;
    c->state = is->allow ? CALL_READY : c->state;
    struct json_members *m = event_begin(&r->events, "permission.decided");
    member_int(m, "step", r->step);
    member_text(m, "call", c->key);
    member_text(m, "name", c->name);
    member_text(m, "decision", is->allow ? "allow" : "deny");
    member_text(m, "verdict", policy_verdict_name(d->verdict));
    member_text(m, "by", is->by);
    member_text(m, "rule", d->rule);
    member_text(m, "reason", is->reason);
    event_end(&r->events);
    if (is->allow)
        return true;
    r->counts.denials++;
    if (d->host[0] && ENFORCED(report_refused_host))
        run_host_contacted(r, d->host, false);
    (void)json_array_append_new(r->denials, json_pack("{s:s, s:s, s:s}", "call", c->key, "name",
                                                      c->name, "reason", is->reason));
    run_answer_call(r, c, TACKLE_E_DENIED, is->reason);
    end_after_denial(r, &told, d->rule);
    return false;
}

static bool settle_by_nobody(struct run *r, struct run_call *c, const struct policy_decision *d)
{
    char reason[640];
    (void)snprintf(reason, sizeof reason, "nobody can be asked: %s", d->why);
    return settle(r, c, d, &(struct call_ruling){.by = "nobody", .reason = reason});
}

/* What a person said, and why; `reason` may be NULL. */
static bool settle_by_person(struct run *r, struct run_call *c, const struct policy_decision *d,
                             enum run_choice choice, const char *reason)
{
    struct buf text;
    struct call_ruling is = {.allow = choice != RUN_DENY,
                             .for_run = choice == RUN_ALLOW_RUN,
                             .by = "person",
                             .reason = ""};
    buf_init(&text, 8 * REASON_MAX + 256);
    if (!is.allow) {
        (void)buf_text(&text, "denied by a person");
        if (reason && *reason && buf_text(&text, ": ") == 0)
            (void)text_for_model(&text, reason, text_edge(reason, strlen(reason), REASON_MAX));
        else
            (void)buf_text(&text, "; go on without it, or say why it is needed");
        is.reason = text.data;
    }
    bool may = settle(r, c, d, &is);
    buf_release(&text);
    return may;
}

/* ---- For this run ---- */

/* The arguments of a call, from its text. A new reference. */
static json_t *arguments_of(const struct run_call *c)
{
    struct err ignored;
    return chat_args_parse(c->args, c->args_len, NULL, &ignored);
}

static int remember_for_run(struct run *r, const struct run_call *c, bool write)
{
    json_t *args = arguments_of(c);
    json_t *shape = args && c->tool ? approval_shape(c->tool, args) : NULL;
    json_decref(args);
    json_t *rule = shape ? json_pack("{s:s, s:o, s:b}", "tool", c->tool->name, "args", shape,
                                     "write", (int)write)
                         : NULL;
    return rule ? json_array_append_new(r->allowed, rule) : -1;
}

static bool is_allowed_for_run(const struct run *r, const struct run_call *c,
                               const struct policy_decision *d, const json_t *args)
{
    size_t i;
    json_t *rule;
    bool found = false;
    if (json_array_size(r->allowed) == 0)
        return false;
    json_t *shape = approval_shape(c->tool, args);
    json_array_foreach(r->allowed, i, rule)
    {
        bool same = json_equal(shape, json_object_get(rule, "args"));
        found |= strcmp(json_string_value(json_object_get(rule, "tool")), c->tool->name) == 0 &&
                 (same || !ENFORCED(yes_covers_its_shape)) &&
                 (!d->needs_write || json_is_true(json_object_get(rule, "write")));
    }
    json_decref(shape);
    return found;
}

/* ---- Asking ---- */

static void ask(struct run *r, struct run_call *c, const struct policy_decision *d,
                const json_t *args)
{
    struct buf rule;
    buf_init(&rule, 2 * APPROVAL_RULE_MAX);
    if (!c->asked) /* another process may have asked */
        c->asked = malloc(sizeof *c->asked);
    if (!c->asked || approval_rule(c->tool, args, &rule) != 0) {
        run_end(r, STOP_INTERNAL, "out of memory");
    } else if (*c->asked = *d, journal_asked(r, c) == 0) {
        c->state = CALL_ASKED;
        event_emit(&r->events, "approval.requested",
                   json_pack("{s:I, s:s, s:s, s:O, s:s, s:s, s:s, s:b}", "step",
                             (json_int_t)r->step, "call", c->key, "name", c->name, "arguments",
                             args, "why", d->why, "rule", d->rule, "always", rule.data, "write",
                             (int)d->needs_write));
    }
    buf_release(&rule);
}

/* Is what a person said before still enough? A right to write that was not given then is not. */
static bool has_answer(const struct run_call *c, const struct policy_decision *d)
{
    return c->answer == RUN_DENY || (c->answer && (!d->needs_write || c->answer_writes));
}

static bool is_used_up(const struct run *r)
{
    return r->config.max_tool_calls > 0 && r->calls_used >= r->config.max_tool_calls;
}

bool run_permit_call(struct run *r, struct run_call *c, const json_t *args)
{
    struct policy_decision d;
    bool nobody = !r->config.ask && !r->config.on_deny_fail;
    if (c->denied && ENFORCED(denied_stays_denied)) {
        run_answer_call(r, c, TACKLE_E_DENIED, c->denied);
        return false;
    }
    policy_decide(r->config.policy, c->tool, args, &d);
    if (d.verdict == POLICY_DENY)
        return settle(r, c, &d, &(struct call_ruling){.by = "policy", .reason = d.why});
    if (d.verdict == POLICY_ALLOW || !ENFORCED(ask_needs_a_yes))
        return settle(r, c, &d,
                      &(struct call_ruling){.allow = true, .by = "policy", .reason = d.why});
    if (has_answer(c, &d))
        return settle_by_person(r, c, &d, c->answer, c->answer_reason);
    if (is_allowed_for_run(r, c, &d, args))
        return settle_by_person(r, c, &d, RUN_ALLOW_ONCE, NULL);
    if (nobody)
        return settle_by_nobody(r, c, &d);
    if (is_used_up(r))
        (void)run_use_call(r, c);
    else
        ask(r, c, &d, args);
    return false;
}

bool run_use_call(struct run *r, struct run_call *c)
{
    if (is_used_up(r)) {
        r->calls_refused = true;
        run_answer_call(r, c, TACKLE_E_LIMIT, "the limit on tool calls is reached");
        return false;
    }
    r->calls_used++;
    return true;
}

/* ---- Answers ---- */

static bool waits(const struct run *r, const struct run_call *c)
{
    if (!ENFORCED(answers_only_what_waits))
        return c->state != CALL_DONE;
    return r->state == STATE_RESUMING ? c->asked && c->state == CALL_READY && !c->begun
                                      : c->state == CALL_ASKED && r->state == STATE_CALLING;
}

/* "r1m84swmdwheg3eq9hh.1.2", or "1.2". */
static bool is_named(const struct run_call *c, const char *call)
{
    const char *dot = strchr(c->key, '.');
    return strcmp(c->key, call) == 0 || (dot && strcmp(dot + 1, call) == 0);
}

/* Of a call that waits now, or did when the run stopped: that is settled when it goes on. */
static int take_answer(struct run *r, struct run_call *c, enum run_choice choice,
                       const char *reason)
{
    if (choice == RUN_ALLOW_RUN && remember_for_run(r, c, c->asked && c->asked->needs_write) != 0)
        return -1;
    if (c->state == CALL_ASKED) {
        struct policy_decision d = *c->asked;
        if (settle_by_person(r, c, &d, choice, reason))
            (void)run_use_call(r, c);
        return 0;
    }
    free(c->answer_reason);
    c->answer_reason = reason ? strdup(reason) : NULL;
    c->answer = choice;
    c->answer_writes = c->asked && c->asked->needs_write;
    return reason && !c->answer_reason ? -1 : 0;
}

static int nothing_waits(const struct run *r, const char *call, struct err *err)
{
    struct buf names;
    buf_init(&names, 4096);
    for (size_t i = 0; i < r->call_count; i++)
        if (waits(r, &r->calls[i]))
            (void)buf_format(&names, "%s%s", names.len ? ", " : "",
                             strchr(r->calls[i].key, '.') + 1);
    if (names.len > 0)
        err_set(err, ERR_USAGE, "no call '%.64s' waits for an answer; these do: %s", call,
                names.data);
    else
        err_set(err, ERR_USAGE, "no call of this run waits for an answer");
    buf_release(&names);
    return -1;
}

int run_decide(struct run *run, const char *call, enum run_choice choice, const char *reason,
               struct err *err)
{
    bool any = false;
    if (choice != RUN_ALLOW_ONCE && choice != RUN_ALLOW_RUN && choice != RUN_DENY)
        return err_set(err, ERR_USAGE, "%d is no decision", (int)choice);
    for (size_t i = 0; i < run->call_count; i++) {
        struct run_call *c = &run->calls[i];
        if (!waits(run, c) || (call ? !is_named(c, call) : c->answer != 0))
            continue;
        any = true;
        if (take_answer(run, c, choice, reason) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return any ? 0 : nothing_waits(run, call, err);
}

/* ---- Waiting for nobody ---- */

bool run_is_asking(const struct run *run)
{
    for (size_t i = 0; i < run->call_count; i++)
        if (run->calls[i].state == CALL_ASKED)
            return true;
    return false;
}

int run_put_approvals(const struct run *run, struct buf *out)
{
    size_t count = 0;
    for (size_t i = 0; i < run->call_count; i++)
        count += run->calls[i].state == CALL_ASKED;
    if (count > APPROVE_EACH)
        return buf_text(out, " --approve all");
    for (size_t i = 0; i < run->call_count; i++)
        if (run->calls[i].state == CALL_ASKED &&
            buf_format(out, " --approve %s", strchr(run->calls[i].key, '.') + 1) != 0)
            return -1;
    return 0;
}

json_t *run_approvals_json(const struct run *run)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < run->call_count; i++) {
        const struct run_call *c = &run->calls[i];
        if (c->state != CALL_ASKED)
            continue;
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:o?, s:s, s:s}", "call", c->key,
                                                    "name", c->name, "arguments", arguments_of(c),
                                                    "why", c->asked->why, "rule", c->asked->rule));
    }
    return list;
}

void run_pause(struct run *run)
{
    struct buf text;
    const char *name = "";
    size_t count = 0;
    for (size_t i = 0; i < run->call_count; i++)
        if (run->calls[i].state == CALL_ASKED && count++ == 0)
            name = run->calls[i].asked->why;
    buf_init(&text, 8192);
    (void)buf_format(&text, "%zu call%s a yes, and nobody can be asked: %s", count,
                     count == 1 ? " needs" : "s need", name);
    if (run->config.journal &&
        buf_format(&text, "; to say yes: tackle resume %s", run->events.run) == 0)
        (void)run_put_approvals(run, &text);
    run_end(run, STOP_APPROVAL_PENDING, text.data);
    buf_release(&text);
}

/* ---- From the journal ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

int approve_restore_asked(struct run_call *call, const json_t *record)
{
    if (!call->asked && !(call->asked = calloc(1, sizeof *call->asked)))
        return -1;
    call->asked->verdict = POLICY_ASK;
    call->asked->needs_write = json_is_true(json_object_get(record, "write"));
    return 0;
}

int approve_restore_decision(struct run *run, struct run_call *call, const json_t *record)
{
    const char *reason = text_of(record, "reason");
    bool write = json_is_true(json_object_get(record, "write"));
    if (strcmp(text_of(record, "decision"), "deny") == 0) {
        run->counts.denials++;
        (void)json_array_append_new(run->denials, json_pack("{s:s, s:s, s:s}", "call", call->key,
                                                            "name", call->name, "reason", reason));
        free(call->denied);
        call->denied = strdup(reason);
        return call->denied ? 0 : -1;
    }
    if (strcmp(text_of(record, "by"), "person") != 0)
        return 0;
    call->answer = RUN_ALLOW_ONCE;
    call->answer_writes = write;
    bool for_run = json_is_true(json_object_get(record, "for_run"));
    return for_run && call->tool ? remember_for_run(run, call, write) : 0;
}
