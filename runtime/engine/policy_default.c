/* What holds where no rule of the operator matches. */
#include "engine/policy_state.h"

#include <string.h>

#include <tackle/plugin.h>

#include "base/deny.h"
#include "base/enforce.h"

const char *const policy_secrets[] = {
    ".env",   ".env.*",  "!.env.example", "!.env.sample",     "!.env.template",  "*.pem",
    "*.key",  "id_rsa*", "id_ed25519*",   "id_ecdsa*",        ".npmrc",          ".pypirc",
    ".netrc", ".aws",    ".ssh",          ".git-credentials", "gha-creds-*.json"};
const size_t policy_secret_count = sizeof policy_secrets / sizeof *policy_secrets;

const char *const policy_executed[] = {".github",   ".gitlab-ci.yml", ".gitmodules",
                                       ".vscode",   ".idea",          ".envrc",
                                       ".mcp.json", ".husky",         ".githooks"};
const size_t policy_executed_count = sizeof policy_executed / sizeof *policy_executed;

static struct finding on_path(const struct call *call, const struct subject *subject)
{
    const char *glob = deny_find(policy_secrets, policy_secret_count, subject->text);
    if (glob && ENFORCED(policy_secrets_denied))
        return (struct finding){POLICY_DENY, NULL, DEFAULT_SECRETS, glob};
    if (call->tool->does & TACKLE_WRITES)
        glob = deny_find(policy_executed, policy_executed_count, subject->text);
    if (glob && ENFORCED(policy_executed_asked))
        return (struct finding){POLICY_ASK, NULL, DEFAULT_EXECUTED, glob};
    return (struct finding){.verdict = POLICY_ALLOW};
}

static bool has_open_hosts(const struct tool *tool)
{
    for (char **host = tool->hosts; host && *host; host++)
        if (strcmp(*host, "*") == 0)
            return true;
    return false;
}

static bool is_allowed_host(const struct policy *p, const struct subject *subject)
{
    for (size_t i = 0; i < p->allow_hosts.count && !subject->unreadable; i++)
        if (host_rule_names(&p->allow_hosts.rules[i], &subject->host))
            return true;
    return false;
}

/* Is there a rule on commands for this tool? One that allows some makes all others asked for. */
static bool has_command_rule(const struct call *call, bool allows)
{
    const struct policy_rules *rules = &call->policy->rules;
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->items[i];
        bool on_commands = rule->form == RULE_COMMAND ||
                           (rule->form == RULE_TEXT && (rule->command.count > 0 || rule->raw));
        if (on_commands && (rule->verdict == POLICY_ALLOW) == allows &&
            policy_rule_names(rule, call->tool->name))
            return true;
    }
    return false;
}

static struct finding on_command(const struct call *call, const struct subject *subject)
{
    const struct command *command = &call->subjects.commands[subject->command];
    if (has_command_rule(call, true) && ENFORCED(policy_commands_listed))
        return (struct finding){POLICY_ASK, NULL,
                                command->understood ? DEFAULT_LISTED : DEFAULT_UNCLEAR, NULL};
    if ((!command->understood || command->has_code) && has_command_rule(call, false) &&
        ENFORCED(policy_unclear_asked))
        return (struct finding){POLICY_ASK, NULL, DEFAULT_UNCLEAR, NULL};
    return (struct finding){.verdict = POLICY_ALLOW};
}

struct finding policy_default(const struct call *call, const struct subject *subject)
{
    const struct policy *p = call->policy;
    struct finding found = {.verdict = POLICY_ALLOW};
    if (subject->kind == SUBJECT_PATH)
        found = on_path(call, subject);
    else if (subject->kind == SUBJECT_COMMAND)
        found = on_command(call, subject);
    if (found.verdict != POLICY_ALLOW)
        return found;
    if ((call->tool->does & TACKLE_RUNS) && !p->confines && ENFORCED(policy_unconfined_asked))
        return (struct finding){POLICY_ASK, NULL, DEFAULT_TIER, NULL};
    bool about_hosts = subject->kind == SUBJECT_HOST || subject->kind == SUBJECT_CALL;
    if (about_hosts && has_open_hosts(call->tool) && ENFORCED(policy_hosts_asked) &&
        (subject->kind == SUBJECT_CALL || !is_allowed_host(p, subject)))
        return (struct finding){POLICY_ASK, NULL, DEFAULT_HOSTS, NULL};
    return found;
}
