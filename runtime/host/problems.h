/* What is wrong with a plugin, each thing with what would put it right. Collected, not stopped at
 * the first: `tackle plugins check` shows all of it. */
#ifndef HOST_PROBLEMS_H
#define HOST_PROBLEMS_H

#include <stddef.h>

#define PROBLEMS_MAX 16u /* the rest is not kept */

struct problem {
    char what[640];
    char fix[256];
};

struct problems {
    size_t count;
    struct problem items[PROBLEMS_MAX];
};

/* Adds one and returns -1. Text that is too long is cut. */
int problems_add(struct problems *problems, const char *fix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
