/* Where a text that was looked for in vain comes closest. Three tries, from sure to vague: the same
 * characters but for white space and case; the run of lines that is most alike; nothing. */
#include "nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "show.h"

#define LINES_MAX  100000u /* of the text that are compared */
#define WANTED_MAX 40u     /* lines of what is wanted that are compared */
#define ALIKE_MIN  50u     /* in a hundred */

struct line {
    const char *at;
    size_t len; /* without its newline */
};

/* ---- Lines ---- */

/* malloc'd; *count of them, at most max. NULL when out of memory. */
static struct line *split(const char *text, size_t len, size_t max, size_t *count)
{
    size_t n = show_count_lines(text, len);
    n = n < max ? n : max;
    struct line *lines = calloc(n + 1, sizeof *lines);
    const char *end = text + len;
    *count = 0;
    while (lines && *count < n) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        lines[(*count)++] = (struct line){text, (size_t)((newline ? newline : end) - text)};
        text = newline ? newline + 1 : end;
    }
    return lines;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static struct line trim_end(struct line line)
{
    while (line.len > 0 && is_space(line.at[line.len - 1]))
        line.len--;
    return line;
}

static struct line trim_start(struct line line)
{
    while (line.len > 0 && is_space(*line.at)) {
        line.at++;
        line.len--;
    }
    return line;
}

static bool same(struct line a, struct line b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

/* How much of two lines is the same from their beginnings and from their ends, in a hundred. Blanks
 * around them and case do not count. */
static size_t likeness(struct line a, struct line b)
{
    a = trim_end(trim_start(a));
    b = trim_end(trim_start(b));
    size_t shorter = a.len < b.len ? a.len : b.len, head = 0, tail = 0;
    if (a.len + b.len == 0)
        return 100;
    while (head < shorter && fold(a.at[head]) == fold(b.at[head]))
        head++;
    while (tail < shorter - head && fold(a.at[a.len - 1 - tail]) == fold(b.at[b.len - 1 - tail]))
        tail++;
    return 200 * (head + tail) / (a.len + b.len);
}

/* ---- Saying what is different ---- */

#define BLANKS_SIZE 64

/* "1 tab", "4 spaces", "nothing" ... */
static void describe_blanks(struct line line, char out[BLANKS_SIZE])
{
    size_t spaces = 0, tabs = 0, len = 0;
    for (; len < line.len && is_space(line.at[len]); len++) {
        spaces += line.at[len] == ' ';
        tabs += line.at[len] == '\t';
    }
    if (len == 0)
        (void)snprintf(out, BLANKS_SIZE, "nothing");
    else if (spaces == len)
        (void)snprintf(out, BLANKS_SIZE, "%zu space%s", spaces, spaces > 1 ? "s" : "");
    else if (tabs == len)
        (void)snprintf(out, BLANKS_SIZE, "%zu tab%s", tabs, tabs > 1 ? "s" : "");
    else
        (void)snprintf(out, BLANKS_SIZE, "%zu tabs and %zu spaces", tabs, spaces);
}

static bool same_case_aside(struct line a, struct line b)
{
    bool equal = a.len == b.len;
    for (size_t i = 0; equal && i < a.len; i++)
        equal = fold(a.at[i]) == fold(b.at[i]);
    return equal;
}

static bool same_blanks_aside(struct line a, struct line b)
{
    for (;;) {
        a = trim_start(a);
        b = trim_start(b);
        if (a.len == 0 || b.len == 0)
            return a.len == b.len;
        if (*a.at != *b.at)
            return false;
        a = (struct line){a.at + 1, a.len - 1};
        b = (struct line){b.at + 1, b.len - 1};
    }
}

/* The line of the file and the line that was wanted are not the same: why? False, with `why` left
 * alone: for no simple reason. */
static bool explain_line(size_t number, struct line file, struct line want, struct nearest *out)
{
    char *why = out->why;
    size_t size = sizeof out->why;
    bool file_cr = file.len > 0 && file.at[file.len - 1] == '\r';
    bool want_cr = want.len > 0 && want.at[want.len - 1] == '\r';
    struct line f = trim_end(file), w = trim_end(want);
    if (same(f, w) && file_cr != want_cr) {
        (void)snprintf(why, size, "line %zu ends in %s in the file, in %s in old_text", number,
                       file_cr ? "CRLF" : "LF", want_cr ? "CRLF" : "LF");
    } else if (same(f, w)) {
        (void)snprintf(why, size, "line %zu has %zu blanks at its end, old_text has %zu", number,
                       file.len - f.len, want.len - w.len);
    } else if (same(trim_start(f), trim_start(w))) {
        char in_file[BLANKS_SIZE], in_want[BLANKS_SIZE];
        describe_blanks(file, in_file);
        describe_blanks(want, in_want);
        (void)snprintf(why, size, "line %zu is indented by %s in the file, by %s in old_text",
                       number, in_file, in_want);
    } else if (same_blanks_aside(f, w)) {
        (void)snprintf(why, size, "line %zu has other white space within it", number);
    } else if (same_case_aside(trim_start(f), trim_start(w))) {
        (void)snprintf(why, size, "line %zu differs in upper and lower case", number);
    } else {
        return false;
    }
    return true;
}

/* The lines of a text, and those of what is wanted. */
struct lines {
    struct line *text;
    size_t count;
    struct line *wanted;
    size_t wanted_count;
};

/* Explains the first line that differs; a line that differs for no simple reason is left to what
 * `why` says already, or pointed at. */
static void explain_lines(const struct lines *l, struct nearest *out)
{
    for (size_t i = 0; i < l->wanted_count && out->first - 1 + i < l->count; i++) {
        struct line file = l->text[out->first - 1 + i], want = l->wanted[i];
        size_t column = 0;
        if (same(file, want))
            continue;
        if (explain_line(out->first + i, file, want, out) || out->why[0] != '\0')
            return;
        while (column < file.len && column < want.len && file.at[column] == want.at[column])
            column++;
        (void)snprintf(out->why, sizeof out->why, "line %zu differs from byte %zu on",
                       out->first + i, column + 1);
        return;
    }
}

/* ---- The tries ---- */

/* The text without white space, in lower case when `any_case`. */
static bool squeeze(struct bytes *out, const char *text, size_t len, bool any_case)
{
    bytes_init(out, len);
    out->data = malloc(len + 1);
    if (!out->data)
        return false;
    out->size = len + 1;
    for (size_t i = 0; i < len; i++) {
        if (!is_space(text[i]))
            out->data[out->len++] = any_case ? fold(text[i]) : text[i];
    }
    out->data[out->len] = '\0';
    return true;
}

/* The place of the n-th (from 0) character of `text` that is no white space. */
static size_t unsqueeze(const char *text, size_t n)
{
    size_t at = 0;
    for (;; at++) {
        if (!is_space(text[at]) && n-- == 0)
            return at;
    }
}

static bool find_squeezed(const char *text, size_t len, const char *wanted, size_t wanted_len,
                          bool any_case, struct nearest *out)
{
    struct bytes in = {0}, what = {0};
    bool found = false;
    if (squeeze(&in, text, len, any_case) && squeeze(&what, wanted, wanted_len, any_case) &&
        what.len > 0) {
        const char *hit = memmem(in.data, in.len, what.data, what.len);
        if (hit) {
            size_t from = (size_t)(hit - in.data);
            out->first = show_line_of(text, unsqueeze(text, from));
            out->last = show_line_of(text, unsqueeze(text, from + what.len - 1));
            (void)snprintf(out->why, sizeof out->why, "from line %zu on, %s differ", out->first,
                           any_case ? "upper and lower case" : "white space or line breaks");
            found = true;
        }
    }
    bytes_release(&in);
    bytes_release(&what);
    return found;
}

/* The run of lines that is most like the wanted ones; long lines count for more. */
static void find_alike(const struct lines *l, struct nearest *out)
{
    size_t best = 0, best_at = 0;
    for (size_t i = 0; i < l->count; i++) {
        size_t score = 0, weight = 0;
        for (size_t j = 0; j < l->wanted_count; j++) {
            size_t w = trim_end(trim_start(l->wanted[j])).len;
            w = w < 200 ? w : 200;
            weight += w;
            score += i + j < l->count ? w * likeness(l->text[i + j], l->wanted[j]) : 0;
        }
        score = weight > 0 ? score / weight : 0;
        if (score > best) {
            best = score;
            best_at = i;
        }
    }
    if (best < ALIKE_MIN)
        return;
    out->first = best_at + 1;
    out->last = best_at + l->wanted_count < l->count ? best_at + l->wanted_count : l->count;
}

/* Lines that start with a number and a tab, as read_file shows them when asked to. */
static bool is_numbered(const struct lines *l)
{
    for (size_t i = 0; i < l->wanted_count; i++) {
        struct line line = trim_start(l->wanted[i]);
        size_t digits = 0;
        while (digits < line.len && line.at[digits] >= '0' && line.at[digits] <= '9')
            digits++;
        if (digits == 0 || digits == line.len || line.at[digits] != '\t')
            return false;
    }
    return l->wanted_count > 0;
}

static const char *find_any(const char *text, size_t len, const char *wanted, size_t wanted_len,
                            const struct lines *l, struct nearest *out)
{
    if (is_numbered(l))
        return "old_text holds the line numbers that read_file shows: leave them out";
    bool squeezed = find_squeezed(text, len, wanted, wanted_len, false, out) ||
                    find_squeezed(text, len, wanted, wanted_len, true, out);
    if (!squeezed)
        find_alike(l, out);
    if (out->first == 0)
        return "nothing in the file is like it";
    if (!squeezed || out->last - out->first + 1 == l->wanted_count)
        explain_lines(l, out);
    return "the text there ends in another way";
}

void nearest_find(const char *text, size_t len, const char *wanted, size_t wanted_len,
                  struct nearest *out)
{
    struct lines l = {0};
    const char *otherwise = "out of memory while looking for what is close";
    *out = (struct nearest){0};
    l.text = split(text, len, LINES_MAX, &l.count);
    l.wanted = split(wanted, wanted_len, WANTED_MAX, &l.wanted_count);
    if (l.text && l.wanted)
        otherwise = find_any(text, len, wanted, wanted_len, &l, out);
    if (out->why[0] == '\0')
        (void)snprintf(out->why, sizeof out->why, "%s", otherwise);
    free(l.text);
    free(l.wanted);
}
