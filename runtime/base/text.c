/* Cleaning of text that comes from outside. One decoder (RFC 3629), one table of characters that
 * hide or act. */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT   "\xef\xbf\xbd" /* U+FFFD */
#define BINARY_WINDOW 8192u
#define WORD_MAX      128u /* longer words are nobody's typo */

/* Length of the plain ASCII (0x20..0x7e, and \n \t) at the start of text: nothing to do for it. */
static size_t plain_span(const unsigned char *s, size_t len)
{
    size_t n = 0;
    while (n < len && ((s[n] >= 0x20 && s[n] < 0x7f) || s[n] == '\n' || s[n] == '\t'))
        n++;
    return n;
}

/* Length of the ASCII at the start of text, a word at a time. */
static size_t ascii_span(const unsigned char *s, size_t len)
{
    size_t n = 0;
    uint64_t word;
    for (; len - n >= sizeof word; n += sizeof word) {
        memcpy(&word, s + n, sizeof word);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (n < len && s[n] < 0x80)
        n++;
    return n;
}

/* Decodes the character at s (len > 0). Returns its length and sets *cp; for a bad sequence the
 * length of its maximal subpart (Unicode 15, section 3.9) and *cp = UINT32_MAX. */
static size_t decode(const unsigned char *s, size_t len, uint32_t *cp)
{
    unsigned char lead = s[0], low = 0x80, high = 0xbf;
    size_t need;
    *cp = UINT32_MAX;
    if (lead < 0x80) {
        *cp = lead;
        return 1;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
        need = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        need = 2;
        low = lead == 0xe0 ? 0xa0 : 0x80;  /* no overlong form */
        high = lead == 0xed ? 0x9f : 0xbf; /* no surrogate */
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        need = 3;
        low = lead == 0xf0 ? 0x90 : 0x80;
        high = lead == 0xf4 ? 0x8f : 0xbf; /* nothing past U+10FFFF */
    } else {
        return 1;
    }
    uint32_t value = lead & (0x3fu >> need);
    for (size_t i = 1; i <= need; i++) {
        if (i >= len || s[i] < low || s[i] > high)
            return i;
        value = value << 6 | (s[i] & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    *cp = value;
    return need + 1;
}

bool text_is_utf8(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < len;) {
        i += ascii_span(s + i, len - i);
        if (i == len)
            break;
        uint32_t cp;
        i += decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX)
            return false;
    }
    return true;
}

bool text_is_binary(const char *data, size_t len)
{
    const unsigned char *s = (const unsigned char *)data;
    size_t window = len < BINARY_WINDOW ? len : BINARY_WINDOW, controls = 0;
    if (window && memchr(s, 0, window))
        return true;
    for (size_t i = 0; i < window; i++)
        if ((s[i] < 0x20 && !strchr("\t\n\v\f\r\b\x1b", s[i])) || s[i] == 0x7f)
            controls++;
    return controls * 10 > window;
}

int text_fix_utf8(struct buf *out, const char *text, size_t len, size_t *replaced)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t start = 0, bad = 0, before = out->len;
    for (size_t i = 0; i < len;) {
        i += ascii_span(s + i, len - i);
        if (i == len)
            break;
        uint32_t cp;
        size_t n = decode(s + i, len - i, &cp);
        if (cp == UINT32_MAX) {
            if (buf_append(out, text + start, i - start) || buf_text(out, REPLACEMENT))
                goto full;
            start = i + n;
            bad++;
        }
        i += n;
    }
    if (buf_append(out, text + start, len - start))
        goto full;
    if (replaced)
        *replaced = bad;
    return 0;
full:
    buf_cut(out, before);
    return -1;
}

/* Characters that a reader does not see or that act on what he sees: controls, bidi controls
 * (Unicode TR 9), zero-width and filler characters, tags, variation selectors 17 to 256. Sorted. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x0000, 0x0008}, {0x000b, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x061c, 0x061c}, {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180e},   {0x200b, 0x200f},
    {0x202a, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},
    {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool is_hidden(uint32_t cp)
{
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0] && hidden[i].first <= cp; i++)
        if (cp <= hidden[i].last)
            return true;
    return false;
}

int text_for_model(struct buf *out, const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t start = 0, before = out->len;
    for (size_t i = 0; i < len;) {
        i += plain_span(s + i, len - i);
        if (i == len)
            break;
        uint32_t cp;
        size_t n = decode(s + i, len - i, &cp);
        if (cp != UINT32_MAX && !is_hidden(cp)) {
            i += n;
            continue;
        }
        if (buf_append(out, text + start, i - start))
            goto full;
        int status = 0;
        if (cp == UINT32_MAX)
            status = buf_text(out, REPLACEMENT);
        else if (cp != '\r' || i + 1 == len || s[i + 1] != '\n')
            status = buf_format(out, "<U+%04X>", (unsigned)cp);
        if (status)
            goto full;
        i += n;
        start = i;
    }
    if (buf_append(out, text + start, len - start))
        goto full;
    return 0;
full:
    buf_cut(out, before);
    return -1;
}

size_t text_edge(const char *text, size_t len, size_t at)
{
    if (at >= len)
        return len;
    size_t n = at;
    while (n > 0 && at - n < 3 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return ((unsigned char)text[n] & 0xc0) == 0x80 ? at : n;
}

int text_head_tail(struct buf *out, const char *text, size_t len, size_t head, size_t tail)
{
    if (head >= len || tail >= len - head)
        return buf_append(out, text, len);
    size_t before = out->len, first = text_edge(text, len, head), last = len - tail;
    while (last < len && len - last > tail - (tail < 3 ? tail : 3) &&
           ((unsigned char)text[last] & 0xc0) == 0x80)
        last++;
    if (buf_append(out, text, first) ||
        buf_format(out, "\n[... %zu bytes left out ...]\n", last - first) ||
        buf_append(out, text + last, len - last)) {
        buf_cut(out, before);
        return -1;
    }
    return 0;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Optimal string alignment: insert, delete, replace and swap of neighbours cost 1 each. */
size_t text_distance(const char *a, const char *b, size_t limit)
{
    size_t rows[3][WORD_MAX + 1], a_len = strlen(a), b_len = strlen(b);
    size_t *above2 = rows[0], *above = rows[1], *row = rows[2];
    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return strcmp(a, b) == 0 ? 0 : limit + 1;
    for (size_t j = 0; j <= b_len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t least = row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = smallest(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
            if (row[j] < least)
                least = row[j];
        }
        if (least > limit)
            return limit + 1;
        size_t *oldest = above2;
        above2 = above;
        above = row;
        row = oldest;
    }
    return above[b_len] > limit ? limit + 1 : above[b_len];
}

bool text_nearest(struct text_nearest *n, const char *candidate)
{
    size_t limit = n->best ? n->distance : 4;
    size_t distance = text_distance(n->word, candidate, limit);
    if (distance >= limit)
        return false;
    n->best = candidate;
    n->distance = distance;
    return true;
}
