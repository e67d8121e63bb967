#include "table.h"

#include <stdlib.h>
#include <string.h>

#include "line.h"
#include "memory.h"

void table_init(struct table *t, const char *const *headings, size_t columns)
{
    *t = (struct table){.columns = columns};
    for (size_t i = 0; i < columns; i++)
        table_cell(t, headings[i]);
}

void table_release(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){0};
}

void table_cell(struct table *t, const char *text)
{
    t->cells = must(realloc(t->cells, (t->count + 1) * sizeof *t->cells));
    t->cells[t->count++] = line_make(text, strlen(text), 0, true);
}

static int by_first_cell(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static void pad(struct stream *to, size_t columns)
{
    while (columns-- > 0)
        (void)fputc(' ', to->file);
}

static void print_row(const struct table *t, size_t row, const size_t *widths, struct stream *to)
{
    size_t used = 0, edge = stream_columns(to);
    for (size_t i = 0; i < t->columns; i++) {
        const char *cell = t->cells[row * t->columns + i];
        if (i + 1 < t->columns) {
            (void)fputs(cell, to->file);
            pad(to, widths[i] - line_columns(cell) + 2);
            used += widths[i] + 2;
            continue;
        }
        char *cut = line_make(cell, strlen(cell), edge > used + 10 ? edge - used : 0, to->utf8);
        (void)fprintf(to->file, "%s\n", cut);
        free(cut);
    }
}

void table_print(struct table *t, struct stream *to)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0}, rows = t->count / t->columns;
    for (size_t i = 0; i < rows * t->columns; i++) {
        size_t width = line_columns(t->cells[i]);
        if (width > widths[i % t->columns])
            widths[i % t->columns] = width;
    }
    qsort(t->cells + t->columns, rows - 1, t->columns * sizeof *t->cells, by_first_cell);
    (void)fputs(stream_style(to, STYLE_BOLD), to->file);
    print_row(t, 0, widths, to);
    (void)fputs(stream_style(to, STYLE_NONE), to->file);
    for (size_t row = 1; row < rows; row++)
        print_row(t, row, widths, to);
}
