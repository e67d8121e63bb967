/* tackle models: the providers, the model each has by default, and whether there is a key. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"
#include "table.h"

static void add_provider(struct table *table, const json_t *provider)
{
    const char *model = json_text(provider, "model");
    const char *variable = json_text(provider, "key_env");
    bool present = json_is_true(json_object_get(provider, "key_present"));
    char *key = !*variable ? memory_format("%s", present ? "set" : "not needed")
                           : memory_format("%s (%s)", present ? "set" : "not set", variable);
    table_cell(table, json_text(provider, "name"));
    table_cell(table, *model ? model : "-");
    table_cell(table, key);
    table_cell(table, json_text(provider, "base_url"));
    free(key);
}

static int run(struct cli *cli)
{
    static const char *const headings[] = {"PROVIDER", "MODEL", "KEY", "ENDPOINT"};
    json_t *providers;
    int code = cli_check_words(cli, 0, 0, "no words");
    if (code != 0)
        return code;
    code = lookup(cli, tackle_list_providers, &providers);
    if (code == 0 && !lookup_print(cli, providers)) {
        struct table table;
        size_t i;
        json_t *provider;
        table_init(&table, headings, 4);
        json_array_foreach(providers, i, provider)
        {
            add_provider(&table, provider);
        }
        table_print(&table, &cli->out);
        table_release(&table);
    }
    json_decref(providers);
    return code;
}

const struct command command_models = {
    .name = "models",
    .usage = "",
    .summary = "list the providers of models, and for which there is a key",
    .details = "Choose with -m PROVIDER/MODEL; PROVIDER/ alone may be left out for the default "
               "endpoint. Keys are read from the environment and sent to their own endpoint only.",
    .examples = "tackle models\n"
                "tackle run -m ollama/qwen3 \"What does this project do?\"\n",
    .groups = " model ",
    .run = run,
};
