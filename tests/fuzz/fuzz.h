/* What the fuzz targets share. A target is one file that defines LLVMFuzzerTestOneInput(); it is
 * linked with libFuzzer, or with driver.c where there is none. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input: says what does not, and ends the process. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, #condition);                                             \
    } while (0)

_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* A zero-terminated copy without a byte to spare, so that reading past its end is noticed. free()
 * it. */
char *fuzz_text(const char *data, size_t size);

/* An input of two parts, with a line "---" between them (the second part is empty without one). */
struct fuzz_parts {
    char *first, *second; /* owned; zero-terminated, without a byte to spare */
    size_t first_len, second_len;
};

void fuzz_split(const uint8_t *data, size_t size, struct fuzz_parts *out);
void fuzz_parts_release(struct fuzz_parts *parts);

/* Cuts bytes in pieces, by a seed that is part of the input: seed 0 takes all at once, 1 one byte
 * at a time, others pieces of 1 to `seed` bytes. */
struct fuzz_pieces {
    const char *at;
    size_t left;
    uint32_t state;
    uint8_t seed;
};

void fuzz_pieces_start(struct fuzz_pieces *p, uint8_t seed, const char *data, size_t size);

/* The next piece, in memory of its own that free() takes; NULL when there is no more. */
char *fuzz_pieces_next(struct fuzz_pieces *p, size_t *len);

/* Text that may be shown anywhere: valid UTF-8, no control character but \n and \t. */
bool fuzz_is_clean(const char *text, size_t len);

#endif
