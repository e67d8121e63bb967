/* tackle agents: which agents there are, and what one is made of. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "lookup.h"
#include "result.h"
#include "table.h"

static int list_agents(struct cli *cli, const char **words)
{
    static const char *const headings[] = {"AGENT", "FROM", "WHAT IT IS FOR"};
    json_t *agents;
    (void)words;
    int code = lookup(cli, tackle_list_agents, &agents);
    if (code == 0 && !lookup_print(cli, agents)) {
        struct table table;
        size_t i;
        json_t *agent;
        table_init(&table, headings, 3);
        json_array_foreach(agents, i, agent)
        {
            table_cell(&table, json_text(agent, "name"));
            table_cell(&table, json_text(agent, "origin"));
            table_cell(&table, json_text(agent, "description"));
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(agents);
    return code;
}

static void print_settings(struct cli *cli, json_t *settings)
{
    const char *key;
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        char *other = json_is_string(value)  ? NULL
                      : json_is_array(value) ? lookup_join(value)
                                             : json_dumps(value, JSON_ENCODE_ANY);
        lookup_field(cli, key,
                     other                      ? other
                     : json_string_value(value) ? json_string_value(value)
                                                : "");
        free(other);
    }
}

static int show_agent(struct cli *cli, const char **words)
{
    json_t *agent;
    int code = lookup_named(cli, tackle_show_agent, words[0], &agent);
    if (code == 0 && !lookup_print(cli, agent)) {
        json_t *tools = json_object_get(agent, "tools");
        char *names = json_is_array(tools) ? lookup_join(tools) : NULL;
        lookup_field(cli, "agent", json_text(agent, "name"));
        lookup_field(cli, "is for", json_text(agent, "description"));
        lookup_field(cli, "file", json_text(agent, "path"));
        lookup_field(cli, "model", json_text(agent, "model"));
        lookup_field(cli, "tools", names ? names : json_text(agent, "tools"));
        print_settings(cli, json_object_get(agent, "settings"));
        const char *prompt = json_text(agent, "prompt");
        (void)fputc('\n', cli->out.file);
        stream_text(&cli->out, prompt, strlen(prompt));
        (void)fputc('\n', cli->out.file);
        free(names);
    }
    json_decref(agent);
    return code;
}

static int check_agent(struct cli *cli, const char **words)
{
    json_t *agent;
    int code = lookup_named(cli, tackle_show_agent, words[0], &agent);
    if (code == 0 && !lookup_print(cli, agent))
        lookup_field(cli, "ok", json_text(agent, "path"));
    json_decref(agent);
    return code;
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {{"ls", "", 0, 0, list_agents},
                                            {"show", "NAME|PATH", 1, 1, show_agent},
                                            {"check", "NAME|PATH", 1, 1, check_agent}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_agents = {
    .name = "agents",
    .usage = "ls | show NAME|PATH | check NAME|PATH",
    .summary = "list, show or check agent files",
    .details = "An agent is a Markdown file with front matter: its tools, limits and prompt. "
               "'check' says which line of a file is wrong; exit code 3.",
    .examples = "tackle agents ls\n"
                "tackle agents show repo-chores\n"
                "tackle agents check ./my-agent.md\n",
    .groups = " input ",
    .actions = "ls show check",
    .run = run,
};
