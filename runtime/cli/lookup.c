#include "lookup.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "result.h"
#include "suggest.h"

struct question {
    lookup_fn *ask;
    lookup_named_fn *ask_named;
    const char *name;
};

static int answer(struct cli *cli, const struct question *q, json_t **out)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    char *text = NULL;
    int code = TACKLE_EXIT_OK;
    *out = NULL;
    if (cli_runtime(cli, &rt, &error) != 0 ||
        (q->ask ? q->ask(rt, &text, &error) : q->ask_named(rt, q->name, &text, &error)) != 0) {
        code = cli_fail(cli, &error);
        goto out;
    }
    *out = json_loads(text, JSON_ALLOW_NUL, NULL);
    if (!*out) {
        cli_error(&error, TACKLE_EXIT_INTERNAL, "internal", "the library gave no valid JSON");
        code = cli_fail(cli, &error);
    }
out:
    tackle_free(text);
    tackle_runtime_free(rt);
    return code;
}

int lookup(struct cli *cli, lookup_fn *ask, json_t **out)
{
    return answer(cli, &(struct question){.ask = ask}, out);
}

int lookup_named(struct cli *cli, lookup_named_fn *ask, const char *name, json_t **out)
{
    return answer(cli, &(struct question){.ask_named = ask, .name = name}, out);
}

bool lookup_print(struct cli *cli, const json_t *value)
{
    if (cli->options.format == FORMAT_TEXT)
        return false;
    char *text = must(json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY));
    result_print_json(&cli->out, text, strlen(text));
    free(text);
    return true;
}

json_t *lookup_find(struct cli *cli, json_t *list, const char *key, const char *text,
                    const char *what, int *code)
{
    size_t i;
    json_t *item;
    struct suggest near;
    suggest_init(&near, text);
    json_array_foreach(list, i, item)
    {
        if (strcmp(json_text(item, key), text) == 0)
            return item;
        suggest_add(&near, json_text(item, key));
    }
    if (near.best)
        *code = cli_usage(cli, "there is no %s '%s'; did you mean '%s'?", what, text, near.best);
    else
        *code = cli_usage(cli, "there is no %s '%s'; 'tackle %ss ls' lists them", what, text, what);
    return NULL;
}

char *lookup_join(const json_t *list)
{
    char *text = NULL;
    size_t len = 0, i;
    json_t *item;
    FILE *file = memory_file(&text, &len);
    json_array_foreach(list, i, item)
    {
        const char *name = json_is_string(item) ? json_string_value(item) : json_text(item, "name");
        (void)fprintf(file, "%s%s", i ? " " : "", name);
    }
    memory_close(file, &text);
    return text;
}

void lookup_field(struct cli *cli, const char *label, const char *text)
{
    if (!*text)
        return;
    (void)fprintf(cli->out.file, "%s%-12s%s ", stream_style(&cli->out, STYLE_DIM), label,
                  stream_style(&cli->out, STYLE_NONE));
    stream_text(&cli->out, text, strlen(text));
    (void)fputc('\n', cli->out.file);
}

static int unknown_action(struct cli *cli, const struct action *actions, size_t count,
                          const char *word)
{
    struct suggest near;
    suggest_init(&near, word);
    for (size_t i = 0; i < count; i++)
        suggest_add(&near, actions[i].name);
    const char *command = cli->options.command->name;
    if (near.best)
        return cli_usage(cli, "'tackle %s' has no '%s'; did you mean 'tackle %s %s'?", command,
                         word, command, near.best);
    return cli_usage(cli, "'tackle %s' has no '%s'; see 'tackle help %s'", command, word, command);
}

int action_run(struct cli *cli, const struct action *actions, size_t count)
{
    static const char *none[] = {NULL};
    const struct options *o = &cli->options;
    const struct action *action = o->word_count == 0 ? &actions[0] : NULL;
    for (size_t i = 0; i < count && !action; i++)
        if (strcmp(actions[i].name, o->words[0]) == 0)
            action = &actions[i];
    if (!action)
        return unknown_action(cli, actions, count, o->words[0]);
    size_t given = o->word_count ? o->word_count - 1 : 0;
    if (given < action->least || given > action->most)
        return cli_usage(cli, "write: tackle %s %s%s%s", o->command->name, action->name,
                         *action->wanted ? " " : "", action->wanted);
    return action->run(cli, given ? o->words + 1 : none);
}
