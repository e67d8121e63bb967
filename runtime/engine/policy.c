#include "engine/policy_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "base/beneath.h"
#include "base/crc32c.h"
#include "base/enforce.h"
#include "engine/confine.h"

/* ---- Making ---- */

static int add_settings(struct policy *p, const struct settings *s, enum setting id,
                        enum policy_verdict verdict, struct err *err)
{
    for (size_t i = 0; i < settings_count(s, id); i++) {
        enum layer layer = settings_item_layer(s, id, i);
        if (policy_rules_add_text(&p->rules, verdict, layer, settings_layer_name(layer),
                                  settings_item(s, id, i), err) != 0)
            return err_prefix(err, "%s", settings_key(id));
    }
    return 0;
}

struct policy *policy_new(const struct settings *s, struct err *err)
{
    const char *mode = settings_text(s, SET_SANDBOX);
    struct policy *p = calloc(1, sizeof *p);
    if (!p) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    p->write = mode && strcmp(mode, "read-only") != 0;
    p->ask = strcmp(settings_text(s, SET_APPROVAL), "ask") == 0;
    p->tier = confine_tier(s);
    p->confines = strcmp(p->tier, "t3") == 0 || strcmp(p->tier, "external") == 0;
    int status = 0;
    for (size_t i = 0; i < settings_count(s, SET_ALLOW_HOST) && status == 0; i++)
        status = hosts_add(&p->allow_hosts, settings_item(s, SET_ALLOW_HOST, i), err);
    if (status != 0 || add_settings(p, s, SET_ALLOW, POLICY_ALLOW, err) != 0 ||
        add_settings(p, s, SET_ASK, POLICY_ASK, err) != 0 ||
        add_settings(p, s, SET_DENY, POLICY_DENY, err) != 0) {
        policy_free(p);
        return NULL;
    }
    return p;
}

void policy_free(struct policy *p)
{
    if (!p)
        return;
    policy_rules_release(&p->rules);
    hosts_release(&p->allow_hosts);
    free(p);
}

void policy_set_world(struct policy *p, const struct policy_world *world)
{
    p->world = *world;
}

/* What a project allows is left out: it may only tighten. */
static void leave_out_allowed(struct policy *p, size_t from, json_t *warnings)
{
    size_t kept = from;
    for (size_t i = from; i < p->rules.count; i++) {
        struct policy_rule *rule = &p->rules.items[i];
        char line[512];
        if (rule->verdict != POLICY_ALLOW) {
            p->rules.items[kept++] = *rule;
            continue;
        }
        policy_line(line, sizeof line,
                    "%s: 'allow %.100s' is ignored: a project's file may only "
                    "tighten",
                    rule->origin, rule->text);
        (void)json_array_append_new(warnings, json_string(line));
        policy_rule_release(rule);
    }
    p->rules.count = kept;
}

int policy_add_file(struct policy *p, enum layer layer, const char *name, const char *text,
                    size_t len, json_t *warnings, struct err *err)
{
    size_t before = p->rules.count;
    if (policy_rules_add_file(&p->rules, layer, name, text, len, err) != 0)
        return -1;
    if (layer == LAYER_PROJECT && ENFORCED(policy_project_tightens))
        leave_out_allowed(p, before, warnings);
    return 0;
}

bool policy_writes(const struct policy *p)
{
    return p->write;
}

const char *policy_verdict_name(enum policy_verdict verdict)
{
    static const char *const names[] = {"allow", "ask", "deny"};
    return names[verdict];
}

/* ---- Deciding ---- */

/* Is a rule of this form about things of this kind? TOOL(PATTERN) is about one kind only. */
static bool is_about(const struct policy_rule *rule, const struct tool *tool,
                     enum subject_kind kind)
{
    if (rule->form == RULE_TEXT)
        return subject_kind_of(tool) == kind;
    return (rule->form == RULE_PATH && kind == SUBJECT_PATH) ||
           (rule->form == RULE_HOST && kind == SUBJECT_HOST) ||
           (rule->form == RULE_COMMAND && kind == SUBJECT_COMMAND);
}

bool policy_covers(const struct call *call, const struct policy_rule *rule,
                   const struct subject *subject)
{
    const struct policy_world *world = &call->policy->world;
    bool allows = rule->verdict == POLICY_ALLOW;
    if (rule->form == RULE_TOOL)
        return true;
    if (!is_about(rule, call->tool, subject->kind))
        return false;
    switch (subject->kind) {
    case SUBJECT_PATH:
        return !(subject->outside && allows) && policy_rule_covers_path(rule, subject->text);
    case SUBJECT_HOST:
        return subject->unreadable ? !allows : policy_rule_covers_host(rule, &subject->host);
    case SUBJECT_COMMAND:
        return policy_rule_covers_command(rule, &call->subjects.commands[subject->command],
                                          subject->part, world->same_program, world->user);
    case SUBJECT_CALL:
    default:
        return false;
    }
}

/* The strictest rule of the operator, or of the project, that is about this. */
static const struct policy_rule *strictest(const struct call *call, const struct subject *subject,
                                           bool of_project)
{
    const struct policy_rules *rules = &call->policy->rules;
    const struct policy_rule *best = NULL;
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->items[i];
        if ((rule->layer == LAYER_PROJECT) != of_project ||
            !policy_rule_names(rule, call->tool->name))
            continue;
        /* Of two that say the same, the one with a pattern: it says more. */
        if (best && (best->verdict > rule->verdict ||
                     (best->verdict == rule->verdict && best->form != RULE_TOOL)))
            continue;
        if (policy_covers(call, rule, subject))
            best = rule;
    }
    return best;
}

static struct finding decide_subject(const struct call *call, const struct subject *subject)
{
    struct finding found = policy_default(call, subject);
    const struct policy_rule *rule = strictest(call, subject, false);
    /* Secrets are allowed by a pattern only: a tool's bare name says nothing of them. */
    bool too_wide = rule && rule->verdict == POLICY_ALLOW && rule->form == RULE_TOOL &&
                    found.verdict == POLICY_DENY;
    if (rule && !too_wide)
        found = (struct finding){.verdict = rule->verdict, .rule = rule};
    rule = strictest(call, subject, true);
    if (rule && rule->verdict > found.verdict)
        found = (struct finding){.verdict = rule->verdict, .rule = rule};
    return found;
}

/* True: the call would write where nothing may. */
static bool hits_floor(const struct call *call, struct policy_decision *out)
{
    if (!(call->tool->does & TACKLE_WRITES) || !ENFORCED(policy_floor))
        return false;
    for (size_t i = 0; i < call->subjects.count; i++) {
        const struct subject *subject = &call->subjects.items[i];
        if (subject->kind != SUBJECT_PATH || !beneath_is_protected(subject->text))
            continue;
        out->verdict = POLICY_DENY;
        policy_line(out->rule, sizeof out->rule, "deny by the floor: .git and .tackle");
        policy_line(out->why, sizeof out->why,
                    "%s of '%.200s' is denied: files under .git and .tackle are never written by "
                    "a tool; no rule allows it",
                    call->tool->name, subject->text);
        return true;
    }
    return false;
}

static void apply_mode(const struct policy *p, const struct tool *tool, struct policy_decision *out)
{
    bool changes = tool->does & (TACKLE_WRITES | TACKLE_RUNS);
    if (p->write || !changes || out->verdict == POLICY_DENY || !ENFORCED(policy_mode))
        return;
    out->needs_write = true;
    if (out->verdict == POLICY_ASK && p->ask)
        return;
    out->verdict = p->ask ? POLICY_ASK : POLICY_DENY;
    policy_line(out->rule, sizeof out->rule, "%s by the mode: sandbox read-only",
                policy_verdict_name(out->verdict));
    policy_line(out->why, sizeof out->why,
                "%s %s, and this run may only read; --sandbox workspace-write would allow it",
                tool->name, tool->does & TACKLE_RUNS ? "runs commands" : "changes files");
}

static void refuse(const struct tool *tool, const struct err *why, struct policy_decision *out)
{
    out->verdict = POLICY_DENY;
    policy_line(out->rule, sizeof out->rule, "deny: no rule can be held to the arguments");
    policy_line(out->why, sizeof out->why, "%s is denied: %s", tool->name, why->text);
}

void policy_decide(const struct policy *p, const struct tool *tool, const json_t *args,
                   struct policy_decision *out)
{
    struct call call = {.policy = p, .tool = tool};
    const struct subject_view view = {
        p->world.workspace, ENFORCED(policy_resolved) ? p->world.resolve : NULL, p->world.user};
    struct err err;
    struct finding worst = {.verdict = POLICY_ALLOW};
    const struct subject *about = NULL;
    *out = (struct policy_decision){.verdict = POLICY_ALLOW};
    if (subjects_read(&call.subjects, &view, tool, args, &err) != 0) {
        refuse(tool, &err, out);
    } else if (!hits_floor(&call, out)) {
        for (size_t i = 0; i < call.subjects.count; i++) {
            struct finding found = decide_subject(&call, &call.subjects.items[i]);
            if (about && found.verdict <= worst.verdict)
                continue;
            worst = found;
            about = &call.subjects.items[i];
        }
        policy_tell(&call, about, &worst, out);
        if (about->kind == SUBJECT_HOST && !about->unreadable)
            policy_line(out->host, sizeof out->host, "%s", about->text);
        apply_mode(p, tool, out);
    }
    subjects_release(&call.subjects);
}

bool policy_offers(const struct policy *p, const struct tool *tool)
{
    if (!p->write && !p->ask && (tool->does & (TACKLE_WRITES | TACKLE_RUNS)))
        return false;
    for (size_t i = 0; i < p->rules.count; i++) {
        const struct policy_rule *rule = &p->rules.items[i];
        if (rule->form == RULE_TOOL && rule->verdict == POLICY_DENY &&
            policy_rule_names(rule, tool->name))
            return false;
    }
    return true;
}

/* ---- What the host is told ---- */

/* Is the rule about paths of a tool that reads, or writes? */
static bool concerns(const struct policy_rule *rule, const struct tool *const *tools, size_t count,
                     bool write)
{
    for (size_t i = 0; i < count; i++)
        if (((tools[i]->does & TACKLE_WRITES) != 0) == write &&
            policy_rule_names(rule, tools[i]->name) && is_about(rule, tools[i], SUBJECT_PATH))
            return true;
    return false;
}

static int add_glob(json_t *list, const char *glob, bool lifts)
{
    return json_array_append_new(list, json_sprintf("%s%s", lifts ? "!" : "", glob));
}

/* Rules that allow or ask lift a default, those that deny come behind them. What is to be asked was
 * asked before the host hears of it. */
static int add_rules(json_t *list, const struct policy *p, const struct tool *const *tools,
                     size_t count, bool write, bool deny)
{
    for (size_t i = 0; i < p->rules.count; i++) {
        const struct policy_rule *rule = &p->rules.items[i];
        bool denies = rule->verdict == POLICY_DENY;
        if (denies != deny || (!denies && rule->layer == LAYER_PROJECT) ||
            !concerns(rule, tools, count, write))
            continue;
        for (char *const *glob = rule->globs; glob && *glob; glob++)
            if (add_glob(list, *glob, !denies) != 0)
                return -1;
    }
    return 0;
}

json_t *policy_denied_paths(const struct policy *p, const struct tool *const *tools, size_t count,
                            bool write)
{
    json_t *list = json_array();
    int status = list ? 0 : -1;
    for (size_t i = 0; i < policy_secret_count && status == 0; i++)
        status = json_array_append_new(list, json_string(policy_secrets[i]));
    if (status == 0)
        status = add_rules(list, p, tools, count, write, false);
    if (status == 0)
        status = add_rules(list, p, tools, count, write, true);
    if (status == 0)
        return list;
    json_decref(list);
    return NULL;
}

/* ---- Looking at it ---- */

static int add_row(json_t *rows, const char *layer, const char *origin, const char *verdict,
                   const char *rule)
{
    return json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s}", "layer", layer, "origin",
                                                 origin, "verdict", verdict, "rule", rule));
}

static int add_layer(json_t *rows, const struct policy *p, enum layer layer)
{
    for (size_t i = 0; i < p->rules.count; i++) {
        const struct policy_rule *rule = &p->rules.items[i];
        if (rule->layer == layer && add_row(rows, settings_layer_name(layer), rule->origin,
                                            policy_verdict_name(rule->verdict), rule->text) != 0)
            return -1;
    }
    return 0;
}

static int add_defaults(json_t *rows, const struct policy *p)
{
    int status = 0;
    for (size_t i = 0; i < policy_secret_count && status == 0; i++) {
        char rule[80];
        bool lifts = *policy_secrets[i] == '!';
        policy_line(rule, sizeof rule, "*(%s)", policy_secrets[i] + lifts);
        status = add_row(rows, "default", DEFAULT_SECRETS, lifts ? "allow" : "deny", rule);
    }
    for (size_t i = 0; i < policy_executed_count && status == 0; i++) {
        char rule[80];
        policy_line(rule, sizeof rule, "tools that write (%s)", policy_executed[i]);
        status = add_row(rows, "default", DEFAULT_EXECUTED, "ask", rule);
    }
    if (status == 0)
        status = add_row(rows, "default", p->tier, p->confines ? "allow" : "ask",
                         "tools that run programs");
    if (status == 0)
        status = add_row(rows, "default", "allow_host", "ask", "hosts that are not listed");
    return status;
}

json_t *policy_json(const struct policy *p)
{
    json_t *rows = json_array();
    int status = rows ? add_row(rows, "floor", "no rule lifts it", "deny",
                                "tools that write (.git/**, .tackle/**)")
                      : -1;
    for (enum layer layer = LAYER_SYSTEM; layer <= LAYER_RUN && status == 0; layer++)
        if (layer != LAYER_PROJECT)
            status = add_layer(rows, p, layer);
    if (status == 0)
        status = add_defaults(rows, p);
    if (status == 0)
        status = add_layer(rows, p, LAYER_PROJECT);
    if (status == 0 && !p->write)
        status = add_row(rows, "mode", "sandbox: read-only", p->ask ? "ask" : "deny",
                         "tools that write or run programs");
    if (status == 0)
        return rows;
    json_decref(rows);
    return NULL;
}

void policy_sum(const struct policy *p, char out[16])
{
    uint32_t sum = 0;
    for (size_t i = 0; i < p->rules.count; i++) {
        const struct policy_rule *rule = &p->rules.items[i];
        const char head[2] = {(char)('0' + (char)rule->verdict), rule->layer == LAYER_PROJECT};
        sum += crc32c(crc32c(0, head, sizeof head), rule->text, strlen(rule->text));
    }
    (void)snprintf(out, 16, "%08x", (unsigned)sum);
}
