/* The inside of struct policy, for the files policy*.c. */
#ifndef ENGINE_POLICY_STATE_H
#define ENGINE_POLICY_STATE_H

#include "engine/hosts.h"
#include "engine/policy.h"
#include "engine/policy_rule.h"
#include "engine/policy_subject.h"

struct policy {
    struct policy_rules rules;
    struct policy_world world;
    struct hosts allow_hosts;
    bool write;       /* sandbox: not read-only */
    bool ask;         /* approval: ask; else nobody is asked */
    const char *tier; /* what commands are confined by; a constant */
    bool confines;    /* and it is enough to let them run */
};

struct call {
    const struct policy *policy;
    const struct tool *tool;
    struct subjects subjects;
};

/* What is decided on one subject. */
struct finding {
    enum policy_verdict verdict;
    const struct policy_rule *rule; /* NULL: a default */
    const char *name;               /* of the default: "secrets"; NULL: a plain allow */
    const char *glob;               /* of the default, for paths */
};

/* ---- policy.c ---- */

/* Is the rule, whose tool it is, about this subject? */
bool policy_covers(const struct call *call, const struct policy_rule *rule,
                   const struct subject *subject);

/* ---- policy_default.c ---- */

extern const char *const policy_secrets[];
extern const size_t policy_secret_count;
extern const char *const policy_executed[]; /* files that other programs execute */
extern const size_t policy_executed_count;

#define DEFAULT_SECRETS  "names of secrets"
#define DEFAULT_EXECUTED "files that other programs execute"
#define DEFAULT_LISTED   "commands that no rule allows"
#define DEFAULT_UNCLEAR  "commands that rules cannot be held to"
#define DEFAULT_TIER     "commands that are not confined"
#define DEFAULT_HOSTS    "hosts that are not allowed"

struct finding policy_default(const struct call *call, const struct subject *subject);

/* ---- policy_words.c: what is said of a decision ---- */

void policy_tell(const struct call *call, const struct subject *subject,
                 const struct finding *finding, struct policy_decision *out);

/* snprintf() that leaves one line of whole characters. */
void policy_line(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
