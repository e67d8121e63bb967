#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Drops a character that the end of the buffer cut in two (UTF-8: RFC 3629, section 3). */
static void drop_cut_character(char *text, size_t size)
{
    size_t len = strlen(text);
    if (len + 1 < size)
        return;
    size_t start = len;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xC0)
        text[start - 1] = '\0';
}

/* One line of valid UTF-8, whatever names and quotations came to stand in it. */
static void make_line(char *text, size_t size)
{
    drop_cut_character(text, size);
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        unsigned char c = (unsigned char)*text;
        n = c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
        if (c < 0x20 || c == 0x7F)
            *text = ' ';
        if (n <= left && text_is_utf8(text, n))
            continue;
        *text = '?';
        n = 1;
    }
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
    if (!e)
        return -1;
    va_list args;
    va_start(args, format);
    e->code = code;
    if (vsnprintf(e->text, sizeof e->text, format, args) < 0)
        e->text[0] = '\0';
    va_end(args);
    make_line(e->text, sizeof e->text);
    return -1;
}

int err_prefix(struct err *e, const char *format, ...)
{
    if (!e)
        return -1;
    char text[2 * sizeof e->text];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof e->text, format, args);
    va_end(args);
    size_t used = len < 0 ? 0 : (size_t)len;
    if (used >= sizeof e->text)
        used = sizeof e->text - 1;
    (void)snprintf(text + used, sizeof text - used, ": %s", e->text);
    memcpy(e->text, text, sizeof e->text);
    e->text[sizeof e->text - 1] = '\0';
    make_line(e->text, sizeof e->text);
    return -1;
}
