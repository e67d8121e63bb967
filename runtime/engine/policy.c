#include "engine/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

struct policy {
    bool write; /* sandbox: workspace-write; else read-only */
    bool ask;   /* approval: ask; else nobody is asked */
};

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
    return p;
}

void policy_free(struct policy *p)
{
    free(p);
}

bool policy_writes(const struct policy *p)
{
    return p->write;
}

void policy_decide(const struct policy *p, const struct tool *tool, const json_t *args,
                   struct policy_decision *out)
{
    (void)args;
    *out = (struct policy_decision){.verdict = POLICY_ALLOW, .rule = "default"};
    if (p->write || !(tool->does & (TACKLE_WRITES | TACKLE_RUNS)))
        return;
    out->verdict = p->ask ? POLICY_ASK : POLICY_DENY;
    out->needs_write = p->ask;
    (void)snprintf(out->rule, sizeof out->rule, "sandbox: read-only");
    (void)snprintf(out->why, sizeof out->why,
                   "%s %s, and this run may only read; --sandbox workspace-write would allow it",
                   tool->name, tool->does & TACKLE_RUNS ? "runs commands" : "changes files");
}

bool policy_offers(const struct policy *p, const struct tool *tool)
{
    struct policy_decision d;
    policy_decide(p, tool, NULL, &d);
    return d.verdict != POLICY_DENY;
}

const char *policy_verdict_name(enum policy_verdict verdict)
{
    static const char *const names[] = {"allow", "ask", "deny"};
    return names[verdict];
}
