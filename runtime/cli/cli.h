/* What the subcommands share: the context they get, what they are, and how errors end them. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include <tackle/tackle.h>

#include "options.h"
#include "stream.h"

struct cli {
    struct stream out, err;
    struct option_table table;
    struct options options;
};

/* One subcommand is one file, cmd_NAME.c, and one row in commands.c. */
struct command {
    const char *name;
    const char *usage;    /* what follows the name: "[PROMPT]" */
    const char *summary;  /* one line */
    const char *details;  /* more, for its help and the man page; NULL: none */
    const char *examples; /* command lines, one a line, "# ..." explains; NULL: none */
    const char *groups;   /* " model input ": the groups of settings that its help shows, "*": all;
                             NULL: it takes no settings */
    const char *actions;  /* "ls show": the words that may come next; NULL: any */
    bool hidden;
    int (*run)(struct cli *cli); /* returns the exit code */
};

/* All of them, ended by NULL. */
extern const struct command *const commands[];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);

/* The command line as a function. Returns the exit code. */
int cli_main(int argc, char **argv);

/* Tells an error in the format asked for (JSON: a result object on standard output, besides the
 * line for people) and returns its exit code. */
int cli_fail(struct cli *cli, const tackle_error *error);

/* The same for a wrong command line: exit code 2. */
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fills in an error of the command line's own. */
void cli_error(tackle_error *error, int32_t exit_code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* One line on standard error: "tackle: message". */
void cli_complain(struct cli *cli, const char *message);

/* A runtime with the settings of the command line, and the keys of the environment. 0, or -1. */
int cli_runtime_bare(struct cli *cli, tackle_runtime **out, tackle_error *error);

/* A runtime with the settings of the command line and the user's configuration. 0, or -1. */
int cli_runtime(struct cli *cli, tackle_runtime **out, tackle_error *error);

/* Reads text from standard input or another descriptor to its end; malloc'd. NULL with `error`. */
char *cli_read_all(int fd, const char *what, tackle_error *error);

/* Reads any bytes, at most `most` of them; malloc'd, with a zero byte behind them. */
char *cli_read_bytes(int fd, const char *what, size_t most, size_t *len, tackle_error *error);

/* The exit code when some of standard output may be lost: 141 when its reader went away, 13 when it
 * cannot be written and `code` was no failure; else `code`. */
int cli_output_code(const struct cli *cli, int code);

/* The words after the command must be `least` to `most` many; `wanted` says what they are. 0, or
 * the exit code after telling. */
int cli_check_words(struct cli *cli, size_t least, size_t most, const char *wanted);

#endif
