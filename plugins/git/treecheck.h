/* Is a tree fit to be written into a work tree or an index? */
#ifndef GIT_TREECHECK_H
#define GIT_TREECHECK_H

#include "repo.h"

/* Refuses a tree that holds, at any depth, a name that is "." or "..", has a slash, stands for
 * .git on any file system, or twice the same name (a link and a folder: what is in the folder would
 * be written through the link). libgit2 refuses most of these when it writes them; this refuses
 * the whole before the first file is written. */
int32_t treecheck(const struct repo *repo, const git_tree *tree);

#endif
