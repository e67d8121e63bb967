#include "base/json_text.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Copies bytes, escaping what JSON wants escaped (RFC 8259, section 7). */
static int append_escaped(struct buf *out, const char *text, size_t len)
{
    static const char shorts[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    for (size_t i = 0; i < len;) {
        size_t start = i;
        while (i < len && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
            i++;
        if (buf_append(out, text + start, i - start))
            return -1;
        if (i == len)
            break;
        const char *hit = NULL;
        for (size_t j = 0; j < sizeof shorts - 1 && !hit; j += 2)
            hit = shorts[j] == text[i] ? &shorts[j + 1] : NULL;
        char pair[2] = {'\\', hit ? *hit : 'u'};
        if (buf_append(out, pair, 2) ||
            (!hit && buf_format(out, "%04x", (unsigned)(unsigned char)text[i])))
            return -1;
        i++;
    }
    return 0;
}

/* A quoted string, without undoing anything when the buffer is full. */
static int append_string(struct buf *out, const char *text, size_t len)
{
    if (buf_byte(out, '"'))
        return -1;
    if (text_is_utf8(text, len))
        return append_escaped(out, text, len) || buf_byte(out, '"') ? -1 : 0;
    struct buf fixed;
    buf_init(&fixed, out->max);
    int status = text_fix_utf8(&fixed, text, len, NULL) ||
                         append_escaped(out, fixed.data, fixed.len) || buf_byte(out, '"')
                     ? -1
                     : 0;
    buf_release(&fixed);
    return status;
}

int json_quote(struct buf *out, const char *text, size_t len)
{
    size_t before = out->len;
    int status = append_string(out, text, len);
    if (status)
        buf_cut(out, before);
    return status;
}

/* ---- Members ---- */

static bool writes(const struct json_members *m)
{
    return m->out && !m->failed;
}

/* `,"key":` */
static bool begin(struct json_members *m, const char *key)
{
    if (!writes(m))
        return false;
    m->failed =
        (!m->first && buf_byte(m->out, ',')) ||
        (key && (buf_byte(m->out, '"') || buf_text(m->out, key) || buf_append(m->out, "\":", 2)));
    m->first = false;
    return !m->failed;
}

void member_bytes(struct json_members *m, const char *key, const char *text, size_t len)
{
    if (begin(m, key))
        m->failed = json_quote(m->out, text, len) != 0;
}

void member_text(struct json_members *m, const char *key, const char *text)
{
    if (text)
        member_bytes(m, key, text, strlen(text));
    else
        member_null(m, key);
}

void member_json(struct json_members *m, const char *key, const char *json, size_t len)
{
    if (begin(m, key))
        m->failed = buf_append(m->out, json, len) != 0;
}

void member_int(struct json_members *m, const char *key, int64_t value)
{
    char digits[24];
    char *at = digits + sizeof digits;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--at = '-';
    member_json(m, key, at, (size_t)(digits + sizeof digits - at));
}

void member_real(struct json_members *m, const char *key, double value)
{
    char text[40];
    int len = snprintf(text, sizeof text - 2, "%.15g", value);
    char *point = strpbrk(text, ","); /* of the embedding program's locale */
    if (point)
        *point = '.';
    if (!strpbrk(text, ".e")) { /* a real stays one, as jansson writes it */
        memcpy(text + len, ".0", 3);
        len += 2;
    }
    member_json(m, key, text, (size_t)len);
}

void member_bool(struct json_members *m, const char *key, bool value)
{
    member_json(m, key, value ? "true" : "false", value ? 4 : 5);
}

void member_null(struct json_members *m, const char *key)
{
    member_json(m, key, "null", 4);
}

void member_open(struct json_members *m, const char *key, char bracket)
{
    if (begin(m, key))
        m->failed = buf_byte(m->out, bracket) != 0;
    m->first = true;
}

void member_close(struct json_members *m, char bracket)
{
    if (writes(m))
        m->failed = buf_byte(m->out, bracket) != 0;
    m->first = false;
}
