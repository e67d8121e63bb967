/* A root of its own: everything the plan allows, and nothing else, mounted on an empty tmpfs. */
#ifndef HOST_MOUNTS_H
#define HOST_MOUNTS_H

#include "host/plan.h"

/* In new user and mount namespaces, with the workspace as current folder; afterwards that is "/".
 * 0 or -1 with the failure: then the process must end. */
int mounts_enter(const struct sandbox_spec *spec, const struct plan *plan,
                 struct step_failure *failure);

/* Opens the workspace in the new root, makes sure that it is the one that spec->workspace_fd is
 * open for, and puts it in its place; makes sure that the plugin's path still leads to its file. 0
 * or -1 with the failure. */
int mounts_check(const struct sandbox_spec *spec, struct step_failure *failure);

#endif
