/* Diffs as text, for git_diff, git_show, git_add and git_commit. */
#ifndef GIT_DIFF_TEXT_H
#define GIT_DIFF_TEXT_H

#include "reply.h"
#include "repo.h"

/* Options that take paths literally and leave submodules alone. A file that became a link is a
 * removal and a new file, as in git. */
void diff_options(git_diff_options *options);

/* Finds renames. Fails when the diff has more than REPO_MAX_FILES files. */
int32_t diff_prepare(const struct repo *repo, git_diff *diff);

/* The unified diff. */
int32_t diff_write_patch(const struct repo *repo, git_diff *diff, struct reply *r);

/* One line a file, "M src/a.c +3 -1", at most `max_lines` of them, and one with the totals. */
int32_t diff_write_stat(const struct repo *repo, git_diff *diff, struct reply *r, size_t max_lines);

#endif
