/* One rule of a policy: which calls, and what becomes of them. In text, `TOOL` or `TOOL(PATTERN)`;
 * in files also as an object with examples, which are checked when it is read. */
#ifndef ENGINE_POLICY_RULE_H
#define ENGINE_POLICY_RULE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/command.h"
#include "engine/hosts.h"
#include "engine/policy.h"
#include "engine/settings.h"

#define POLICY_RULES_MAX 2000
#define POLICY_FILE_MAX  (1u << 20)

/* What its pattern is about. */
enum rule_form {
    RULE_TOOL, /* there is none: all calls */
    RULE_TEXT, /* TOOL(PATTERN): what the tool's arguments are decides */
    RULE_PATH,
    RULE_COMMAND,
    RULE_HOST
};

struct policy_rule {
    enum policy_verdict verdict;
    enum rule_form form;
    enum layer layer;
    char *origin; /* owned: "/etc/tackle/policy.yaml, rule 3", "flag" */
    char *text;   /* owned: "run_command(git log ...)" */
    char **tools; /* owned, NULL-terminated: names or globs */
    char *raw;    /* owned: the pattern of RULE_TEXT as written; NULL */
    char **globs; /* owned, NULL-terminated: of paths; NULL: it cannot be about one */
    struct command_pattern command; /* count 0: it cannot be about one */
    struct host_rule *hosts;        /* owned */
    size_t host_count;              /* 0: it cannot be about one */
    char *program;                  /* owned: the file that the program must be; NULL: any */
};

/* `TOOL` or `TOOL(PATTERN)`. ERR_USAGE with what is wrong and what would be right. */
int policy_rule_parse(struct policy_rule *rule, enum policy_verdict verdict, enum layer layer,
                      const char *origin, const char *text, struct err *err);
void policy_rule_release(struct policy_rule *rule);

/* Is this the text of a rule? */
int policy_rule_check(const char *text, struct err *err);

struct policy_rules {
    struct policy_rule *items; /* owned */
    size_t count;
};

int policy_rules_add_text(struct policy_rules *rules, enum policy_verdict verdict, enum layer layer,
                          const char *origin, const char *text, struct err *err);

/* The text of a policy file (YAML): members rules, allow, ask, deny. `name` stands in messages and
 * origins. ERR_CONFIG with file, line or rule, and what would be right. */
int policy_rules_add_file(struct policy_rules *rules, enum layer layer, const char *name,
                          const char *text, size_t len, struct err *err);
void policy_rules_release(struct policy_rules *rules);

bool policy_rule_names(const struct policy_rule *rule, const char *tool);

/* Is the pattern about this? A rule that allows is about no more than it says; one that asks or
 * denies also about what is in a folder, and about commands that go on or have it somewhere in
 * them. The path is relative and normalised; `same_program` compares a rule's program. */
bool policy_rule_covers_path(const struct policy_rule *rule, const char *path);
bool policy_rule_covers_host(const struct policy_rule *rule, const struct host *host);

typedef bool policy_program_fn(void *user, const char *program, const char *file);
bool policy_rule_covers_command(const struct policy_rule *rule, const struct command *command,
                                size_t part, policy_program_fn *same_program, void *user);

#endif
