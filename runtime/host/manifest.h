/* A plugin as the host keeps it: the host's own copies of the plugin's structs, every rule of
 * <tackle/plugin.h> checked, before any function of the plugin has run. */
#ifndef HOST_MANIFEST_H
#define HOST_MANIFEST_H

#include <stddef.h>

#include <tackle/plugin.h>

#include "host/problems.h"

#define MANIFEST_TOOLS_MAX       64u
#define MANIFEST_OPTIONS_MAX     64u
#define MANIFEST_HOSTS_MAX       64u
#define MANIFEST_NEEDS_MAX       64u
#define MANIFEST_DESCRIPTION_MAX 4096u
#define MANIFEST_PARAMS_MAX      65536u
#define MANIFEST_STRUCT_MAX      4096u /* a `size` over this is garbage */

struct manifest {
    tackle_plugin plugin; /* fields that the plugin does not know are zero */
    tackle_tool *tools;   /* owned; the texts in them are the plugin's, which is never unloaded */
    size_t tool_count;
    tackle_option *options; /* owned */
    size_t option_count;
};

/* Copies min(size) of each struct and checks it. 0, or -1 with at least one problem; *manifest can
 * then only be released. */
int manifest_read(struct manifest *manifest, const tackle_plugin *raw, struct problems *problems);

void manifest_release(struct manifest *manifest);

/* NULL when there is none of that name. */
const tackle_tool *manifest_tool(const struct manifest *manifest, const char *name);
const tackle_option *manifest_option(const struct manifest *manifest, const char *name);

#endif
