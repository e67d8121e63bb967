#include "options.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/tackle.h>

#include "cli.h"
#include "memory.h"
#include "suggest.h"

/* Options that are no settings of the library. */
static const struct option_row local_rows[] = {
    {.id = OPTION_API_KEY_FD,
     .name = "api-key-fd",
     .argument = "N",
     .group = "model",
     .help = "read the endpoint's key from descriptor N: --api-key-fd 3 3< <(pass show key)",
     .commands = " run resume chat models credits doctor "},
    {.id = OPTION_FORMAT,
     .name = "output-format",
     .argument = "FORMAT",
     .choices = "text|json|stream-json",
     .default_value = "text",
     .group = "output",
     .help = "text; one JSON object; or one event a line as JSON, the result last",
     .commands =
         " run resume tools plugins agents runs models credits config doctor wire policy version "},
    {.id = OPTION_OUTPUT,
     .letter = 'o',
     .path = true,
     .name = "output",
     .argument = "FILE",
     .group = "output",
     .help = "also write the final answer to FILE, whole or not at all",
     .commands = " run resume "},
    {.id = OPTION_JUNIT,
     .path = true,
     .name = "junit",
     .argument = "FILE",
     .group = "output",
     .help = "also write the run and its tool calls to FILE as JUnit XML",
     .commands = " run resume "},
    {.id = OPTION_CI,
     .name = "ci",
     .argument = "KIND",
     .choices = "auto|github|gitlab|none",
     .default_value = "auto",
     .group = "output",
     .help = "tell the CI system too: step summary and annotations on GitHub, sections on GitLab",
     .commands = " run resume "},
    {.id = OPTION_QUIET,
     .letter = 'q',
     .name = "quiet",
     .group = "output",
     .help = "show nothing but the answer and errors",
     .commands = " run resume chat demo runs "},
    {.id = OPTION_VERBOSE,
     .letter = 'v',
     .name = "verbose",
     .group = "output",
     .help = "also show thoughts, progress of tools, and what the run works with",
     .commands = " run resume chat demo runs "},
    {.id = OPTION_COLOUR,
     .name = "color",
     .argument = "WHEN",
     .choices = "auto|always|never",
     .default_value = "auto",
     .group = "output",
     .help = "use colours; NO_COLOR and FORCE_COLOR are respected"},
    {.id = OPTION_JSON,
     .name = "json",
     .group = "output",
     .help = "short for --output-format json",
     .commands = " doctor policy version "},
    {.id = OPTION_ORIGIN,
     .name = "origin",
     .group = "output",
     .help = "say where each value comes from",
     .commands = " config "},
    {.id = OPTION_OFFLINE,
     .name = "offline",
     .group = "output",
     .help = "do not ask the endpoint",
     .commands = " doctor "},
    {.id = OPTION_BARE,
     .name = "bare",
     .group = "state",
     .help = "read no configuration file, and no variable but those of the keys",
     .commands = " run resume chat tools plugins agents runs models credits config doctor "},
    {.id = OPTION_OLDER_THAN,
     .name = "older-than",
     .argument = "AGE",
     .group = "state",
     .help = "rm: all runs that began longer ago than this: 30d, 12h",
     .commands = " runs "},
    {.id = OPTION_CONTINUE,
     .name = "continue",
     .group = "state",
     .help = "go on with the newest run of this folder, with the prompt as the next message",
     .commands = " run "},
    {.id = OPTION_RESUME,
     .name = "resume",
     .argument = "RUN",
     .group = "state",
     .help = "the same with this run",
     .commands = " run "},
    {.id = OPTION_APPROVE,
     .name = "approve",
     .argument = "CALL|all",
     .group = "permissions",
     .help = "yes to a call that the run waits for (exit code 8 names it); may be repeated",
     .commands = " resume "},
    {.id = OPTION_REJECT,
     .name = "reject",
     .argument = "CALL|all",
     .group = "permissions",
     .help = "no to a call that the run waits for; may be repeated",
     .commands = " resume "},
    {.id = OPTION_FORK,
     .name = "fork",
     .group = "state",
     .help = "go on with a copy: as a new run, and the old one stays as it is",
     .commands = " run resume "},
    {.id = OPTION_KEEP,
     .name = "keep",
     .group = "demo",
     .help = "keep the repository that the demo makes",
     .commands = " demo "},
    {.id = OPTION_DIR,
     .path = true,
     .name = "dir",
     .argument = "DIR",
     .group = "demo",
     .help = "make the repository in DIR, which must be new or empty, and keep it",
     .commands = " demo "},
    {.id = OPTION_STATUS,
     .name = "status",
     .argument = "N",
     .default_value = "200",
     .group = "response",
     .help = "the HTTP status that the body came with",
     .commands = " wire "},
    {.id = OPTION_CONTENT_TYPE,
     .name = "content-type",
     .argument = "TYPE",
     .group = "response",
     .help = "the type that the body came with; taken and not believed, the bytes tell",
     .commands = " wire "},
    {.id = OPTION_CHUNK,
     .name = "chunk",
     .argument = "N|random",
     .group = "response",
     .help = "read N bytes at a time, or pieces of random size, as they come from a network",
     .commands = " wire "},
    {.id = OPTION_HELP, .letter = 'h', .name = "help", .group = "output", .help = "show this help"},
    {.id = OPTION_VERSION, .name = "version", .group = "output", .help = "show the version"},
};
#define LOCAL_COUNT (sizeof local_rows / sizeof *local_rows)

static char setting_letter(const char *key)
{
    static const struct {
        const char *key;
        char letter;
    } letters[] = {{"model", 'm'}, {"workspace", 'C'}, {"file", 'f'}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (strcmp(letters[i].key, key) == 0)
            return letters[i].letter;
    return 0;
}

static char *flag_name(const char *prefix, const char *key)
{
    char *name = memory_format("%s%s", prefix, key);
    for (char *at = name; *at; at++)
        if (*at == '_')
            *at = '-';
    return name;
}

static struct option_row setting_row(const tackle_setting *setting)
{
    bool is_bool = strcmp(setting->type, "bool") == 0;
    char *name = flag_name("", setting->key);
    return (struct option_row){
        .id = strcmp(setting->key, "file") == 0 ? OPTION_FILE : OPTION_SETTING,
        .letter = setting_letter(setting->key),
        .path = strcmp(setting->type, "path") == 0 || strcmp(setting->key, "file") == 0,
        .name = name,
        .negative = is_bool && strncmp(name, "no-", 3) != 0 ? flag_name("no-", name) : NULL,
        .key = setting->key,
        .argument = is_bool             ? NULL
                    : setting->argument ? setting->argument
                                        : "VALUE",
        .choices = is_bool ? NULL : setting->choices,
        .default_value = setting->default_value,
        .group = setting->group,
        .help = setting->help,
    };
}

void option_table_init(struct option_table *table)
{
    const tackle_setting *const *settings = tackle_settings();
    size_t count = 0;
    while (settings[count])
        count++;
    *table = (struct option_table){.settings = count, .count = count + LOCAL_COUNT};
    table->rows = must(calloc(table->count, sizeof *table->rows));
    for (size_t i = 0; i < count; i++)
        table->rows[i] = setting_row(settings[i]);
    memcpy(table->rows + count, local_rows, sizeof local_rows);
}

void option_table_release(struct option_table *table)
{
    for (size_t i = 0; i < table->settings; i++) { /* the others are static */
        free((char *)(uintptr_t)table->rows[i].name);
        free((char *)(uintptr_t)table->rows[i].negative);
    }
    free(table->rows);
    *table = (struct option_table){0};
}

bool option_applies(const struct option_row *row, const struct command *command)
{
    if (row->key)
        return command->groups != NULL;
    if (!row->commands)
        return true;
    char name[64];
    (void)snprintf(name, sizeof name, " %s ", command->name);
    return strstr(row->commands, name) != NULL;
}

/* ---- Parsing ---- */

struct parser {
    struct options *options;
    const struct option_table *table;
    char **argv;
    int argc, at;
    bool *used; /* by row */
    char *problem;
    const char *unknown; /* a command that there is not */
};

/* The first problem is the one to tell. */
__attribute__((format(printf, 2, 3))) static void note(struct parser *p, const char *format, ...)
{
    if (*p->problem)
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(p->problem, OPTION_PROBLEM_SIZE, format, args);
    va_end(args);
}

static bool is_name(const char *known, const char *name, size_t len)
{
    return known && strncmp(known, name, len) == 0 && known[len] == '\0';
}

static const struct option_row *find_long(const struct option_table *table, const char *name,
                                          size_t len, bool *negated)
{
    for (size_t i = 0; i < table->count; i++) {
        *negated = is_name(table->rows[i].negative, name, len);
        if (*negated || is_name(table->rows[i].name, name, len))
            return &table->rows[i];
    }
    return NULL;
}

static const struct option_row *find_letter(const struct option_table *table, char letter)
{
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].letter == letter)
            return &table->rows[i];
    return NULL;
}

static void note_unknown(struct parser *p, const char *name, size_t len)
{
    char word[64];
    (void)snprintf(word, sizeof word, "%.*s", (int)(len < 60 ? len : 60), name);
    if (is_name("api-key", name, len) || is_name("key", name, len)) {
        note(p, "a key is no argument, since every process can read those: export TACKLE_API_KEY, "
                "or use --api-key-file or --api-key-fd");
        return;
    }
    struct suggest near;
    suggest_init(&near, word);
    for (size_t i = 0; i < p->table->count; i++) {
        suggest_add(&near, p->table->rows[i].name);
        if (p->table->rows[i].negative)
            suggest_add(&near, p->table->rows[i].negative);
    }
    if (near.best)
        note(p, "unknown option --%s; did you mean --%s?", word, near.best);
    else
        note(p, "unknown option --%s; 'tackle help' shows what there is", word);
}

static bool is_choice(const char *choices, const char *value, size_t *index)
{
    size_t len = strlen(value);
    *index = 0;
    for (const char *at = choices; at; (*index)++) {
        const char *end = strchr(at, '|');
        if ((end ? (size_t)(end - at) : strlen(at)) == len && strncmp(at, value, len) == 0)
            return true;
        at = end ? end + 1 : NULL;
    }
    return false;
}

static void add_setting(struct options *o, const char *key, const char *value)
{
    o->settings = must(realloc(o->settings, (o->setting_count + 1) * sizeof *o->settings));
    o->settings[o->setting_count++] = (struct setting_text){key, value};
}

static void add_answer(struct options *o, const char *call, bool approve)
{
    o->answers = must(realloc(o->answers, (o->answer_count + 1) * sizeof *o->answers));
    o->answers[o->answer_count++] = (struct answer){call, approve};
}

static void add_text(const char ***list, size_t *count, const char *text)
{
    *list = must(realloc(*list, (*count + 2) * sizeof **list));
    (*list)[(*count)++] = text;
    (*list)[*count] = NULL;
}

/* `value` is NULL exactly for options without a value. */
static void take(struct parser *p, const struct option_row *row, const char *value, bool negated)
{
    struct options *o = p->options;
    size_t index = 0;
    p->used[row - p->table->rows] = true;
    /* The library checks its own settings. */
    if (!row->key && row->choices && value && !is_choice(row->choices, value, &index)) {
        note(p, "--%s: '%s' is not one of %s", row->name, value, row->choices);
        return;
    }
    switch (row->id) {
    case OPTION_SETTING:
        add_setting(o, row->key, value ? value : negated ? "false" : "true");
        break;
    case OPTION_FILE:
        add_text(&o->files, &o->file_count, value);
        break;
    case OPTION_FORMAT:
        o->format = (enum output_format)index;
        break;
    case OPTION_OUTPUT:
        o->output = value;
        break;
    case OPTION_JUNIT:
        o->junit = value;
        break;
    case OPTION_CI:
        o->ci = (enum ci_choice)index;
        break;
    case OPTION_QUIET:
        o->quiet = true;
        break;
    case OPTION_VERBOSE:
        o->verbose++;
        break;
    case OPTION_COLOUR:
        o->colour = (enum colour_choice)index;
        break;
    case OPTION_BARE:
        o->bare = true;
        break;
    case OPTION_HELP:
        o->help = true;
        break;
    case OPTION_VERSION:
        o->version = true;
        break;
    case OPTION_JSON:
        o->format = FORMAT_JSON;
        break;
    case OPTION_ORIGIN:
        o->origin = true;
        break;
    case OPTION_OFFLINE:
        o->offline = true;
        break;
    case OPTION_KEEP:
        o->keep = true;
        break;
    case OPTION_DIR:
        o->dir = value;
        break;
    case OPTION_CONTINUE:
        o->resume = "";
        break;
    case OPTION_RESUME:
        o->resume = value;
        break;
    case OPTION_APPROVE:
    case OPTION_REJECT:
        add_answer(o, value, row->id == OPTION_APPROVE);
        break;
    case OPTION_FORK:
        o->fork = true;
        break;
    case OPTION_OLDER_THAN:
        o->older_than = value;
        break;
    case OPTION_API_KEY_FD:
        o->api_key_fd = value;
        break;
    case OPTION_STATUS:
        o->status = value;
        break;
    case OPTION_CONTENT_TYPE:
        break;
    case OPTION_CHUNK:
        o->chunk = value;
        break;
    }
}

/* The value of an option that needs one: what is attached, or the next argument. A known long
 * option in its place is a value that was forgotten. */
static const char *value_of(struct parser *p, const struct option_row *row, const char *attached)
{
    bool negated;
    if (attached)
        return attached;
    const char *next = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;
    if (next && !(strncmp(next, "--", 2) == 0 && next[2] &&
                  find_long(p->table, next + 2, strcspn(next + 2, "="), &negated))) {
        p->at++;
        return next;
    }
    note(p, "--%s needs a value: --%s %s", row->name, row->name, row->argument);
    return NULL;
}

static void parse_long(struct parser *p, const char *name)
{
    bool negated;
    size_t len = strcspn(name, "=");
    const char *value = name[len] ? name + len + 1 : NULL;
    const struct option_row *row = find_long(p->table, name, len, &negated);
    if (!row) {
        note_unknown(p, name, len);
        return;
    }
    if (!row->argument) {
        if (value)
            note(p, "--%.*s takes no value", (int)len, name);
        else
            take(p, row, NULL, negated);
        return;
    }
    value = value_of(p, row, value);
    if (value)
        take(p, row, value, false);
}

static void parse_letters(struct parser *p, const char *letters)
{
    for (const char *at = letters; *at; at++) {
        const struct option_row *row = find_letter(p->table, *at);
        if (!row) {
            note(p, "unknown option -%c; 'tackle help' shows what there is", *at);
            return;
        }
        if (row->argument) {
            const char *value = value_of(p, row, at[1] ? at + 1 : NULL);
            if (value)
                take(p, row, value, false);
            return;
        }
        take(p, row, NULL, false);
    }
}

static void parse_word(struct parser *p, const char *word)
{
    struct options *o = p->options;
    if (o->command || p->unknown) {
        add_text(&o->words, &o->word_count, word);
        return;
    }
    o->command = command_find(word);
    if (o->command)
        return;
    p->unknown = word;
    if (strchr(word, ' ')) {
        note(p, "unknown command '%.60s'; to give a task, write: tackle run \"...\"", word);
        return;
    }
    struct suggest near;
    suggest_init(&near, word);
    for (size_t i = 0; commands[i]; i++)
        if (!commands[i]->hidden)
            suggest_add(&near, commands[i]->name);
    if (near.best)
        note(p, "unknown command '%.60s'; did you mean '%s'?", word, near.best);
    else
        note(p, "unknown command '%.60s'; 'tackle help' lists the commands", word);
}

static void check_used(struct parser *p)
{
    const struct command *command = p->options->command;
    for (size_t i = 0; command && i < p->table->count; i++)
        if (p->used[i] && !option_applies(&p->table->rows[i], command))
            note(p, "'tackle %s' takes no option --%s; see 'tackle help %s'", command->name,
                 p->table->rows[i].name, command->name);
}

int options_parse(struct options *options, const struct option_table *table, int argc, char **argv,
                  char problem[OPTION_PROBLEM_SIZE])
{
    *options = (struct options){0};
    *problem = '\0';
    struct parser p = {options, table, argv, argc, 1, NULL, problem, NULL};
    p.used = must(calloc(table->count, sizeof *p.used));
    bool words_only = false;
    for (; p.at < argc; p.at++) {
        const char *arg = argv[p.at];
        if (words_only || arg[0] != '-' || arg[1] == '\0')
            parse_word(&p, arg);
        else if (strcmp(arg, "--") == 0)
            words_only = options->dashes = true;
        else if (arg[1] == '-')
            parse_long(&p, arg + 2);
        else
            parse_letters(&p, arg + 1);
    }
    check_used(&p);
    free(p.used);
    return *problem ? -1 : 0;
}

void options_release(struct options *options)
{
    free(options->words);
    free(options->settings);
    free(options->files);
    free(options->answers);
    *options = (struct options){0};
}
