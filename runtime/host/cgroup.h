/* A control group for what a plugin runs: how many processes, how much memory, all of them
 * together. Best effort: whoever has no group of his own to divide does without. */
#ifndef HOST_CGROUP_H
#define HOST_CGROUP_H

#include <limits.h>

#include "host/sandbox_spec.h"

#define CGROUP_GROUPS 2

struct cgroup_group {
    char dir[PATH_MAX];
    int procs_fd; /* its cgroup.procs */
};

struct cgroup {
    char controllers[32]; /* "pids,memory"; "" */
    struct cgroup_group groups[CGROUP_GROUPS];
    size_t count;
};

/* Makes a group beneath the caller's own, where that is its to divide: at the top of a hierarchy,
 * or where it was delegated. Other groups belong to who made them, and leaving one would be leaving
 * its limits. Removes empty ones that dead processes have left. */
void cgroup_make(const struct sandbox_spec *spec, struct cgroup *cgroup);

/* Puts the calling process into it, and all it starts. controllers is "" when it could not be. */
void cgroup_join(struct cgroup *cgroup);

/* Removes it once its processes are gone. A `struct cgroup *` as void *, to be called at the end.
 */
void cgroup_remove(void *cgroup);

#endif
