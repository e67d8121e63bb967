/* Limits that every kernel has. */
#ifndef HOST_LIMITS_H
#define HOST_LIMITS_H

#include "host/sandbox_spec.h"
#include "host/step.h"

/* No core files, few descriptors at first; in t2 and t3 the size of files as well, and in t3 the
 * number of processes: elsewhere that counts all that the user runs. 0 or -1 with the failure. */
int limits_set(const struct sandbox_spec *spec, struct step_failure *failure);

/* When memory runs out, what tools run goes first. Before /proc becomes read-only; best effort. */
void limits_prefer_to_end(void);

#endif
