#include "engine/policy.h"

#include <string.h>

#include <tackle/plugin.h>

void policy_init(struct policy *p, const struct settings *s)
{
    const char *mode = settings_text(s, SET_SANDBOX);
    *p = (struct policy){.write = mode && strcmp(mode, "workspace-write") == 0};
}

bool policy_allows(const struct policy *p, const struct tool *tool, struct err *why)
{
    if (p->write || !(tool->does & (TACKLE_WRITES | TACKLE_RUNS)))
        return true;
    err_set(why, ERR_DENIED,
            "%s %s, and this run may only read; --sandbox workspace-write would allow it",
            tool->name, tool->does & TACKLE_RUNS ? "runs commands" : "changes files");
    return false;
}
