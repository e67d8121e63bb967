/* The rules of gitignore(5) on text: no file is opened here. Rules lie in one stack; the last that
 * matches decides, so a deeper file's rules, added later, win over those above it. Where git and
 * its manual disagree ("a**" reaches below a/ in git 2.39), the manual is followed. */
#ifndef FILE_IGNORE_H
#define FILE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#define IGNORE_RULES_MAX 20000
#define IGNORE_FILE_MAX  (256u << 10) /* bytes of one ignore file that are read */

struct ignore_rule {
    char *pattern;   /* owned; without "!", the slash in front and the slash at the end */
    size_t base_len; /* bytes of a path up to the directory the rule is about, its slash included */
    bool negated;
    bool dirs_only;
    bool anchored; /* matched against the path below the base, else against the last part */
};

struct ignore {
    struct ignore_rule *rules; /* owned */
    size_t count;
    size_t size;
    bool cut; /* rules past IGNORE_RULES_MAX were left out */
};

void ignore_init(struct ignore *ig);
void ignore_release(struct ignore *ig);

/* Adds the rules of one file. The paths that are asked about start with the path of its directory:
 * `base_len` bytes of them, the slash included, 0 at the top. 0, or -1 when out of memory. */
int ignore_add(struct ignore *ig, size_t base_len, const char *text, size_t len);

/* Drops the rules added since ig->count was `count`: the walk has left their directory. */
void ignore_drop(struct ignore *ig, size_t count);

/* Is this path, which lies under the bases of all rules, ignored? Its parents are taken as not
 * ignored: a walk that does not enter what is ignored never asks about the rest. */
bool ignore_match(const struct ignore *ig, const char *path, bool is_dir);

#endif
