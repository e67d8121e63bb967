/* How file content and file names are shown to the model. */
#include "show.h"

#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

size_t show_char(const char *text, size_t len, uint32_t *code)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t c, least;
    size_t need;
    if (len == 0)
        return 0;
    if (s[0] < 0x80) {
        c = s[0];
        least = 0;
        need = 1;
    } else if (s[0] >= 0xC2 && s[0] < 0xE0) {
        c = s[0] & 0x1Fu;
        least = 0x80;
        need = 2;
    } else if (s[0] >= 0xE0 && s[0] < 0xF0) {
        c = s[0] & 0x0Fu;
        least = 0x800;
        need = 3;
    } else if (s[0] >= 0xF0 && s[0] < 0xF5) {
        c = s[0] & 0x07u;
        least = 0x10000;
        need = 4;
    } else {
        return 0;
    }
    if (len < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3Fu);
    }
    if (c < least || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return 0;
    if (code)
        *code = c;
    return need;
}

size_t show_text(struct bytes *out, const char *text, size_t len)
{
    size_t replaced = 0, from = 0, at = 0;
    while (at < len) {
        size_t n = text[at] == '\0' ? 0 : show_char(text + at, len - at, NULL);
        if (n > 0) {
            at += n;
            continue;
        }
        bytes_add(out, text + from, at - from);
        bytes_text(out, REPLACEMENT);
        replaced++;
        from = ++at;
    }
    bytes_add(out, text + from, at - from);
    return replaced;
}

size_t show_edge(const char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return len;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return need > 1 && len - (start - 1) < need ? start - 1 : len;
}

void show_line(struct bytes *out, const char *line, size_t len, size_t focus, size_t max)
{
    if (len <= max) {
        show_text(out, line, len);
        return;
    }
    size_t from = focus > max / 4 ? focus - max / 4 : 0;
    if (from > len - max)
        from = len - max;
    while (from > 0 && ((unsigned char)line[from] & 0xC0) == 0x80)
        from--;
    if (from > 0)
        bytes_text(out, "[...] ");
    size_t n = len - from < max ? len - from : show_edge(line + from, max);
    show_text(out, line + from, n);
    if (from + n < len)
        bytes_text(out, " [...]");
}

void show_lines(struct bytes *out, const char *text, size_t len, size_t first, size_t last)
{
    const char *end = text + len;
    for (size_t number = 1; text < end && number <= last; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (number >= first) {
            size_t n = (size_t)(stop - text);
            if (n > 0 && text[n - 1] == '\r')
                n--;
            bytes_format(out, "%6zu\t", number);
            show_line(out, text, n, 0, 2048);
            bytes_text(out, "\n");
        }
        text = newline ? newline + 1 : end;
    }
}

/* C1 controls and the two separators that some readers take for line ends. */
static bool breaks_line(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

static bool name_is_plain(const char *name, size_t len)
{
    if (len == 0 || name[0] == '"' || name[0] == ' ' || name[len - 1] == ' ' ||
        strstr(name, " -> "))
        return false;
    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t n = show_char(name + at, len - at, &code);
        if (n == 0 || breaks_line(code))
            return false;
        at += n;
    }
    return true;
}

void show_name(struct bytes *out, const char *name)
{
    size_t len = strlen(name);
    if (name_is_plain(name, len)) {
        bytes_add(out, name, len);
        return;
    }
    bytes_text(out, "\"");
    for (size_t at = 0; at < len;) {
        uint32_t code = 0;
        size_t n = show_char(name + at, len - at, &code);
        if (n > 0 && !breaks_line(code)) {
            if (code == '"' || code == '\\')
                bytes_text(out, "\\");
            bytes_add(out, name + at, n);
        } else if (code == '\n') {
            bytes_text(out, "\\n");
        } else if (code == '\t') {
            bytes_text(out, "\\t");
        } else {
            n = n > 0 ? n : 1;
            for (size_t i = 0; i < n; i++)
                bytes_format(out, "\\%03o", (unsigned)(unsigned char)name[at + i]);
        }
        at += n;
    }
    bytes_text(out, "\"");
}

bool show_is_binary(const char *data, size_t len)
{
    size_t n = len < 8192 ? len : 8192, controls = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == 0)
            return true;
        /* ESC is left out: recorded terminal output is text. */
        controls += (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1B) ||
                    c == 0x7F;
    }
    return controls * 10 > n;
}

size_t show_count_lines(const char *text, size_t len)
{
    if (len == 0)
        return 0;
    return show_line_of(text, len) - (text[len - 1] == '\n' ? 1 : 0);
}

size_t show_line_of(const char *text, size_t at)
{
    size_t line = 1;
    const char *end = text + at;
    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        if (!newline)
            break;
        line++;
        text = newline + 1;
    }
    return line;
}
