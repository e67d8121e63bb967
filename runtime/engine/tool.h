/* A tool as the loop knows it, wherever it is run: in a plugin's process or in a function of the
 * embedding program. */
#ifndef ENGINE_TOOL_H
#define ENGINE_TOOL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/schema.h"

struct tool {
    char *name;               /* owned */
    char *description;        /* owned */
    char *params;             /* owned: the schema as the model gets it, sanitised JSON text */
    json_t *declared;         /* owned: the schema as the plugin wrote it; NULL: none */
    struct tool_check *check; /* owned: what checks arguments; NULL: it takes none */
    uint32_t does;            /* TACKLE_READS | ... */
    uint32_t effect;          /* TACKLE_EFFECT_... */
    bool parallel;
    char **hosts; /* owned, NULL-terminated; NULL: none */
    void *owner;  /* borrowed: what runs it (a struct plugin or a function) */
};

/* From {"name","description","params","does":[...],"parallel","effect","hosts"}: what tackle-host
 * describe prints. ERR_PLUGIN with the reason. With a text "offered", which is tool->params of this
 * very tool when it was read before, its schema has been found good: it is compiled only when it is
 * needed. */
int tool_from_json(const json_t *value, struct tool *out, struct err *err);

/* From the parts of a tackle_function. `params` is JSON text or NULL. */
int tool_from_parts(const char *name, const char *description, const char *params, uint32_t does,
                    uint32_t effect, struct tool *out, struct err *err);

void tool_release(struct tool *tool);

/* What its arguments are checked with; NULL: it takes none, or memory is out (*err). */
const struct schema *tool_schema(const struct tool *tool, struct err *err);

/* "reads, writes" ; the words of `does` as a JSON array; "never", "safe", "keyed", "probe". */
json_t *tool_does_json(const struct tool *tool);
const char *tool_effect_name(const struct tool *tool);

#endif
