/* The policy, looked at: what would be decided, what holds, which rules are risky. */
#include "api/runtime.h"

#include <stdlib.h>
#include <string.h>

/* The tools that ship are known to whoever asks, whatever the agent has. */
static const char *const shipped[] = {"plugin=file?", "plugin=git?", "plugin=shell?",
                                      "plugin=http?", NULL};

static int prepare_all(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    return prepare(rt, &(struct occasion){.extra = shipped}, p, err);
}

/* A command without a tool is for the tool that runs commands. */
static const struct tool *command_tool(const struct prepared *p, struct err *err)
{
    for (size_t i = 0; i < p->tool_count; i++) {
        const json_t *properties = json_object_get(p->tools[i]->declared, "properties");
        const json_t *argv = json_object_get(properties, "argv");
        const char *format = json_string_value(json_object_get(argv, "format"));
        if (format && strcmp(format, "argv") == 0)
            return p->tools[i];
    }
    err_set(err, ERR_USAGE, "no tool of this run takes a command; --plugin shell has one");
    return NULL;
}

static json_t *decide(const struct prepared *p, const struct tool *tool, const char *args)
{
    struct policy_decision d;
    json_t *object = json_loads(args, JSON_ALLOW_NUL, NULL);
    policy_decide(p->policy, tool, object, &d);
    return json_pack("{s:s, s:o, s:s, s:s, s:s}", "tool", tool->name, "arguments", object,
                     "decision", policy_verdict_name(d.verdict), "rule", d.rule, "why", d.why);
}

int32_t tackle_check_policy(tackle_runtime *rt, const char *tool, const char *args_json,
                            char **json, tackle_error *error)
{
    struct prepared p;
    struct err err;
    if (prepare_all(rt, &p, &err) != 0)
        return api_fail(rt, error, &err);
    const struct tool *found = tool ? api_find_tool(&p, tool, &err) : command_tool(&p, &err);
    char *args = found ? api_check_arguments(found, args_json, &err) : NULL;
    json_t *decision = args ? decide(&p, found, args) : NULL;
    bool failed = !args;
    free(args);
    prepared_release(&p);
    return failed ? api_fail(rt, error, &err) : api_give_json(rt, decision, json, error);
}

int32_t tackle_show_policy(tackle_runtime *rt, char **json, tackle_error *error)
{
    struct prepared p;
    struct err err;
    if (prepare_all(rt, &p, &err) != 0)
        return api_fail(rt, error, &err);
    json_t *rows = policy_json(p.policy);
    prepared_release(&p);
    return api_give_json(rt, rows, json, error);
}

int32_t tackle_lint_policy(tackle_runtime *rt, char **json, tackle_error *error)
{
    struct prepared p;
    struct err err;
    if (prepare_all(rt, &p, &err) != 0)
        return api_fail(rt, error, &err);
    json_t *rows = policy_lint(p.policy, p.tools, p.tool_count);
    prepared_release(&p);
    return api_give_json(rt, rows, json, error);
}
