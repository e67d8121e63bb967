/* tackle models: the providers, the model each has by default, and whether there is a key; or what
 * models one of them says it has. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "line.h"
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

static void print_providers(struct cli *cli, const json_t *providers)
{
    static const char *const headings[] = {"PROVIDER", "MODEL", "KEY", "ENDPOINT"};
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
    (void)stream_flush(&cli->out); /* what follows goes to another stream */
    (void)fprintf(cli->err.file, "%sThe models of one: tackle models PROVIDER%s\n",
                  stream_style(&cli->err, STYLE_DIM), stream_style(&cli->err, STYLE_NONE));
}

static int list_providers(struct cli *cli)
{
    json_t *providers;
    int code = lookup(cli, tackle_list_providers, &providers);
    if (code == 0 && !lookup_print(cli, providers))
        print_providers(cli, providers);
    json_decref(providers);
    return code;
}

static int list_models(struct cli *cli, const char *provider)
{
    json_t *models, *model;
    size_t i;
    int code = lookup_named(cli, tackle_list_models, provider, &models);
    if (code == 0 && !lookup_print(cli, models)) {
        json_array_foreach(models, i, model)
        {
            const char *id = json_text(model, "id");
            char *line = line_make(id, strlen(id), 0, true);
            (void)fprintf(cli->out.file, "%s\n", line);
            free(line);
        }
        if (i == 0)
            cli_complain(cli, "the endpoint has no models");
    }
    json_decref(models);
    return code;
}

/* Does the command line itself choose an endpoint? Variables and files do not count: they are there
 * for every run. */
static bool names_endpoint(const struct options *o)
{
    for (size_t i = 0; i < o->setting_count; i++)
        if (strcmp(o->settings[i].key, "model") == 0 || strcmp(o->settings[i].key, "base_url") == 0)
            return true;
    return o->word_count > 0;
}

static int run(struct cli *cli)
{
    const struct options *o = &cli->options;
    int code = cli_check_words(cli, 0, 1, "the name of a provider");
    if (code != 0)
        return code;
    return names_endpoint(o) ? list_models(cli, o->word_count ? o->words[0] : NULL)
                             : list_providers(cli);
}

const struct command command_models = {
    .name = "models",
    .usage = "[PROVIDER]",
    .summary = "list the providers of models, or the models of one of them",
    .details = "Without a name: the providers, and for which there is a key. With one, or with -m "
               "PROVIDER/ or --base-url, the endpoint is asked which models it has. Choose with -m "
               "PROVIDER/MODEL; PROVIDER/ alone may be left out for the default endpoint. Keys are "
               "read from the environment and sent to their own endpoint only.",
    .examples = "tackle models\n"
                "tackle models ollama\n"
                "tackle run -m ollama/qwen3 \"What does this project do?\"\n",
    .groups = " model ",
    .run = run,
};
