/* How the processes of plugins are confined: from settings, policy and what a plugin's tools
 * declare to the members of OPEN (wire/link.h) that tackle-host closes its sandbox by. Nothing is
 * closed here, and a tier is never lowered: what cannot be had is an error that says what to do. */
#ifndef ENGINE_CONFINE_H
#define ENGINE_CONFINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/policy.h"
#include "engine/settings.h"
#include "engine/tool.h"

/* "t3", "t2", "external", or "off" (--sandbox off, whatever tier was named). */
const char *confine_tier(const struct settings *s);

/* Does the kernel hold tools to it? Such a tier can be impossible on a machine. */
bool confine_is_enforced(const char *tier);

/* May the sandbox be turned off? Not where `ci` (the variable CI; NULL: unset) says that nobody is
 * there to answer for it. 0, or -1 with ERR_USAGE. */
int confine_check_off(const struct settings *s, const char *ci, struct err *err);

/* {"sandbox":{...},"deny_read":[],"deny_write":[]} for the plugin that is the owner of some of
 * `tools`, for its calls that may write (the run may, or a person said yes to one) or for those
 * that may not. A new reference; NULL: out of memory. */
json_t *confine_plugin(const struct settings *s, const struct policy *policy,
                       const struct tool *const *tools, size_t count, const void *owner,
                       bool write);

/* ERR_SANDBOX: this tier cannot be had, since this step of closing it failed; and what to do. All
 * texts may be NULL. Returns -1. */
int confine_fail(struct err *err, const char *tier, const char *step, const char *problem);

#endif
