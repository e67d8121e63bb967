/* The tools of the git plugin, one file a tool, and what they share. libgit2 does the work; no
 * program is started, no hook, filter, driver or helper of the repository's configuration has any
 * effect, and nothing outside the workspace is read or written. */
#ifndef GIT_PLUGIN_H
#define GIT_PLUGIN_H

#include <tackle/plugin.h>

/* What open() finds; the `self` of every call. */
struct git_plugin {
    const tackle_host *host;
    const tackle_workspace_v1 *workspace;
    const tackle_config_v1 *config;
};

/* The contracts are those of tackle_tool's `call` and `probe`. */
int32_t init_call(void *self, tackle_call *call);
int32_t init_probe(void *self, tackle_call *call);
int32_t status_call(void *self, tackle_call *call);
int32_t diff_call(void *self, tackle_call *call);
int32_t log_call(void *self, tackle_call *call);
int32_t show_call(void *self, tackle_call *call);
int32_t blame_call(void *self, tackle_call *call);
int32_t branch_call(void *self, tackle_call *call);
int32_t branch_probe(void *self, tackle_call *call);
int32_t switch_call(void *self, tackle_call *call);
int32_t switch_probe(void *self, tackle_call *call);
int32_t add_call(void *self, tackle_call *call);
int32_t commit_call(void *self, tackle_call *call);
int32_t commit_probe(void *self, tackle_call *call);
int32_t restore_call(void *self, tackle_call *call);
int32_t restore_probe(void *self, tackle_call *call);

#endif
