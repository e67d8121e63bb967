/* A glob is matched as the automaton that its text already is: a state is a place in the text, and
 * the set of places that are possible moves along the path, one byte at a time. Steps that take no
 * byte lead forward only, so one pass from left to right finds them all, and nothing is tried twice
 * however hostile the glob. */
#include "base/glob.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DEPTH_MAX 16 /* of braces in braces */

enum kind {
    BYTE,  /* this byte */
    STAR,  /* any bytes but a slash */
    PARTS, /* any number of whole parts, with the slash behind them */
    REST,  /* all that is left */
    ANY,   /* one character but a slash */
    CLASS, /* one character of a class */
    OPEN,  /* the brace before alternatives; link: the comma or brace that ends the first */
    COMMA, /* the end of one; next: behind the braces; link: the end of the next one */
    CLOSE, /* the brace behind the last */
    END
};

struct place {
    uint8_t kind;
    char byte;     /* BYTE */
    uint16_t next; /* the place behind this one */
    uint16_t link;
};

struct program {
    const char *text;
    size_t len;
    bool slash;                        /* it is about whole paths */
    struct place places[GLOB_MAX + 1]; /* used where something begins */
};

/* ---- From text to places ---- */

/* The length of "[...]", 0 when it is malformed. A ] that comes first is one of the class. */
static size_t class_length(const char *at)
{
    const char *c = at + 1;
    c += *c == '!' || *c == '^';
    c += *c == ']';
    for (; *c && *c != ']' && *c != '/'; c++)
        if ((unsigned char)*c >= 0x80)
            return 0;
    return *c == ']' ? (size_t)(c - at) + 1 : 0;
}

/* The length of the stars at `at`, and what they stand for. */
static size_t read_stars(struct program *p, size_t at, uint8_t *kind)
{
    const char *text = p->text;
    size_t len = strspn(text + at, "*");
    bool first = at == 0 || strchr("/{,", text[at - 1]);
    *kind = STAR;
    if (len < 2 || !first)
        return len;
    if (at + len == p->len || strchr(",}", text[at + len])) {
        *kind = REST;
        return len;
    }
    if (text[at + len] != '/')
        return len;
    *kind = PARTS;
    p->slash = true;
    return len + 1;
}

/* Reads one place but the links of braces. The number of bytes it takes, 0 when it is malformed. */
static size_t read_place(struct program *p, size_t at)
{
    const char *text = p->text + at;
    struct place *place = &p->places[at];
    size_t len = 1;
    place->kind = BYTE;
    place->byte = *text;
    if (*text == '*') {
        len = read_stars(p, at, &place->kind);
    } else if (*text == '?') {
        place->kind = ANY;
    } else if (*text == '[') {
        place->kind = CLASS;
        len = class_length(text);
    } else if (*text == '{') {
        place->kind = OPEN;
    } else if (*text == '\\') {
        place->byte = text[1];
        len = at + 1 < p->len ? 2 : 0;
    }
    p->slash = p->slash || (place->kind == BYTE && place->byte == '/');
    place->next = (uint16_t)(at + len);
    return len;
}

struct brace {
    size_t open;
    size_t last; /* the brace or comma before the alternative that is being read */
};

/* A comma or a closing brace. */
static void end_alternative(struct program *p, struct brace *brace, size_t at)
{
    bool closes = p->text[at] == '}';
    p->places[at].kind = closes ? CLOSE : COMMA;
    p->places[at].next = (uint16_t)(at + 1);
    p->places[brace->last].link = (uint16_t)at;
    brace->last = at;
    for (size_t i = p->places[brace->open].link; closes && i != at; i = p->places[i].link)
        p->places[i].next = (uint16_t)(at + 1);
}

/* Anchors and the slash at the end are gone. 0 or -1. */
static int read_places(struct program *p)
{
    struct brace braces[DEPTH_MAX];
    size_t depth = 0, at = 0;
    while (at < p->len) {
        if (depth > 0 && strchr(",}", p->text[at])) {
            end_alternative(p, &braces[depth - 1], at);
            depth -= p->text[at++] == '}';
            continue;
        }
        size_t len = read_place(p, at);
        if (len == 0 || len > p->len - at || (p->places[at].kind == OPEN && depth == DEPTH_MAX))
            return -1;
        if (p->places[at].kind == OPEN)
            braces[depth++] = (struct brace){at, at};
        at += len;
    }
    p->places[at].kind = END;
    return depth == 0 ? 0 : -1;
}

static int read_glob(struct program *p, const char *glob)
{
    p->len = strnlen(glob, GLOB_MAX + 1);
    p->slash = *glob == '/';
    p->text = glob + p->slash;
    p->len -= p->slash;
    if (p->len > 1 && p->text[p->len - 1] == '/' && p->text[p->len - 2] != '\\')
        p->len--;
    return p->len == 0 || p->len > GLOB_MAX ? -1 : read_places(p);
}

int glob_check(const char *glob, struct err *err)
{
    struct program program;
    if (read_glob(&program, glob) == 0)
        return 0;
    return err_set(err, ERR_USAGE,
                   "'%.200s' is no glob: 1 to %d bytes, [a-z] and {a,b} closed, classes of ASCII",
                   glob, GLOB_MAX);
}

/* ---- Matching ---- */

static bool in_class(const char *at, char c)
{
    const char *end = at + class_length(at) - 1;
    bool no = at[1] == '!' || at[1] == '^';
    bool found = false;
    for (at += 1 + no; at < end; at++) {
        if (at[1] == '-' && at + 2 < end) {
            found = found || (at[0] <= c && c <= at[2]);
            at += 2;
        } else {
            found = found || *at == c;
        }
    }
    return found != no;
}

/* Adds to the set what can be reached without taking a byte. */
static void spread(const struct program *p, bool *set, bool part_begins)
{
    for (size_t at = 0; at < p->len; at++) {
        const struct place *place = &p->places[at];
        if (!set[at])
            continue;
        switch (place->kind) {
        case STAR:
        case REST:
        case COMMA:
        case CLOSE:
            set[place->next] = true;
            break;
        case PARTS:
            set[place->next] = set[place->next] || part_begins;
            break;
        case OPEN:
            set[place->next] = true;
            for (size_t i = place->link; p->places[i].kind == COMMA; i = p->places[i].link)
                set[i + 1] = true;
            break;
        default:
            break;
        }
    }
}

/* From `at` over the byte c of a path into the set `to`. A character of several bytes is taken with
 * its last one. */
static void take(const struct program *p, size_t at, char c, bool is_last, bool *to)
{
    const struct place *place = &p->places[at];
    bool ascii = (unsigned char)c < 0x80;
    switch (place->kind) {
    case BYTE:
        to[place->next] = to[place->next] || place->byte == c;
        break;
    case STAR:
        to[at] = to[at] || c != '/';
        break;
    case PARTS:
    case REST:
        to[at] = true;
        break;
    case CLASS:
        if (c == '/' || !in_class(p->text + at, ascii ? c : '\0'))
            break;
        /* fall through */
    case ANY:
        if (c != '/')
            to[is_last ? place->next : at] = true;
        break;
    default:
        break;
    }
}

/* Moves every place of a set over one byte; false when none is left. */
static bool step(const struct program *p, const bool *from, char c, bool is_last, bool *to)
{
    memset(to, 0, p->len + 1);
    for (size_t at = 0; at < p->len; at++)
        if (from[at])
            take(p, at, c, is_last, to);
    return memchr(to, true, p->len + 1) != NULL;
}

static bool match(const struct program *p, const char *path)
{
    bool sets[2][GLOB_MAX + 1];
    size_t i = 0;
    memset(sets[0], 0, p->len + 1);
    sets[0][0] = true;
    for (; path[i]; i++) {
        bool *from = sets[i % 2], *to = sets[(i + 1) % 2];
        spread(p, from, i == 0 || path[i - 1] == '/');
        if (!step(p, from, path[i], ((unsigned char)path[i + 1] & 0xc0) != 0x80, to))
            return false;
    }
    spread(p, sets[i % 2], false);
    return sets[i % 2][p->len];
}

bool glob_path(const char *glob, const char *path)
{
    struct program program;
    if (read_glob(&program, glob))
        return false;
    const char *name = program.slash ? NULL : strrchr(path, '/');
    return match(&program, name ? name + 1 : path);
}
