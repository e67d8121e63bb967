/* Allocation that ends the program when it fails; see memory.h. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void give_up(const char *why)
{
    (void)fprintf(stderr, "test machinery: %s\n", why);
    abort();
}

void *memory_new(size_t size)
{
    void *data = calloc(1, size ? size : 1);
    if (!data)
        give_up("out of memory");
    return data;
}

char *memory_copy(const void *data, size_t len)
{
    char *copy = memory_new(len + 1);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

char *memory_text(const char *text)
{
    return memory_copy(text, strlen(text));
}

void *memory_item(void *items, size_t count, size_t item_size)
{
    void *old, *data;
    memcpy(&old, items, sizeof old);
    data = reallocarray(old, count + 1, item_size);
    if (!data)
        give_up("out of memory");
    memcpy(items, &data, sizeof data);
    return memset((char *)data + count * item_size, 0, item_size);
}

void put(struct buf *b, const void *data, size_t len)
{
    if (buf_append(b, data, len))
        give_up("a buffer is over its cap, or out of memory");
}

void put_text(struct buf *b, const char *text)
{
    put(b, text, strlen(text));
}

void put_format(struct buf *b, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        give_up("out of memory");
    put(b, text, (size_t)len);
    free(text);
}
