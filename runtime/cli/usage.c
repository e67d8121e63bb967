#include "usage.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define FLAG_COLUMN 32

bool usage_shows(const struct option_row *row, const struct command *command)
{
    if (!option_applies(row, command))
        return false;
    if (!row->key || strcmp(command->groups, "*") == 0)
        return true;
    char name[64];
    (void)snprintf(name, sizeof name, " %s ", row->group);
    return strstr(command->groups, name) != NULL;
}

char *usage_flag(const struct option_row *row)
{
    char letter[8] = "    ";
    if (row->letter)
        (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
    if (row->negative)
        return memory_format("%s--[no-]%s", letter, row->name);
    return memory_format("%s--%s%s%s", letter, row->name, row->argument ? " " : "",
                         row->argument ? row->argument : "");
}

const char *usage_default(const struct option_row *row)
{
    if (row->argument)
        return row->default_value && *row->default_value ? row->default_value : NULL;
    return row->negative && row->default_value && strcmp(row->default_value, "true") == 0 ? "on"
                                                                                          : NULL;
}

/* Words from `text` up to the right edge; lines after the first are indented. */
static void put_wrapped(struct stream *to, const char *text, size_t indent, size_t at, size_t edge)
{
    while (*text) {
        size_t len = strcspn(text, " ");
        if (at > indent && at + 1 + len > edge) {
            (void)fprintf(to->file, "\n%*s", (int)indent, "");
            at = indent;
        } else if (at > indent) {
            (void)fputc(' ', to->file);
            at++;
        }
        (void)fwrite(text, 1, len, to->file);
        at += len;
        text += len + (text[len] == ' ');
    }
    (void)fputc('\n', to->file);
}

static size_t right_edge(const struct stream *to)
{
    size_t columns = stream_columns(to);
    if (columns == 0)
        return 80;
    return columns < 60 ? 60 : columns > 100 ? 100 : columns;
}

static void put_heading(struct stream *to, const char *text)
{
    (void)fprintf(to->file, "%s%c%s:%s\n", stream_style(to, STYLE_BOLD), toupper(*text), text + 1,
                  stream_style(to, STYLE_NONE));
}

static void put_option(struct stream *to, const struct option_row *row)
{
    char *flag = usage_flag(row);
    char *choices = NULL, *help = NULL;
    if (row->choices && strcmp(row->choices, row->argument) != 0)
        choices = memory_format(" (%s)", row->choices);
    const char *value = usage_default(row);
    help = memory_format("%s%s%s%s%s", row->help, choices ? choices : "", value ? " [" : "",
                         value ? value : "", value ? "]" : "");
    (void)fprintf(to->file, "  %-*s", FLAG_COLUMN - 2, flag);
    if (strlen(flag) + 2 >= FLAG_COLUMN)
        (void)fprintf(to->file, "\n%*s", FLAG_COLUMN, "");
    put_wrapped(to, help, FLAG_COLUMN, FLAG_COLUMN, right_edge(to));
    free(choices);
    free(help);
    free(flag);
}

static bool seen_before(const struct option_table *table, size_t at, const struct command *command)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(table->rows[i].group, table->rows[at].group) == 0 &&
            usage_shows(&table->rows[i], command))
            return true;
    return false;
}

static void put_options(const struct option_table *table, const struct command *command,
                        struct stream *to)
{
    for (size_t i = 0; i < table->count; i++) {
        if (!usage_shows(&table->rows[i], command) || seen_before(table, i, command))
            continue;
        (void)fputc('\n', to->file);
        put_heading(to, table->rows[i].group);
        for (size_t j = i; j < table->count; j++)
            if (strcmp(table->rows[j].group, table->rows[i].group) == 0 &&
                usage_shows(&table->rows[j], command))
                put_option(to, &table->rows[j]);
    }
    if (command->groups && strcmp(command->groups, "*") != 0)
        (void)fputs("\nThe options of 'tackle run' that are settings are taken too.\n", to->file);
}

static void put_examples(struct stream *to, const char *examples)
{
    put_heading(to, "examples");
    while (*examples) {
        size_t len = strcspn(examples, "\n");
        bool remark = *examples == '#';
        (void)fprintf(to->file, "  %s%.*s%s\n", remark ? stream_style(to, STYLE_DIM) : "", (int)len,
                      examples, remark ? stream_style(to, STYLE_NONE) : "");
        examples += len + (examples[len] == '\n');
    }
    (void)fputc('\n', to->file);
}

void usage_command(struct cli *cli, const struct command *command, struct stream *to)
{
    (void)fprintf(to->file, "tackle %s - %s\n\n", command->name, command->summary);
    if (command->examples)
        put_examples(to, command->examples);
    (void)fprintf(to->file, "%sUsage:%s tackle %s [OPTIONS]%s%s\n", stream_style(to, STYLE_BOLD),
                  stream_style(to, STYLE_NONE), command->name, *command->usage ? " " : "",
                  command->usage);
    if (command->details) {
        (void)fputc('\n', to->file);
        put_wrapped(to, command->details, 0, 0, right_edge(to));
    }
    put_options(&cli->table, command, to);
}

static void put_commands(struct stream *to)
{
    put_heading(to, "commands");
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            (void)fprintf(to->file, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
}

static const char first_steps[] =
    "tackle demo\n"
    "tackle run \"What does this project do?\"\n"
    "tackle run --agent repo-chores \"Fix the failing test, commit\"\n"
    "git diff | tackle run --agent code-review -\n";

void usage_short(struct stream *to)
{
    (void)fputs("tackle - an agent that works in your repository\n\n", to->file);
    put_examples(to, first_steps);
    (void)fputs("'tackle help' lists all commands.\n", to->file);
}

void usage_full(struct stream *to)
{
    (void)fprintf(to->file, "tackle %s - an agent that works in your repository\n\n",
                  tackle_version());
    put_examples(to, first_steps);
    (void)fprintf(to->file, "%sUsage:%s tackle COMMAND [OPTIONS] [ARGUMENTS]\n\n",
                  stream_style(to, STYLE_BOLD), stream_style(to, STYLE_NONE));
    put_commands(to);
    (void)fputs(
        "\n'tackle help COMMAND' shows the options of one; 'tackle help run' has most of them.\n"
        "The answer goes to standard output, everything else to standard error.\n"
        "Exit codes: 0 done, 2 usage, 3 configuration, 4 key, 5 endpoint, 6 tool, 7 denied,\n"
        "9 limit reached, 10 no usable answer, 11 replay differs, 130 interrupted; all of them\n"
        "are in the man page.\n",
        to->file);
}
