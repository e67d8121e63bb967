/* git_add: stages files, folders and removals. */
#include "diff.h"
#include "stage.h"

#define MAX_LISTED 100

/* What is staged now, under these paths: what a commit would hold. */
static int32_t write_staged(const struct repo *repo, const struct stage *s,
                            const struct repo_paths *paths)
{
    struct reply reply;
    git_commit *head = NULL;
    git_tree *tree = NULL;
    git_diff *diff = NULL;
    git_diff_options options;
    reply_init(&reply, repo->call);
    diff_options(&options);
    options.pathspec = paths->list;
    int32_t status = repo_head(repo, &head);
    if (status == TACKLE_OK)
        status = repo_tree_of(repo, head, &tree);
    if (status == TACKLE_OK) {
        int error = git_diff_tree_to_index(&diff, repo->git, tree, s->index, &options);
        status = error < 0 ? repo_fail(repo->call, error, "staged, but the list cannot be made")
                           : diff_prepare(repo, diff);
    }
    if (status == TACKLE_OK && git_diff_num_deltas(diff) == 0)
        (void)reply_text(&reply, "staged, but nothing differs from the last commit\n");
    else if (status == TACKLE_OK) {
        (void)reply_text(&reply, "staged:\n");
        status = diff_write_stat(repo, diff, &reply, MAX_LISTED);
    }
    if (s->skipped > 0) {
        (void)reply_format(&reply, "[%zu skipped, neither files nor links: ", s->skipped);
        (void)reply_path(&reply, "", s->first_skipped);
        (void)reply_text(&reply, s->skipped > 1 ? " ...]\n" : "]\n");
    }
    git_diff_free(diff);
    git_tree_free(tree);
    git_commit_free(head);
    return status;
}

int32_t add_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct repo_paths paths;
    struct stage stage = {0};
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    status = repo_paths_init(&repo, &paths);
    if (status == TACKLE_OK)
        status = stage_init(&stage, &repo);
    if (status == TACKLE_OK && paths.all)
        status = stage_path(&stage, "");
    for (size_t i = 0; status == TACKLE_OK && i < paths.list.count; i++)
        status = stage_path(&stage, paths.list.strings[i]);
    if (status == TACKLE_OK)
        status = stage_write(&stage);
    if (status == TACKLE_OK)
        status = write_staged(&repo, &stage, &paths);
    stage_release(&stage);
    repo_paths_release(&paths);
    repo_close(&repo);
    return status;
}
