/* Rules that mean something else than they seem to. */
#include "engine/policy_state.h"

#include <string.h>

#include "base/enforce.h"
#include "base/text.h"

/* ---- Rules about nothing ---- */

static bool is_glob(const char *name)
{
    return strpbrk(name, "*?[]{}") != NULL;
}

static const struct tool *find(const struct tool *const *tools, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tools[i]->name, name) == 0)
            return tools[i];
    return NULL;
}

/* The pattern as this tool's argument would have it; what is wrong with it, "" when nothing is. */
static const char *misfit(const struct policy_rule *rule, const struct tool *tool)
{
    switch (subject_kind_of(tool)) {
    case SUBJECT_PATH:
        return rule->globs ? "" : "the pattern is no glob of paths, which this tool's would be";
    case SUBJECT_HOST:
        return rule->host_count ? "" : "the pattern is no host, which this tool's would be";
    case SUBJECT_COMMAND:
        return rule->command.count ? ""
                                   : "the pattern names no program; for all commands, the "
                                     "tool's name is enough";
    case SUBJECT_CALL:
    default:
        return "the tool has no argument that a pattern could be about; its name alone is about "
               "all of its calls";
    }
}

/* "" or what is wrong; *near is a tool that may have been meant. */
static const char *problem_with(const struct policy_rule *rule, const struct tool *const *tools,
                                size_t count, const char **near)
{
    *near = NULL;
    for (char *const *name = rule->tools; *name; name++) {
        const struct tool *tool = is_glob(*name) ? NULL : find(tools, count, *name);
        struct text_nearest nearest = {.word = *name};
        if (tool && rule->form == RULE_TEXT && *misfit(rule, tool))
            return misfit(rule, tool);
        if (tool || is_glob(*name))
            continue;
        for (size_t i = 0; i < count; i++)
            (void)text_nearest(&nearest, tools[i]->name);
        *near = nearest.best;
        return "this run has no such tool";
    }
    return "";
}

int policy_check_tools(const struct policy *p, const struct tool *const *tools, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < p->rules.count; i++) {
        const struct policy_rule *rule = &p->rules.items[i];
        const char *near, *problem = problem_with(rule, tools, count, &near);
        bool missing = strcmp(problem, "this run has no such tool") == 0;
        /* Files are for many runs; a line of command is for this one. A misspelt name that denies
         * would deny nothing. */
        if (!*problem || (missing && (rule->layer < LAYER_ENVIRONMENT || count == 0)))
            continue;
        return err_set(err, rule->layer < LAYER_ENVIRONMENT ? ERR_CONFIG : ERR_USAGE,
                       "rule '%.80s' (%.200s): %s%s%s%s", rule->text, rule->origin, problem,
                       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    return 0;
}

/* ---- Rules that allow more than they say ---- */

struct wild {
    const char *how;
    const char *programs; /* with blanks around each */
};

static const struct wild wild[] = {
    {"it runs any command",
     " sh bash dash zsh ksh fish busybox env nice nohup setsid stdbuf time timeout xargs parallel "
     "watch ssh sudo su doas chroot vi vim ed gdb strace less man expect "},
    {"it runs any code", " python python2 python3 perl ruby node deno bun php lua tclsh "},
    {"its scripts run any command", " awk gawk mawk nawk sed "},
    {"-exec runs any command, -delete and -fprintf change files", " find "},
    {"--checkpoint-action and --to-command run any command", " tar "},
    {"-o writes any file, --compress-program runs any command", " sort "},
    {"--pre runs any command", " rg "},
    {"it runs what files of the workspace say", " make npm npx yarn pnpm cargo cmake ninja "},
    {"it reaches all files of this machine", " docker podman "},
    {"it writes any file", " cp mv dd tee install rsync scp curl wget "},
};

static bool has_choice(const char *token, const char *word)
{
    size_t len = strlen(word);
    for (;;) {
        size_t part = strcspn(token, "\n");
        if (part == len && memcmp(token, word, len) == 0)
            return true;
        if (token[part] == '\0')
            return false;
        token += part + 1;
    }
}

/* Is one of the alternatives among the programs? */
static bool has_program(const struct wild *some, const char *token)
{
    for (const char *at = some->programs + 1; *at;) {
        char program[32];
        size_t len = strcspn(at, " ");
        memcpy(program, at, len);
        program[len] = '\0';
        if (has_choice(token, program))
            return true;
        at += len + 1;
    }
    return false;
}

static const char *wild_program(const struct policy_rule *rule)
{
    const struct command_pattern *p = &rule->command;
    if (rule->verdict != POLICY_ALLOW || p->count == 0 || !p->open)
        return NULL;
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        if (has_program(&wild[i], p->tokens[0]))
            return wild[i].how;
    if (has_choice(p->tokens[0], "git") && p->count == 1)
        return "git -c, --exec-path and aliases run any command; name the subcommand: git log ...";
    return NULL;
}

static int add(json_t *rows, const struct policy_rule *rule, const char *problem, const char *near)
{
    char line[256];
    policy_line(line, sizeof line, "%s%s%s%s", problem, near ? "; did you mean '" : "",
                near ? near : "", near ? "'?" : "");
    return json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "rule", rule->text, "origin",
                                                 rule->origin, "problem", line));
}

static int lint_rule(json_t *rows, const struct policy_rule *rule, const struct tool *const *tools,
                     size_t count)
{
    const char *near, *problem = problem_with(rule, tools, count, &near);
    bool allows = rule->verdict == POLICY_ALLOW;
    int status = *problem ? add(rows, rule, problem, near) : 0;
    problem = wild_program(rule);
    if (problem && status == 0)
        status = add(rows, rule, problem, NULL);
    for (char *const *tool = rule->tools; *tool && status == 0; tool++)
        if (allows && rule->form == RULE_TOOL && strcmp(*tool, "*") == 0)
            status = add(rows, rule, "allows every call of every tool", NULL);
    for (char *const *glob = rule->globs; glob && *glob && status == 0; glob++)
        if (allows && (strcmp(*glob, "**") == 0 || strcmp(*glob, "*") == 0))
            status = add(rows, rule, "allows all paths, files with secrets too", NULL);
    for (size_t i = 0; i < rule->host_count && status == 0; i++)
        if (allows && rule->hosts[i].any && rule->form == RULE_HOST)
            status = add(rows, rule, "allows every host", NULL);
    return status;
}

json_t *policy_lint(const struct policy *p, const struct tool *const *tools, size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; rows && i < p->rules.count; i++)
        if (lint_rule(rows, &p->rules.items[i], tools, count) != 0) {
            json_decref(rows);
            return NULL;
        }
    return rows;
}
