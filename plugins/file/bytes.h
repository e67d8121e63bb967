/* Growable text with a cap. A failed append is remembered, so that code which builds a result
 * asks once, at its end, whether all of it fitted. */
#ifndef FILE_BYTES_H
#define FILE_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data; /* owned; NULL while empty, else a zero byte follows data[len - 1] */
    size_t len;
    size_t size;
    size_t max;  /* len never exceeds this */
    bool failed; /* over `max` or out of memory; further appends do nothing */
};

void bytes_init(struct bytes *b, size_t max);
void bytes_release(struct bytes *b);

/* True when the bytes were appended; false leaves the text as it was and sets `failed`. */
bool bytes_add(struct bytes *b, const void *data, size_t len);
bool bytes_text(struct bytes *b, const char *text);
bool bytes_format(struct bytes *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Cuts to `len` bytes; `failed` stays. */
void bytes_cut(struct bytes *b, size_t len);

/* The text, "" while empty. */
const char *bytes_str(const struct bytes *b);

#endif
