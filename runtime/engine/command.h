/* Commands as rules see them. What a rule allows must be plain to both us and a shell: a text with
 * anything else than plain words joined by && || | ; or a newline is not understood, and then no
 * pattern allows it. What a rule denies is looked for anywhere, also in the words of other words.
 */
#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define COMMAND_TEXT_MAX   (256u << 10)
#define COMMAND_TOKENS_MAX 64

/* What one program is called with: words[first..first + count). */
struct command_part {
    size_t first, count;
};

struct command {
    bool understood;
    bool has_code; /* runs code that is written in it: sh -c, python -e, eval */
    char *text;    /* owned: as a person would write it */
    char **words;  /* owned, each owned: of the parts; none when it is not understood */
    size_t word_count;
    struct command_part *parts; /* owned */
    size_t part_count;
    char **loose; /* owned, each owned: all that may be a word in it, whatever stands around */
    size_t loose_count;
};

/* A line of shell; the argument vector of one program, an array of texts. 0, or -1 with ERR_LIMIT
 * or ERR_NOMEM. Release in any case. */
int command_read_shell(struct command *c, const char *text, size_t len, struct err *err);
int command_read_argv(struct command *c, const json_t *argv, struct err *err);
void command_release(struct command *c);

/* A pattern: words, each may be alternatives `a|b`, the last one may be `...`. */
struct command_pattern {
    char **tokens; /* owned, each owned: alternatives with newlines between */
    size_t count;
    bool open; /* ends in `...`: any more words may follow */
};

/* From "git log|diff ...", or from ["git", ["log", "diff"], "..."]. ERR_USAGE with what is wrong
 * and what would be right. */
int command_pattern_parse(struct command_pattern *p, const char *text, struct err *err);
int command_pattern_from_json(struct command_pattern *p, const json_t *list, struct err *err);
void command_pattern_release(struct command_pattern *p);

/* Is the part this pattern, word by word? A bare name is no path: `git`, which a host finds in its
 * fixed PATH, is not ./git. With `any_program` the first word is the caller's to compare. What an
 * open pattern leaves open does not take git's options that run programs or write other files. */
bool command_is(const struct command *c, size_t part, const struct command_pattern *p,
                bool any_program);

/* May what the pattern describes be run by the command, as far as its words tell? The pattern is
 * then a beginning, and options may stand between its words: `git push` is in `git -C x push f`.
 * The program may be named by any path. */
bool command_mentions(const struct command *c, const struct command_pattern *p);

#endif
