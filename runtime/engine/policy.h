/* What a run wants done: may this call run, is somebody to be asked, or is it denied? Says nothing
 * of what is possible, which is the sandbox's. Decides and does nothing; no file is read here. */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/settings.h"
#include "engine/tool.h"

struct policy;

/* The strictest of several is the greatest. */
enum policy_verdict { POLICY_ALLOW, POLICY_ASK, POLICY_DENY };

struct policy_decision {
    enum policy_verdict verdict;
    char rule[256];   /* text and origin of what decided; never empty */
    char why[512];    /* one line for model and person: what, and what would allow it; "" when
                         allowed */
    bool needs_write; /* the run may only read: a yes must give this one call the right to write */
};

/* From the settings of a run. NULL with *err. */
struct policy *policy_new(const struct settings *s, struct err *err);
void policy_free(struct policy *p);

/* May calls of this run write (sandbox: workspace-write), as far as no person says so for one? */
bool policy_writes(const struct policy *p);

/* The decision on one call. `args` is the object of its arguments, which fit the tool's schema;
 * NULL is a call whose arguments are not known: what could become of none is denied, the rest is
 * decided as if no rule on arguments matched. */
void policy_decide(const struct policy *p, const struct tool *tool, const json_t *args,
                   struct policy_decision *out);

/* Could some call of it be allowed or asked for? Otherwise it is not offered to the model. */
bool policy_offers(const struct policy *p, const struct tool *tool);

/* "allow", "ask", "deny". */
const char *policy_verdict_name(enum policy_verdict verdict);

#endif
