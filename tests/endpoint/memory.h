/* Memory for the test machinery. Out of memory, or over a cap, ends the program with a message:
 * these are test tools, and a test that cannot go on must not pass. */
#ifndef ENDPOINT_MEMORY_H
#define ENDPOINT_MEMORY_H

#include <stddef.h>

#include "base/buf.h"

/* `size` zeroed bytes. */
void *memory_new(size_t size);

/* A copy of len bytes with a zero byte behind them. */
char *memory_copy(const void *data, size_t len);
char *memory_text(const char *text);

/* Room for one more item in the array *items, which holds `count`: the new, zeroed item. */
void *memory_item(void *items, size_t count, size_t item_size);

/* Appends; see base/buf.h. */
void put(struct buf *b, const void *data, size_t len);
void put_text(struct buf *b, const char *text);
void put_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
