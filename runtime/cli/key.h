/* --api-key-fd: a key that is neither in a file nor in the environment. */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include <tackle/tackle.h>

/* Reads the key of the endpoint from a descriptor, once, to its end, and closes it. 0, or -1. */
int key_from_descriptor(tackle_runtime *rt, const char *number, tackle_error *error);

#endif
