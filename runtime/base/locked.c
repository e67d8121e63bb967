#include "base/locked.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/enforce.h"

#define BLOCK_SIZE (16u << 10)

struct locked_block {
    struct locked_block *next;
    size_t size, used; /* bytes, this head included */
};

static struct locked_block *block_new(size_t least)
{
    size_t size = BLOCK_SIZE;
    if (least > SIZE_MAX / 2)
        return NULL;
    while (size < least)
        size *= 2;
    struct locked_block *block =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    if (ENFORCED(keys_not_in_core_files))
        (void)madvise(block, size, MADV_DONTDUMP);
    (void)mlock(block, size);
    *block = (struct locked_block){.size = size, .used = sizeof *block};
    return block;
}

char *locked_room(struct locked *memory, size_t size)
{
    struct locked_block *block = memory->blocks;
    if (!block || size > block->size - block->used) {
        block = size <= SIZE_MAX / 4 ? block_new(size + sizeof *block) : NULL;
        if (!block)
            return NULL;
        block->next = memory->blocks;
        memory->blocks = block;
    }
    char *room = (char *)block + block->used;
    block->used += size;
    return room;
}

const char *locked_copy(struct locked *memory, const char *bytes, size_t len)
{
    char *copy = len < SIZE_MAX ? locked_room(memory, len + 1) : NULL;
    if (copy) {
        memcpy(copy, bytes, len);
        copy[len] = '\0';
    }
    return copy;
}

void locked_release(struct locked *memory)
{
    while (memory->blocks) {
        struct locked_block *block = memory->blocks;
        size_t size = block->size;
        memory->blocks = block->next;
        explicit_bzero(block, size);
        (void)munmap(block, size); /* and unlocks it */
    }
}
