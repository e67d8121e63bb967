/* tackle demo: a chore in a repository made for it. The model's replies are recorded, the tools
 * are real; needs no key and no network. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "data.h"
#include "drive.h"
#include "memory.h"
#include "result.h"
#include "signals.h"
#include "tree.h"

struct demo {
    struct cli *cli;
    char *assets; /* files/, tape/, prompt.txt; owned */
    char *prompt; /* owned */
    char *folder; /* the repository; owned; NULL: not made yet */
    bool keep;
};

/* ---- The repository ---- */

static int make_folder(struct demo *demo, tackle_error *error)
{
    const char *wanted = demo->cli->options.dir, *temporary = getenv("TMPDIR");
    char *path = wanted ? must(strdup(wanted))
                        : memory_format("%s/tackle-demo-XXXXXX",
                                        temporary && *temporary == '/' ? temporary : "/tmp");
    bool made = wanted ? mkdir(path, 0777) == 0 : mkdtemp(path) != NULL;
    if (made || (wanted && errno == EEXIST && tree_is_empty(path)))
        demo->folder = realpath(path, NULL);
    if (!demo->folder)
        cli_error(error, TACKLE_EXIT_USAGE, "usage", "cannot make the demo's repository in %s: %s",
                  path, wanted && errno == EEXIST ? "it is not an empty folder" : strerror(errno));
    demo->keep = wanted || demo->cli->options.keep;
    free(path);
    return demo->folder ? 0 : -1;
}

static int set_all(tackle_runtime *rt, const char *const (*settings)[2], tackle_error *error)
{
    for (; (*settings)[0]; settings++)
        if (tackle_set(rt, (*settings)[0], (*settings)[1], error) != 0)
            return -1;
    return 0;
}

/* A runtime for tools that the demo itself calls: git, and nothing else. */
static int open_git(const struct demo *demo, tackle_runtime **out, tackle_error *error)
{
    const char *const settings[][2] = {{"workspace", demo->folder},
                                       {"plugin", "git"},
                                       {"tools", "git_init,git_add,git_commit,git_log,git_show"},
                                       {"sandbox", "workspace-write"},
                                       {NULL, NULL}};
    if (tackle_runtime_new(out, error) != 0 || tackle_take_keys(*out, error) != 0)
        return -1;
    return set_all(*out, settings, error);
}

/* The output of a tool, malloc'd; NULL with `error` when it failed. */
static char *call(tackle_runtime *rt, const char *tool, const char *arguments, tackle_error *error)
{
    char *text = NULL, *output = NULL;
    if (tackle_call_tool(rt, tool, arguments, &text, error) != 0)
        return NULL;
    json_t *outcome = json_loads(text, JSON_ALLOW_NUL, NULL);
    tackle_free(text);
    if (json_is_true(json_object_get(outcome, "ok")))
        output = must(strdup(json_text(outcome, "output")));
    else
        cli_error(error, TACKLE_EXIT_TOOL, "tool_error", "%s: %s", tool,
                  json_text(outcome, "error"));
    json_decref(outcome);
    return output;
}

static int make_repository(struct demo *demo, tackle_error *error)
{
    static const char *const steps[][2] = {
        {"git_init", "{}"},
        {"git_add", "{\"paths\":[\".\"]}"},
        {"git_commit", "{\"message\":\"Begin\",\"author\":\"Tackle Demo <demo@example.org>\"}"}};
    tackle_runtime *rt = NULL;
    char *files = memory_format("%s/files", demo->assets);
    int status = make_folder(demo, error);
    if (status == 0 && tree_copy(files, demo->folder) != 0) {
        cli_error(error, TACKLE_EXIT_CONFIG, "config_error", "cannot copy %s to %s: %s", files,
                  demo->folder, strerror(errno));
        status = -1;
    }
    if (status == 0)
        status = open_git(demo, &rt, error);
    for (size_t i = 0; status == 0 && i < sizeof steps / sizeof *steps; i++) {
        char *output = call(rt, steps[i][0], steps[i][1], error);
        status = output ? 0 : -1;
        free(output);
    }
    tackle_runtime_free(rt);
    free(files);
    return status;
}

/* ---- The run ---- */

static int play(struct demo *demo, tackle_error *error)
{
    char *tape = memory_format("%s/tape", demo->assets);
    const char *const settings[][2] = {
        {"workspace", demo->folder},
        {"agent", "repo-chores"},
        {"replay", tape},
        {"replay_mode", "replies"}, /* it is to be seen, not to be tested */
        /* A person sees the text being written; a pipe has no use for the wait. */
        {"replay_speed", demo->cli->out.terminal ? "2" : "0"},
        {NULL, NULL}};
    tackle_runtime *rt = NULL;
    tackle_run *run = NULL;
    struct drive drive;
    struct signals signals;
    int code = -1;
    if (tackle_runtime_new(&rt, error) != 0 || tackle_take_keys(rt, error) != 0 ||
        set_all(rt, settings, error) != 0)
        goto out;
    drive_init(&drive, demo->cli, rt);
    signals_install(&signals);
    signals_wake(rt);
    tackle_run_options options = {
        .size = sizeof options, .prompt = demo->prompt, .on_event = drive_event, .user = &drive};
    if (tackle_run_start(rt, &options, &run, error) == 0)
        code = drive_run(&drive, run);
    tackle_run_free(run);
    signals_restore(&signals);
    drive_release(&drive);
out:
    tackle_runtime_free(rt);
    free(tape);
    return code;
}

/* What a tool says, under a heading. 0, or -1 with `error`. */
static int show(struct demo *demo, tackle_runtime *rt, const char *const question[3],
                tackle_error *error)
{
    struct stream *err = &demo->cli->err;
    char *output = call(rt, question[1], question[2], error);
    if (!output)
        return -1;
    size_t len = strlen(output);
    (void)fprintf(err->file, "\n%s%s%s\n", stream_style(err, STYLE_BOLD), question[0],
                  stream_style(err, STYLE_NONE));
    stream_text(err, output, len);
    if (len == 0 || output[len - 1] != '\n')
        (void)fputc('\n', err->file);
    free(output);
    return 0;
}

static int show_commit(struct demo *demo, tackle_error *error)
{
    static const char *const questions[][3] = {
        {"The repository's log", "git_log", "{}"},
        {"The new commit", "git_show", "{\"rev\":\"HEAD\",\"stat_only\":true}"}};
    tackle_runtime *rt = NULL;
    int status = open_git(demo, &rt, error);
    for (size_t i = 0; status == 0 && i < sizeof questions / sizeof *questions; i++)
        status = show(demo, rt, questions[i], error);
    tackle_runtime_free(rt);
    return status;
}

static void introduce(struct demo *demo)
{
    struct stream *err = &demo->cli->err;
    (void)fprintf(err->file,
                  "A repository with a failing check was made in %s.\n"
                  "The model's replies are recorded: no key, no network. Every tool call is real.\n"
                  "\n%s> %s%s\n",
                  demo->folder, stream_style(err, STYLE_BOLD), demo->prompt,
                  stream_style(err, STYLE_NONE));
    (void)stream_flush(err);
}

static void part(struct demo *demo)
{
    FILE *file = demo->cli->err.file;
    if (demo->keep)
        (void)fprintf(file, "\nThe repository is kept in %s.\n", demo->folder);
    else if (tree_remove(demo->folder) == 0)
        (void)fputs("\nThe repository was removed; 'tackle demo --keep' keeps it.\n", file);
    else
        (void)fprintf(file, "\nThe repository in %s could not be removed: %s\n", demo->folder,
                      strerror(errno));
}

static char *read_asset(const struct demo *demo, const char *name, tackle_error *error)
{
    char *path = memory_format("%s/%s", demo->assets, name), *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        text = cli_read_all(fd, path, error);
        (void)close(fd);
    } else {
        cli_error(error, TACKLE_EXIT_CONFIG, "config_error", "cannot read %s: %s", path,
                  strerror(errno));
    }
    for (size_t len = text ? strlen(text) : 0; len > 0 && text[len - 1] == '\n';)
        text[--len] = '\0';
    free(path);
    return text;
}

static int find_assets(struct demo *demo, tackle_error *error)
{
    demo->assets = data_find("demo");
    if (!demo->assets) {
        cli_error(error, TACKLE_EXIT_CONFIG, "config_error",
                  "the demo's files (share/tackle/demo) are not there; is tackle installed whole?");
        return -1;
    }
    demo->prompt = read_asset(demo, "prompt.txt", error);
    return demo->prompt ? 0 : -1;
}

static int run(struct cli *cli)
{
    struct demo demo = {.cli = cli};
    tackle_error error = TACKLE_ERROR_INIT;
    int code = cli_check_words(cli, 0, 0, "no words");
    if (code != 0)
        return code;
    code = -1;
    if (find_assets(&demo, &error) == 0 && make_repository(&demo, &error) == 0) {
        if (!cli->options.quiet)
            introduce(&demo);
        code = play(&demo, &error);
        if (code == TACKLE_EXIT_OK && !cli->options.quiet && show_commit(&demo, &error) != 0)
            code = -1;
    }
    if (code < 0)
        code = cli_fail(cli, &error);
    if (demo.folder)
        part(&demo);
    free(demo.folder);
    free(demo.prompt);
    free(demo.assets);
    return code;
}

const struct command command_demo = {
    .name = "demo",
    .usage = "",
    .summary = "watch an agent fix a failing check; needs no key and no network",
    .details = "Makes a small Git repository with a failing check and lets the agent repo-chores "
               "find the cause, fix it and commit. The model's replies are recorded and shipped "
               "with tackle; every tool call is real.",
    .examples = "tackle demo\n"
                "tackle demo --keep\n"
                "tackle demo --dir /tmp/demo && git -C /tmp/demo show\n",
    .run = run,
};
