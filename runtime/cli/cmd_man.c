/* tackle man: the manual page, from the tables of commands and options. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "memory.h"
#include "usage.h"

/* Text in which nothing is a request or an escape. */
static void put_bytes(FILE *to, const char *text, size_t len)
{
    for (const char *at = text; at < text + len; at++) {
        bool line_start = at == text || at[-1] == '\n';
        if (line_start && (*at == '.' || *at == '\''))
            (void)fputs("\\&", to);
        if (*at == '\\')
            (void)fputs("\\e", to);
        else if (*at == '-')
            (void)fputs("\\-", to);
        else if (*at == '~')
            (void)fputs("\\(ti", to);
        else
            (void)fputc(*at, to);
    }
}

static void put(FILE *to, const char *text)
{
    put_bytes(to, text, strlen(text));
}

#define LINE_COLUMNS 70 /* short lines of source are the custom of manual pages */

/* A paragraph, broken into lines between words. */
static void put_text(FILE *to, const char *text)
{
    size_t at = 0;
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at > 0)
            (void)fputc(at + len > LINE_COLUMNS ? '\n' : ' ', to);
        at = at + len > LINE_COLUMNS ? len + 1 : at + len + 1;
        put_bytes(to, text, len);
        text += len + (text[len] == ' ');
    }
    (void)fputc('\n', to);
}

static void put_row(FILE *to, const struct option_row *row)
{
    char *flag = usage_flag(row);
    (void)fputs(".TP\n.B ", to);
    put(to, flag + strspn(flag, " "));
    (void)fputc('\n', to);
    const char *value = usage_default(row);
    bool choices = row->choices && strcmp(row->choices, row->argument) != 0;
    char *text = memory_format("%s%s%s%s%s%s%s.", row->help, choices ? " (" : "",
                               choices ? row->choices : "", choices ? ")" : "", value ? " [" : "",
                               value ? value : "", value ? "]" : "");
    put_text(to, text);
    free(text);
    free(flag);
}

static bool is_first_of_group(const struct option_table *table, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(table->rows[i].group, table->rows[at].group) == 0)
            return false;
    return true;
}

static void put_options(FILE *to, const struct option_table *table)
{
    (void)fputs(".SH OPTIONS\n"
                "Options may stand before or after other words; \\fB\\-\\-\\fR ends them.\n"
                "A value follows as \\fB\\-\\-name value\\fR or \\fB\\-\\-name=value\\fR.\n"
                "Names are not abbreviated.\n",
                to);
    for (size_t i = 0; i < table->count; i++) {
        if (!is_first_of_group(table, i))
            continue;
        const char *group = table->rows[i].group;
        (void)fprintf(to, ".SS %c%s\n", toupper((unsigned char)*group), group + 1);
        for (size_t j = i; j < table->count; j++)
            if (strcmp(table->rows[j].group, group) == 0)
                put_row(to, &table->rows[j]);
    }
}

static void put_commands(FILE *to)
{
    (void)fputs(".SH COMMANDS\n", to);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden)
            continue;
        (void)fputs(".TP\n.B tackle ", to);
        put(to, commands[i]->name);
        (void)fputc(*commands[i]->usage ? ' ' : '\n', to);
        put(to, commands[i]->usage);
        if (*commands[i]->usage)
            (void)fputc('\n', to);
        (void)fputc(toupper((unsigned char)*commands[i]->summary), to);
        put(to, commands[i]->summary + 1);
        (void)fputs(".\n", to);
        if (commands[i]->details)
            put_text(to, commands[i]->details);
    }
}

static void put_pairs(FILE *to, const char *title, const char *const (*pairs)[2])
{
    (void)fprintf(to, ".SH %s\n", title);
    for (; (*pairs)[0]; pairs++) {
        (void)fputs(".TP\n.B ", to);
        put(to, (*pairs)[0]);
        (void)fputc('\n', to);
        put_text(to, (*pairs)[1]);
    }
}

static void put_examples(FILE *to)
{
    const char *between = "";
    (void)fputs(".SH EXAMPLES\n", to);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden || !commands[i]->examples)
            continue;
        (void)fprintf(to, "%s.nf\n", between);
        between = ".PP\n";
        put(to, commands[i]->examples);
        (void)fputs(".fi\n", to);
    }
}

static const char *const exit_codes[][2] = {
    {"0", "The final answer was given."},
    {"1", "Internal error; the file of -o or --junit cannot be written."},
    {"2", "Usage: a bad option, no prompt."},
    {"3", "A configuration, agent, plugin or schema file is invalid."},
    {"4", "The endpoint refused the key (401, 403), or there is none."},
    {"5", "The endpoint failed for good: after retries, quota, spend limit, unreachable."},
    {"6", "A tool failed and that is fatal."},
    {"7", "Ended without success after a denial."},
    {"8", "Paused: an approval is needed."},
    {"9", "A limit was reached; what there is of an answer is printed."},
    {"10", "The answer is empty, refused, cut off or does not fit its schema."},
    {"11", "In a replay a request differs from the recorded one."},
    {"12", "The sandbox asked for cannot be had."},
    {"13", "Standard output cannot be written, or a session is missing, locked or damaged."},
    {"14", "The same calls again and again without progress."},
    {"130, 143, 129, 141", "Ended by SIGINT, SIGTERM, SIGHUP, or because standard output is "
                           "closed."},
    {NULL, NULL}};

static const char *const variables[][2] = {
    {"TACKLE_API_KEY", "The key for the default endpoint, and for --base-url."},
    {"OPENAI_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY",
     "Keys for the providers openai, google and openrouter. A key is sent to its own endpoint "
     "only."},
    {"OPENAI_BASE_URL", "Another endpoint for the provider openai."},
    {"TACKLE_...", "Any setting: TACKLE_MAX_STEPS is --max-steps."},
    {"NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM, CI",
     "Whether colours and a moving status line are used."},
    {"GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITLAB_CI",
     "What --ci auto goes by, and where the summary of a step goes."},
    {"XDG_CONFIG_HOME", "Where the user's configuration is; ~/.config by default."},
    {"TACKLE_DATA_DIR", "Where the files of tackle demo are, if not where they were installed."},
    {NULL, NULL}};

static const char *const files[][2] = {
    {"/etc/tackle/config.yaml", "Settings for everyone on this machine."},
    {"~/.config/tackle/config.yaml", "Your settings."},
    {".tackle/config.yaml", "Settings of a project; they may only tighten."},
    {"AGENTS.md", "What a repository tells agents; read from its root down to the workspace."},
    {NULL, NULL}};

static int run(struct cli *cli)
{
    FILE *to = cli->out.file;
    int code = cli_check_words(cli, 0, 0, "no words");
    if (code != 0)
        return code;
    (void)fprintf(to,
                  ".TH TACKLE 1 2026-11-23 \"tackle %s\" \"User Commands\"\n"
                  ".SH NAME\ntackle \\- an agent that works in your repository\n"
                  ".SH SYNOPSIS\n.B tackle\n.I command\n"
                  ".RI [ options ]\n.RI [ arguments ]\n"
                  ".SH DESCRIPTION\n",
                  tackle_version());
    put_text(to, "tackle sends a task and the descriptions of its tools to a language model, runs "
                 "the tool calls that come back, and ends with the model's final answer or at a "
                 "limit. The answer goes to standard output, everything else to standard error. "
                 "The exit code says how it ended.");
    put_commands(to);
    put_options(to, &cli->table);
    put_pairs(to, "EXIT STATUS", exit_codes);
    put_pairs(to, "ENVIRONMENT", variables);
    put_pairs(to, "FILES", files);
    put_examples(to);
    return TACKLE_EXIT_OK;
}

const struct command command_man = {
    .name = "man",
    .usage = "",
    .summary = "print the manual page, for man(1)",
    .hidden = true,
    .run = run,
};
