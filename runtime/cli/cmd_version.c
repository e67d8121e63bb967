/* tackle version. */
#define TACKLE_NO_HELPERS
#include <tackle/plugin.h>

#include <jansson.h>
#include <stdlib.h>

#include "cli.h"
#include "lookup.h"
#include "memory.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int run(struct cli *cli)
{
    int code = cli->options.version ? 0 : cli_check_words(cli, 0, 0, "no words");
    if (code != 0)
        return code;
    char *abi = memory_format("%u.%u", TACKLE_ABI_MAJOR, TACKLE_ABI_MINOR);
    json_t *version =
        must(json_pack("{ss ss ss ss ss}", "name", "tackle", "version", tackle_version(),
                       "plugin_abi", abi, "compiler", COMPILER, "jansson", jansson_version_str()));
    if (!lookup_print(cli, version))
        (void)fprintf(cli->out.file, "tackle %s (plugin ABI %s, %s)\n", tackle_version(), abi,
                      COMPILER);
    json_decref(version);
    free(abi);
    return TACKLE_EXIT_OK;
}

const struct command command_version = {
    .name = "version",
    .usage = "[--json]",
    .summary = "show the version",
    .run = run,
};
