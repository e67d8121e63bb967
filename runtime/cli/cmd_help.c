/* tackle help. */
#include "cli.h"
#include "suggest.h"
#include "usage.h"

static int run(struct cli *cli)
{
    const struct options *o = &cli->options;
    int code = cli_check_words(cli, 0, 1, "the name of one command, or none");
    if (code != 0)
        return code;
    if (o->word_count == 0) {
        usage_full(&cli->out);
        return TACKLE_EXIT_OK;
    }
    const struct command *command = command_find(o->words[0]);
    if (command) {
        usage_command(cli, command, &cli->out);
        return TACKLE_EXIT_OK;
    }
    struct suggest near;
    suggest_init(&near, o->words[0]);
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            suggest_add(&near, commands[i]->name);
    if (near.best)
        return cli_usage(cli, "there is no command '%s'; did you mean '%s'?", o->words[0],
                         near.best);
    return cli_usage(cli, "there is no command '%s'; 'tackle help' lists them", o->words[0]);
}

const struct command command_help = {
    .name = "help",
    .usage = "[COMMAND]",
    .summary = "show what there is, or the options of one command",
    .run = run,
};
