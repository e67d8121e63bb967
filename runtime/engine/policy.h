/* May this tool run? Asked from one place, before every call. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <stdbool.h>

#include "engine/settings.h"
#include "engine/tool.h"

struct policy {
    bool write; /* sandbox: workspace-write; else read-only */
};

void policy_init(struct policy *p, const struct settings *s);

/* True, or false with a reason in *why: what the tool does, and what would allow it. */
bool policy_allows(const struct policy *p, const struct tool *tool, struct err *why);

#endif
