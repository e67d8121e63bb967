/* Growable bytes with a cap given at creation, so that nothing read from outside can grow without
 * end. The data always ends with a zero byte that len does not count. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>

struct buf {
    char *data; /* never NULL after buf_init: "" while empty; owned */
    size_t len;
    size_t size; /* bytes allocated, 0 while data is the static "" */
    size_t max;  /* len never exceeds this */
};

/* No allocation happens before the first append. */
void buf_init(struct buf *b, size_t max);

/* Frees the bytes and leaves an empty buffer with the same cap. */
void buf_release(struct buf *b);

/* Forgets the bytes, keeps the memory. */
void buf_clear(struct buf *b);

/* Room for `more` bytes after len, without changing len. 0, or -1 when over the cap or out of
 * memory; the buffer is then as it was. The same holds for all functions below. */
int buf_reserve(struct buf *b, size_t more);

int buf_append(struct buf *b, const void *data, size_t len);
int buf_text(struct buf *b, const char *text);
int buf_byte(struct buf *b, char c);
int buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first n bytes. */
void buf_shift(struct buf *b, size_t n);

/* Cuts to len bytes. */
void buf_cut(struct buf *b, size_t len);

/* Hands the bytes to the caller, who free()s them, and leaves the buffer empty. NULL only when
 * out of memory. */
char *buf_take(struct buf *b);

#endif
