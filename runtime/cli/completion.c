#include "completion.h"

#include <string.h>

#include "cli.h"
#include "usage.h"

/* What the value of an option is, for the shell. */
enum value_kind { VALUE_NONE, VALUE_CHOICE, VALUE_DIR, VALUE_FILE, VALUE_OTHER };

static enum value_kind value_kind(const struct option_row *row)
{
    if (!row->argument)
        return VALUE_NONE;
    if (row->choices)
        return VALUE_CHOICE;
    if (row->path || strstr(row->argument, "PATH"))
        return strcmp(row->argument, "DIR") == 0 ? VALUE_DIR : VALUE_FILE;
    return VALUE_OTHER;
}

/* "a|b|c" with another separator. */
static void put_choices(const char *choices, char separator, FILE *to)
{
    for (; *choices; choices++)
        (void)fputc(*choices == '|' ? separator : *choices, to);
}

/* Text inside single quotes of a shell. `special` are further characters to get a backslash. */
static void put_quoted(const char *text, const char *special, FILE *to)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\'", to); /* close, an escaped quote, and open again below */
        else if (strchr(special, *text))
            (void)fputc('\\', to);
        (void)fputc(*text, to);
    }
}

static void put_command_names(FILE *to)
{
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            (void)fprintf(to, "%s%s", i ? " " : "", commands[i]->name);
}

/* What may follow the command as its first word. */
static void put_actions(const struct command *command, FILE *to)
{
    if (strcmp(command->name, "help") == 0)
        put_command_names(to);
    else
        (void)fputs(command->actions ? command->actions : "", to);
}

/* ---- bash ---- */

static void bash_flag_pattern(const struct option_row *row, FILE *to)
{
    (void)fprintf(to, "--%s", row->name);
    if (row->letter)
        (void)fprintf(to, "|-%c", row->letter);
}

static void bash_values(const struct option_table *table, FILE *to)
{
    (void)fputs("  case \"$prev\" in\n", to);
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        enum value_kind kind = value_kind(row);
        if (kind == VALUE_NONE)
            continue;
        (void)fputs("  ", to);
        bash_flag_pattern(row, to);
        (void)fputs(") ", to);
        if (kind == VALUE_CHOICE) {
            (void)fputs("mapfile -t COMPREPLY < <(compgen -W '", to);
            put_choices(row->choices, ' ', to);
            (void)fputs("' -- \"$cur\"); ", to);
        } else if (kind != VALUE_OTHER) {
            (void)fprintf(to, "mapfile -t COMPREPLY < <(compgen -%c -- \"$cur\"); ",
                          kind == VALUE_DIR ? 'd' : 'f');
        }
        (void)fputs("return ;;\n", to);
    }
    (void)fputs("  esac\n", to);
}

static void bash_words(const struct option_table *table, const struct command *command, FILE *to)
{
    (void)fprintf(to, "  %s) words='", command->name);
    put_actions(command, to);
    for (size_t i = 0; i < table->count; i++) {
        const struct option_row *row = &table->rows[i];
        if (!option_applies(row, command))
            continue;
        (void)fprintf(to, " --%s", row->name);
        if (row->negative)
            (void)fprintf(to, " --%s", row->negative);
    }
    (void)fputs("' ;;\n", to);
}

void completion_bash(const struct option_table *table, FILE *to)
{
    (void)fputs("# bash completion for tackle\n"
                "_tackle() {\n"
                "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                "  local command='' words='' word\n"
                "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                "    case \"$word\" in\n"
                "    ",
                to);
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            (void)fprintf(to, "%s%s", i ? "|" : "", commands[i]->name);
    (void)fputs(") command=$word; break ;;\n    esac\n  done\n", to);
    bash_values(table, to);
    (void)fputs("  case \"$command\" in\n  '') words='", to);
    put_command_names(to);
    (void)fputs(" --help --version' ;;\n", to);
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            bash_words(table, commands[i], to);
    (void)fputs("  esac\n"
                "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                "}\n"
                "complete -o default -F _tackle tackle\n",
                to);
}

/* ---- zsh ---- */

static void zsh_value(const struct option_row *row, FILE *to)
{
    enum value_kind kind = value_kind(row);
    if (kind == VALUE_NONE)
        return;
    (void)fputc(':', to);
    put_quoted(row->argument, ":\\[]", to);
    (void)fputc(':', to);
    if (kind == VALUE_CHOICE) {
        (void)fputc('(', to);
        put_choices(row->choices, ' ', to);
        (void)fputc(')', to);
    } else if (kind != VALUE_OTHER) {
        (void)fputs(kind == VALUE_DIR ? "_files -/" : "_files", to);
    }
}

static void zsh_spec(const char *flag, const struct option_row *row, const char *suffix, FILE *to)
{
    (void)fprintf(to, " \\\n      '*%s%s[", flag, suffix);
    put_quoted(row->help, ":\\[]", to);
    (void)fputc(']', to);
    zsh_value(row, to);
    (void)fputc('\'', to);
}

static void zsh_option(const struct option_row *row, FILE *to)
{
    char flag[80];
    (void)snprintf(flag, sizeof flag, "--%s", row->name);
    zsh_spec(flag, row, row->argument ? "=" : "", to);
    if (row->letter) {
        (void)snprintf(flag, sizeof flag, "-%c", row->letter);
        zsh_spec(flag, row, row->argument ? "+" : "", to);
    }
    if (row->negative) {
        (void)snprintf(flag, sizeof flag, "--%s", row->negative);
        zsh_spec(flag, row, "", to);
    }
}

void completion_zsh(const struct option_table *table, FILE *to)
{
    (void)fputs("#compdef tackle\n"
                "_tackle() {\n"
                "  local -a commands=(\n",
                to);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden)
            continue;
        (void)fprintf(to, "    '%s:", commands[i]->name);
        put_quoted(commands[i]->summary, ":", to);
        (void)fputs("'\n", to);
    }
    (void)fputs("  )\n"
                "  if (( CURRENT == 2 )); then\n"
                "    _describe command commands\n"
                "    return\n"
                "  fi\n"
                "  shift words\n"
                "  (( CURRENT-- ))\n"
                "  case \"$words[1]\" in\n",
                to);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden)
            continue;
        (void)fprintf(to, "  %s)\n    _arguments", commands[i]->name);
        for (size_t j = 0; j < table->count; j++)
            if (option_applies(&table->rows[j], commands[i]))
                zsh_option(&table->rows[j], to);
        if (commands[i]->actions || strcmp(commands[i]->name, "help") == 0) {
            (void)fputs(" \\\n      '1:what:(", to);
            put_actions(commands[i], to);
            (void)fputs(")'", to);
        }
        (void)fputs(" \\\n      '*:argument:_files'\n    ;;\n", to);
    }
    (void)fputs("  esac\n"
                "}\n"
                "compdef _tackle tackle\n",
                to);
}

/* ---- fish ---- */

static void fish_option(const struct option_row *row, const struct command *command, FILE *to)
{
    enum value_kind kind = value_kind(row);
    (void)fprintf(to, "complete -c tackle -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                  row->name);
    if (row->letter)
        (void)fprintf(to, " -s %c", row->letter);
    if (kind == VALUE_CHOICE) {
        (void)fputs(" -x -a '", to);
        put_choices(row->choices, ' ', to);
        (void)fputc('\'', to);
    } else if (kind == VALUE_DIR) {
        (void)fputs(" -x -a '(__fish_complete_directories)'", to);
    } else if (kind != VALUE_NONE) {
        (void)fputs(kind == VALUE_FILE ? " -r -F" : " -x", to);
    }
    (void)fputs(" -d '", to);
    for (const char *at = row->help; *at; at++) /* fish escapes quotes inside quotes */
        (void)fprintf(to, "%s%c", *at == '\'' || *at == '\\' ? "\\" : "", *at);
    (void)fputs("'\n", to);
    if (row->negative)
        (void)fprintf(to, "complete -c tackle -n '__fish_seen_subcommand_from %s' -l %s\n",
                      command->name, row->negative);
}

void completion_fish(const struct option_table *table, FILE *to)
{
    (void)fputs("# fish completion for tackle\ncomplete -c tackle -f -n __fish_use_subcommand "
                "-l help\ncomplete -c tackle -f -n __fish_use_subcommand -l version\n",
                to);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->hidden)
            continue;
        (void)fprintf(to, "complete -c tackle -f -n __fish_use_subcommand -a %s -d '",
                      commands[i]->name);
        put_quoted(commands[i]->summary, "", to);
        (void)fputs("'\n", to);
        for (size_t j = 0; j < table->count; j++)
            if (option_applies(&table->rows[j], commands[i]))
                fish_option(&table->rows[j], commands[i], to);
        if (!commands[i]->actions && strcmp(commands[i]->name, "help") != 0)
            continue;
        (void)fprintf(to, "complete -c tackle -f -n '__fish_seen_subcommand_from %s' -a '",
                      commands[i]->name);
        put_actions(commands[i], to);
        (void)fputs("'\n", to);
    }
}
