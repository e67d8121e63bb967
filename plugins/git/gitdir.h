/* What must hold of a .git before libgit2 sees it. libgit2 runs nothing from a repository, but it
 * follows what it finds: links, alternates, included configuration. Through those a repository
 * could read or write outside the workspace, or stop a call for ever on a FIFO. */
#ifndef GIT_GITDIR_H
#define GIT_GITDIR_H

#include <tackle/plugin.h>

#define GITDIR_MAX_FILES                                                                           \
    200000u /* entries of .git that are looked at, loose objects not counted                       \
             */

/* Checks the .git of the folder `root` (a descriptor). TACKLE_OK: a directory of its own, without
 * links, devices, FIFOs, alternates, commondir or included configuration where libgit2 looks. Else
 * a code with fail() called; TACKLE_E_NOT_FOUND means that there is no .git. */
int32_t gitdir_check(tackle_call *call, int root);

#endif
