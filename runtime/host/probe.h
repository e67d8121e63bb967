/* `tackle-host probe TIER`: can this machine close a sandbox? */
#ifndef HOST_PROBE_H
#define HOST_PROBE_H

#include <stdint.h>

#define PROBE_EXIT_NONE 12 /* the tier cannot be had */

/* Closes it, all of it, in a process without a plugin, and prints
 *     {"tier","landlock","cgroup","via","user_namespaces":bool,"seccomp":bool}  or
 *     {"problem","step"}
 * The exit status: 0, PROBE_EXIT_NONE, or 2 for a tier that does not exist. */
int probe_tier(const char *name);

/* The rest of it, inside bubblewrap. */
int probe_inside(const char *name, uint64_t outer_pids, const char *cgroup);

#endif
