#include "base/diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define CONTEXT    3
#define TABLE_MAX  (4u << 20) /* cells; what needs more is shown as replaced as a whole */
#define SHOWN_MAX  200        /* bytes of a line */
#define SHOWN_LEAD 60         /* bytes of it in front of the difference */

struct line {
    const char *text; /* borrowed, not terminated */
    size_t len;
};

struct lines {
    struct line *items; /* owned */
    size_t count;
};

/* One line of the result. */
struct edit {
    char sign;   /* ' ', '-' or '+' */
    size_t a, b; /* the lines of both texts that are next */
};

struct edits {
    struct edit *items; /* owned */
    size_t count;
};

static int split(const char *text, struct lines *out)
{
    size_t count = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
        count++;
    *out = (struct lines){.items = calloc(count + 1, sizeof *out->items)};
    if (!out->items)
        return -1;
    for (const char *at = text; *at; at += *at == '\n') {
        size_t len = strcspn(at, "\n");
        out->items[out->count++] = (struct line){at, len};
        at += len;
    }
    return 0;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void add(struct edits *e, char sign, size_t a, size_t b)
{
    e->items[e->count++] = (struct edit){sign, a, b};
}

/* The longest common subsequence of a[from..a_end) and b[from..b_end), by the table of its lengths;
 * without a table all of a goes and all of b comes. */
static void compare(const struct lines *a, const struct lines *b, size_t from, size_t a_end,
                    size_t b_end, struct edits *out)
{
    size_t rows = a_end - from, columns = b_end - from, i = 0, j = 0;
    bool fits = rows < TABLE_MAX && columns < TABLE_MAX && (rows + 1) * (columns + 1) <= TABLE_MAX;
    uint32_t *table = fits ? calloc((rows + 1) * (columns + 1), sizeof *table) : NULL;
#define CELL(x, y) table[(x) * (columns + 1) + (y)]
    for (size_t x = rows; table && x-- > 0;)
        for (size_t y = columns; y-- > 0;)
            CELL(x, y) = same(&a->items[from + x], &b->items[from + y]) ? CELL(x + 1, y + 1) + 1
                         : CELL(x + 1, y) >= CELL(x, y + 1)             ? CELL(x + 1, y)
                                                                        : CELL(x, y + 1);
    while (i < rows || j < columns) {
        bool both = table && i < rows && j < columns;
        if (both && same(&a->items[from + i], &b->items[from + j])) {
            add(out, ' ', from + i++, from + j++);
        } else if (i < rows && (!both || CELL(i + 1, j) >= CELL(i, j + 1))) {
            add(out, '-', from + i, from + j);
            i++;
        } else {
            add(out, '+', from + i, from + j);
            j++;
        }
    }
#undef CELL
    free(table);
}

static int find_edits(const struct lines *a, const struct lines *b, struct edits *out)
{
    size_t from = 0, a_end = a->count, b_end = b->count;
    *out = (struct edits){.items = calloc(a->count + b->count + 1, sizeof *out->items)};
    if (!out->items)
        return -1;
    for (; from < a_end && from < b_end && same(&a->items[from], &b->items[from]); from++)
        add(out, ' ', from, from);
    while (a_end > from && b_end > from && same(&a->items[a_end - 1], &b->items[b_end - 1])) {
        a_end--;
        b_end--;
    }
    compare(a, b, from, a_end, b_end, out);
    for (; a_end < a->count; a_end++, b_end++)
        add(out, ' ', a_end, b_end);
    return 0;
}

/* ---- Showing ---- */

struct shower {
    const struct lines *a, *b;
    const struct edits *edits;
    struct buf *out;
};

/* Where a changed line begins to differ from its counterpart: the n-th of the lines that go stands
 * for the n-th that come. */
static size_t first_difference(const struct shower *s, size_t at)
{
    const struct edit *e = &s->edits->items[at];
    size_t first = at, nth, other;
    while (first > 0 && s->edits->items[first - 1].sign == e->sign)
        first--;
    nth = at - first;
    if (e->sign == '-') {
        for (other = at; other < s->edits->count && s->edits->items[other].sign == '-'; other++)
            ;
        other += nth;
    } else {
        for (other = first; other > 0 && s->edits->items[other - 1].sign == '-'; other--)
            ;
        other = other + nth < first ? other + nth : s->edits->count;
    }
    if (other >= s->edits->count || s->edits->items[other].sign == e->sign ||
        s->edits->items[other].sign == ' ')
        return 0;
    const struct line *mine = e->sign == '-' ? &s->a->items[e->a] : &s->b->items[e->b];
    const struct edit *o = &s->edits->items[other];
    const struct line *theirs = o->sign == '-' ? &s->a->items[o->a] : &s->b->items[o->b];
    size_t same_bytes = 0;
    while (same_bytes < mine->len && same_bytes < theirs->len &&
           mine->text[same_bytes] == theirs->text[same_bytes])
        same_bytes++;
    return same_bytes;
}

static int show_line(const struct shower *s, size_t at)
{
    const struct edit *e = &s->edits->items[at];
    const struct line *line = e->sign == '+' ? &s->b->items[e->b] : &s->a->items[e->a];
    size_t from = 0, len = line->len;
    if (len > SHOWN_MAX && e->sign != ' ') {
        from = first_difference(s, at);
        from = from > SHOWN_LEAD ? text_edge(line->text, line->len, from - SHOWN_LEAD) : 0;
    }
    if (len - from > SHOWN_MAX)
        len = text_edge(line->text, line->len, from + SHOWN_MAX);
    return buf_byte(s->out, e->sign) || (from > 0 && buf_text(s->out, "[...]")) ||
                   text_for_model(s->out, line->text + from, len - from) ||
                   (len < line->len && buf_text(s->out, "[...]")) || buf_byte(s->out, '\n')
               ? -1
               : 0;
}

/* The edits [from, to) that belong to one heading: changes with less than two contexts between. */
static bool next_hunk(const struct edits *e, size_t *from, size_t *to)
{
    size_t first = *to, last;
    while (first < e->count && e->items[first].sign == ' ')
        first++;
    if (first == e->count)
        return false;
    last = first;
    for (size_t i = first; i < e->count && i - last <= 2 * CONTEXT + 1; i++)
        if (e->items[i].sign != ' ')
            last = i;
    *from = first - *to > CONTEXT ? first - CONTEXT : *to;
    *to = last + 1 + CONTEXT < e->count ? last + 1 + CONTEXT : e->count;
    return true;
}

static int show_heading(const struct shower *s, size_t from, size_t to)
{
    size_t counts[2] = {0, 0};
    const struct edit *e = &s->edits->items[from];
    for (size_t i = from; i < to; i++) {
        counts[0] += s->edits->items[i].sign != '+';
        counts[1] += s->edits->items[i].sign != '-';
    }
    return buf_format(s->out, "@@ -%zu,%zu +%zu,%zu @@\n", e->a + (counts[0] > 0), counts[0],
                      e->b + (counts[1] > 0), counts[1]);
}

static int show(const struct shower *s, size_t max_lines)
{
    size_t from = 0, to = 0, shown = 0, left_out = 0;
    while (next_hunk(s->edits, &from, &to)) {
        if (shown < max_lines && show_heading(s, from, to) != 0)
            return -1;
        for (size_t i = from; i < to; i++) {
            if (shown++ >= max_lines)
                left_out++;
            else if (show_line(s, i) != 0)
                return -1;
        }
    }
    return left_out > 0 ? buf_format(s->out, "[%zu lines more]\n", left_out) : 0;
}

int diff_text(struct buf *out, const char *before, const char *after, size_t max_lines)
{
    struct lines a = {0}, b = {0};
    struct edits edits = {0};
    int status = -1;
    if (split(before, &a) == 0 && split(after, &b) == 0 && find_edits(&a, &b, &edits) == 0) {
        const struct shower shower = {&a, &b, &edits, out};
        status = show(&shower, max_lines);
    }
    free(edits.items);
    free(a.items);
    free(b.items);
    return status;
}
