/* Agent files: Markdown with YAML front matter. The body is the system prompt; the front matter
 * holds name, description and any of the settings that an agent may make. */
#ifndef ENGINE_AGENT_H
#define ENGINE_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/settings.h"

#define AGENT_FILE_MAX (256u << 10)

struct agent {
    char *name;        /* owned: [a-z0-9-], at most 64 bytes */
    char *description; /* owned; "" when missing */
    char *prompt;      /* owned: the body without blank lines around it */
    json_t *settings;  /* owned object: key -> value, checked */
};

/* Parses a file's text. `file_name` names the agent when the front matter does not (its base name
 * without .md) and stands in messages. ERR_CONFIG with file and line on anything wrong. */
int agent_parse(const char *file_name, const char *text, size_t len, struct agent *out,
                struct err *err);
void agent_release(struct agent *a);

/* Puts the agent's settings into `s` as LAYER_AGENT. When `trusted` is false (a file found in the
 * workspace) it gets no more rights than the default agent: sandbox, plugin paths, and what it
 * allows are left out; *held_back is then set. */
int agent_apply(const struct agent *a, struct settings *s, bool trusted, bool *held_back,
                struct err *err);

#endif
