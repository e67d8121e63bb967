/* Files of a repository that other programs execute or obey when nobody thinks of it: git's hooks,
 * CI workflows, tasks of editors, what builds and tests run, what tells agents how to behave. A run
 * that changed one says so at its end. */
#ifndef ENGINE_EXECUTED_H
#define ENGINE_EXECUTED_H

#include <stdbool.h>

/* Who runs or obeys the file with this path, relative to the workspace: "git", "CI", "editors",
 * "builds and tests", "shells", "agents". NULL: nobody in particular. */
const char *executed_by(const char *path);

/* Is it a file that agents read as instructions, AGENTS.md? */
bool executed_is_instructions(const char *path);

/* Can there be such files below this folder? Not among git's objects, nor in packages that were
 * installed: those are not the repository's. */
bool executed_may_be_below(const char *folder);

#endif
