/* The repository of the workspace: opened with its guards for each call, and what every tool needs
 * of it. Functions of type int32_t return TACKLE_OK or a code with fail() called. */
#ifndef GIT_REPO_H
#define GIT_REPO_H

#include <stdbool.h>

#include <git2.h>

#include "git.h"

#define REPO_PATH_MAX  4096
#define REPO_MAX_PATHS 1000   /* in one `paths` argument */
#define REPO_MAX_FILES 100000 /* that one call deals with */

struct repo {
    const struct git_plugin *plugin;
    tackle_call *call;
    const char *root; /* absolute path of the workspace */
    int root_fd;
    git_repository *git;
};

/* Opens the repository whose .git is the workspace's own, after the checks of gitdir.h; its work
 * tree must be the workspace. On failure nothing is left open. */
int32_t repo_open(void *self, tackle_call *call, struct repo *repo);
void repo_close(struct repo *repo);

/* fail() with `what` and the text of libgit2's last error; `error` is its return value. Call it
 * right after the failure. */
int32_t repo_fail(tackle_call *call, int error, const char *what);
int32_t repo_no_memory(tackle_call *call);

/* TACKLE_OK, or fail() when the call was cancelled or its time is up. For long loops. */
int32_t repo_may_go_on(tackle_call *call);

/* `path` relative to the workspace, "" for the workspace itself: no "..", nothing in .git; `out`
 * has REPO_PATH_MAX bytes. Only the text is looked at. */
int32_t repo_path(const struct repo *repo, const char *path, char *out);

/* The argument `paths`. */
struct repo_paths {
    git_strarray list; /* malloc'd; empty when `all` */
    bool all;          /* absent, or the workspace is one of them */
};
int32_t repo_paths_init(const struct repo *repo, struct repo_paths *paths);
void repo_paths_release(struct repo_paths *paths);

/* The object that a revision names, peeled to `type` (GIT_OBJECT_ANY: as it is). *out is for
 * git_object_free(). */
int32_t repo_object(const struct repo *repo, const char *rev, git_object_t type, git_object **out);
int32_t repo_commit(const struct repo *repo, const char *rev, git_commit **out);
int32_t repo_tree(const struct repo *repo, const char *rev, git_tree **out);

/* The commit of HEAD, NULL when the branch has none yet. *out is for git_commit_free(). */
int32_t repo_head(const struct repo *repo, git_commit **out);

/* The tree of a commit; NULL for NULL, which libgit2's diffs take for the empty tree. */
int32_t repo_tree_of(const struct repo *repo, const git_commit *commit, git_tree **out);

/* "a..b" and "a...b", a side left out being HEAD: *from and *to are set, *symmetric for three dots.
 * Any other text leaves both NULL. */
int32_t repo_range(const struct repo *repo, const char *text, git_commit **from, git_commit **to,
                   bool *symmetric);

/* The name of the branch that HEAD is on, "" when detached. `out` has `size` bytes. */
int32_t repo_branch(const struct repo *repo, char *out, size_t size);

/* The index as it is on disk; for git_index_free(). */
int32_t repo_index(const struct repo *repo, git_index **out);

/* Fails when another program holds the index; its lock is never removed. */
int32_t repo_unlocked(const struct repo *repo);

/* A blob of at most 64 MiB; for git_blob_free(). `path` is for messages. */
int32_t repo_blob(const struct repo *repo, const git_oid *id, const char *path, git_blob **out);

#endif
