/* What a text or a JSON value must look like: the right-hand side of `when` and `expect` lines.
 *
 *     is VALUE         equal; a newline at the end of the text does not count
 *     contains TEXT    TEXT is in it (a value that is no string is looked at as JSON)
 *     lacks TEXT       TEXT is not in it
 *     matches REGEX    PCRE2, ^ and $ at each line
 *     present, absent  it is there, it is not
 *     empty            it is there and has no bytes
 *     at least N, at most N
 *     count N          so many values are found
 *
 * VALUE and TEXT are the rest of the line, or a JSON string in quotation marks; for a JSON value,
 * VALUE is JSON when it parses as such, else text. */
#ifndef ENDPOINT_MATCH_H
#define ENDPOINT_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct match; /* one condition */

/* NULL with an error for what is none of the above. */
struct match *match_new(const char *text, struct err *err);
void match_free(struct match *match);

/* data is NULL for a text that is not there; else a zero byte follows the text. */
bool match_text(const struct match *match, const char *data, size_t len);

/* The values at a JSON pointer (RFC 6901); in addition "-1" as a part is the last item of an array,
 * "-2" the one before it, and "*" is each member of an array or object. `is`, `contains`, `matches`
 * and the numbers hold when one of the values found fits, `lacks` and `absent` when none is against
 * it. root may be NULL: nothing is found. */
bool match_json(const struct match *match, const json_t *root, const char *pointer);

/* Appends the values at a pointer as JSON, one a line, or "(nothing)". */
void match_show(struct buf *out, const json_t *root, const char *pointer);

/* Is `needle` in the bytes? */
bool match_has(const char *data, size_t len, const char *needle, size_t needle_len);

#endif
