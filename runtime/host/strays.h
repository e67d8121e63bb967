/* Processes that a call has left behind. */
#ifndef HOST_STRAYS_H
#define HOST_STRAYS_H

#include "host/sandbox.h"

/* Ends them, and waits until they are gone: in t3 all that is in the process namespace but this
 * process and process 1; in t2 what this process has adopted. Nothing in other tiers, where they
 * are not known from others. */
void strays_end(const struct sandbox_report *sandbox);

#endif
