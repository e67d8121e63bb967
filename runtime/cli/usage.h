/* What --help shows, from the tables of commands and options. */
#ifndef CLI_USAGE_H
#define CLI_USAGE_H

#include "cli.h"

/* The few lines for `tackle` alone. */
void usage_short(struct stream *to);

/* All commands and where to look further. */
void usage_full(struct stream *to);

/* One command with its options, examples first. */
void usage_command(struct cli *cli, const struct command *command, struct stream *to);

/* Is this option shown in the command's help? (More may be accepted: see option_applies.) */
bool usage_shows(const struct option_row *row, const struct command *command);

/* What help says of the default: "50", "on"; NULL when there is nothing to say. */
const char *usage_default(const struct option_row *row);

/* "-m, --model [PROVIDER/]MODEL" or "--[no-]stream". malloc'd. */
char *usage_flag(const struct option_row *row);

#endif
