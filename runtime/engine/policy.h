/* What a run wants done: may this call run, is somebody to be asked, or is it denied? Says nothing
 * of what is possible, which is the sandbox's. Decides and does nothing; no file is read here.
 *
 * What decides on each thing that a call is about (a path, a command, a host), the strictest of
 * all:
 *   1. the floor: nothing under .git and .tackle is written; no rule lifts it
 *   2. rules of the operator: files of the system and the user, --policy, a trusted agent,
 * variables, flags; the strictest that matches. 3. else the defaults (policy_default.h)
 *   4. rules of the project: they only ask and deny
 *   5. the mode: a run that may only read asks for each call that writes or runs, or denies it */
#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

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
    char host[256];   /* that the call would ask, when a host is what decided; "" */
};

/* From the settings of a run and the rules in them. NULL with *err. */
struct policy *policy_new(const struct settings *s, struct err *err);
void policy_free(struct policy *p);

/* Adds the rules of a file; in LAYER_PROJECT those that allow are left out, with a warning (a text
 * in the array). ERR_CONFIG. */
int policy_add_file(struct policy *p, enum layer layer, const char *name, const char *text,
                    size_t len, json_t *warnings, struct err *err);

/* What only the owner knows of the world; all may be NULL. The workspace is borrowed. */
struct policy_world {
    const char *workspace; /* absolute */
    /* The path below the workspace that a path really leads to, links gone: up to 4095 bytes. */
    bool (*resolve)(void *user, const char *path, char *out);
    /* Is `program`, as a command would name it, that file? */
    bool (*same_program)(void *user, const char *program, const char *file);
    void *user;
};
void policy_set_world(struct policy *p, const struct policy_world *world);

/* Is each rule of the command line about something? ERR_USAGE: about a tool that is not there, or a
 * pattern that the tool has no argument for. */
int policy_check_tools(const struct policy *p, const struct tool *const *tools, size_t count,
                       struct err *err);

/* May calls of this run write (sandbox: workspace-write), as far as no person says so for one? */
bool policy_writes(const struct policy *p);

/* The decision on one call. `args` is the object of its arguments, which fit the tool's schema;
 * NULL: they are not known, and no rule on arguments matches. */
void policy_decide(const struct policy *p, const struct tool *tool, const json_t *args,
                   struct policy_decision *out);

/* Could some call of it be allowed or asked for? Otherwise it is not offered to the model. */
bool policy_offers(const struct policy *p, const struct tool *tool);

/* Globs of paths that tools may not read, or not write, whatever way leads to them: a list for
 * base/deny.h, which the host holds them to. A new reference; NULL: out of memory. */
json_t *policy_denied_paths(const struct policy *p, const struct tool *const *tools, size_t count,
                            bool write);

/* [{"layer","origin","verdict","rule"}]: all rules, in the order of the layers. A new reference. */
json_t *policy_json(const struct policy *p);

/* [{"rule","origin","problem"}]: rules that allow more than they seem to, or are about nothing. */
json_t *policy_lint(const struct policy *p, const struct tool *const *tools, size_t count);

/* A sum over all rules, whatever their order and where they stand: eight digits. */
void policy_sum(const struct policy *p, char out[16]);

/* "allow", "ask", "deny". */
const char *policy_verdict_name(enum policy_verdict verdict);

#endif
