/* tackle run: one task, one answer. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ci.h"
#include "cli.h"
#include "drive.h"
#include "memory.h"
#include "outfile.h"
#include "signals.h"

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* The prompt from the words or from standard input. malloc'd; NULL with `error`. */
static char *read_prompt(const struct options *o, tackle_error *error)
{
    char *prompt = NULL;
    if (o->word_count > 1) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "the prompt must be one argument, so put it in quotes: "
                  "tackle run \"%.60s %.60s ...\"",
                  o->words[0], o->words[1]);
        return NULL;
    }
    if (o->word_count == 1 && strcmp(o->words[0], "-") != 0) {
        prompt = must(strdup(o->words[0]));
    } else if (o->word_count == 0 && isatty(STDIN_FILENO)) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "no prompt; write: tackle run \"...\", or - to read it from standard input");
        return NULL;
    } else {
        prompt = cli_read_all(STDIN_FILENO, "standard input", error);
    }
    if (prompt && is_blank(prompt)) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "the prompt is empty; write: tackle run \"...\"");
        free(prompt);
        return NULL;
    }
    return prompt;
}

static int write_answer(struct cli *cli, const tackle_run *run, int code)
{
    tackle_error error = TACKLE_ERROR_INIT;
    const char *text = tackle_run_text(run);
    if (!cli->options.output || *text == '\0' ||
        outfile_write(cli->options.output, text, &error) == 0)
        return code;
    cli_complain(cli, error.message); /* the result has been printed: once is enough */
    return code ? code : error.exit_code;
}

struct listeners {
    struct ci *ci;
    struct drive *drive;
};

static void on_event(void *user, tackle_run *run, const tackle_event *event)
{
    const struct listeners *l = user;
    ci_event(l->ci, event);
    drive_event(l->drive, run, event);
}

static int start_and_drive(struct cli *cli, struct ci *ci, tackle_runtime *rt, const char *prompt)
{
    struct drive drive;
    struct signals signals;
    struct listeners listeners = {ci, &drive};
    tackle_run *run = NULL;
    tackle_error error = TACKLE_ERROR_INIT;
    int code;
    drive_init(&drive, cli, rt);
    signals_install(&signals, rt);
    tackle_run_options options = {.size = sizeof options,
                                  .prompt = prompt,
                                  .files = cli->options.files,
                                  .on_event = on_event,
                                  .user = &listeners};
    if (tackle_run_start(rt, &options, &run, &error) == 0) {
        code = drive_run(&drive, run);
        code = write_answer(cli, run, code);
    } else {
        ci_refused(ci, &error);
        code = drive_refused(&drive, &error);
    }
    tackle_run_free(run);
    signals_restore(&signals);
    drive_release(&drive);
    return code;
}

static int run(struct cli *cli)
{
    const struct options *o = &cli->options;
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    struct ci ci;
    int code;
    if ((o->output && outfile_check(o->output, &error) != 0) ||
        (o->junit && outfile_check(o->junit, &error) != 0))
        return cli_fail(cli, &error);
    ci_init(&ci, cli);
    char *prompt = read_prompt(o, &error);
    if (prompt && cli_runtime(cli, &rt, &error) == 0) {
        code = start_and_drive(cli, &ci, rt, prompt);
    } else {
        ci_refused(&ci, &error);
        code = cli_fail(cli, &error);
    }
    code = ci_finish(&ci, code);
    ci_release(&ci);
    tackle_runtime_free(rt);
    free(prompt);
    return code;
}

const struct command command_run = {
    .name = "run",
    .usage = "[PROMPT|-]",
    .summary = "give an agent a task and wait for its answer",
    .details = "The answer goes to standard output, everything else to standard error. Without a "
               "prompt it is read from standard input, if that is a pipe or a file. The exit code "
               "says how the run ended.",
    .examples = "tackle run \"What does this project do?\"\n"
                "tackle run --agent repo-chores \"Fix the failing test and commit\"\n"
                "tackle run -C ~/src/app -f notes.txt \"Turn these notes into issues\"\n"
                "git diff | tackle run --agent code-review -\n"
                "# in CI: one JSON object, a limit on time and steps\n"
                "tackle run --output-format json --max-time 10m --max-steps 30 \"...\"\n"
                "tackle run --junit tackle.xml --max-time 10m \"...\"\n",
    .groups = "*",
    .run = run,
};
