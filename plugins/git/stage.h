/* Puts files of the work tree into the index: for git_add, and git_commit with `all`. Contents go
 * in byte for byte; no filter or line-end conversion is applied. The index changes in memory only,
 * until stage_write(). */
#ifndef GIT_STAGE_H
#define GIT_STAGE_H

#include "worktree.h"

struct stage {
    const struct repo *repo;
    git_index *index;     /* owned */
    struct stat index_st; /* of the index file; zero when there is none */
    size_t files;         /* looked at */
    size_t skipped;       /* found in folders, and neither files nor links */
    char first_skipped[REPO_PATH_MAX];
};

/* Refuses when another program holds the index. */
int32_t stage_init(struct stage *s, const struct repo *repo);
void stage_release(struct stage *s);

/* Stages what `path` is now: a file, a link, a folder with all below it that is not ignored, or its
 * removal; "" is the whole work tree. */
int32_t stage_path(struct stage *s, const char *path);

/* Stages every tracked file that changed or is gone. */
int32_t stage_tracked(struct stage *s);

/* Writes the index to disk. */
int32_t stage_write(struct stage *s);

#endif
