#include "preview.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line.h"
#include "memory.h"
#include "result.h"

#define FILE_MAX       ((size_t)1 << 20) /* a larger file is not compared */
#define CONTEXT        2                 /* lines around a change */
#define BLANKS_COMMAND 4                 /* more in a row are counted */
#define BLANKS_TEXT    32
#define FOREIGN_MAX    8

/* As many bytes as fit, up to a blank if there is one near the end. */
static size_t fit(const char *text, size_t columns)
{
    size_t len = line_fit(text, columns);
    for (size_t back = 0; text[len] && back < 16 && back + 1 < len; back++)
        if (text[len - 1 - back] == ' ')
            return len - back;
    return len;
}

void preview_add(struct preview *p, enum style style, const char *mark, const char *text)
{
    size_t indent = line_columns(mark);
    size_t room = p->columns > indent + 10 ? p->columns - indent : 10;
    bool first = true;
    do {
        size_t len = fit(text, room);
        p->lines = must(realloc(p->lines, (p->count + 1) * sizeof *p->lines));
        p->lines[p->count++] = (struct preview_line){
            .style = style,
            .text = memory_format("%*s%.*s", (int)indent, first ? mark : "", (int)len, text)};
        text += len;
        first = false;
    } while (*text);
}

/* ---- Text that is safe to look at ---- */

/* Looks like a blank and is none, or like nothing: the length of such a character; 0: it is not. */
static size_t strange_blank(const char *text, unsigned *point)
{
    static const unsigned points[] = {0xA0, 0x1680, 0x202F, 0x205F, 0x3000};
    unsigned char a = (unsigned char)text[0], b = (unsigned char)text[1];
    if (a >= 0xC2 && a < 0xE0 && b) {
        *point = (a & 0x1Fu) << 6 | (b & 0x3Fu);
    } else if (a >= 0xE0 && a < 0xF0 && b && text[2]) {
        *point = (a & 0x0Fu) << 12 | (b & 0x3Fu) << 6 | ((unsigned char)text[2] & 0x3Fu);
    } else {
        return 0;
    }
    bool strange = *point >= 0x2000 && *point <= 0x200A;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        strange = strange || points[i] == *point;
    return !strange ? 0 : a < 0xE0 ? 2 : 3;
}

static void put_blanks(FILE *to, size_t count, bool counted)
{
    if (counted)
        (void)fprintf(to, "<%zu blank%s>", count, count == 1 ? "" : "s");
    else
        (void)fprintf(to, "%*s", (int)count, "");
}

/* One line without its end. In a command blanks at the start mean as much as anywhere. */
static char *visible(const char *text, size_t len, bool command)
{
    char *clean = NULL, *out = NULL;
    size_t clean_len = 0, out_len = 0;
    unsigned point = 0;
    FILE *to = memory_file(&clean, &clean_len);
    clean_text(CLEAN_TERMINAL, to, text, len);
    memory_close(to, &clean);
    to = memory_file(&out, &out_len);
    for (const char *at = clean; *at;) {
        size_t blanks = strspn(at, " "), strange = strange_blank(at, &point);
        if (blanks > 0) {
            bool edge = (command && at == clean) || at[blanks] == '\0';
            put_blanks(to, blanks, edge || blanks > (command ? BLANKS_COMMAND : BLANKS_TEXT));
            at += blanks;
        } else if (*at == '\t') {
            (void)fputs(command ? "\\t" : "    ", to);
            at++;
        } else if (strange > 0) {
            (void)fprintf(to, "<U+%04X>", point);
            at += strange;
        } else {
            (void)fputc(*at++, to);
        }
    }
    memory_close(to, &out);
    free(clean);
    return out;
}

static void add_text(struct preview *p, enum style style, const char *mark, const char *text,
                     size_t len, bool command)
{
    for (size_t at = 0; at <= len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t width = end ? (size_t)(end - text) - at : len - at;
        if (!end && width == 0 && at > 0)
            break; /* behind the last newline */
        char *line = visible(text + at, width, command);
        preview_add(p, style, mark, line);
        free(line);
        at += width + 1;
    }
}

/* ---- Commands ---- */

static void put_token(FILE *to, const char *text, size_t len)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./,:@%^";
    bool quoted = len == 0 || strspn(text, plain) != len;
    if (quoted)
        (void)fputc('\'', to);
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\'')
            (void)fputs("'\\''", to);
        else
            (void)fputc(text[i], to);
    if (quoted)
        (void)fputc('\'', to);
}

/* Letters of other scripts look like those of a command and are others. */
static void warn_of_foreign(struct preview *p, const char *text)
{
    char *note = NULL;
    size_t len = 0, count = 0;
    FILE *to = memory_file(&note, &len);
    (void)fputs("careful, not all of it is ASCII:", to);
    for (const unsigned char *at = (const unsigned char *)text; *at && count < FOREIGN_MAX; at++) {
        if (*at < 0xC0)
            continue;
        size_t bytes = *at < 0xE0 ? 2 : *at < 0xF0 ? 3 : 4;
        uint32_t point = *at & (0x7Fu >> bytes);
        for (size_t i = 1; i < bytes && at[i]; i++)
            point = point << 6 | (at[i] & 0x3Fu);
        (void)fprintf(to, " U+%04" PRIX32, point);
        count++;
    }
    memory_close(to, &note);
    if (count > 0)
        preview_add(p, STYLE_YELLOW, "", note);
    free(note);
}

static void add_argv(struct preview *p, const json_t *argv)
{
    char *text = NULL;
    size_t len = 0, i;
    json_t *item;
    FILE *to = memory_file(&text, &len);
    json_array_foreach(argv, i, item)
    {
        if (i > 0)
            (void)fputc(' ', to);
        if (json_is_string(item))
            put_token(to, json_string_value(item), json_string_length(item));
    }
    memory_close(to, &text);
    add_text(p, STYLE_BOLD, "", text, len, true);
    warn_of_foreign(p, text);
    free(text);
}

static void add_command(struct preview *p, const json_t *command)
{
    add_text(p, STYLE_BOLD, "", json_string_value(command), json_string_length(command), true);
    warn_of_foreign(p, json_string_value(command));
}

/* ---- Files ---- */

/* The text of a file of the workspace, as far as it can be compared; NULL: it is not there, or
 * not of that kind. The tool itself looks more closely at where the path leads. */
static char *read_file(const char *workspace, const char *path, size_t *len)
{
    struct stat st;
    char *text = NULL;
    if (*path == '/' || strstr(path, ".."))
        return NULL;
    char *full = memory_format("%s/%s", workspace, path);
    int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    free(full);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size <= FILE_MAX) {
        text = must(malloc(FILE_MAX + 1));
        ssize_t n = read(fd, text, FILE_MAX);
        *len = n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return text;
}

struct text {
    const char *data;
    size_t len;
};

/* The first line of *rest, its newline among it; takes it off. */
static struct text first_line(struct text *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct text line = {rest->data, end ? (size_t)(end - rest->data) + 1 : rest->len};
    rest->data += line.len;
    rest->len -= line.len;
    return line;
}

static struct text last_line(struct text *rest)
{
    size_t at = rest->len > 0 ? rest->len - 1 : 0;
    while (at > 0 && rest->data[at - 1] != '\n')
        at--;
    struct text line = {rest->data + at, rest->len - at};
    rest->len = at;
    return line;
}

static bool is_same(struct text a, struct text b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static void add_lines(struct preview *p, enum style style, const char *mark, struct text text)
{
    if (text.len > 0)
        add_text(p, style, mark, text.data, text.len, false);
}

/* One side of a change; at the end of a file the last newline may be all that differs. */
static void add_side(struct preview *p, enum style style, const char *mark, struct text text)
{
    add_lines(p, style, mark, text);
    if (text.len > 0 && text.data[text.len - 1] != '\n')
        preview_add(p, STYLE_DIM, "", "(no newline at the end)");
}

/* What is the same at both ends is left out, but for a little. */
static void add_change(struct preview *p, struct text was, struct text is)
{
    struct text before = {was.data, 0}, after = {NULL, 0}, a, b;
    size_t number = 1, kept = 0;
    for (;;) {
        struct text was_left = was, is_left = is;
        a = first_line(&was_left);
        b = first_line(&is_left);
        if (a.len == 0 || !is_same(a, b))
            break;
        was = was_left;
        is = is_left;
        before.len += a.len;
        number++;
    }
    for (;;) {
        struct text was_left = was, is_left = is;
        a = last_line(&was_left);
        b = last_line(&is_left);
        if (a.len == 0 || !is_same(a, b))
            break;
        was = was_left;
        is = is_left;
        after = (struct text){a.data, after.len + a.len};
    }
    if (was.len + is.len == 0) {
        preview_add(p, STYLE_DIM, "", "(this changes nothing)");
        return;
    }
    struct text shown = {before.data + before.len, 0};
    for (; kept < CONTEXT && before.len > 0; kept++) {
        a = last_line(&before);
        shown = (struct text){a.data, shown.len + a.len};
    }
    char *where = memory_format("(from line %zu)", number);
    preview_add(p, STYLE_DIM, "", where);
    free(where);
    add_lines(p, STYLE_DIM, "  ", shown);
    add_side(p, STYLE_RED, "- ", was);
    add_side(p, STYLE_GREEN, "+ ", is);
    for (kept = 0; kept < CONTEXT && after.len > 0; kept++)
        add_lines(p, STYLE_DIM, "  ", first_line(&after));
}

static void add_path(struct preview *p, const json_t *path, const char *note)
{
    char *shown = visible(json_string_value(path), json_string_length(path), true);
    char *line = memory_format("%s%s", shown, note);
    preview_add(p, STYLE_BOLD, "", line);
    free(line);
    free(shown);
}

static void add_new_content(struct preview *p, const json_t *path, const json_t *content,
                            const char *workspace)
{
    size_t len = 0;
    char *now = read_file(workspace, json_string_value(path), &len);
    struct text is = {json_string_value(content), json_string_length(content)};
    add_path(p, path, now ? "" : "  (new, or not to be compared)");
    if (now)
        add_change(p, (struct text){now, len}, is);
    else
        add_lines(p, STYLE_GREEN, "+ ", is);
    free(now);
}

static void add_edit(struct preview *p, const json_t *path, const json_t *was, const json_t *is)
{
    add_path(p, path, "");
    add_lines(p, STYLE_RED, "- ", (struct text){json_string_value(was), json_string_length(was)});
    add_lines(p, STYLE_GREEN, "+ ", (struct text){json_string_value(is), json_string_length(is)});
}

/* ---- Any arguments ---- */

static void add_argument(struct preview *p, const char *key, const json_t *value)
{
    char *name = line_make(key, strlen(key), 0, true);
    char *mark = memory_format("%s: ", name);
    bool is_text = json_is_string(value);
    char *json = is_text ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    const char *text = is_text ? json_string_value(value) : json ? json : "";
    size_t len = is_text ? json_string_length(value) : strlen(text);
    if (memchr(text, '\n', len)) {
        preview_add(p, STYLE_NONE, "", mark);
        add_text(p, STYLE_NONE, "  ", text, len, false);
    } else {
        add_text(p, STYLE_NONE, mark, text, len, true);
    }
    free(json);
    free(mark);
    free(name);
}

/* Takes a member out of the arguments that are left; borrowed from `all`. */
static const json_t *take(json_t *left, const json_t *all, const char *key)
{
    (void)json_object_del(left, key);
    return json_object_get(all, key);
}

static bool are_texts(const json_t *all, const char *const *keys)
{
    for (; *keys; keys++)
        if (!json_is_string(json_object_get(all, *keys)))
            return false;
    return true;
}

void preview_init(struct preview *p, const json_t *event, const char *workspace, size_t columns)
{
    const json_t *all = json_object_get(event, "arguments");
    json_t *left = must(json_is_object(all) ? json_copy((json_t *)(uintptr_t)all) : json_object());
    const char *key;
    json_t *value;
    *p = (struct preview){.columns = columns > 20 ? columns : 20};
    if (json_is_array(json_object_get(all, "argv")))
        add_argv(p, take(left, all, "argv"));
    if (json_is_string(json_object_get(all, "command")))
        add_command(p, take(left, all, "command"));
    if (are_texts(all, (const char *const[]){"path", "old_text", "new_text", NULL}))
        add_edit(p, take(left, all, "path"), take(left, all, "old_text"),
                 take(left, all, "new_text"));
    else if (are_texts(all, (const char *const[]){"path", "content", NULL}))
        add_new_content(p, take(left, all, "path"), take(left, all, "content"), workspace);
    json_object_foreach(left, key, value) add_argument(p, key, value);
    json_decref(left);
    if (p->count == 0)
        preview_add(p, STYLE_DIM, "", "(without arguments)");
}

void preview_release(struct preview *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->lines[i].text);
    free(p->lines);
    *p = (struct preview){0};
}
