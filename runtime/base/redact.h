/*
 * Secrets taken out of text: a set of values that are known, each in the forms in which it may turn
 * up (as it is, in JSON, in a URL, in hex, in base64 at any place), and tokens that are known by
 * their form. What is found becomes "[redacted:NAME]".
 *
 * It is a net, not a boundary: a value that is written backwards or with blanks in between passes.
 * Text without a secret costs about a nanosecond a byte. The values lie in locked memory.
 */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define REDACT_VALUE_MIN   8           /* a shorter value would take words out of every text */
#define REDACT_VALUE_MAX   (16u << 10) /* of a longer one these first bytes are looked for */
#define REDACT_SECRETS_MAX 256
#define REDACT_NAME_MAX    64

struct redact;

/* A set that knows the tokens with a form, and no value. NULL when out of memory. */
struct redact *redact_new(void);
void redact_free(struct redact *set);

/* Adds a value; blanks around it are not part of it. One that is too short or known is ignored.
 * 0; -1 when there are too many, or out of memory. */
int redact_add(struct redact *set, const char *name, const char *value);

/* Is there one of the values that were added in the text, in any form? Its name, or NULL. */
const char *redact_find(const struct redact *set, const char *text, size_t len);

enum redact_form {
    REDACT_TEXT,
    REDACT_JSON /* JSON text from its beginning or from between two values; it stays JSON */
};

/* How many secrets are in the text. With some, the text without them is appended to `out`; with
 * none, nothing is. -1: `out` is full, and as it was. A set that is NULL knows nothing. */
long redact_copy(const struct redact *set, enum redact_form form, const char *text, size_t len,
                 struct buf *out);

/* Takes them out of a buffer, from a place in it to its end. How many there were, or -1: the buffer
 * cannot hold what it would become, and is as it was. */
long redact_buf(const struct redact *set, enum redact_form form, struct buf *text, size_t from);

/* ---- A text that comes in pieces: what is found does not depend on where it is cut ---- */

struct redact_stream {
    const struct redact *set; /* borrowed; NULL: everything passes */
    struct buf held; /* the last bytes that were given out, and what cannot be judged yet */
    size_t before;   /* how many were given out */
    size_t found;    /* secrets so far */
};

void redact_stream_init(struct redact_stream *stream, const struct redact *set);
void redact_stream_release(struct redact_stream *stream);

/* Takes a piece, and appends to `out` what can be given out. -1: no memory; the piece is lost. */
int redact_stream_feed(struct redact_stream *stream, const char *text, size_t len, struct buf *out);

/* The same for what is held back; then the stream is as new. */
int redact_stream_end(struct redact_stream *stream, struct buf *out);

/* Forgets what is held back; the stream is as new. */
void redact_stream_drop(struct redact_stream *stream);

#endif
