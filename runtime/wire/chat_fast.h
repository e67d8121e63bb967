/* Inside chat_reply: the chunk that makes up nearly all of a stream, a delta of plain text, read
 * without building a JSON tree. It takes only what the general path would read in the same way;
 * everything else is left to that path. */
#ifndef WIRE_CHAT_FAST_H
#define WIRE_CHAT_FAST_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/chat_build.h"

/* False: not such a chunk, nothing was done. True: taken, with *status as of chat_build_take(). */
bool chat_fast_take(struct chat_build *build, const char *chunk, size_t len, int *status);

#endif
