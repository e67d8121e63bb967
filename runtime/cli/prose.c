#include "prose.h"

#include <string.h>

void prose_init(struct prose *p, struct stream *to, enum style style)
{
    *p = (struct prose){.to = to, .style = style};
    if (to)
        clean_init(&p->clean, to->form);
}

static void put(struct prose *p, const char *text, size_t len)
{
    if (!p->open && p->style != STYLE_NONE)
        (void)fputs(stream_style(p->to, p->style), p->to->file);
    p->open = true;
    for (; p->newlines > 0; p->newlines--)
        clean_feed(&p->clean, p->to->file, "\n", 1);
    clean_feed(&p->clean, p->to->file, text, len);
}

void prose_feed(struct prose *p, const char *text, size_t len)
{
    const char *end = text + len;
    while (p->to && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (stop > text)
            put(p, text, (size_t)(stop - text));
        if (newline && p->open)
            p->newlines++;
        text = newline ? newline + 1 : end;
    }
}

void prose_end(struct prose *p)
{
    if (!p->open)
        return;
    if (p->newlines > 0)
        p->clean.carriage = false; /* half of a \r\n whose other half is dropped too */
    clean_end(&p->clean, p->to->file);
    if (p->style != STYLE_NONE)
        (void)fputs(stream_style(p->to, STYLE_NONE), p->to->file);
    (void)fputc('\n', p->to->file);
    (void)stream_flush(p->to);
    p->open = false;
    p->newlines = 0;
}
