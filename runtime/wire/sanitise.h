/* Cuts a tool's parameter schema down to what Gemini's endpoints accept: one keyword they do not
 * know fails the whole request. What cannot be said any more in keywords goes into descriptions;
 * the full schema still checks the arguments that come back. */
#ifndef WIRE_SANITISE_H
#define WIRE_SANITISE_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

#define SANITISE_DEPTH_MAX 32
#define SANITISE_NODES_MAX 4096 /* subschemas, when references are put in place */

/* Returns a new schema (a new reference) that uses type, description, properties, required, items,
 * enum (of texts), nullable, anyOf, format (date-time), minimum, maximum, minItems and maxItems
 * only. `changes` (may be NULL) receives what was changed, one a line: "path: $ref was put in
 * place". NULL with ERR_CONFIG (not the schema of an object) or ERR_LIMIT (it grows too large). */
json_t *sanitise_schema(const json_t *schema, struct buf *changes, struct err *err);

#endif
