/* The search: a filter of 64 Ki bits over the first three bytes of all patterns, one look at it for
 * each byte of a text; behind it, chains of the patterns that begin so. */
#include "base/redact.h"

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "base/locked.h"
#include "base/redact_forms.h"
#include "base/redact_variants.h"

#define FILTER_BITS  16u
#define GRAM         3u /* bytes that the filter looks at */
#define PATTERNS_MAX (REDACT_TOKENS + REDACT_SECRETS_MAX * REDACT_VARIANTS)

struct pattern {
    const char *bytes; /* in locked memory; of a token its prefix */
    size_t len;
    const char *label;                /* "[redacted:NAME]" */
    const struct redact_token *token; /* NULL: a value */
    bool wraps;                       /* line breaks within it do not count */
    uint32_t next;                    /* in its chain: index + 1, 0 ends it */
};

struct redact {
    uint8_t filter[(1u << FILTER_BITS) / 8];
    uint32_t chains[1u << 10];      /* index + 1 of the first, 0: none */
    bool first[256];                /* the first bytes of all patterns */
    uint8_t second[(1u << 16) / 8]; /* and the first two: a bit each */
    struct pattern *patterns;       /* owned */
    size_t count, size;
    size_t secrets;
    struct locked memory;
};

static uint32_t gram_of(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16;
}

static unsigned pair_of(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    return s[0] | (unsigned)s[1] << 8;
}

static uint32_t hash(uint32_t gram)
{
    return gram * UINT32_C(0x9E3779B1) >> (32 - FILTER_BITS);
}

/* ---- The set ---- */

static int add_pattern(struct redact *set, const struct pattern *p)
{
    if (set->count == set->size) {
        size_t size = set->size ? set->size * 2 : 64;
        struct pattern *patterns = realloc(set->patterns, size * sizeof *patterns);
        if (!patterns)
            return -1;
        set->patterns = patterns;
        set->size = size;
    }
    uint32_t h = hash(gram_of(p->bytes));
    uint32_t *chain = &set->chains[h % (sizeof set->chains / sizeof *set->chains)];
    set->patterns[set->count] = *p;
    set->patterns[set->count].next = *chain;
    *chain = (uint32_t)++set->count;
    set->filter[h / 8] |= (uint8_t)(1u << h % 8);
    set->first[(unsigned char)p->bytes[0]] = true;
    set->second[pair_of(p->bytes) / 8] |= (uint8_t)(1u << pair_of(p->bytes) % 8);
    return 0;
}

struct redact *redact_new(void)
{
    struct redact *set = calloc(1, sizeof *set);
    for (size_t i = 0; set && i < REDACT_TOKENS; i++) {
        const struct redact_token *t = &redact_tokens[i];
        const struct pattern p = {
            .bytes = t->prefix, .len = strlen(t->prefix), .label = t->label, .token = t};
        if (add_pattern(set, &p) != 0) {
            redact_free(set);
            return NULL;
        }
    }
    return set;
}

void redact_free(struct redact *set)
{
    if (!set)
        return;
    locked_release(&set->memory);
    free(set->patterns);
    free(set);
}

static bool is_known(const struct redact *set, const char *bytes, size_t len)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct pattern *p = &set->patterns[i];
        if (!p->token && p->len == len && memcmp(p->bytes, bytes, len) == 0)
            return true;
    }
    return false;
}

struct adding {
    struct redact *set;
    const char *label;
};

static int add_variant(void *user, const char *bytes, size_t len, bool wraps)
{
    const struct adding *a = user;
    if (len < REDACT_VALUE_MIN || is_known(a->set, bytes, len))
        return 0;
    const char *copy = locked_copy(&a->set->memory, bytes, len);
    const struct pattern p = {.bytes = copy, .len = len, .label = a->label, .wraps = wraps};
    return copy ? add_pattern(a->set, &p) : -1;
}

/* The name stands in JSON, in XML and in front of people. */
static const char *make_label(struct redact *set, const char *name)
{
    char label[REDACT_NAME_MAX + sizeof "[redacted:]"];
    size_t n = strnlen(name, REDACT_NAME_MAX);
    (void)snprintf(label, sizeof label, "[redacted:%.*s]", (int)n, name);
    for (char *c = label + sizeof "[redacted:" - 1; n > 0; c++, n--)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-", *c))
            *c = '_';
    return locked_copy(&set->memory, label, strlen(label));
}

int redact_add(struct redact *set, const char *name, const char *value)
{
    static const char blanks[] = " \t\r\n";
    value += strspn(value, blanks);
    size_t len = strlen(value);
    while (len > 0 && strchr(blanks, value[len - 1]))
        len--;
    if (len > REDACT_VALUE_MAX)
        len = REDACT_VALUE_MAX;
    if (len < REDACT_VALUE_MIN || is_known(set, value, len))
        return 0;
    struct adding adding = {.set = set, .label = make_label(set, name)};
    if (set->secrets == REDACT_SECRETS_MAX || !adding.label)
        return -1;
    set->secrets++;
    return redact_variants(value, len, add_variant, &adding);
}

/* ---- Is there something at this place? ---- */

/* A line break in the middle of base64, in JSON as well. How long it is, 0: none, SIZE_MAX: the
 * text ends within what may be one. */
static size_t break_len(const char *text, size_t len)
{
    static const char *const breaks[] = {"\n", "\r\n", "\\n", "\\r\\n"};
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        size_t n = strlen(breaks[i]);
        if (memcmp(text, breaks[i], n < len ? n : len) == 0)
            return n <= len ? n : SIZE_MAX;
    }
    return 0;
}

static enum redact_match match_wrapped(const struct pattern *p, const char *text, size_t len,
                                       struct redact_span *out)
{
    bool broken = false;
    size_t at = 0;
    for (size_t i = 0; i < p->len;) {
        if (at == len)
            return MATCH_PART;
        if (text[at] == p->bytes[i]) {
            at++, i++;
            broken = false;
            continue;
        }
        size_t skip = i == 0 || broken ? 0 : break_len(text + at, len - at);
        if (skip == 0 || skip == SIZE_MAX)
            return skip == 0 ? MATCH_NONE : MATCH_PART;
        at += skip;
        broken = true;
    }
    *out = (struct redact_span){.len = at};
    return MATCH_FULL;
}

static enum redact_match match_value(const struct pattern *p, const char *text, size_t len,
                                     struct redact_span *out)
{
    if (p->wraps)
        return match_wrapped(p, text, len, out);
    if (memcmp(text, p->bytes, p->len < len ? p->len : len) != 0)
        return MATCH_NONE;
    *out = (struct redact_span){.len = p->len};
    return p->len <= len ? MATCH_FULL : MATCH_PART;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

/* A token begins where a word does. The n of "\n" in JSON is none. */
static bool begins_word(const char *text, size_t at)
{
    return at == 0 || !is_word(text[at - 1]) ||
           (at > 1 && text[at - 2] == '\\' && strchr("ntrbf", text[at - 1]));
}

static enum redact_match match_token(const struct redact_token *t, const char *text, size_t at,
                                     size_t len, bool whole, struct redact_span *out)
{
    size_t left = len - at, prefix = strlen(t->prefix);
    if (memcmp(text + at, t->prefix, prefix < left ? prefix : left) != 0 ||
        (!t->anywhere && !begins_word(text, at)))
        return MATCH_NONE;
    if (left < prefix)
        return MATCH_PART;
    if (left > REDACT_TOKEN_MAX) {
        left = REDACT_TOKEN_MAX;
        whole = true;
    }
    return t->match(t, text + at, left, whole, out);
}

struct hit {
    size_t at; /* where it begins; of a part, from where on nothing is known */
    struct redact_span span;
    const struct pattern *pattern;
};

static enum redact_match match_pattern(const struct pattern *p, const char *text, size_t at,
                                       size_t len, bool whole, struct redact_span *out)
{
    return p->token ? match_token(p->token, text, at, len, whole, out)
                    : match_value(p, text + at, len - at, out);
}

/* The longest pattern at this place; values go first, being sure. */
static enum redact_match match_at(const struct redact *set, const char *text, size_t at, size_t len,
                                  bool whole, struct hit *hit)
{
    uint32_t chain =
        set->chains[hash(gram_of(text + at)) % (sizeof set->chains / sizeof *set->chains)];
    *hit = (struct hit){.at = at};
    for (; chain; chain = set->patterns[chain - 1].next) {
        const struct pattern *p = &set->patterns[chain - 1];
        struct redact_span span = {0};
        enum redact_match match = match_pattern(p, text, at, len, whole, &span);
        if (match == MATCH_PART && !whole)
            return MATCH_PART;
        bool better = !hit->pattern || (!p->token && hit->pattern->token) ||
                      (!p->token == !hit->pattern->token && span.len > hit->span.len);
        if (match == MATCH_FULL && better) {
            hit->span = span;
            hit->pattern = p;
        }
    }
    return hit->pattern ? MATCH_FULL : MATCH_NONE;
}

static bool is_filtered(const struct redact *set, uint32_t gram)
{
    uint32_t h = hash(gram);
    return !(set->filter[h / 8] & 1u << h % 8);
}

/* The first place from `at` on whose bytes begin a pattern: where to look closer. */
static size_t skip(const struct redact *set, const char *text, size_t at, size_t len)
{
    uint32_t word;
    for (; at + sizeof word <= len; at++) {
        memcpy(&word, text + at, sizeof word);
        if (!is_filtered(set, le32toh(word) & 0xFFFFFF))
            return at;
    }
    while (at + GRAM <= len && is_filtered(set, gram_of(text + at)))
        at++;
    return at;
}

/* Could the last bytes, too few for the filter, be the beginning of something? */
static bool is_begin(const struct redact *set, const char *text, size_t len)
{
    unsigned pair = len < 2 ? 0 : pair_of(text);
    return len < 2 ? set->first[(unsigned char)*text] : set->second[pair / 8] >> pair % 8 & 1;
}

/* The first place from `at` on where something is; text before it belongs to it, as context. */
static enum redact_match search(const struct redact *set, const char *text, size_t at, size_t len,
                                bool whole, struct hit *hit)
{
    for (at = skip(set, text, at, len); at + GRAM <= len; at = skip(set, text, at + 1, len)) {
        enum redact_match match = match_at(set, text, at, len, whole, hit);
        if (match != MATCH_NONE)
            return match;
    }
    for (; !whole && at < len; at++)
        if (is_begin(set, text + at, len - at)) {
            *hit = (struct hit){.at = at};
            return MATCH_PART;
        }
    return MATCH_NONE;
}

/* ---- JSON: only what lies in one string may change ---- */

struct json_place {
    size_t at;
    bool inside;     /* a string */
    unsigned escape; /* 1: behind a backslash; else bytes that are left of \uXXXX, and one */
};

/* Goes on to `to`. True when all of it is in one string. */
static bool json_go(struct json_place *p, const char *text, size_t to)
{
    bool inside = p->inside;
    for (; p->at < to; p->at++) {
        char c = text[p->at];
        if (!p->inside)
            p->inside = c == '"';
        else if (p->escape == 1)
            p->escape = c == 'u' ? 5 : 0;
        else if (p->escape > 1)
            p->escape = p->escape == 2 ? 0 : p->escape - 1;
        else if (c == '\\')
            p->escape = 1;
        else if (c == '"')
            p->inside = false;
        inside = inside && p->inside;
    }
    return inside;
}

/* May this be taken out of a JSON text? `place` goes on to its begin. */
static bool json_allows(struct json_place *place, const char *text, const struct hit *hit)
{
    (void)json_go(place, text, hit->at + hit->span.skip);
    struct json_place end = *place;
    return place->inside && place->escape == 0 &&
           json_go(&end, text, hit->at + hit->span.skip + hit->span.len) && end.escape == 0;
}

/* ---- Whole texts ---- */

const char *redact_find(const struct redact *set, const char *text, size_t len)
{
    struct hit hit;
    for (size_t at = 0; at < len; at = hit.at + 1) {
        if (search(set, text, at, len, true, &hit) != MATCH_FULL)
            return NULL;
        if (!hit.pattern->token)
            return hit.pattern->label;
    }
    return NULL;
}

/* The next one from `at` on that may be taken out. */
static bool next_hit(const struct redact *set, enum redact_form form, const char *text, size_t at,
                     size_t len, struct json_place *place, struct hit *hit)
{
    for (; at < len && search(set, text, at, len, true, hit) == MATCH_FULL; at = hit->at + 1)
        if (form == REDACT_TEXT || json_allows(place, text, hit))
            return true;
    return false;
}

long redact_copy(const struct redact *set, enum redact_form form, const char *text, size_t len,
                 struct buf *out)
{
    struct json_place place = {0};
    struct hit hit;
    size_t before = out->len, done = 0, from = 0;
    long count = 0;
    if (!ENFORCED(secrets_redacted) || !set)
        return 0;
    for (; next_hit(set, form, text, from, len, &place, &hit); count++) {
        size_t keep = hit.at + hit.span.skip - done;
        if (buf_append(out, text + done, keep) != 0 || buf_text(out, hit.pattern->label) != 0)
            goto full;
        from = done = hit.at + hit.span.skip + hit.span.len;
    }
    if (count == 0 || buf_append(out, text + done, len - done) == 0)
        return count;
full:
    buf_cut(out, before);
    return -1;
}

long redact_buf(const struct redact *set, enum redact_form form, struct buf *text, size_t from)
{
    struct buf clean;
    buf_init(&clean, text->max);
    if (from >= text->len)
        return 0;
    long count = redact_copy(set, form, text->data + from, text->len - from, &clean);
    if (count > 0 && clean.len > text->len - from &&
        buf_reserve(text, clean.len - (text->len - from)) != 0)
        count = -1;
    if (count > 0) {
        buf_cut(text, from);
        (void)buf_append(text, clean.data, clean.len);
    }
    buf_release(&clean);
    return count;
}

/* ---- Pieces ---- */

#define CONTEXT  2           /* bytes in front that begins_word() looks at */
#define HELD_MAX (64u << 20) /* a piece, and the longest token in front of it */

void redact_stream_init(struct redact_stream *stream, const struct redact *set)
{
    *stream = (struct redact_stream){.set = set};
    buf_init(&stream->held, HELD_MAX);
}

void redact_stream_release(struct redact_stream *stream)
{
    buf_release(&stream->held);
    redact_stream_init(stream, NULL);
}

void redact_stream_drop(struct redact_stream *stream)
{
    buf_clear(&stream->held);
    stream->before = 0;
}

/* Gives out all that can be judged. */
static int give_out(struct redact_stream *s, bool whole, struct buf *out)
{
    const char *text = s->held.data;
    size_t at = s->before, done = s->before, len = s->held.len;
    enum redact_match match;
    struct hit hit = {.at = len};
    int status = 0;
    while ((match = search(s->set, text, at, len, whole, &hit)) == MATCH_FULL && status == 0) {
        status = buf_append(out, text + done, hit.at + hit.span.skip - done) ||
                 buf_text(out, hit.pattern->label);
        at = done = hit.at + hit.span.skip + hit.span.len;
        s->found++;
    }
    size_t sure = match == MATCH_PART ? hit.at : len;
    if (status == 0 && sure > done)
        status = buf_append(out, text + done, sure - done);
    sure = sure > done ? sure : done;
    s->before = sure < CONTEXT ? sure : CONTEXT;
    buf_shift(&s->held, sure - s->before);
    return status ? -1 : 0;
}

int redact_stream_feed(struct redact_stream *stream, const char *text, size_t len, struct buf *out)
{
    if (!ENFORCED(secrets_redacted_in_pieces) || !stream->set)
        return buf_append(out, text, len);
    if (buf_append(&stream->held, text, len) != 0)
        return -1;
    return give_out(stream, false, out);
}

int redact_stream_end(struct redact_stream *stream, struct buf *out)
{
    int status = stream->set ? give_out(stream, true, out) : 0;
    redact_stream_drop(stream);
    return status;
}
