/* tackle completion: what a shell needs to complete our command lines. */
#include <string.h>

#include "cli.h"
#include "completion.h"

static int run(struct cli *cli)
{
    static const struct {
        const char *shell;
        void (*print)(const struct option_table *table, FILE *to);
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};
    int code = cli_check_words(cli, 1, 1, "one of bash, zsh, fish");
    if (code != 0)
        return code;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].shell, cli->options.words[0]) != 0)
            continue;
        shells[i].print(&cli->table, cli->out.file);
        return TACKLE_EXIT_OK;
    }
    return cli_usage(cli, "'%s' is not one of bash, zsh, fish", cli->options.words[0]);
}

const struct command command_completion = {
    .name = "completion",
    .usage = "bash|zsh|fish",
    .summary = "print completions for a shell",
    .examples = "source <(tackle completion bash)\n"
                "tackle completion zsh > ~/.zfunc/_tackle\n"
                "tackle completion fish > ~/.config/fish/completions/tackle.fish\n",
    .actions = "bash zsh fish",
    .run = run,
};
