/* tackle config: every setting, and where its value comes from. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "lookup.h"
#include "result.h"
#include "table.h"

/* The value as one would type it. malloc'd. */
static char *value_text(const json_t *value)
{
    if (json_is_array(value))
        return lookup_join(value);
    if (json_is_string(value) || !value || json_is_null(value))
        return NULL;
    return json_dumps(value, JSON_ENCODE_ANY);
}

static int show(struct cli *cli, const char **words)
{
    static const char *const headings[] = {"SETTING", "VALUE", "FROM"};
    bool origin = cli->options.origin;
    json_t *settings;
    (void)words;
    int code = lookup(cli, tackle_show_settings, &settings);
    if (code == 0 && !lookup_print(cli, settings)) {
        struct table table;
        size_t i;
        json_t *setting;
        table_init(&table, headings, origin ? 3 : 2);
        json_array_foreach(settings, i, setting)
        {
            char *other = value_text(json_object_get(setting, "value"));
            const char *value = other ? other : json_text(setting, "value");
            table_cell(&table, json_text(setting, "key"));
            table_cell(&table, *value ? value : "-");
            if (origin)
                table_cell(&table, json_text(setting, "origin"));
            free(other);
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(settings);
    return code;
}

static int run(struct cli *cli)
{
    static const struct action actions[] = {{"show", "[--origin]", 0, 0, show}};
    return action_run(cli, actions, sizeof actions / sizeof *actions);
}

const struct command command_config = {
    .name = "config",
    .usage = "show",
    .summary = "show all settings, and with --origin where each comes from",
    .details = "Weakest first: built in, /etc/tackle/config.yaml, "
               "$XDG_CONFIG_HOME/tackle/config.yaml, .tackle/config.yaml of the project (which may "
               "only tighten), the agent file, TACKLE_* variables, options. Keys are never shown.",
    .examples = "tackle config show --origin\n"
                "tackle config show --agent repo-chores --max-steps 9 --origin\n",
    .groups = "*",
    .actions = "show",
    .run = run,
};
