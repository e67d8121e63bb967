/* git_status: the branch and what changed, in the form of `git status --short --branch`. */
#include <string.h>

#include "reply.h"
#include "repo.h"

/* " [ahead 1, behind 2]" beside the upstream's name, when there is one. */
static void write_upstream(const struct repo *repo, struct reply *r)
{
    git_reference *head = NULL, *upstream = NULL;
    git_oid ours, theirs;
    size_t ahead = 0, behind = 0;
    if (git_repository_head(&head, repo->git) == 0 && git_branch_upstream(&upstream, head) == 0 &&
        git_reference_name_to_id(&ours, repo->git, git_reference_name(head)) == 0 &&
        git_reference_name_to_id(&theirs, repo->git, git_reference_name(upstream)) == 0 &&
        git_graph_ahead_behind(&ahead, &behind, repo->git, &ours, &theirs) == 0) {
        (void)reply_text(r, "...");
        (void)reply_line(r, git_reference_shorthand(upstream));
        if (ahead && behind)
            (void)reply_format(r, " [ahead %zu, behind %zu]", ahead, behind);
        else if (ahead || behind)
            (void)reply_format(r, " [%s %zu]", ahead ? "ahead" : "behind", ahead + behind);
    }
    git_reference_free(head);
    git_reference_free(upstream);
}

static const char *state_name(int state)
{
    switch (state) {
    case GIT_REPOSITORY_STATE_MERGE:
        return "a merge";
    case GIT_REPOSITORY_STATE_REVERT:
    case GIT_REPOSITORY_STATE_REVERT_SEQUENCE:
        return "a revert";
    case GIT_REPOSITORY_STATE_CHERRYPICK:
    case GIT_REPOSITORY_STATE_CHERRYPICK_SEQUENCE:
        return "a cherry-pick";
    case GIT_REPOSITORY_STATE_BISECT:
        return "a bisect";
    case GIT_REPOSITORY_STATE_REBASE:
    case GIT_REPOSITORY_STATE_REBASE_INTERACTIVE:
    case GIT_REPOSITORY_STATE_REBASE_MERGE:
    case GIT_REPOSITORY_STATE_APPLY_MAILBOX:
    case GIT_REPOSITORY_STATE_APPLY_MAILBOX_OR_REBASE:
        return "a rebase";
    default:
        return NULL;
    }
}

static int32_t write_branch(const struct repo *repo, struct reply *r)
{
    char branch[1024];
    git_commit *head;
    int32_t status = repo_branch(repo, branch, sizeof branch);
    if (status == TACKLE_OK)
        status = repo_head(repo, &head);
    if (status != TACKLE_OK)
        return status;
    (void)reply_text(r, head ? "## " : "## No commits yet on ");
    if (*branch) {
        (void)reply_line(r, branch);
        if (head)
            write_upstream(repo, r);
    } else if (head) {
        (void)reply_text(r, "HEAD (no branch) at ");
        (void)reply_id(r, git_commit_id(head));
    }
    (void)reply_text(r, "\n");
    const char *state = state_name(git_repository_state(repo->git));
    if (state)
        (void)reply_format(r, "%s is in progress\n", state);
    git_commit_free(head);
    return TACKLE_OK;
}

/* UU, AA, DU ...: which of the three sides of a conflict are there. */
static const char *conflict_code(git_index *index, const char *path)
{
    static const char *const codes[8] = {"UU", "UA", "AU", "AA", "DD", "DU", "UD", "UU"};
    const git_index_entry *base = NULL, *ours = NULL, *theirs = NULL;
    if (git_index_conflict_get(&base, &ours, &theirs, index, path) < 0)
        return "UU";
    return codes[(base ? 4 : 0) + (ours ? 2 : 0) + (theirs ? 1 : 0)];
}

static char staged_code(unsigned status)
{
    if (status & GIT_STATUS_INDEX_NEW)
        return 'A';
    if (status & GIT_STATUS_INDEX_RENAMED)
        return 'R';
    if (status & GIT_STATUS_INDEX_MODIFIED)
        return 'M';
    if (status & GIT_STATUS_INDEX_DELETED)
        return 'D';
    return status & GIT_STATUS_INDEX_TYPECHANGE ? 'T' : ' ';
}

static char tree_code(unsigned status)
{
    if (status & (GIT_STATUS_WT_MODIFIED | GIT_STATUS_WT_UNREADABLE))
        return 'M';
    if (status & GIT_STATUS_WT_DELETED)
        return 'D';
    return status & GIT_STATUS_WT_TYPECHANGE ? 'T' : ' ';
}

static int write_entry(struct reply *r, git_index *index, const git_status_entry *e)
{
    const git_diff_delta *staged = e->head_to_index, *tree = e->index_to_workdir;
    const char *path = tree ? tree->new_file.path : staged->new_file.path;
    if (e->status & GIT_STATUS_CONFLICTED) {
        path = tree && tree->old_file.path ? tree->old_file.path : path;
        (void)reply_format(r, "%s ", conflict_code(index, path));
    } else if (e->status & GIT_STATUS_WT_NEW && !staged) {
        (void)reply_text(r, "?? ");
    } else {
        (void)reply_format(r, "%c%c ", staged_code(e->status), tree_code(e->status));
        if (e->status & GIT_STATUS_INDEX_RENAMED) {
            (void)reply_path(r, "", staged->old_file.path);
            (void)reply_text(r, " -> ");
        }
    }
    (void)reply_path(r, "", path);
    return reply_text(r, "\n");
}

static int32_t write_entries(const struct repo *repo, struct reply *r, git_status_list *list)
{
    git_index *index;
    size_t count = git_status_list_entrycount(list), i = 0;
    int32_t status = repo_index(repo, &index);
    if (status != TACKLE_OK)
        return status;
    for (; i < count && i < REPO_MAX_FILES; i++)
        if (write_entry(r, index, git_status_byindex(list, i)) < 0)
            break;
    git_index_free(index);
    if (count == 0)
        (void)reply_text(r, "nothing to commit, working tree clean\n");
    if (i < count && !r->cut)
        (void)reply_format(r, "[%zu more files]\n", count - i);
    return reply_end(r, "there are more changed files; list folders, or add some to .gitignore");
}

int32_t status_call(void *self, tackle_call *call)
{
    struct repo repo;
    struct reply reply;
    git_status_list *list = NULL;
    git_status_options options;
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&reply, call);
    int error = git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES |
                    GIT_STATUS_OPT_DISABLE_PATHSPEC_MATCH | GIT_STATUS_OPT_RENAMES_HEAD_TO_INDEX |
                    GIT_STATUS_OPT_INCLUDE_UNREADABLE;
    if (error == 0)
        error = git_status_list_new(&list, repo.git, &options);
    if (error < 0)
        status = repo_fail(call, error, "git_status failed");
    if (status == TACKLE_OK)
        status = write_branch(&repo, &reply);
    if (status == TACKLE_OK)
        status = write_entries(&repo, &reply, list);
    git_status_list_free(list);
    repo_close(&repo);
    return status;
}
