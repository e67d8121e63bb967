/* The walls round a plugin, closed before its code is loaded: from then on the process can do no
 * more than its plugin needs. */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

struct sandbox_spec {
    const char *plugin;    /* path of the plugin file, which must stay readable */
    const char *workspace; /* absolute path; NULL: none */
    int workspace_fd;      /* -1: none */
    bool write;            /* may files of the workspace be changed? */
};

/* Cannot be undone. 0, or -1 with ERR_DENIED when the sandbox cannot be had: then nothing of the
 * plugin may be loaded. What there is today every kernel can do: no new rights through exec, no
 * core files, few descriptors. */
int sandbox_close(const struct sandbox_spec *spec, struct err *err);

#endif
