/* Growable text with a cap and a memory for failure. */
#include "bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bytes_init(struct bytes *b, size_t max)
{
    *b = (struct bytes){.max = max};
}

void bytes_release(struct bytes *b)
{
    free(b->data);
    bytes_init(b, b->max);
}

/* Room for `more` bytes and the zero byte after them. */
static bool bytes_grow(struct bytes *b, size_t more)
{
    if (b->failed || more > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->size)
        return true;
    size_t size = b->size > 0 ? b->size : 256;
    while (size < need)
        size *= 2;
    char *data = realloc(b->data, size);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->size = size;
    return true;
}

bool bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (!bytes_grow(b, len))
        return false;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

bool bytes_text(struct bytes *b, const char *text)
{
    return bytes_add(b, text, strlen(text));
}

bool bytes_format(struct bytes *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    bool ok = len >= 0 && bytes_grow(b, (size_t)len);
    if (ok) {
        (void)vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    } else {
        b->failed = true;
    }
    va_end(again);
    va_end(args);
    return ok;
}

void bytes_cut(struct bytes *b, size_t len)
{
    if (len < b->len) {
        b->len = len;
        b->data[len] = '\0';
    }
}

const char *bytes_str(const struct bytes *b)
{
    return b->data ? b->data : "";
}
