#include "wire/json_long.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define ASIDE_MAX 64u                /* strings that are set aside; more of them are jansson's */
#define MARK      "\xf4\x8f\xbf\xbf" /* U+10FFFF, then the number of the string that was here */
#define MARK_LEN  4u

struct aside {
    const char *strings[ASIDE_MAX]; /* as written, without quotes */
    size_t lens[ASIDE_MAX];
    size_t count;
    size_t put_back;
};

/* ---- Setting aside ---- */

/* The closing quote of the string that begins behind `at`; NULL when there is none. */
static const char *closing_quote(const char *at, const char *end)
{
    while ((at = memchr(at, '"', (size_t)(end - at)))) {
        size_t slashes = 0;
        while (at[-1 - (ptrdiff_t)slashes] == '\\') /* the opening quote stops it */
            slashes++;
        if (slashes % 2 == 0)
            return at;
        at++;
    }
    return NULL;
}

/* A key stays where it is: jansson must see duplicates. */
static bool is_key(const char *behind, const char *end)
{
    while (behind < end && strchr(" \t\r\n", *behind) && *behind)
        behind++;
    return behind < end && *behind == ':';
}

/* Copies `text` with marks where long string values were. False when there are none, or when this
 * is no JSON: then it is not for us. */
static bool set_aside(const char *text, size_t len, size_t least, struct buf *out, struct aside *a)
{
    const char *at = text, *copied = text, *end = text + len, *open;
    while ((open = memchr(at, '"', (size_t)(end - at)))) {
        const char *close = closing_quote(open + 1, end);
        if (!close)
            return false;
        at = close + 1;
        size_t inside = (size_t)(close - open - 1);
        if (inside < least || a->count == ASIDE_MAX || is_key(at, end))
            continue;
        if (buf_append(out, copied, (size_t)(open - copied)) ||
            buf_format(out, "\"" MARK "%zu\"", a->count))
            return false;
        a->strings[a->count] = open + 1;
        a->lens[a->count++] = inside;
        copied = at;
    }
    return a->count > 0 && buf_append(out, copied, (size_t)(end - copied)) == 0;
}

/* ---- Reading a string ---- */

/* The value of the four hex digits at s, or -1. */
static long hex4(const char *s, const char *end)
{
    long value = 0;
    if (end - s < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_character(char *to, unsigned long code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 0x3f));
        *to++ = (char)(0x80 | (code >> 6 & 0x3f));
        *to++ = (char)(0x80 | (code & 0x3f));
    }
    return to;
}

/* \uXXXX, and the second half of a pair behind it. *from is behind the "\u". NULL for what jansson
 * would refuse or treats by its flags: half a pair, and U+0000. */
static char *take_unicode(const char **from, const char *end, char *to)
{
    long code = hex4(*from, end);
    *from += 4;
    if (code >= 0xd800 && code <= 0xdbff) {
        long low =
            end - *from >= 6 && (*from)[0] == '\\' && (*from)[1] == 'u' ? hex4(*from + 2, end) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return NULL;
        *from += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code <= 0 || (code >= 0xdc00 && code <= 0xdfff)) {
        return NULL;
    }
    return put_character(to, (unsigned long)code);
}

/* RFC 8259, section 7. Never longer than it was written. NULL when it is not a proper string. */
static json_t *read_string(const char *from, size_t len)
{
    static const char escapes[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *end = from + len;
    char *plain = malloc(len), *to = plain;
    while (to && from < end) {
        const char *start = from;
        while (from < end && *from != '\\' && (unsigned char)*from >= 0x20)
            from++;
        memcpy(to, start, (size_t)(from - start));
        to += from - start;
        if (from == end)
            break;
        const char *hit =
            *from == '\\' && end - from >= 2 && from[1] ? strchr(escapes, from[1]) : NULL;
        if (hit) {
            *to++ = values[hit - escapes];
            from += 2;
        } else if (*from == '\\' && end - from >= 6 && from[1] == 'u') {
            from += 2;
            to = take_unicode(&from, end, to);
        } else {
            to = NULL;
        }
    }
    json_t *value = to && text_is_utf8(plain, (size_t)(to - plain))
                        ? json_stringn_nocheck(plain, (size_t)(to - plain))
                        : NULL;
    free(plain);
    return value;
}

/* ---- Putting back ---- */

/* *out becomes the string that a mark stands for, and is NULL for other values. -1: a string that
 * jansson is to judge. */
static int find_marked(const json_t *value, struct aside *a, json_t **out)
{
    const char *text = json_string_value(value);
    *out = NULL;
    if (!text || strncmp(text, MARK, MARK_LEN) != 0)
        return 0;
    char *end = NULL;
    unsigned long number = strtoul(text + MARK_LEN, &end, 10);
    if (number >= a->count || *end || !a->strings[number])
        return -1; /* somebody else's mark */
    *out = read_string(a->strings[number], a->lens[number]);
    a->strings[number] = NULL;
    a->put_back++;
    return *out ? 0 : -1;
}

static int put_back(json_t *value, struct aside *a)
{
    json_t *member, *string;
    const char *key;
    size_t index;
    if (json_is_object(value)) {
        json_object_foreach(value, key, member)
        {
            if (find_marked(member, a, &string) != 0 || put_back(member, a) != 0 ||
                (string && json_object_iter_set_new(value, json_object_key_to_iter(key), string)))
                return -1;
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, index, member)
        {
            if (find_marked(member, a, &string) != 0 || put_back(member, a) != 0 ||
                (string && json_array_set_new(value, index, string) != 0))
                return -1;
        }
    }
    return 0;
}

json_t *json_load_long(const char *text, size_t len, size_t flags, size_t least,
                       json_error_t *error)
{
    struct aside aside = {.count = 0};
    struct buf rest;
    json_t *value = NULL;
    buf_init(&rest, len + ASIDE_MAX * (MARK_LEN + 4));
    if (len > least && set_aside(text, len, least, &rest, &aside))
        value = json_loadb(rest.data, rest.len, flags, error);
    if (value && (put_back(value, &aside) != 0 || aside.put_back != aside.count)) {
        json_decref(value);
        value = NULL;
    }
    buf_release(&rest);
    return value ? value : json_loadb(text, len, flags, error);
}
