/* JSON that models and servers write nearly right: mended once, after a first parse has failed. */
#ifndef WIRE_JSON_REPAIR_H
#define WIRE_JSON_REPAIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends `text` with bad UTF-8 and lone surrogates (\ud83d) as U+FFFD and raw control characters
 * in strings escaped. Structure is left alone. 0, or -1 when out is full. */
int json_repair(struct buf *out, const char *text, size_t len);

/* Parses; when that fails repairs and parses again, then also taking integers beyond 64 bits as
 * reals, and NUL characters. `flags` are jansson's. A new reference, or NULL with the first
 * parse's *error. *repaired may be NULL. */
json_t *json_parse_lenient(const char *text, size_t len, size_t flags, bool *repaired,
                           json_error_t *error);

/* Would the text, as far as it goes, be JSON if its end were not missing? Looked at after repair.
 */
bool json_is_cut(const char *text, size_t len);

#endif
