/* The rules of gitignore(5) on text. */
#include "ignore.h"

#include <stdlib.h>
#include <string.h>

#include "glob.h"

void ignore_init(struct ignore *ig)
{
    *ig = (struct ignore){0};
}

void ignore_release(struct ignore *ig)
{
    ignore_drop(ig, 0);
    free(ig->rules);
    ignore_init(ig);
}

void ignore_drop(struct ignore *ig, size_t count)
{
    while (ig->count > count)
        free(ig->rules[--ig->count].pattern);
}

/* Spaces at the end do not count unless a backslash stands before them. */
static size_t trim_spaces(const char *line, size_t len)
{
    size_t keep = 0;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\\' && i + 1 < len)
            keep = ++i + 1;
        else if (line[i] != ' ')
            keep = i + 1;
    }
    return keep;
}

/* Takes one line apart. False: it holds no rule. `rule->pattern` still points into the line. */
static bool parse_line(char *line, size_t len, struct ignore_rule *rule)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    len = trim_spaces(line, len);
    if (len == 0 || line[0] == '#' || memchr(line, '\0', len))
        return false;
    rule->negated = line[0] == '!';
    line += rule->negated;
    len -= rule->negated;
    rule->dirs_only = len > 0 && line[len - 1] == '/';
    len -= rule->dirs_only;
    rule->anchored = memchr(line, '/', len) != NULL;
    if (len > 0 && line[0] == '/') {
        line++;
        len--;
    }
    line[len] = '\0';
    rule->pattern = line;
    return len > 0;
}

static int push_rule(struct ignore *ig, const struct ignore_rule *rule)
{
    if (ig->count == ig->size) {
        size_t size = ig->size ? ig->size * 2 : 32;
        struct ignore_rule *rules = realloc(ig->rules, size * sizeof *rules);
        if (!rules)
            return -1;
        ig->rules = rules;
        ig->size = size;
    }
    char *pattern = strdup(rule->pattern);
    if (!pattern)
        return -1;
    ig->rules[ig->count] = *rule;
    ig->rules[ig->count++].pattern = pattern;
    return 0;
}

int ignore_add(struct ignore *ig, size_t base_len, const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    int rc = 0;
    if (!copy)
        return -1;
    memcpy(copy, text, len);
    copy[len] = '\n';
    char *line = len >= 3 && memcmp(copy, "\xEF\xBB\xBF", 3) == 0 ? copy + 3 : copy;
    while (rc == 0 && line < copy + len) {
        char *end = memchr(line, '\n', (size_t)(copy + len + 1 - line));
        struct ignore_rule rule = {.base_len = base_len};
        if (parse_line(line, (size_t)(end - line), &rule)) {
            ig->cut = ig->cut || ig->count == IGNORE_RULES_MAX;
            rc = ig->cut ? 0 : push_rule(ig, &rule);
        }
        line = end + 1;
    }
    free(copy);
    return rc;
}

bool ignore_match(const struct ignore *ig, const char *path, bool is_dir)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = ig->count; i-- > 0;) {
        const struct ignore_rule *rule = &ig->rules[i];
        if (rule->dirs_only && !is_dir)
            continue;
        if (glob_match(rule->pattern, rule->anchored ? path + rule->base_len : name))
            return !rule->negated;
    }
    return false;
}
