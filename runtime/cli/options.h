/* The one table of options: the settings of the library, and what only the command line knows.
 * Parsing, --help, completions and the man page all come from it. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "stream.h"

struct command;

enum option_id {
    OPTION_SETTING, /* goes to tackle_set() under `key` */
    OPTION_FILE,
    OPTION_FORMAT,
    OPTION_OUTPUT,
    OPTION_JUNIT,
    OPTION_CI,
    OPTION_QUIET,
    OPTION_VERBOSE,
    OPTION_COLOUR,
    OPTION_BARE,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_ORIGIN,
    OPTION_OFFLINE,
    OPTION_OLDER_THAN,
    OPTION_CONTINUE,
    OPTION_RESUME,
    OPTION_APPROVE,
    OPTION_REJECT,
    OPTION_FORK,
    OPTION_KEEP,
    OPTION_DIR,
    OPTION_API_KEY_FD,
    OPTION_STATUS,
    OPTION_CONTENT_TYPE,
    OPTION_CHUNK
};

struct option_row {
    enum option_id id;
    char letter;               /* 0: none */
    bool path;                 /* the value is a file or folder */
    const char *name;          /* "max-steps"; the table's */
    const char *negative;      /* "no-stream", for what can be switched off; the table's; or NULL */
    const char *key;           /* "max_steps"; NULL for options that are no setting */
    const char *argument;      /* "N"; NULL: takes no value */
    const char *choices;       /* "text|json"; NULL: any value */
    const char *default_value; /* for help; NULL: none */
    const char *group;         /* heading in help */
    const char *help;          /* one line */
    const char *commands;      /* " run demo ": who takes it; NULL: all (settings: all that have
                                  settings) */
};

struct option_table {
    struct option_row *rows; /* settings first, in the library's order; owned */
    size_t count;
    size_t settings; /* rows that are settings */
};

void option_table_init(struct option_table *table);
void option_table_release(struct option_table *table);

bool option_applies(const struct option_row *row, const struct command *command);

enum output_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_STREAM_JSON };

/* In the order of the choices of --ci. */
enum ci_choice { CI_AUTO, CI_GITHUB, CI_GITLAB, CI_NONE };

struct setting_text {
    const char *key;
    const char *value;
};

/* To a call that waits for one. */
struct answer {
    const char *call; /* "all": those that have no other */
    bool approve;
};

/* What was on the command line; all text is borrowed from argv and the table. */
struct options {
    const struct command *command; /* NULL: none was named */
    const char **words;            /* what follows the command; owned array, ended by NULL */
    size_t word_count;
    struct setting_text *settings; /* in the order given; owned array */
    size_t setting_count;
    const char **files; /* owned array, ended by NULL */
    size_t file_count;
    enum output_format format;
    const char *output; /* NULL: none */
    const char *junit;  /* NULL: none */
    enum ci_choice ci;
    enum colour_choice colour;
    const char *dir; /* demo --dir; NULL: none */
    bool fork;
    const char *resume;     /* run --resume, --continue (""); NULL: a new run */
    struct answer *answers; /* resume --approve, --reject; in the order given; owned array */
    size_t answer_count;
    const char *api_key_fd; /* NULL: none */
    const char *older_than; /* runs rm; NULL: none */
    const char *status;     /* wire --status, --chunk; NULL: none */
    const char *chunk;
    int verbose;
    bool dashes; /* "--" stood in front of some words */
    bool quiet, bare, help, version, origin, offline, keep;
};

#define OPTION_PROBLEM_SIZE 512

/* Reads argv[1..]. 0, or -1 with one line in `problem`; `options` is then filled as far as it made
 * sense, so that the error can be told in the format that was asked for. */
int options_parse(struct options *options, const struct option_table *table, int argc, char **argv,
                  char problem[OPTION_PROBLEM_SIZE]);
void options_release(struct options *options);

#endif
