/* Namespaces, and the processes that belong to a set of them: the outer one, which the runtime
 * started and which only waits; the first inside, which only waits as well; the one that serves. */
#ifndef HOST_NAMESPACES_H
#define HOST_NAMESPACES_H

#include <stdbool.h>
#include <sys/types.h>

#include "host/step.h"

/* As fork(), with the child as process 1 of namespaces of its own; it has the caller's current
 * folder as the new mount namespace sees it. -1 with errno. The caller has one thread. */
pid_t namespaces_fork(bool network);

/* In the child: user and group keep their numbers and have no others. Then a loopback device, when
 * the network is its own. 0 or -1 with the failure. */
int namespaces_settle(uid_t uid, gid_t gid, bool network, struct step_failure *failure);

/* Forks once more, so that signals mean to the server what they mean to any process: process 1
 * would pass over its own. Returns in the child; the caller waits for it, and ends as it ended. 0
 * or -1 with the failure. */
int namespaces_split(struct step_failure *failure);

/* Waits for the child and ends as it ended: with its exit status, or by the signal that ended it,
 * which process 1 passes on as 128 + signal. */
_Noreturn void namespaces_mirror(pid_t child, void (*before)(void *user), void *user);

#endif
