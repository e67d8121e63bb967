#include "line.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "clean.h"
#include "memory.h"

/* The bytes of the character at `text`, which is valid UTF-8, and its width. */
static size_t step(const char *text, size_t *columns)
{
    unsigned char first = (unsigned char)*text;
    size_t len = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t point = len == 1 ? first : first & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if (!text[i]) {
            *columns = 1;
            return i;
        }
        point = point << 6 | ((unsigned char)text[i] & 0x3Fu);
    }
    int width = wcwidth((wchar_t)point); /* -1 outside the locale's character set */
    *columns = width < 0 ? 1 : (size_t)width;
    return len;
}

size_t line_columns(const char *text)
{
    size_t total = 0, columns;
    while (*text) {
        text += step(text, &columns);
        total += columns;
    }
    return total;
}

size_t line_fit(const char *text, size_t columns)
{
    size_t at = 0, used = 0, width;
    while (text[at]) {
        size_t len = step(text + at, &width);
        if (at > 0 && used + width > columns)
            break;
        used += width;
        at += len;
    }
    return at;
}

/* Spaces, newlines and tabs become one space; none at either end. */
static void fold(char *text)
{
    char *to = text;
    bool gap = false;
    for (const char *at = text; *at; at++) {
        if (*at == ' ' || *at == '\n' || *at == '\t') {
            gap = to != text;
            continue;
        }
        if (gap)
            *to++ = ' ';
        gap = false;
        *to++ = *at;
    }
    *to = '\0';
}

static char *cut(char *text, size_t columns, bool utf8)
{
    const char *ellipsis = utf8 ? "\xE2\x80\xA6" : "...";
    size_t room = utf8 ? 1 : 3, used = 0, width, at = 0;
    if (columns == 0 || line_columns(text) <= columns)
        return text;
    while (text[at]) {
        size_t len = step(text + at, &width);
        if (used + width + room > columns)
            break;
        used += width;
        at += len;
    }
    char *shorter = memory_format("%.*s%s", (int)at, text, columns >= room ? ellipsis : "");
    free(text);
    return shorter;
}

#define LINE_BYTES_MAX 4096 /* nobody reads more of one line, and columns are cut from it */

char *line_make(const char *text, size_t len, size_t columns, bool utf8)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = memory_file(&line, &size);
    clean_text(CLEAN_TERMINAL, file, text, len < LINE_BYTES_MAX ? len : LINE_BYTES_MAX);
    memory_close(file, &line);
    fold(line);
    return cut(line, columns, utf8);
}

char *line_first(const char *text, size_t len, size_t columns, bool utf8)
{
    size_t start = 0;
    while (start < len && strchr(" \r\n\t", text[start]) && text[start])
        start++;
    const char *end = memchr(text + start, '\n', len - start);
    return line_make(text + start, end ? (size_t)(end - text) - start : len - start, columns, utf8);
}

/* ---- Tool calls ---- */

static void put_json(FILE *to, const json_t *value, bool quoted)
{
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        quoted = quoted || *text == '\0';
        if (quoted)
            (void)fputc('"', to);
        (void)fwrite(text, 1, json_string_length(value), to);
        if (quoted)
            (void)fputc('"', to);
    } else if (json_is_array(value)) {
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item)
        {
            if (i > 0)
                (void)fputc(' ', to);
            put_json(to, item, json_is_string(item) && strchr(json_string_value(item), ' '));
        }
    } else {
        char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)fputs(text ? text : "", to);
        free(text);
    }
}

/* Text that a person or the model wrote: its first line, in quotes. */
static void put_words(FILE *to, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text)
        (void)fprintf(to, "\"%.*s\"", (int)strcspn(text, "\n"), text);
    else
        put_json(to, value, false);
}

/* The first of these members that is there; NULL when none is. */
static const json_t *first_of(const json_t *arguments, const char *const *keys)
{
    for (; *keys; keys++) {
        const json_t *value = json_object_get(arguments, *keys);
        if (value && !json_is_null(value))
            return value;
    }
    return NULL;
}

static void put_arguments(FILE *to, json_t *arguments)
{
    static const char *const runs[] = {"argv", "command", "shell", "cmd", "url", NULL};
    static const char *const words[] = {"message", "pattern", "query", "text", "location", NULL};
    static const char *const places[] = {"path",   "paths", "file", "files", "dir",
                                         "branch", "name",  "ref",  "rev",   NULL};
    const json_t *run = first_of(arguments, runs);
    const json_t *said = run ? NULL : first_of(arguments, words);
    const json_t *place = run ? NULL : first_of(arguments, places);
    if (run)
        put_json(to, run, false);
    if (said)
        put_words(to, said);
    if (said && place)
        (void)fputc(' ', to);
    if (place)
        put_json(to, place, false);
    if (run || said || place)
        return;
    const char *key;
    json_t *value;
    json_object_foreach(arguments, key, value)
    {
        put_json(to, value, json_is_string(value));
        return;
    }
}

char *line_call(json_t *arguments)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = memory_file(&text, &len);
    /* Models send text; when that is no object it is shown as it is. */
    const char *raw = json_string_value(arguments);
    json_t *parsed = raw ? json_loads(raw, JSON_ALLOW_NUL, NULL) : json_incref(arguments);
    if (json_is_object(parsed))
        put_arguments(file, parsed);
    else if (raw)
        (void)fwrite(raw, 1, json_string_length(arguments), file);
    json_decref(parsed);
    memory_close(file, &text);
    char *line = line_make(text, len, 0, true);
    free(text);
    return line;
}

const char *line_failure(const char *output)
{
    const char *why = output;
    for (const char *at = output; at; at = strchr(at, '\n')) {
        at += *at == '\n';
        if (strncmp(at, "error: ", 7) == 0)
            why = at + 7;
    }
    return why;
}

/* ---- Numbers ---- */

void line_duration(int64_t ms, char out[LINE_SHORT])
{
    if (ms < 1000)
        (void)snprintf(out, LINE_SHORT, "%" PRId64 " ms", ms < 0 ? 0 : ms);
    else if (ms < 60000)
        (void)snprintf(out, LINE_SHORT, "%" PRId64 ".%" PRId64 " s", ms / 1000, ms % 1000 / 100);
    else
        (void)snprintf(out, LINE_SHORT, "%" PRId64 " m %02" PRId64 " s", ms / 60000,
                       ms % 60000 / 1000);
}

void line_count(int64_t n, char out[LINE_SHORT])
{
    if (n < 10000)
        (void)snprintf(out, LINE_SHORT, "%" PRId64, n);
    else if (n < 1000000)
        (void)snprintf(out, LINE_SHORT, "%" PRId64 ".%" PRId64 "k", n / 1000, n % 1000 / 100);
    else
        (void)snprintf(out, LINE_SHORT, "%" PRId64 ".%" PRId64 "M", n / 1000000,
                       n % 1000000 / 100000);
}
