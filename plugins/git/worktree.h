/* Files of the work tree, reached from the workspace's own descriptor one component at a time and
 * without following a link: what libgit2's own functions for this would not promise (its
 * git_index_add_bypath stages files outside through a linked folder, and waits on a FIFO). */
#ifndef GIT_WORKTREE_H
#define GIT_WORKTREE_H

#include <sys/stat.h>

#include "repo.h"

#define WORKTREE_MAX_BYTES ((size_t)64 << 20)

#define WORKTREE_MISSING 0
#define WORKTREE_FILE    1
#define WORKTREE_LINK    2
#define WORKTREE_DIR     3
#define WORKTREE_OTHER   4 /* a FIFO, a socket, a device */

struct worktree_file {
    int kind;         /* WORKTREE_... */
    int dir;          /* the folder it is in; -1 when that is missing too; owned */
    const char *path; /* borrowed */
    const char *name; /* the last part of path */
    struct stat st;   /* unless missing */
};

/* WORKTREE_... of what stat() says. */
int worktree_kind(mode_t mode);

/* Looks at `path`, relative and clean as from repo_path(). TACKLE_OK, or a code with fail() called:
 * TACKLE_E_DENIED when a folder on the way is a link. `path` must outlive *file; release it. */
int32_t worktree_find(const struct repo *repo, const char *path, struct worktree_file *file);
void worktree_release(struct worktree_file *file);

/* What git stores for it: the bytes of a file, the target of a link. *data is malloc'd and the
 * caller's. At most WORKTREE_MAX_BYTES. */
int32_t worktree_read(const struct repo *repo, const struct worktree_file *file, char **data,
                      size_t *len);

/* GIT_FILEMODE_LINK, GIT_FILEMODE_BLOB or GIT_FILEMODE_BLOB_EXECUTABLE. Where the file system keeps
 * no execute bits (core.filemode is false, which `index` knows) a file has the bits of `known`, its
 * entry, which may be NULL. */
git_filemode_t worktree_mode(const struct worktree_file *file, const git_index *index,
                             const git_index_entry *known);

/* Is it what this entry says, in kind, mode and content? */
int32_t worktree_is(const struct repo *repo, const struct worktree_file *file,
                    const git_index *index, const git_index_entry *entry, bool *same);

#endif
