/* tackle tools: what tools there are, and running one without a model. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"
#include "table.h"

static void add_tool(struct table *table, const json_t *tool)
{
    bool allowed = json_is_true(json_object_get(tool, "allowed"));
    const char *reason = json_text(tool, "reason");
    char *does = lookup_join(json_object_get(tool, "does"));
    char *verdict =
        allowed ? must(strdup("yes")) : memory_format("no%s%s", *reason ? ": " : "", reason);
    table_cell(table, json_text(tool, "name"));
    table_cell(table, json_text(tool, "plugin"));
    table_cell(table, does);
    table_cell(table, verdict);
    free(verdict);
    free(does);
}

static int list_tools(struct cli *cli, const char **words)
{
    static const char *const headings[] = {"TOOL", "PLUGIN", "DOES", "ALLOWED"};
    json_t *tools;
    (void)words;
    int code = lookup(cli, tackle_list_tools, &tools);
    if (code == 0 && !lookup_print(cli, tools)) {
        struct table table;
        size_t i;
        json_t *tool;
        table_init(&table, headings, 4);
        json_array_foreach(tools, i, tool)
        {
            add_tool(&table, tool);
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(tools);
    return code;
}

static void print_params(struct cli *cli, const json_t *params)
{
    /* Schemas come as objects, or as the text that the plugin wrote. */
    json_t *schema = json_is_string(params) ? json_loads(json_string_value(params), 0, NULL)
                                            : json_incref((json_t *)(uintptr_t)params);
    char *text = schema ? json_dumps(schema, JSON_INDENT(2)) : NULL;
    if (text) {
        (void)fputs("\nArguments, as JSON Schema:\n", cli->out.file);
        stream_text(&cli->out, text, strlen(text));
        (void)fputc('\n', cli->out.file);
    }
    free(text);
    json_decref(schema);
}

static void print_tool(struct cli *cli, const json_t *tool)
{
    char *does = lookup_join(json_object_get(tool, "does"));
    bool allowed = json_is_true(json_object_get(tool, "allowed"));
    lookup_field(cli, "tool", json_text(tool, "name"));
    lookup_field(cli, "plugin", json_text(tool, "plugin"));
    lookup_field(cli, "does", does);
    lookup_field(cli, "effect", json_text(tool, "effect"));
    lookup_field(cli, "allowed", allowed ? "yes" : "no");
    lookup_field(cli, "because", json_text(tool, "reason"));
    const char *description = json_text(tool, "description");
    (void)fputc('\n', cli->out.file);
    stream_text(&cli->out, description, strlen(description));
    (void)fputc('\n', cli->out.file);
    print_params(cli, json_object_get(tool, "params"));
    free(does);
}

static int show_tool(struct cli *cli, const char **words)
{
    json_t *tools;
    int code = lookup(cli, tackle_list_tools, &tools);
    json_t *tool = code == 0 ? lookup_find(cli, tools, "name", words[0], "tool", &code) : NULL;
    if (tool && !lookup_print(cli, tool))
        print_tool(cli, tool);
    json_decref(tools);
    return code;
}

static void print_text(struct stream *to, const json_t *text)
{
    size_t len = json_string_length(text);
    if (len == 0)
        return;
    stream_text(to, json_string_value(text), len);
    if (json_string_value(text)[len - 1] != '\n')
        (void)fputc('\n', to->file);
}

/* What a tool wrote goes to standard output, as the model would read it; why it failed to standard
 * error. */
static void print_outcome(struct cli *cli, const json_t *outcome)
{
    const char *why = json_text(outcome, "error");
    print_text(&cli->out, json_object_get(outcome, "output"));
    (void)stream_flush(&cli->out);
    if (!json_is_true(json_object_get(outcome, "ok")))
        cli_complain(cli, *why ? why : "the tool failed and did not say why");
}

static int call_with(struct cli *cli, const char *name, const char *arguments)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    char *text = NULL;
    int code;
    if (cli_runtime(cli, &rt, &error) != 0 ||
        tackle_call_tool(rt, name, arguments, &text, &error) != 0) {
        code = cli_fail(cli, &error);
    } else {
        json_t *outcome = json_loads(text, JSON_ALLOW_NUL, NULL);
        bool ok = json_is_true(json_object_get(outcome, "ok"));
        if (!lookup_print(cli, outcome))
            print_outcome(cli, outcome);
        json_decref(outcome);
        code = ok ? TACKLE_EXIT_OK : TACKLE_EXIT_TOOL;
    }
    tackle_free(text);
    tackle_runtime_free(rt);
    return code;
}

static int call_tool(struct cli *cli, const char **words)
{
    tackle_error error = TACKLE_ERROR_INIT;
    if (!words[1] || strcmp(words[1], "-") != 0)
        return call_with(cli, words[0], words[1] ? words[1] : "{}");
    char *arguments = cli_read_all(STDIN_FILENO, "standard input", &error);
    if (!arguments)
        return cli_fail(cli, &error);
    int code = call_with(cli, words[0], arguments);
    free(arguments);
    return code;
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {
        {"ls", "", 0, 0, list_tools},
        {"show", "NAME", 1, 1, show_tool},
        {"call", "NAME ['{\"argument\": ...}'|-]", 1, 2, call_tool}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_tools = {
    .name = "tools",
    .usage = "ls | show NAME | call NAME [JSON|-]",
    .summary = "list, explain or call the tools that an agent has",
    .details = "'call' runs one tool without a model, with the same checks as in a run. Exit code "
               "0 when the tool succeeded, 6 when it failed.",
    .examples = "tackle tools ls --agent repo-chores\n"
                "tackle tools show edit_file\n"
                "tackle tools call read_file '{\"path\": \"README.md\"}'\n"
                "tackle tools call hello '{\"name\": \"you\"}' --plugin ./hello.so\n",
    .groups = " tools permissions ",
    .actions = "ls show call",
    .run = run,
};
