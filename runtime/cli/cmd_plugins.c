/* tackle plugins: what is there, what is wrong with one, and the beginning of a new one. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "plugin_skeleton.h"
#include "result.h"
#include "table.h"

static int list_plugins(struct cli *cli, const char **words)
{
    static const char *const headings[] = {"PLUGIN", "VERSION", "STATUS", "TOOLS"};
    json_t *plugins;
    (void)words;
    int code = lookup(cli, tackle_list_plugins, &plugins);
    if (code == 0 && !lookup_print(cli, plugins)) {
        struct table table;
        size_t i;
        json_t *plugin;
        table_init(&table, headings, 4);
        json_array_foreach(plugins, i, plugin)
        {
            char *tools = lookup_join(json_object_get(plugin, "tools"));
            const char *error = json_text(plugin, "error");
            table_cell(&table, json_text(plugin, "name"));
            table_cell(&table, json_text(plugin, "version"));
            table_cell(&table, json_text(plugin, "status"));
            table_cell(&table, *error ? error : tools);
            free(tools);
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(plugins);
    return code;
}

static void print_plugin(struct cli *cli, const json_t *plugin)
{
    char *tools = lookup_join(json_object_get(plugin, "tools"));
    lookup_field(cli, "plugin", json_text(plugin, "name"));
    lookup_field(cli, "version", json_text(plugin, "version"));
    lookup_field(cli, "is for", json_text(plugin, "description"));
    lookup_field(cli, "file", json_text(plugin, "path"));
    lookup_field(cli, "tools", tools);
    lookup_field(cli, "status", json_text(plugin, "status"));
    lookup_field(cli, "error", json_text(plugin, "error"));
    free(tools);
}

static int show_plugin(struct cli *cli, const char **words)
{
    json_t *plugins;
    int code = lookup(cli, tackle_list_plugins, &plugins);
    json_t *plugin =
        code == 0 ? lookup_find(cli, plugins, "name", words[0], "plugin", &code) : NULL;
    if (plugin && !lookup_print(cli, plugin))
        print_plugin(cli, plugin);
    json_decref(plugins);
    return code;
}

static void print_report(struct cli *cli, const json_t *report, bool ok)
{
    size_t i;
    json_t *item;
    lookup_field(cli, ok ? "ok" : "not usable", json_text(report, "path"));
    json_array_foreach(json_object_get(report, "problems"), i, item)
    {
        lookup_field(cli, "problem", json_text(item, "what"));
        lookup_field(cli, "  to do", json_text(item, "fix"));
    }
    json_array_foreach(json_object_get(report, "notes"), i, item)
    {
        lookup_field(cli, "note",
                     json_is_string(item) ? json_string_value(item) : json_text(item, "what"));
    }
    if (ok)
        print_plugin(cli, json_object_get(report, "plugin"));
}

static int check_plugin(struct cli *cli, const char **words)
{
    json_t *report;
    int code = lookup_named(cli, tackle_check_plugin, words[0], &report);
    if (code == 0) {
        bool ok = json_is_true(json_object_get(report, "ok"));
        if (!lookup_print(cli, report))
            print_report(cli, report, ok);
        code = ok ? TACKLE_EXIT_OK : TACKLE_EXIT_CONFIG;
    }
    json_decref(report);
    return code;
}

static int new_plugin(struct cli *cli, const char **words)
{
    const char *name = words[0];
    if (!skeleton_name_is_good(name))
        return cli_usage(cli,
                         "'%s' is no name for a plugin: small letters, digits, _ and -, a "
                         "letter first, at most 32",
                         name);
    tackle_error error = TACKLE_ERROR_INIT;
    if (skeleton_write(name, &error) != 0)
        return cli_fail(cli, &error);
    skeleton_explain(name, &cli->out);
    return TACKLE_EXIT_OK;
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {{"ls", "", 0, 0, list_plugins},
                                            {"info", "NAME", 1, 1, show_plugin},
                                            {"check", "FILE.so", 1, 1, check_plugin},
                                            {"new", "NAME", 1, 1, new_plugin}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_plugins = {
    .name = "plugins",
    .usage = "ls | info NAME | check FILE.so | new NAME",
    .summary = "list, check or begin plugins, which bring the tools",
    .details = "'check' loads a plugin in a process of its own and says what is wrong with it and "
               "what to do; exit code 3. 'new' writes NAME.c into this folder, ready to compile.",
    .examples = "tackle plugins ls\n"
                "tackle plugins new greet\n"
                "tackle plugins check ./greet.so\n",
    .groups = " tools ",
    .actions = "ls info check new",
    .run = run,
};
