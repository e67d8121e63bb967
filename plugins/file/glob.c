/* Globs on paths. Both wildcards need to remember only where the last one stood: if a match exists
 * at all, one exists in which every earlier wildcard took as little as it could. */
#include "glob.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "show.h"

/* A part of a path or pattern: what stands between two slashes. */
struct span {
    const char *at;
    const char *end;
};

/* One character; a byte that belongs to none counts as one of its own, apart from all others. */
static uint32_t span_take(struct span *s)
{
    uint32_t code;
    size_t n = show_char(s->at, (size_t)(s->end - s->at), &code);
    if (n == 0) {
        n = 1;
        code = 0x110000u + (unsigned char)*s->at;
    }
    s->at += n;
    return code;
}

static bool class_holds(const char *name, size_t len, uint32_t c)
{
    static const struct {
        const char *name;
        int (*test)(int);
    } classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
            return c < 128 && classes[i].test((int)c) != 0;
    }
    return false;
}

/* The text of "[:name:]" that p starts with, NULL when it starts with none; *p moves past it. */
static const char *take_class(struct span *p, size_t *len)
{
    if (p->end - p->at < 4 || p->at[0] != '[' || p->at[1] != ':')
        return NULL;
    const char *name = p->at + 2;
    for (const char *s = name; s + 1 < p->end; s++) {
        if (s[0] == ':' && s[1] == ']') {
            *len = (size_t)(s - name);
            p->at = s + 2;
            return name;
        }
    }
    return NULL;
}

/* p stands after "[". True when the bracket is closed; *holds tells whether c is in it, and p has
 * moved past "]". */
static bool take_bracket(struct span *p, uint32_t c, bool *holds)
{
    bool negated = p->at < p->end && (*p->at == '!' || *p->at == '^');
    bool found = false;
    p->at += negated;
    for (bool first = true; p->at < p->end && (first || *p->at != ']'); first = false) {
        size_t len;
        const char *name = take_class(p, &len);
        if (name) {
            found |= class_holds(name, len, c);
            continue;
        }
        if (*p->at == '\\' && ++p->at == p->end)
            return false;
        uint32_t low = span_take(p), high = low;
        if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
            p->at++;
            if (*p->at == '\\' && ++p->at == p->end)
                return false;
            high = span_take(p);
        }
        found |= low <= c && c <= high;
    }
    if (p->at == p->end)
        return false;
    p->at++;
    *holds = found != negated;
    return true;
}

/* Matches one character of s against one item of p; both move on only when it matches. */
static bool take_item(struct span *p, struct span *s)
{
    struct span item = *p, rest = *s;
    uint32_t c = span_take(&rest);
    bool holds;
    if (item.at == item.end)
        return false;
    if (*item.at == '?') {
        item.at++;
    } else if (*item.at == '[') {
        item.at++;
        if (!take_bracket(&item, c, &holds) || !holds)
            return false;
    } else {
        if (*item.at == '\\' && ++item.at == item.end)
            return false;
        if (span_take(&item) != c)
            return false;
    }
    *p = item;
    *s = rest;
    return true;
}

static bool match_part(struct span p, struct span s)
{
    struct span star_p = {0}, star_s = {0};
    while (s.at < s.end) {
        if (p.at < p.end && *p.at == '*') {
            p.at++;
            star_p = p;
            star_s = s;
        } else if (!take_item(&p, &s)) {
            if (!star_p.at)
                return false;
            (void)span_take(&star_s);
            p = star_p;
            s = star_s;
        }
    }
    while (p.at < p.end && *p.at == '*')
        p.at++;
    return p.at == p.end;
}

static struct span part_of(const char *path)
{
    return (struct span){path, path + strcspn(path, "/")};
}

static const char *after_part(struct span part)
{
    return *part.end == '/' ? part.end + 1 : part.end;
}

/* Two stars; git takes more for the same. */
static bool is_double_star(struct span part)
{
    size_t len = (size_t)(part.end - part.at);
    return len >= 2 && strspn(part.at, "*") >= len;
}

bool glob_match(const char *pattern, const char *path)
{
    const char *star_pattern = NULL, *star_path = NULL;
    while (*path) {
        struct span p = part_of(pattern), s = part_of(path);
        if (is_double_star(p)) {
            pattern = star_pattern = after_part(p);
            star_path = path;
            if (!*pattern)
                return true;
        } else if (*pattern && match_part(p, s)) {
            pattern = after_part(p);
            path = after_part(s);
        } else if (star_pattern) {
            path = star_path = after_part(part_of(star_path));
            pattern = star_pattern;
        } else {
            return false;
        }
    }
    return !*pattern;
}

/* The character after the item (escaped character, bracket, any other byte) at p. NULL: the
 * pattern ends inside it. */
static const char *skip_item(const char *p)
{
    if (*p == '\\')
        return p[1] ? p + 2 : NULL;
    if (*p != '[')
        return p + 1;
    struct span rest = {p + 1, p + 1 + strcspn(p + 1, "/")};
    bool holds;
    return take_bracket(&rest, 0, &holds) ? rest.at : NULL;
}

/* Finds the first group: *open at its brace, *close at the brace that ends it, *open NULL when
 * there is none. */
static int find_group(const char *p, const char **open, const char **close, const char **problem)
{
    int depth = 0;
    *open = *close = NULL;
    while (*p) {
        if (*p == '{' && depth++ == 0)
            *open = p;
        if (*p == '}' && depth > 0 && --depth == 0) {
            *close = p;
            return 0;
        }
        const char *next = skip_item(p);
        if (!next) {
            *problem = *p == '[' ? "a [ is not closed" : "it ends in a backslash";
            return -1;
        }
        p = next;
    }
    if (*open) {
        *problem = "a { is not closed";
        return -1;
    }
    return 0;
}

static int set_add(struct glob_set *set, const char *pattern, const char **problem)
{
    if (set->count == GLOB_SET_MAX) {
        *problem = "its braces stand for more than 256 patterns";
        return -1;
    }
    if (!(set->patterns[set->count] = strdup(pattern))) {
        *problem = "out of memory";
        return -1;
    }
    set->count++;
    return 0;
}

static int expand(struct glob_set *set, const char *pattern, const char **problem);

/* Expands `head` + one alternative + `tail`. */
static int expand_one(struct glob_set *set, struct span head, struct span middle, const char *tail,
                      const char **problem)
{
    struct bytes text;
    bytes_init(&text, GLOB_PATTERN_MAX);
    bytes_add(&text, head.at, (size_t)(head.end - head.at));
    bytes_add(&text, middle.at, (size_t)(middle.end - middle.at));
    bytes_text(&text, tail);
    int rc = -1;
    if (text.failed)
        *problem = "out of memory";
    else
        rc = expand(set, bytes_str(&text), problem);
    bytes_release(&text);
    return rc;
}

/* Recursion takes away one pair of braces a level, so it ends after GLOB_PATTERN_MAX / 2. */
static int expand(struct glob_set *set, const char *pattern, const char **problem)
{
    const char *open, *close;
    if (find_group(pattern, &open, &close, problem) != 0)
        return -1;
    if (!open)
        return set_add(set, pattern, problem);
    struct span head = {pattern, open};
    const char *from = open + 1;
    int depth = 0;
    for (const char *p = from; p <= close; p = skip_item(p)) {
        if (p == close || (*p == ',' && depth == 0)) {
            if (expand_one(set, head, (struct span){from, p}, close + 1, problem) != 0)
                return -1;
            if (p == close)
                break;
            from = p + 1;
        }
        depth += *p == '{';
        depth -= *p == '}';
    }
    return 0;
}

int glob_set_init(struct glob_set *set, const char *pattern, const char **problem)
{
    size_t len = strlen(pattern);
    *set = (struct glob_set){0};
    if (len == 0 || len > GLOB_PATTERN_MAX) {
        *problem = len == 0 ? "it is empty" : "it is longer than 1,024 bytes";
        return -1;
    }
    if (strncmp(pattern, "./", 2) == 0)
        pattern += 2;
    set->patterns = calloc(GLOB_SET_MAX, sizeof *set->patterns);
    if (!set->patterns) {
        *problem = "out of memory";
        return -1;
    }
    if (expand(set, pattern, problem) != 0) {
        glob_set_release(set);
        return -1;
    }
    for (size_t i = 0; i < set->count; i++) {
        char *end = set->patterns[i] + strlen(set->patterns[i]);
        if (end > set->patterns[i] + 1 && end[-1] == '/') {
            set->dirs = true;
            end[-1] = '\0';
        }
    }
    return 0;
}

void glob_set_release(struct glob_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        free(set->patterns[i]);
    free(set->patterns);
    *set = (struct glob_set){0};
}

bool glob_set_match(const struct glob_set *set, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < set->count; i++) {
        const char *pattern = set->patterns[i];
        bool whole = strchr(pattern, '/') || is_double_star(part_of(pattern));
        if (glob_match(pattern + (*pattern == '/'), whole ? path : name))
            return true;
    }
    return false;
}
