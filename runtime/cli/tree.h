/* Small folders: copying one, removing one, is there anything in it. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include <stdbool.h>

/* Copies what is in the folder `from` into the folder `to`, which exists: regular files and
 * folders; anything else is an error. 0, or -1 with errno. */
int tree_copy(const char *from, const char *to);

/* Removes a folder and all that is in it; links are removed, not followed. 0 or -1. */
int tree_remove(const char *path);

bool tree_is_empty(const char *path);

#endif
