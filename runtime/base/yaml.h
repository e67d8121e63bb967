/* YAML to JSON values through libyaml: one document, the types of YAML 1.2's core schema. The only
 * file that knows libyaml. */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"

#define YAML_DEPTH_MAX 32
#define YAML_NODES_MAX 20000 /* counted after aliases are followed */

/* Parses the first document. NULL with ERR_PARSE and a text that begins "line N: " on bad input:
 * broken syntax, a key twice, a key that is no scalar, too deep, too large. An empty document is
 * JSON null. `first_line` is the number of the text's first line in its file, from 1. The value is
 * the caller's. */
json_t *yaml_load(const char *text, size_t len, unsigned first_line, struct err *err);

/* Of libyaml: "0.2.5". */
const char *yaml_version(void);

#endif
