/* What is known of a plugin without running it here: tackle-host describes it in a process of its
 * own, and the description is kept in a cache, so that a start waits for no process. */
#ifndef IO_PLUGIN_H
#define IO_PLUGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/tool.h"

struct plugin {
    char *path;                               /* owned; absolute, without links */
    json_t *info;                             /* owned: what tackle-host describe printed */
    const char *name, *version, *description; /* of info */
    struct tool *tools;                       /* owned */
    size_t tool_count;
};

/* Asks tackle-host what is in a file: its description, or {"path","problems":[...]}. A plugin that
 * hangs or crashes while it is loaded is an error here: ERR_PLUGIN. A new reference, or NULL. */
json_t *plugin_describe(const char *host_program, const char *path, struct err *err);

/* Reads a plugin's description from the cache or from tackle-host. `cache_dir` may be NULL. A
 * plugin with problems is ERR_PLUGIN, with the first of them in the text. */
struct plugin *plugin_load(const char *host_program, const char *cache_dir, const char *path,
                           struct err *err);
void plugin_free(struct plugin *plugin);

/* Takes the text of an option through its declared type: ERR_USAGE when the plugin has no such
 * option (with the nearest) or the value does not fit. */
int plugin_check_option(const struct plugin *plugin, const char *option, const char *value,
                        struct err *err);

/* Is its value declared to be a secret? */
bool plugin_option_is_secret(const struct plugin *plugin, const char *option);

/* The default of an option; NULL when there is none. */
const char *plugin_option_default(const struct plugin *plugin, const char *option);

#endif
