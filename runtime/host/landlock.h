/* Landlock: rights to files that the kernel enforces for a process and all it starts. */
#ifndef HOST_LANDLOCK_H
#define HOST_LANDLOCK_H

#include "host/plan.h"

#define LANDLOCK_ABI_LEAST 4 /* for t2, which has nothing else to keep files from being written */

/* The version that this kernel has; 0: none, -1: it does not say, with errno. */
int landlock_abi(void);

/* Closes it. In t3, inside the new root, all of that may be read; in t2 what the plan allows. Below
 * ABI 6 signals are not kept inside. *abi tells the version, 0 when there is none: t3 does without,
 * t2 fails. no_new_privs must be set. 0 or -1 with the failure. */
int landlock_close(const struct sandbox_spec *spec, const struct plan *plan, int *abi,
                   struct step_failure *failure);

#endif
