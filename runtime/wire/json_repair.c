/* Mending of JSON text, one pass, without a parser: what is inside strings, and integers. */
#include "wire/json_repair.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/json_long.h"

#define TOKEN_CUT_MAX       4u
#define INTEGER_DIGITS_SAFE 18u /* fits in 64 bits whatever the digits are */

/* The value of the four hex digits at s, or -1. */
static int hex4(const char *s, size_t len)
{
    int value = 0;
    if (len < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char lower = (char)(s[i] >= 'A' && s[i] <= 'F' ? s[i] + ('a' - 'A') : s[i]);
        const char *digit = lower ? strchr(digits, lower) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

/* Copies the escape at s (which starts with a backslash); half a surrogate pair becomes \ufffd.
 * Returns the bytes used, 0 when out is full. */
static size_t copy_escape(struct buf *out, const char *s, size_t len)
{
    size_t n = len < 2 ? len : 2;
    int code = n == 2 && s[1] == 'u' ? hex4(s + 2, len - 2) : -1;
    if (code >= 0)
        n = 6;
    if (code >= 0xd800 && code <= 0xdbff && len >= 12 && s[6] == '\\' && s[7] == 'u') {
        int low = hex4(s + 8, len - 8);
        if (low >= 0xdc00 && low <= 0xdfff)
            return buf_append(out, s, 12) ? 0 : 12;
    }
    bool half = code >= 0xd800 && code <= 0xdfff;
    if (half ? buf_text(out, "\\ufffd") : buf_append(out, s, n))
        return 0;
    return n;
}

/* Copies a string from behind its opening quote up to and including its closing one. Returns the
 * bytes used, 0 when out is full (or len is 0). */
static size_t copy_string(struct buf *out, const char *s, size_t len)
{
    size_t i = 0;
    while (i < len) {
        size_t start = i;
        while (i < len && (unsigned char)s[i] >= 0x20 && s[i] != '\\' && s[i] != '"')
            i++;
        if (buf_append(out, s + start, i - start))
            return 0;
        if (i == len)
            break;
        if (s[i] == '"')
            return buf_byte(out, '"') ? 0 : i + 1;
        if (s[i] == '\\') {
            size_t used = copy_escape(out, s + i, len - i);
            if (used == 0)
                return 0;
            i += used;
        } else if (buf_format(out, "\\u%04x", (unsigned)(unsigned char)s[i++])) {
            return 0;
        }
    }
    return len;
}

/* An integer that jansson would refuse because 64 bits do not hold it. */
static bool is_large(const char *s, size_t len)
{
    char text[32];
    if (len <= INTEGER_DIGITS_SAFE)
        return false;
    if (len >= sizeof text)
        return true;
    memcpy(text, s, len);
    text[len] = '\0';
    errno = 0;
    (void)strtoll(text, NULL, 10);
    return errno == ERANGE;
}

/* Copies a number; a large integer gets ".0", which makes it a real. */
static size_t copy_number(struct buf *out, const char *s, size_t len)
{
    size_t n = 0;
    bool integer = true;
    for (; n < len && s[n] && strchr("-+.eE0123456789", s[n]); n++)
        if (n > 0 && (s[n] < '0' || s[n] > '9'))
            integer = false;
    if (buf_append(out, s, n) || (integer && is_large(s, n) && buf_text(out, ".0")))
        return 0;
    return n;
}

static int repair(struct buf *out, const char *s, size_t len)
{
    size_t used;
    for (size_t i = 0; i < len; i += used) {
        if (s[i] == '"') {
            used = buf_byte(out, '"') ? 0 : 1 + copy_string(out, s + i + 1, len - i - 1);
            if (used == 1 && i + 1 < len)
                return -1;
        } else if (s[i] == '-' || (s[i] >= '0' && s[i] <= '9')) {
            used = copy_number(out, s + i, len - i);
        } else {
            used = buf_byte(out, s[i]) ? 0 : 1;
        }
        if (used == 0)
            return -1;
    }
    return 0;
}

int json_repair(struct buf *out, const char *text, size_t len)
{
    struct buf fixed;
    buf_init(&fixed, out->max);
    size_t before = out->len;
    int status = -1;
    if (text_fix_utf8(&fixed, text, len, NULL) == 0)
        status = repair(out, fixed.data, fixed.len);
    if (status)
        buf_cut(out, before);
    buf_release(&fixed);
    return status;
}

/* Room for what a text of len bytes can grow to: \u0001 for a byte is the most. */
static size_t grown(size_t len)
{
    return len > SIZE_MAX / 8 ? SIZE_MAX - 1 : len * 8 + 64;
}

json_t *json_parse_lenient(const char *text, size_t len, size_t flags, bool *repaired,
                           json_error_t *error)
{
    if (repaired)
        *repaired = false;
    json_t *value = json_load_long(text, len, flags, JSON_LONG_STRING, error);
    if (value)
        return value;
    struct buf mended;
    buf_init(&mended, grown(len));
    if (json_repair(&mended, text, len) == 0) {
        json_error_t again;
        value = json_loadb(mended.data, mended.len, flags | JSON_ALLOW_NUL, &again);
    }
    if (value && repaired)
        *repaired = true;
    buf_release(&mended);
    return value;
}

bool json_is_cut(const char *text, size_t len)
{
    struct buf mended;
    json_error_t error;
    bool cut = false;
    buf_init(&mended, grown(len));
    if (json_repair(&mended, text, len) == 0) {
        json_t *value = json_loadb(mended.data, mended.len, JSON_ALLOW_NUL, &error);
        /* a token, an escape or a character may be cut, too: then the parser stops close to it */
        cut = !value && (json_error_code(&error) == json_error_premature_end_of_input ||
                         (size_t)error.position + TOKEN_CUT_MAX >= mended.len);
        json_decref(value);
    }
    buf_release(&mended);
    return cut;
}
