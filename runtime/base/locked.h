/* Memory for keys: kept out of the swap file and of core files, and wiped when it is freed. It only
 * grows. What cannot be locked (RLIMIT_MEMLOCK) is wiped all the same. */
#ifndef BASE_LOCKED_H
#define BASE_LOCKED_H

#include <stddef.h>

struct locked_block;

struct locked {
    struct locked_block *blocks; /* owned; NULL: nothing was kept so far */
};

/* `size` bytes that live as long as the memory. NULL when out of memory. */
char *locked_room(struct locked *memory, size_t size);

/* A copy with a zero byte behind it. NULL when out of memory. */
const char *locked_copy(struct locked *memory, const char *bytes, size_t len);

/* Wipes and frees all of it; it can then be used anew. */
void locked_release(struct locked *memory);

#endif
