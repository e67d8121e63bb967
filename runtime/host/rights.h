/* What a process may do by what it is: capabilities, new rights through exec, being looked into. */
#ifndef HOST_RIGHTS_H
#define HOST_RIGHTS_H

#include "host/step.h"

/* No new rights through exec: setuid programs run without. 0 or -1 with the failure. */
int rights_forbid_new(struct step_failure *failure);

/* Drops all capabilities, for good, and keeps others of the same user from tracing this process and
 * from reading its memory and environment. 0 or -1 with the failure. */
int rights_drop(struct step_failure *failure);

#endif
