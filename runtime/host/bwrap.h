/* Another way to the namespaces of t3: bubblewrap, to which some systems grant what they refuse to
 * all other programs. tackle-host starts itself again inside it, with the same plan of mounts, and
 * goes on there. */
#ifndef HOST_BWRAP_H
#define HOST_BWRAP_H

#include <stdbool.h>

#include "host/plan.h"

#define BWRAP_PROGRAM "/usr/bin/bwrap"

/* Descriptors of the process inside, besides those of the link. */
#define BWRAP_OPEN_FD   6 /* a file with the payload of OPEN */
#define BWRAP_PLUGIN_FD 7
#define BWRAP_WORD_FD   8 /* what was closed, or which step failed */

/* Is there a bubblewrap, and is this not the inside of it? */
bool bwrap_can(const struct sandbox_spec *spec);

/* Becomes bubblewrap, and in it `tackle-host inside NAMESPACE CGROUP` and spec->again: the number
 * of this process namespace, and the controllers of its group. Returns only with the failure: -1.
 */
int bwrap_exec(const struct sandbox_spec *spec, const struct plan *plan, const char *cgroup,
               int word_fd, struct step_failure *failure);

/* Inside: makes sure that this is another process namespace than that one. 0 or -1. */
int bwrap_check(const struct sandbox_spec *spec, struct step_failure *failure);

#endif
