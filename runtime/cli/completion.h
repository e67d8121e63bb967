/* Completions for shells, from the tables of commands and options. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include <stdio.h>

#include "options.h"

void completion_bash(const struct option_table *table, FILE *to);
void completion_zsh(const struct option_table *table, FILE *to);
void completion_fish(const struct option_table *table, FILE *to);

#endif
