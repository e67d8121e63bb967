/* tackle run: one task, one answer. tackle resume: the rest of one. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ci.h"
#include "cli.h"
#include "drive.h"
#include "input.h"
#include "memory.h"
#include "outfile.h"
#include "result.h"
#include "signals.h"

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

/* --max-time, wherever it was set; -1: none. */
static int64_t time_limit_ms(tackle_runtime *rt)
{
    char *text = NULL;
    int64_t ms = 0;
    if (tackle_show_settings(rt, &text, NULL) != 0)
        return -1;
    json_t *settings = json_loads(text, JSON_ALLOW_NUL, NULL), *setting;
    size_t i;
    json_array_foreach(settings, i, setting)
    {
        if (strcmp(json_text(setting, "key"), "max_time") == 0)
            ms = json_number(setting, "ms");
    }
    json_decref(settings);
    tackle_free(text);
    return ms > 0 ? ms : -1;
}

/* The prompt from the words or from standard input. malloc'd; NULL with `error`. */
static char *read_prompt(struct cli *cli, tackle_runtime *rt, tackle_error *error)
{
    const struct options *o = &cli->options;
    char *prompt = NULL;
    if (o->word_count == 1 && strcmp(o->words[0], "-") != 0) {
        prompt = must(strdup(o->words[0]));
    } else {
        const struct input_wait wait = {.max_ms = time_limit_ms(rt), .cli = o->quiet ? NULL : cli};
        prompt = input_read(STDIN_FILENO, "standard input", &wait, error);
    }
    if (prompt && is_blank(prompt)) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "the prompt is empty; write: tackle run \"...\"");
        free(prompt);
        return NULL;
    }
    return prompt;
}

/* What can be told to be wrong before anything is read. 0, or -1 with `error`. */
static int check_words(const struct options *o, tackle_error *error)
{
    if (o->word_count > 1) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "the prompt must be one argument, so put it in quotes: "
                  "tackle run \"%.60s %.60s ...\"",
                  o->words[0], o->words[1]);
        return -1;
    }
    if (o->word_count == 0 && isatty(STDIN_FILENO)) {
        cli_error(error, TACKLE_EXIT_USAGE, "usage",
                  "no prompt; write: tackle run \"...\", or - to read it from standard input");
        return -1;
    }
    return 0;
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

/* resume --approve, --reject: those that name a call come before "all". */
static int give_answers(const struct options *o, tackle_run *run, tackle_error *error)
{
    for (int all = 0; all < 2; all++)
        for (size_t i = 0; i < o->answer_count; i++) {
            const struct answer *a = &o->answers[i];
            if ((strcmp(a->call, "all") == 0) == all &&
                tackle_run_decide(run, all ? NULL : a->call,
                                  a->approve ? TACKLE_ALLOW_ONCE : TACKLE_DENY, NULL, error) != 0)
                return -1;
        }
    return 0;
}

static int start_and_drive(struct cli *cli, struct ci *ci, tackle_runtime *rt, const char *prompt,
                           const char *resume)
{
    struct drive drive;
    struct listeners listeners = {ci, &drive};
    tackle_run *run = NULL;
    tackle_error error = TACKLE_ERROR_INIT;
    int code;
    drive_init(&drive, cli, rt);
    const struct options *o = &cli->options;
    tackle_run_options options = {.size = sizeof options,
                                  .flags = approve_flags(&drive.approve) |
                                           (o->answer_count ? TACKLE_RUN_ASK : 0) |
                                           (o->fork ? TACKLE_RUN_FORK : 0),
                                  .prompt = prompt,
                                  .files = cli->options.files,
                                  .on_event = on_event,
                                  .user = &listeners,
                                  .resume = resume};
    if (tackle_run_start(rt, &options, &run, &error) == 0 && give_answers(o, run, &error) == 0) {
        code = drive_run(&drive, run);
        code = write_answer(cli, run, code);
    } else {
        ci_refused(ci, &error);
        code = drive_refused(&drive, &error);
    }
    tackle_run_free(run);
    drive_release(&drive);
    return code;
}

extern const struct command command_resume;

static int make_and_drive(struct cli *cli, struct ci *ci)
{
    tackle_error error = TACKLE_ERROR_INIT;
    tackle_runtime *rt = NULL;
    const struct options *o = &cli->options;
    bool resume = o->command == &command_resume;
    const char *id = !resume ? o->resume : o->word_count ? o->words[0] : "";
    char *prompt = NULL;
    bool ready = false;
    int code;
    if ((resume || check_words(o, &error) == 0) && cli_runtime(cli, &rt, &error) == 0)
        ready = resume || (prompt = read_prompt(cli, rt, &error));
    if (ready) {
        signals_wake(rt);
        code = start_and_drive(cli, ci, rt, prompt, id);
        signals_wake(NULL);
    } else {
        ci_refused(ci, &error);
        code = cli_fail(cli, &error);
    }
    code = ci_finish(ci, code);
    tackle_runtime_free(rt);
    free(prompt);
    return code;
}

static int run(struct cli *cli)
{
    const struct options *o = &cli->options;
    tackle_error error = TACKLE_ERROR_INIT;
    struct signals signals;
    struct ci ci;
    if ((o->output && outfile_check(o->output, &error) != 0) ||
        (o->junit && outfile_check(o->junit, &error) != 0))
        return cli_fail(cli, &error);
    ci_init(&ci, cli);
    signals_install(&signals);
    int code = make_and_drive(cli, &ci);
    signals_restore(&signals); /* after the runtime is freed: its processes are ended in peace */
    ci_release(&ci);
    return code;
}

static int resume(struct cli *cli)
{
    int code = cli_check_words(cli, 0, 1, "the id of a run");
    return code ? code : run(cli);
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

const struct command command_resume = {
    .name = "resume",
    .usage = "[RUN]",
    .summary = "go on with a run that was killed or has reached a limit",
    .details =
        "Without a name: the newest run of this folder. Results that were recorded are not got "
        "again. A tool call that was under way is run again if that is harmless; else its tool is "
        "asked whether it was done; else the model is told that its outcome is unknown. The run "
        "has the settings it had been given; options given now win. To go on with something new: "
        "tackle run --resume RUN \"...\".",
    .examples = "tackle resume\n"
                "tackle resume r1m84w03m79dsvk9a1q --max-steps 100\n"
                "# it ended with 8, because calls need a yes\n"
                "tackle resume r1m84w03m79dsvk9a1q --approve 3.1 --reject all\n"
                "tackle run --resume r1m84w03m79dsvk9a1q --fork \"Now try it the other way.\"\n",
    .groups = "*",
    .run = resume,
};
