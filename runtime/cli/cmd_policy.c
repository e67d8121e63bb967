/* tackle policy: what would be decided on a call, what holds, and which rules are risky. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"
#include "table.h"

static void print_decision(struct cli *cli, const json_t *decision)
{
    char *arguments = json_dumps(json_object_get(decision, "arguments"), JSON_COMPACT);
    lookup_field(cli, "decision", json_text(decision, "decision"));
    lookup_field(cli, "tool", json_text(decision, "tool"));
    lookup_field(cli, "arguments", arguments ? arguments : "");
    lookup_field(cli, "rule", json_text(decision, "rule"));
    lookup_field(cli, "because", json_text(decision, "why"));
    free(arguments);
}

static int exit_code_of(const json_t *decision)
{
    const char *word = json_text(decision, "decision");
    if (strcmp(word, "deny") == 0)
        return TACKLE_EXIT_DENIED;
    return strcmp(word, "ask") == 0 ? TACKLE_EXIT_APPROVAL : TACKLE_EXIT_OK;
}

static int check_call(struct cli *cli, const char *tool, const char *arguments)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    char *text = NULL;
    int code;
    if (cli_runtime(cli, &rt, &error) != 0 ||
        tackle_check_policy(rt, tool, arguments, &text, &error) != 0) {
        code = cli_fail(cli, &error);
    } else {
        json_t *decision = json_loads(text, JSON_ALLOW_NUL, NULL);
        if (!lookup_print(cli, decision))
            print_decision(cli, decision);
        code = exit_code_of(decision);
        json_decref(decision);
    }
    tackle_free(text);
    tackle_runtime_free(rt);
    return code;
}

/* The words as the argument vector of a command. malloc'd; NULL: one of them is no UTF-8. */
static char *command_arguments(const char **words)
{
    json_t *argv = json_array();
    int status = 0;
    for (; *words && status == 0; words++)
        status = json_array_append_new(argv, json_string(*words));
    json_t *arguments = status == 0 ? json_pack("{s:O}", "argv", argv) : NULL;
    char *text = arguments ? json_dumps(arguments, JSON_COMPACT) : NULL;
    json_decref(arguments);
    json_decref(argv);
    return text;
}

static int check(struct cli *cli, const char **words)
{
    if (!cli->options.dashes && words[1] && words[2])
        return cli_usage(cli, "write: tackle policy check TOOL '{\"argument\": ...}', or: tackle "
                              "policy check -- COMMAND ...");
    if (!cli->options.dashes)
        return check_call(cli, words[0], words[1] ? words[1] : "{}");
    char *arguments = command_arguments(words);
    if (!arguments)
        return cli_usage(cli, "the command is no UTF-8 text");
    int code = check_call(cli, NULL, arguments);
    free(arguments);
    return code;
}

/* In their order, which a table would not keep. */
static void print_rule(struct cli *cli, const json_t *row)
{
    const char *layer = json_text(row, "layer"), *origin = json_text(row, "origin");
    char *line = memory_format("%-6s %s  (%s%s%s)\n", json_text(row, "verdict"),
                               json_text(row, "rule"), layer, strcmp(layer, origin) ? ": " : "",
                               strcmp(layer, origin) ? origin : "");
    stream_text(&cli->out, line, strlen(line));
    free(line);
}

static int show(struct cli *cli, const char **words)
{
    size_t i;
    json_t *rows, *row;
    (void)words;
    int code = lookup(cli, tackle_show_policy, &rows);
    if (code == 0 && !lookup_print(cli, rows))
        json_array_foreach(rows, i, row)
        {
            print_rule(cli, row);
        }
    json_decref(rows);
    return code;
}

static void print_problems(struct cli *cli, const json_t *rows)
{
    static const char *const headings[] = {"RULE", "PROBLEM", "FROM"};
    struct table table;
    size_t i;
    json_t *row;
    table_init(&table, headings, 3);
    json_array_foreach(rows, i, row)
    {
        table_cell(&table, json_text(row, "rule"));
        table_cell(&table, json_text(row, "problem"));
        table_cell(&table, json_text(row, "origin"));
    }
    table_print(&table, &cli->out);
    table_release(&table);
}

static int lint(struct cli *cli, const char **words)
{
    json_t *rows;
    (void)words;
    int code = lookup(cli, tackle_lint_policy, &rows);
    bool any = code == 0 && json_array_size(rows) > 0;
    if (code == 0 && !lookup_print(cli, rows) && any)
        print_problems(cli, rows);
    json_decref(rows);
    return any ? TACKLE_EXIT_CONFIG : code;
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {
        {"check", "TOOL ['{\"argument\": ...}'] | -- COMMAND ...", 1, 4096, check},
        {"show", "", 0, 0, show},
        {"lint", "", 0, 0, lint}};
    if (cli->options.word_count == 0)
        return cli_usage(cli, "write: tackle policy check, show or lint");
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_policy = {
    .name = "policy",
    .usage = "check TOOL [JSON] | check -- COMMAND ... | show | lint",
    .summary = "what may a run do? decide on a call without running it; list and examine the rules",
    .details =
        "'check' tells what a run with these settings would decide on a call, by which rule, and "
        "what would change it. Exit code 0: allowed, 7: denied, 8: somebody would be asked. 'show' "
        "lists all that holds, in the order of its layers. 'lint' names rules that allow more than "
        "they seem "
        "to, and rules about nothing; exit code 3 when there are any.",
    .examples =
        "tackle policy check -- git log\n"
        "tackle policy check --allow 'run_command(git log ...)' -- git push\n"
        "tackle policy check write_file '{\"path\": \".github/a.yml\", \"content\": \"\"}'\n"
        "tackle policy show\n"
        "tackle policy lint --policy ci.yaml\n",
    .groups = " tools permissions ",
    .actions = "check show lint",
    .run = run,
};
