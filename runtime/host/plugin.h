/* A plugin as the host keeps it: the host's own copies of the plugin's structs, every rule of
 * <tackle/plugin.h> checked, before any function of the plugin has run. */
#ifndef HOST_PLUGIN_H
#define HOST_PLUGIN_H

#include <stddef.h>

#include <tackle/plugin.h>

#include "host/problems.h"

#define PLUGIN_TOOLS_MAX       64u
#define PLUGIN_OPTIONS_MAX     64u
#define PLUGIN_HOSTS_MAX       64u
#define PLUGIN_NEEDS_MAX       64u
#define PLUGIN_DESCRIPTION_MAX 4096u
#define PLUGIN_PARAMS_MAX      65536u
#define PLUGIN_STRUCT_MAX      4096u /* a `size` over this is garbage */

struct plugin {
    tackle_plugin base; /* fields that the plugin does not know are zero */
    tackle_tool *tools; /* owned; the texts in them are the plugin's, which is never unloaded */
    size_t tool_count;
    tackle_option *options; /* owned */
    size_t option_count;
};

/* Copies min(size) of each struct and checks it. 0, or -1 with at least one problem; *plugin can
 * then only be released. */
int plugin_init(struct plugin *plugin, const tackle_plugin *raw, struct problems *problems);

void plugin_release(struct plugin *plugin);

/* NULL when there is none of that name. */
const tackle_tool *plugin_tool(const struct plugin *plugin, const char *name);
const tackle_option *plugin_option(const struct plugin *plugin, const char *name);

#endif
