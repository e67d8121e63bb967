#include "base/redact_variants.h"

#include <stdint.h>
#include <string.h>

#include "base/buf.h"

#define VARIANT_MAX (256u << 10)

struct maker {
    const char *value;
    size_t len;
    struct buf text, again;
    int (*add)(void *user, const char *bytes, size_t len, bool wraps);
    void *user;
};

static int give(struct maker *m, bool wraps)
{
    int status = m->add(m->user, m->text.data, m->text.len, wraps);
    buf_clear(&m->text);
    return status;
}

/* ---- JSON ---- */

/* The length of a character, 0 when it is no valid UTF-8. */
static size_t decode(const char *text, size_t len, uint32_t *point)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (n == 0 || n > len || s[0] > 0xF4)
        return 0;
    *point = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0u) != 0x80)
            return 0;
        *point = *point << 6 | (s[i] & 0x3Fu);
    }
    return n;
}

static int put_point(struct buf *out, uint32_t point)
{
    if (point < 0x10000)
        return buf_format(out, "\\u%04x", (unsigned)point);
    point -= 0x10000;
    return buf_format(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + (point >> 10)),
                      (unsigned)(0xDC00 + (point & 0x3FF)));
}

/* The inside of a JSON string; `ascii`: everything else as \uXXXX. */
static int put_json(struct buf *out, const char *text, size_t len, bool ascii)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t point = 0;
        const char *at = text[i] ? strchr(escaped, text[i]) : NULL;
        n = decode(text + i, len - i, &point);
        int status = at ? buf_byte(out, '\\') || buf_byte(out, letters[at - escaped])
                     : n > 0 && (point < 0x20 || (ascii && point >= 0x7F))
                         ? put_point(out, point)
                         : buf_append(out, text + i, n > 0 ? n : 1);
        if (status)
            return -1;
        n = n > 0 ? n : 1;
    }
    return 0;
}

/* Once, and once more: JSON within JSON. */
static int make_json(struct maker *m, bool ascii)
{
    buf_clear(&m->again);
    if (put_json(&m->text, m->value, m->len, ascii) != 0 ||
        put_json(&m->again, m->text.data, m->text.len, ascii) != 0 || give(m, false) != 0 ||
        buf_append(&m->text, m->again.data, m->again.len) != 0)
        return -1;
    return give(m, false);
}

/* ---- URLs, hex, base64 ---- */

static int make_percent(struct maker *m, const char *digits)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"; /* RFC 3986, 2.3 */
    for (size_t i = 0; i < m->len; i++) {
        unsigned char c = (unsigned char)m->value[i];
        char coded[] = {'%', digits[c >> 4], digits[c & 15]};
        bool keep = c && strchr(plain, c);
        if (buf_append(&m->text, keep ? m->value + i : coded, keep ? 1 : sizeof coded) != 0)
            return -1;
    }
    return give(m, false);
}

static int make_hex(struct maker *m, const char *digits)
{
    for (size_t i = 0; i < m->len; i++) {
        unsigned char c = (unsigned char)m->value[i];
        if (buf_byte(&m->text, digits[c >> 4]) != 0 || buf_byte(&m->text, digits[c & 15]) != 0)
            return -1;
    }
    return give(m, true);
}

/* What base64 makes of the value behind `before` unknown bytes: the digits that depend on no
 * neighbour. */
static int make_base64(struct maker *m, size_t before, const char *last)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t first = (8 * before + 5) / 6, end = 8 * (before + m->len) / 6;
    for (size_t i = first; i < end; i++) {
        size_t bit = 6 * i - 8 * before, byte = bit / 8;
        unsigned pair = (unsigned)(unsigned char)m->value[byte] << 8;
        if (byte + 1 < m->len)
            pair |= (unsigned char)m->value[byte + 1];
        unsigned digit = pair >> (10 - bit % 8) & 63u;
        if (buf_byte(&m->text, digit < 62 ? digits[digit] : last[digit - 62]) != 0)
            return -1;
    }
    return give(m, true);
}

static int make_all(struct maker *m)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    int status = buf_append(&m->text, m->value, m->len) || give(m, false) || make_json(m, false) ||
                 make_json(m, true) || make_percent(m, lower) || make_percent(m, upper) ||
                 make_hex(m, lower) || make_hex(m, upper);
    for (size_t before = 0; status == 0 && before < 3; before++)
        status = make_base64(m, before, "+/") || make_base64(m, before, "-_");
    return status ? -1 : 0;
}

static void wipe(struct buf *text)
{
    if (text->size)
        explicit_bzero(text->data, text->size);
    buf_release(text);
}

int redact_variants(const char *value, size_t len,
                    int (*add)(void *user, const char *bytes, size_t len, bool wraps), void *user)
{
    struct maker m = {.value = value, .len = len, .add = add, .user = user};
    buf_init(&m.text, VARIANT_MAX);
    buf_init(&m.again, VARIANT_MAX);
    /* All of it at once: a buffer that grows leaves copies behind. No form is longer: a control
     * character is six bytes in JSON, and seven in JSON within JSON. */
    int status = buf_reserve(&m.text, 7 * len + 16) || buf_reserve(&m.again, 7 * len + 16)
                     ? -1
                     : make_all(&m);
    wipe(&m.text);
    wipe(&m.again);
    return status;
}
