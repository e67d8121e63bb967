/* What a yes "for this run" covers: calls of the same tool that say the same where it counts. */
#ifndef ENGINE_APPROVAL_H
#define ENGINE_APPROVAL_H

#include <jansson.h>

#include "base/buf.h"
#include "engine/tool.h"

#define APPROVAL_RULE_MAX 600 /* bytes of approval_rule(), at most */

/* The arguments that count: paths and URLs, as the tool's schema marks them ("format"); all of them
 * for a tool that runs commands, and for one that marks none. A new reference; NULL: no memory. */
json_t *approval_shape(const struct tool *tool, const json_t *args);

/* The same for people: "write_file(src/main.c)", "run_command(make test)". Appends; 0 or -1. */
int approval_rule(const struct tool *tool, const json_t *args, struct buf *out);

#endif
