/* tackle credits: what is left on the account at the endpoint. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "line.h"
#include "lookup.h"
#include "memory.h"
#include "result.h"

#define NUMBER_DIGITS 15 /* what a double holds for sure */

static void print_answer(struct cli *cli, const json_t *answer)
{
    const json_t *credits = json_object_get(answer, "credits");
    const char *endpoint = json_text(answer, "endpoint");
    bool known = json_is_number(credits);
    const json_t *said = known ? credits : json_object_get(answer, "body");
    char *text =
        must(json_is_string(said) ? strdup(json_string_value(said))
                                  : json_dumps(said, JSON_COMPACT | JSON_ENCODE_ANY |
                                                         JSON_REAL_PRECISION(NUMBER_DIGITS)));
    char *line = line_make(text, strlen(text), 0, true);
    if (known)
        (void)fprintf(cli->out.file, "%s credits at %s\n", line, endpoint);
    else
        (void)fprintf(cli->out.file, "%s names no number of credits; it says %s\n", endpoint, line);
    free(line);
    free(text);
}

static int run(struct cli *cli)
{
    json_t *answer;
    int code = cli_check_words(cli, 0, 1, "the name of a provider");
    if (code != 0)
        return code;
    code = lookup_named(cli, tackle_credits, cli->options.word_count ? cli->options.words[0] : NULL,
                        &answer);
    if (code == 0 && !lookup_print(cli, answer))
        print_answer(cli, answer);
    json_decref(answer);
    return code;
}

const struct command command_credits = {
    .name = "credits",
    .usage = "[PROVIDER]",
    .summary = "ask the endpoint what is left on the account",
    .details = "Not every endpoint tells: the default one and OpenRouter do.",
    .examples = "tackle credits\n"
                "tackle credits openrouter --output-format json\n",
    .groups = " model ",
    .run = run,
};
