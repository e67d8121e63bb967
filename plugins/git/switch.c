/* git_switch: goes to another branch, keeping local changes. */
#include <string.h>

#include "diff.h"
#include "treecheck.h"

#define MAX_LISTED 50 /* conflicting paths named in the message's text */

struct conflicts {
    struct reply *reply;
    size_t count;
};

/* Called before anything is written. */
static int note_conflict(git_checkout_notify_t why, const char *path, const git_diff_file *baseline,
                         const git_diff_file *target, const git_diff_file *workdir, void *user)
{
    struct conflicts *c = user;
    (void)why, (void)baseline, (void)target, (void)workdir;
    if (c->count++ < MAX_LISTED) {
        (void)reply_path(c->reply, "", path);
        (void)reply_text(c->reply, "\n");
    }
    return 0;
}

/* The line that both the call and its probe answer. */
static int32_t write_done(const struct repo *repo, const char *branch, const char *how)
{
    struct reply reply;
    git_commit *head;
    int32_t status = repo_head(repo, &head);
    if (status != TACKLE_OK)
        return status;
    reply_init(&reply, repo->call);
    (void)reply_text(&reply, how);
    (void)reply_path(&reply, "", branch);
    if (head) {
        const char *summary = git_commit_summary(head);
        (void)reply_text(&reply, " at ");
        (void)reply_id(&reply, git_commit_id(head));
        (void)reply_text(&reply, " ");
        (void)reply_line(&reply, summary ? summary : "");
    }
    (void)reply_text(&reply, "\n");
    git_commit_free(head);
    return TACKLE_OK;
}

/* Reports every file that the switch made, changed or deleted. */
static int32_t report_changes(const struct repo *repo, git_tree *old, git_tree *new)
{
    git_diff *diff = NULL;
    git_diff_options options;
    diff_options(&options);
    int error = git_diff_tree_to_tree(&diff, repo->git, old, new, &options);
    if (error < 0)
        return repo_fail(repo->call, error, "switched, but what changed cannot be listed");
    size_t count = git_diff_num_deltas(diff);
    for (size_t i = 0; i < count && i < REPO_MAX_FILES; i++) {
        const git_diff_delta *delta = git_diff_get_delta(diff, i);
        uint32_t what = delta->status == GIT_DELTA_ADDED     ? TACKLE_CHANGED_CREATED
                        : delta->status == GIT_DELTA_DELETED ? TACKLE_CHANGED_DELETED
                                                             : TACKLE_CHANGED_MODIFIED;
        (void)repo->plugin->workspace->changed(repo->call, delta->new_file.path, what);
    }
    git_diff_free(diff);
    return TACKLE_OK;
}

static int32_t check_out(const struct repo *repo, const git_commit *target)
{
    struct reply reply;
    struct conflicts conflicts = {.reply = &reply};
    git_checkout_options options;
    reply_init(&reply, repo->call);
    int error = git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    options.checkout_strategy = GIT_CHECKOUT_SAFE | GIT_CHECKOUT_DONT_OVERWRITE_IGNORED |
                                GIT_CHECKOUT_DISABLE_PATHSPEC_MATCH;
    options.disable_filters = 1;
    options.notify_flags = GIT_CHECKOUT_NOTIFY_CONFLICT;
    options.notify_cb = note_conflict;
    options.notify_payload = &conflicts;
    if (error == 0)
        error = git_checkout_tree(repo->git, (const git_object *)target, &options);
    if (error == GIT_ECONFLICT || (error < 0 && conflicts.count > 0))
        return tackle_failf(repo->call, TACKLE_E_FAILED,
                            "not switched, nothing was changed: %zu file%s listed here would be "
                            "overwritten; commit or restore them first",
                            conflicts.count, conflicts.count == 1 ? "" : "s");
    return error < 0 ? repo_fail(repo->call, error, "git_switch failed") : TACKLE_OK;
}

static int32_t move_head(const struct repo *repo, const char *branch)
{
    char name[1100];
    (void)snprintf(name, sizeof name, "refs/heads/%s", branch);
    int error = git_repository_set_head(repo->git, name);
    return error < 0 ? repo_fail(repo->call, error, "HEAD cannot be moved") : TACKLE_OK;
}

/* A new branch begins where HEAD is, so no file changes. */
static int32_t create(const struct repo *repo, const char *branch, git_commit *head)
{
    git_reference *made = NULL;
    if (head) {
        int error = git_branch_create(&made, repo->git, branch, head, 0);
        git_reference_free(made);
        if (error < 0)
            return repo_fail(repo->call, error, "the branch cannot be made");
    }
    return move_head(repo, branch);
}

static int32_t go(const struct repo *repo, const char *branch, git_commit *head, git_commit *target)
{
    git_tree *old = NULL, *new = NULL;
    git_index *index = NULL;
    int32_t status = repo_unlocked(repo);
    if (status == TACKLE_OK)
        status = repo_index(repo, &index);
    if (status == TACKLE_OK && git_index_has_conflicts(index))
        status = repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                       "there are unresolved conflicts; resolve and git_add them, "
                                       "or restore the files, first");
    if (status == TACKLE_OK)
        status = repo_tree_of(repo, head, &old);
    if (status == TACKLE_OK)
        status = repo_tree_of(repo, target, &new);
    if (status == TACKLE_OK)
        status = treecheck(repo, new);
    if (status == TACKLE_OK)
        status = check_out(repo, target);
    if (status == TACKLE_OK)
        status = move_head(repo, branch);
    if (status == TACKLE_OK)
        status = report_changes(repo, old, new);
    git_index_free(index);
    git_tree_free(old);
    git_tree_free(new);
    return status;
}

static int32_t fail_missing(const struct repo *repo, const char *branch)
{
    git_reference *remote = NULL;
    char name[1100];
    (void)snprintf(name, sizeof name, "origin/%s", branch);
    bool there = git_branch_lookup(&remote, repo->git, name, GIT_BRANCH_REMOTE) == 0;
    git_reference_free(remote);
    if (there)
        return tackle_failf(repo->call, TACKLE_E_NOT_FOUND,
                            "no local branch '%.100s'; make it from the remote one with "
                            "git_branch {\"name\":\"%.100s\",\"at\":\"origin/%.100s\"}",
                            branch, branch, branch);
    return tackle_failf(repo->call, TACKLE_E_NOT_FOUND,
                        "no branch '%.100s'; git_branch lists them, create: true makes it", branch);
}

/* A merge that is in progress would become part of the other branch's next commit. */
static int32_t check_state(const struct repo *repo)
{
    int state = git_repository_state(repo->git);
    if (state == GIT_REPOSITORY_STATE_NONE || state == GIT_REPOSITORY_STATE_BISECT)
        return TACKLE_OK;
    return repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                 "a merge or the like is in progress (see git_status): resolve "
                                 "what is in conflict, git_add it and commit first");
}

static int32_t run(const struct repo *repo, const char *branch, bool make)
{
    git_commit *head = NULL;
    git_reference *ref = NULL;
    git_object *target = NULL;
    char current[1024];
    const char *how = make ? "switched to the new branch " : "switched to ";
    int32_t status = check_state(repo);
    if (status == TACKLE_OK)
        status = repo_branch(repo, current, sizeof current);
    if (status == TACKLE_OK)
        status = repo_head(repo, &head);
    if (status != TACKLE_OK)
        return status;
    int error = git_branch_lookup(&ref, repo->git, branch, GIT_BRANCH_LOCAL);
    if (error < 0 && error != GIT_ENOTFOUND)
        status = repo_fail(repo->call, error, "the branch cannot be read");
    else if (make && (error == 0 || strcmp(current, branch) == 0))
        status = tackle_failf(repo->call, TACKLE_E_FAILED,
                              "the branch '%.100s' exists already; leave create out", branch);
    else if (strcmp(current, branch) == 0)
        how = "already on ";
    else if (make)
        status = create(repo, branch, head);
    else if (error == GIT_ENOTFOUND)
        status = fail_missing(repo, branch);
    else if ((error = git_reference_peel(&target, ref, GIT_OBJECT_COMMIT)) < 0)
        status = repo_fail(repo->call, error, "the branch's commit cannot be read");
    else
        status = go(repo, branch, head, (git_commit *)target);
    if (status == TACKLE_OK)
        status = write_done(repo, branch, how);
    git_object_free(target);
    git_reference_free(ref);
    git_commit_free(head);
    return status;
}

static int32_t check_name(tackle_call *call, const char *branch)
{
    int valid = 0;
    if (branch[0] != '-' && strlen(branch) <= 1000 && strcmp(branch, "HEAD") != 0 &&
        git_branch_name_is_valid(&valid, branch) == 0 && valid)
        return TACKLE_OK;
    return tackle_failf(call, TACKLE_E_ARGS,
                        "'%.100s' is no branch's name; git_branch lists what there is", branch);
}

int32_t switch_call(void *self, tackle_call *call)
{
    struct repo repo;
    int32_t make = 0;
    const char *branch = call->api->arg_text(call, "branch", NULL);
    (void)call->api->arg_bool(call, "create", &make);
    int32_t status = check_name(call, branch);
    if (status != TACKLE_OK)
        return status;
    status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    status = run(&repo, branch, make != 0);
    repo_close(&repo);
    return status;
}

int32_t switch_probe(void *self, tackle_call *call)
{
    struct repo repo;
    git_reference *ref = NULL;
    int32_t make = 0;
    char current[1024];
    const char *branch = call->api->arg_text(call, "branch", NULL);
    (void)call->api->arg_bool(call, "create", &make);
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    status = repo_branch(&repo, current, sizeof current);
    if (status == TACKLE_OK && strcmp(current, branch) == 0) {
        status = write_done(&repo, branch, make ? "switched to the new branch " : "switched to ");
        status = status == TACKLE_OK ? TACKLE_PROBE_DONE : status;
    } else if (status == TACKLE_OK) {
        /* A checkout that was stopped half-way is safe to begin again: files that already are what
         * the branch has are no conflict. A branch that was made but not gone to is not. */
        bool made = git_branch_lookup(&ref, repo.git, branch, GIT_BRANCH_LOCAL) == 0;
        status = make && made ? TACKLE_PROBE_UNKNOWN : TACKLE_PROBE_NOT_DONE;
    }
    git_reference_free(ref);
    repo_close(&repo);
    return status;
}
