/* JSON Schema: draft-07 and the widely used keywords of 2020-12, compiled once, checked often.
 * Not supported and refused when met: remote $ref, $dynamicRef, unevaluatedProperties and
 * unevaluatedItems. `format` and the content keywords are annotations. */
#ifndef WIRE_SCHEMA_H
#define WIRE_SCHEMA_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Refuse properties that a schema with `properties` does not declare, although it does not say
 * additionalProperties: false: a tool argument with a typo should not be lost in silence. Not
 * applied where additionalProperties or patternProperties is given, nor inside allOf, anyOf,
 * oneOf, not, if, then, else and below $ref. */
#define SCHEMA_STRICT_PROPERTIES (1u << 0)

#define SCHEMA_TEXT_MAX   (1u << 20)
#define SCHEMA_DEPTH_MAX  128     /* of the schema, and of a check */
#define SCHEMA_STEPS_MAX  1000000 /* subschemas looked at in one check */
#define SCHEMA_ERRORS_MAX 5       /* problems named in one check */

struct schema;

/* NULL with ERR_PARSE (no JSON), ERR_CONFIG (no schema: where and why) or ERR_LIMIT. */
struct schema *schema_compile(const char *text, size_t len, unsigned flags, struct err *err);

/* The same from a JSON value, which is copied. */
struct schema *schema_compile_json(const json_t *value, unsigned flags, struct err *err);

void schema_free(struct schema *schema);

/* Does the value fit? 0, or -1 after appending up to SCHEMA_ERRORS_MAX problems to `problems`
 * (which may be NULL), one a line and without a last \n: "limit: must be at least 1, got 0". A
 * schema may be shared, checks do not change it. */
int schema_check(const struct schema *schema, const json_t *value, struct buf *problems);

/* Of the library for `pattern`: "10.42 2022-12-11". */
#define SCHEMA_REGEX_VERSION_SIZE 64
void schema_regex_version(char out[SCHEMA_REGEX_VERSION_SIZE]);

#endif
