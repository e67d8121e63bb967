/* Splits a script into its sections; see sections.h. */
#include "sections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "words.h"

static const char MARK[] = "===";

/* A line without its newline, and where the next one starts. */
static const char *line_end(const char *at, const char *end, const char **next)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *next = newline ? newline + 1 : end;
    return newline ? newline : end;
}

static char *trimmed(const char *start, const char *end)
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return memory_copy(start, (size_t)(end - start));
}

static bool begins_with_mark(const char *at, const char *end)
{
    return (size_t)(end - at) >= sizeof MARK - 1 && memcmp(at, MARK, sizeof MARK - 1) == 0;
}

static struct section *add_section(struct sections *out, const char *at, const char *end, int line)
{
    struct section *section = memory_item(&out->items, out->count++, sizeof *section);
    char *heading = trimmed(at + sizeof MARK - 1, end);
    const char *rest = heading;
    section->name = words_take(&rest);
    section->words = memory_text(rest);
    section->line = line;
    free(heading);
    return section;
}

static void add_line(struct buf *body, const char *at, const char *end)
{
    if (at < end && *at == '\\' && begins_with_mark(at + 1, end))
        at++;
    put(body, at, (size_t)(end - at));
    put(body, "\n", 1);
}

static void end_section(struct sections *out, struct buf *body)
{
    if (out->count == 0)
        return;
    struct section *section = &out->items[out->count - 1];
    section->body_len = body->len;
    section->body = buf_take(body);
    buf_init(body, SECTIONS_FILE_MAX + 1);
}

int sections_parse(const char *path, const char *text, size_t len, struct sections *out,
                   struct err *err)
{
    struct sections sections = {.title = memory_text("")};
    struct buf body;
    int status = 0, line = 1;
    const char *next;
    buf_init(&body, SECTIONS_FILE_MAX + 1);
    for (const char *at = text, *end = text + len; at < end; at = next, line++) {
        const char *stop = line_end(at, end, &next);
        if (begins_with_mark(at, stop)) {
            end_section(&sections, &body);
            (void)add_section(&sections, at, stop, line);
        } else if (sections.count > 0) {
            add_line(&body, at, stop);
        } else if (*at == '#') {
            if (!*sections.title) {
                free(sections.title);
                sections.title = trimmed(at + 1, stop);
            }
        } else if (at + strspn(at, " \t\r") < stop) {
            status = err_set(err, ERR_PARSE,
                             "%s:%d: before the first section there are only lines that begin "
                             "with #; a section begins with ===",
                             path, line);
            break;
        }
    }
    end_section(&sections, &body);
    buf_release(&body);
    if (status)
        sections_release(&sections);
    *out = sections;
    return status;
}

int sections_read(const char *path, struct sections *out, struct err *err)
{
    *out = (struct sections){0};
    FILE *file = fopen(path, "rbe");
    if (!file)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    char *text = memory_new(SECTIONS_FILE_MAX + 1);
    size_t len = fread(text, 1, SECTIONS_FILE_MAX, file);
    int status;
    if (ferror(file))
        status = err_set(err, ERR_IO, "%s: cannot be read", path);
    else if (len == SECTIONS_FILE_MAX)
        status = err_set(err, ERR_LIMIT, "%s: is over %u bytes", path, SECTIONS_FILE_MAX);
    else
        status = sections_parse(path, text, len, out, err);
    free(text);
    (void)fclose(file);
    return status;
}

void sections_release(struct sections *sections)
{
    for (size_t i = 0; i < sections->count; i++) {
        free(sections->items[i].name);
        free(sections->items[i].words);
        free(sections->items[i].body);
    }
    free(sections->items);
    free(sections->title);
    *sections = (struct sections){0};
}

static const struct placeholder *placeholder_at(const char *at, const char *end,
                                                const struct placeholder *placeholders)
{
    for (const struct placeholder *p = placeholders; p->name; p++) {
        size_t len = strlen(p->name);
        if ((size_t)(end - at) >= len && memcmp(at, p->name, len) == 0)
            return p;
    }
    return NULL;
}

static void expand(char **text, size_t *len, const struct placeholder *placeholders)
{
    struct buf out;
    const char *end = *text + *len;
    buf_init(&out, 2 * SECTIONS_FILE_MAX);
    for (const char *at = *text; at < end;) {
        const struct placeholder *found = *at == '{' ? placeholder_at(at, end, placeholders) : NULL;
        if (found) {
            put_text(&out, found->value);
            at += strlen(found->name);
        } else {
            put(&out, at++, 1);
        }
    }
    free(*text);
    *len = out.len;
    *text = buf_take(&out);
}

void sections_expand(struct sections *sections, const struct placeholder *placeholders)
{
    for (size_t i = 0; i < sections->count; i++) {
        struct section *section = &sections->items[i];
        size_t words_len = strlen(section->words);
        expand(&section->words, &words_len, placeholders);
        expand(&section->body, &section->body_len, placeholders);
    }
}

void section_lines_init(struct section_lines *lines, const struct section *section)
{
    *lines = (struct section_lines){
        .at = section->body, .end = section->body + section->body_len, .line = section->line};
    buf_init(&lines->text, SECTIONS_FILE_MAX);
}

bool section_lines_next(struct section_lines *lines)
{
    while (lines->at < lines->end) {
        const char *next;
        const char *stop = line_end(lines->at, lines->end, &next);
        char *text = trimmed(lines->at, stop);
        bool wanted = *text && *text != '#';
        lines->at = next;
        lines->line++;
        buf_clear(&lines->text);
        put_text(&lines->text, text);
        free(text);
        if (wanted)
            return true;
    }
    return false;
}

void section_lines_release(struct section_lines *lines)
{
    buf_release(&lines->text);
}
