/* What a workspace brings into the plan: where its repository really is, what in it must not
 * change, what in it must not be seen. */
#ifndef HOST_PLAN_WORKSPACE_H
#define HOST_PLAN_WORKSPACE_H

#include "host/plan.h"

/* The repository of a worktree lies elsewhere, and is added: writable only for who may change .git.
 * What .git says is not believed unless the place it names points back to this workspace. 0 or -1
 * with the failure. */
int plan_repository(const struct sandbox_spec *spec, struct plan *plan,
                    struct step_failure *failure);

/* Pins .git and .tackle, wherever they are in the workspace, for a plugin that may write, but not
 * to these; masks the files that spec->hide names. The walk is bounded: plan->cut tells. 0 or -1
 * with the failure. */
int plan_workspace(const struct sandbox_spec *spec, struct plan *plan,
                   struct step_failure *failure);

#endif
