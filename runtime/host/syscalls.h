/* The system calls that a sandboxed plugin and its programs may not make. */
#ifndef HOST_SYSCALLS_H
#define HOST_SYSCALLS_H

#include "host/sandbox_spec.h"
#include "host/step.h"

/* Closes them, for good. no_new_privs must be set. 0 or -1 with the failure. */
int syscalls_close(const struct sandbox_spec *spec, struct step_failure *failure);

#endif
