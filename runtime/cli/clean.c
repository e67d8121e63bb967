#include "clean.h"

#include <string.h>

#define REPLACEMENT 0xFFFDu

void clean_init(struct clean *c, enum clean_form form)
{
    *c = (struct clean){.form = form, .lower = 0x80, .upper = 0xBF};
}

/* ---- Characters ---- */

static bool is_hidden(uint32_t p)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x80, 0x9F},       /* C1 */
        {0xAD, 0xAD},       /* soft hyphen */
        {0x34F, 0x34F},     /* combining grapheme joiner */
        {0x61C, 0x61C},     /* Arabic letter mark */
        {0x115F, 0x1160},   /* Hangul fillers */
        {0x17B4, 0x17B5},   /* Khmer inherent vowels, which have no shape */
        {0x180B, 0x180F},   /* Mongolian selectors and separator */
        {0x200B, 0x200F},   /* zero-width, direction marks */
        {0x2028, 0x202E},   /* line and paragraph separator, bidi embedding and override */
        {0x2060, 0x206F},   /* word joiner, invisible operators, bidi isolates */
        {0x3164, 0x3164},   /* Hangul filler */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFA0, 0xFFA0},   /* halfwidth Hangul filler */
        {0xFFF0, 0xFFFB},   /* unassigned specials, interlinear annotation */
        {0x1BCA0, 0x1BCA3}, /* shorthand format controls */
        {0x1D173, 0x1D17A}, /* musical format controls */
        {0xE0000, 0xE0FFF}, /* tags, supplementary variation selectors */
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (p >= ranges[i].first && p <= ranges[i].last)
            return true;
    return false;
}

static size_t encode(uint32_t p, char out[4])
{
    if (p < 0x80) {
        out[0] = (char)p;
        return 1;
    }
    size_t len = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--, p >>= 6)
        out[i] = (char)(0x80 | (p & 0x3F));
    out[0] = (char)(lead[len] | p);
    return len;
}

static void put_json_escape(FILE *to, uint32_t p)
{
    if (p < 0x10000)
        (void)fprintf(to, "\\u%04x", (unsigned)p);
    else
        (void)fprintf(to, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((p - 0x10000) >> 10)),
                      (unsigned)(0xDC00 + ((p - 0x10000) & 0x3FF)));
}

static bool is_json(const struct clean *c)
{
    return c->form == CLEAN_JSON || c->form == CLEAN_JSON_LOG;
}

static void put_point(struct clean *c, FILE *to, uint32_t p)
{
    char bytes[16];
    if (c->carriage) {
        c->carriage = false;
        if (p != '\n')
            (void)fputs("\\x0d", to);
    }
    if (p == '\r' && !is_json(c)) {
        c->carriage = true;
    } else if (p == '#' && c->form == CLEAN_JSON_LOG) {
        put_json_escape(to, p);
    } else if (p == '\n' || p == '\t' || (p >= 0x20 && p != 0x7F && !is_hidden(p))) {
        (void)fwrite(bytes, 1, encode(p, bytes), to);
    } else if (is_json(c)) {
        put_json_escape(to, p);
    } else {
        int len = snprintf(bytes, sizeof bytes, p < 0x80 ? "\\x%02x" : "<U+%04X>", (unsigned)p);
        (void)fwrite(bytes, 1, (size_t)len, to);
    }
}

/* Begins a character. False when the byte cannot begin one. */
static bool begin_point(struct clean *c, unsigned char byte)
{
    if (byte >= 0xC2 && byte <= 0xDF) {
        c->needed = 1;
        c->point = byte & 0x1Fu;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        c->needed = 2;
        c->point = byte & 0x0Fu;
        c->lower = byte == 0xE0 ? 0xA0 : 0x80; /* overlong */
        c->upper = byte == 0xED ? 0x9F : 0xBF; /* surrogates */
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        c->needed = 3;
        c->point = byte & 0x07u;
        c->lower = byte == 0xF0 ? 0x90 : 0x80; /* overlong */
        c->upper = byte == 0xF4 ? 0x8F : 0xBF; /* past U+10FFFF */
    } else {
        return false;
    }
    return true;
}

static void end_point(struct clean *c)
{
    c->needed = 0;
    c->lower = 0x80;
    c->upper = 0xBF;
}

static void feed_byte(struct clean *c, FILE *to, unsigned char byte)
{
    if (c->needed > 0) {
        if (byte >= c->lower && byte <= c->upper) {
            c->lower = 0x80;
            c->upper = 0xBF;
            c->point = c->point << 6 | (byte & 0x3Fu);
            if (--c->needed == 0)
                put_point(c, to, c->point);
            return;
        }
        end_point(c);
        put_point(c, to, REPLACEMENT);
    }
    if (byte < 0x80)
        put_point(c, to, byte);
    else if (!begin_point(c, byte))
        put_point(c, to, REPLACEMENT);
}

void clean_feed(struct clean *c, FILE *to, const char *text, size_t len)
{
    if (c->form == CLEAN_NONE) {
        (void)fwrite(text, 1, len, to);
        return;
    }
    for (size_t i = 0; i < len; i++)
        feed_byte(c, to, (unsigned char)text[i]);
}

void clean_end(struct clean *c, FILE *to)
{
    if (c->needed > 0) {
        end_point(c);
        put_point(c, to, REPLACEMENT);
    }
    if (c->carriage) {
        c->carriage = false;
        (void)fputs("\\x0d", to);
    }
}

void clean_text(enum clean_form form, FILE *to, const char *text, size_t len)
{
    struct clean c;
    clean_init(&c, form);
    clean_feed(&c, to, text, len);
    clean_end(&c, to);
}
