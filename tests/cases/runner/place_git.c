/* Repositories for cases, made with libgit2 and nobody's configuration; see place.h. */
#include "place.h"

#include "endpoint/memory.h"

#ifdef CASES_WITH_GIT
#include <git2.h>
#include <string.h>

bool place_has_git(void)
{
    return true;
}

static int fail(struct err *err, const char *what)
{
    const git_error *error = git_error_last();
    return err_set(err, ERR_IO, "git: %s: %s", what, error ? error->message : "failed");
}

/* The configuration of whoever runs the tests must not matter. */
static int begin(struct err *err)
{
    static const int levels[] = {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG,
                                 GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_PROGRAMDATA};
    if (git_libgit2_init() < 0)
        return fail(err, "init");
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, levels[i], "/nonexistent") != 0)
            return fail(err, "search path");
    return 0;
}

static int write_tree(git_repository *repo, git_oid *out, struct err *err)
{
    git_index *index = NULL;
    int status = -1;
    if (git_repository_index(&index, repo) == 0 &&
        git_index_add_all(index, NULL, GIT_INDEX_ADD_DEFAULT, NULL, NULL) == 0 &&
        git_index_write(index) == 0 && git_index_write_tree(out, index) == 0)
        status = 0;
    else
        (void)fail(err, "index");
    git_index_free(index);
    return status;
}

static int commit_tree(git_repository *repo, const git_oid *tree_id, const char *message,
                       struct err *err)
{
    git_tree *tree = NULL;
    git_commit *parent = NULL;
    git_signature *author = NULL;
    git_oid head, made;
    int status = -1;
    bool has_parent = git_reference_name_to_id(&head, repo, "HEAD") == 0;
    if ((!has_parent || git_commit_lookup(&parent, repo, &head) == 0) &&
        git_tree_lookup(&tree, repo, tree_id) == 0 &&
        git_signature_new(&author, "Case Author", "case@example.org", 1700000000, 0) == 0 &&
        git_commit_create_v(&made, repo, "HEAD", author, author, NULL, message, tree,
                            has_parent ? 1 : 0, parent) == 0)
        status = 0;
    else
        (void)fail(err, "commit");
    git_signature_free(author);
    git_commit_free(parent);
    git_tree_free(tree);
    return status;
}

static int open_or_make(git_repository **repo, const char *workspace, struct err *err)
{
    git_repository_init_options options;
    if (git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION) != 0)
        return fail(err, "options");
    options.flags = GIT_REPOSITORY_INIT_MKDIR;
    options.initial_head = "main";
    if (git_repository_open_ext(repo, workspace, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) == 0)
        return 0;
    if (git_repository_init_ext(repo, workspace, &options) != 0)
        return fail(err, "init");
    return 0;
}

int place_commit(const char *workspace, const char *message, struct err *err)
{
    git_repository *repo = NULL;
    git_oid tree;
    int status = -1;
    if (begin(err) == 0 && open_or_make(&repo, workspace, err) == 0 &&
        write_tree(repo, &tree, err) == 0)
        status = commit_tree(repo, &tree, message, err);
    git_repository_free(repo);
    (void)git_libgit2_shutdown();
    return status;
}

int place_commits(const char *workspace, struct buf *out, struct err *err)
{
    git_repository *repo = NULL;
    git_revwalk *walk = NULL;
    git_oid id;
    int status = -1;
    if (begin(err) == 0 &&
        git_repository_open_ext(&repo, workspace, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL) == 0 &&
        git_revwalk_new(&walk, repo) == 0 && git_revwalk_push_head(walk) == 0) {
        git_revwalk_simplify_first_parent(walk);
        status = 0;
        while (git_revwalk_next(&id, walk) == 0) {
            git_commit *commit = NULL;
            if (git_commit_lookup(&commit, repo, &id) == 0)
                put_format(out, "%s\n", git_commit_summary(commit));
            git_commit_free(commit);
        }
    } else {
        (void)fail(err, workspace);
    }
    git_revwalk_free(walk);
    git_repository_free(repo);
    (void)git_libgit2_shutdown();
    return status;
}

#else

bool place_has_git(void)
{
    return false;
}

int place_commit(const char *workspace, const char *message, struct err *err)
{
    (void)workspace;
    (void)message;
    return err_set(err, ERR_NOT_FOUND, "this runner was built without libgit2");
}

int place_commits(const char *workspace, struct buf *out, struct err *err)
{
    (void)out;
    return place_commit(workspace, "", err);
}

#endif
