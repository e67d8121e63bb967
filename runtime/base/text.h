/* Text that comes from outside: cleaned for the model, checked, cut. What a person sees is cleaned
 * by the command line (cli/clean); files keep exact bytes. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Valid UTF-8 as RFC 3629 defines it: no overlong form, no surrogate, nothing past U+10FFFF. */
bool text_is_utf8(const char *text, size_t len);

/* A NUL byte, or many control characters, in the first 8 KiB: not text. */
bool text_is_binary(const char *data, size_t len);

/* Appends `text` as valid UTF-8: each maximal bad sequence becomes U+FFFD. *replaced (may be NULL)
 * counts them. 0, or -1 when the buffer is full. */
int text_fix_utf8(struct buf *out, const char *text, size_t len, size_t *replaced);

/* For the model: valid UTF-8; control characters but \n and \t, C1, bidi controls, zero-width
 * characters, tag characters and variation-selector supplements become visible as <U+XXXX>. \r\n
 * becomes \n. */
int text_for_model(struct buf *out, const char *text, size_t len);

/* Appends `text` cut to its first `head` and last `tail` bytes, on character edges, with a line
 * between them that says how many bytes are missing. Unchanged when it fits. */
int text_head_tail(struct buf *out, const char *text, size_t len, size_t head, size_t tail);

/* The largest n <= at so that text[0..n) does not end inside a character. */
size_t text_edge(const char *text, size_t len, size_t at);

/* Edit distance with a bound, for "did you mean": > limit when farther. */
size_t text_distance(const char *a, const char *b, size_t limit);

/* The nearest of many words, for "did you mean": begin with {.word = ...}, offer each candidate.
 * True when it is nearer than those before, and near enough to be meant. */
struct text_nearest {
    const char *word;
    const char *best; /* borrowed; NULL: none is near */
    size_t distance;
};
bool text_nearest(struct text_nearest *n, const char *candidate);

#endif
