/* Writes failures down; see report.h. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/memory.h"

static void quote_part(struct buf *out, const char *text, size_t len)
{
    for (const char *end = text + len; text < end;) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        put_text(out, "    | ");
        put(out, text, (size_t)(stop - text));
        put_text(out, "\n");
        text = newline ? newline + 1 : end;
    }
}

void report_quote(struct buf *out, const char *text, size_t len, int whole)
{
    if (len == 0) {
        put_text(out, "    (empty)\n");
    } else if (whole || len <= REPORT_SHOWN_MAX) {
        quote_part(out, text, len);
    } else {
        quote_part(out, text, REPORT_SHOWN_MAX / 2);
        put_format(out, "    ... %zu bytes left out; -v shows all ...\n", len - REPORT_SHOWN_MAX);
        quote_part(out, text + len - REPORT_SHOWN_MAX / 2, REPORT_SHOWN_MAX / 2);
    }
}

void report_failure(struct report *report, int line, const char *expected, const char *came)
{
    report->failures++;
    put_text(&report->text, report->path);
    if (line)
        put_format(&report->text, ":%d", line);
    put_format(&report->text, ": expected: %s\n", expected);
    if (came) {
        put_text(&report->text, "  came:\n");
        report_quote(&report->text, came, strlen(came), 0);
    }
}

void report_failuref(struct report *report, int line, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    report_failure(report, line, len < 0 ? "(out of memory)" : text, NULL);
    if (len >= 0)
        free(text);
}
