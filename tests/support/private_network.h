/* A network of the test's own, in namespaces: the loopback device has public addresses, and the
 * names, name servers and certificate authorities of /etc are replaced. Nothing leaves it. */
#ifndef TESTS_PRIVATE_NETWORK_H
#define TESTS_PRIVATE_NETWORK_H

#include <stdbool.h>

/* Moves this process into it, for good; before any thread is started. The loopback device gets the
 * IPv4 addresses, which end with NULL. False, with the reason printed, where the kernel or the
 * machine does not allow it: exit with 77. */
bool private_network_enter(const char *const *addresses);

/* Shows this file in place of one of /etc: "/etc/hosts", "/etc/resolv.conf", ... False, with the
 * reason printed, when there is none. */
bool private_network_replace(const char *path, const char *by);

/* Runs a program in a shell; what it prints to both outputs, malloc'd. */
char *private_network_run(const char *command, int *status);

#endif
