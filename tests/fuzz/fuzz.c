#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void fuzz_fail(const char *file, int line, const char *condition)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

static char *exact_copy(const char *data, size_t size, size_t zeros)
{
    char *copy = malloc(size + zeros ? size + zeros : 1);
    if (!copy)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    if (zeros > 0)
        copy[size] = '\0';
    return copy;
}

char *fuzz_text(const char *data, size_t size)
{
    return exact_copy(data, size, 1);
}

void fuzz_split(const uint8_t *data, size_t size, struct fuzz_parts *out)
{
    static const char mark[] = "\n---\n";
    const char *text = (const char *)data, *end = text + size;
    const char *at = size > 0 ? memmem(text, size, mark, sizeof mark - 1) : NULL;
    const char *second = at ? at + sizeof mark - 1 : end;
    out->first_len = (size_t)((at ? at : end) - text);
    out->second_len = (size_t)(end - second);
    out->first = fuzz_text(text, out->first_len);
    out->second = fuzz_text(second, out->second_len);
}

void fuzz_parts_release(struct fuzz_parts *parts)
{
    free(parts->first);
    free(parts->second);
}

void fuzz_pieces_start(struct fuzz_pieces *p, uint8_t seed, const char *data, size_t size)
{
    *p = (struct fuzz_pieces){.at = data, .left = size, .state = seed + 1u, .seed = seed};
}

char *fuzz_pieces_next(struct fuzz_pieces *p, size_t *len)
{
    if (p->left == 0)
        return NULL;
    *len = p->left;
    if (p->seed > 0) {
        p->state = p->state * 1664525u + 1013904223u;
        size_t piece = 1 + (p->state >> 16) % p->seed;
        *len = piece < p->left ? piece : p->left;
    }
    char *copy = exact_copy(p->at, *len, 0);
    p->at += *len;
    p->left -= *len;
    return copy;
}

bool fuzz_is_clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        unsigned char next = i + 1 < len ? (unsigned char)text[i + 1] : 0;
        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return false;
        if (c == 0xc2 && next >= 0x80 && next <= 0x9f) /* C1 */
            return false;
    }
    return text_is_utf8(text, len);
}
