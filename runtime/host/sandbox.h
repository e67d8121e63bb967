/* The walls round a plugin, closed before its code is loaded: from then on the process can do no
 * more than its plugin needs. Here is the order of the steps; each is a file of its own. */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include <stdbool.h>

#include "host/sandbox_spec.h"
#include "host/step.h"

struct sandbox_report {
    enum sandbox_tier tier;
    int landlock;    /* ABI; 0: none */
    char cgroup[32]; /* controllers that limit it: "pids,memory"; "" */
    bool bwrap;      /* by bubblewrap; else by the host itself */
    bool own_pids;   /* process numbers are a namespace's own: no other process can be hit */
    bool cut;        /* the workspace was too large to be looked through */
};

/* Closes it; cannot be undone. With spec->inside it is what bubblewrap has left to do. In t2 and t3
 * it is another process that returns: the caller's becomes the outer one, waits, and ends as the
 * new one ends. 0 with *report; or -1, in the caller's process, with the step that failed: then
 * nothing of the plugin may be loaded, and nothing was changed that would matter to saying so.
 * spec->workspace_fd is afterwards the workspace in the new root. */
int sandbox_enter(const struct sandbox_spec *spec, struct sandbox_report *report,
                  struct step_failure *failure);

/* For a plugin that is only described: the best tier that this machine has, with nothing to work
 * in, nothing to write to and no network; in tier external at the least. What a run is held by is
 * not decided here. 0; or -1 with the step that failed. As sandbox_enter() otherwise. */
int sandbox_describe(const char *plugin, int plugin_fd, struct step_failure *failure);

#endif
