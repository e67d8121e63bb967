/* The commands that only look something up: a runtime, one question, its JSON. */
#ifndef CLI_LOOKUP_H
#define CLI_LOOKUP_H

#include <jansson.h>

#include "cli.h"

/* One of the tackle_list_ or tackle_show_ functions. */
typedef int32_t lookup_fn(tackle_runtime *rt, char **json, tackle_error *error);

/* Asks. 0 and *out, which is the caller's; or the exit code, with the error told. */
int lookup(struct cli *cli, lookup_fn *ask, json_t **out);

/* The same with an argument: tackle_show_agent(), tackle_check_plugin(). */
typedef int32_t lookup_named_fn(tackle_runtime *rt, const char *name, char **json,
                                tackle_error *error);
int lookup_named(struct cli *cli, lookup_named_fn *ask, const char *name, json_t **out);

/* In a JSON format: prints what a lookup gave, or one element of it, and returns true. */
bool lookup_print(struct cli *cli, const json_t *value);

/* The element of an array of objects whose `key` is `text`, borrowed; NULL with the error told and
 * *code set. `what` is "tool" and the like. */
json_t *lookup_find(struct cli *cli, json_t *list, const char *key, const char *text,
                    const char *what, int *code);

/* The strings of an array with blanks between; malloc'd. */
char *lookup_join(const json_t *list);

/* "label  text" on standard output; nothing when there is no text. */
void lookup_field(struct cli *cli, const char *label, const char *text);

/* What a command with several actions can do: `tackle tools show NAME`. */
struct action {
    const char *name;   /* "show" */
    const char *wanted; /* what follows, for messages: "NAME"; "" when nothing does */
    size_t least, most; /* words that follow */
    int (*run)(struct cli *cli, const char **words);
};

/* Runs the action that the first word names, with the words after it (ended by NULL); without a
 * word, the first of the `count` actions. Returns the exit code. */
int action_run(struct cli *cli, const struct action *actions, size_t count);

#endif
