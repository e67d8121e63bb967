/* git_branch: lists, makes and deletes branches. */
#include <string.h>

#include "reply.h"
#include "repo.h"

#define MAX_LISTED 2000

static int32_t check_name(const struct repo *repo, const char *name)
{
    int valid = 0;
    if (name[0] != '-' && git_branch_name_is_valid(&valid, name) == 0 && valid &&
        strcmp(name, "HEAD") != 0)
        return TACKLE_OK;
    return tackle_failf(repo->call, TACKLE_E_ARGS,
                        "'%.100s' cannot be a branch's name; write it like fix/short-name", name);
}

static void write_one(struct reply *r, git_reference *ref, git_branch_t type)
{
    git_object *tip = NULL;
    (void)reply_text(r, type == GIT_BRANCH_LOCAL && git_branch_is_head(ref) == 1 ? "* " : "  ");
    (void)reply_path(r, "", git_reference_shorthand(ref));
    if (git_reference_type(ref) == GIT_REFERENCE_SYMBOLIC) {
        (void)reply_text(r, " -> ");
        (void)reply_path(r, "", git_reference_symbolic_target(ref));
    } else if (git_reference_peel(&tip, ref, GIT_OBJECT_COMMIT) == 0) {
        const char *summary = git_commit_summary((git_commit *)tip);
        (void)reply_text(r, " ");
        (void)reply_id(r, git_object_id(tip));
        (void)reply_text(r, " ");
        (void)reply_line(r, summary ? summary : "");
    } else {
        (void)reply_text(r, " [broken: its commit cannot be read]");
    }
    git_object_free(tip);
    (void)reply_text(r, "\n");
}

/* Local branches, the current one with a star, then those of remotes. */
static int32_t list(const struct repo *repo)
{
    static const git_branch_t types[] = {GIT_BRANCH_LOCAL, GIT_BRANCH_REMOTE};
    struct reply reply;
    char current[1024];
    size_t listed = 0;
    reply_init(&reply, repo->call);
    int32_t status = repo_branch(repo, current, sizeof current);
    if (status != TACKLE_OK)
        return status;
    if (!*current || git_repository_head_unborn(repo->git) == 1) {
        (void)reply_text(&reply, *current ? "* " : "* HEAD is on no branch");
        (void)reply_line(&reply, current);
        (void)reply_text(&reply, *current ? " (no commits yet)\n" : "\n");
    }
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        git_branch_iterator *iterator = NULL;
        git_reference *ref;
        git_branch_t type;
        int error = git_branch_iterator_new(&iterator, repo->git, types[i]);
        while (error == 0 && listed < MAX_LISTED &&
               (error = git_branch_next(&ref, &type, iterator)) == 0) {
            write_one(&reply, ref, type);
            git_reference_free(ref);
            listed++;
        }
        git_branch_iterator_free(iterator);
        if (error < 0 && error != GIT_ITEROVER)
            return repo_fail(repo->call, error, "the branches cannot be listed");
    }
    if (listed == MAX_LISTED)
        (void)reply_text(&reply, "[more branches are not listed]\n");
    return reply_end(&reply, "there are more branches");
}

/* The line that both the call and its probe answer. */
static int32_t write_done(tackle_call *call, const char *done, const char *name, const git_oid *id)
{
    struct reply reply;
    reply_init(&reply, call);
    (void)reply_format(&reply, "%s branch ", done);
    (void)reply_path(&reply, "", name);
    (void)reply_text(&reply, " at ");
    (void)reply_id(&reply, id);
    (void)reply_text(&reply, "\n");
    return TACKLE_OK;
}

/* The note for probe() is the commit that the branch gets, or had. */
static int32_t remember_id(tackle_call *call, const git_oid *id)
{
    char note[GIT_OID_HEXSZ + 1];
    return call->api->remember(call, git_oid_tostr(note, sizeof note, id), GIT_OID_HEXSZ);
}

static int32_t create(const struct repo *repo, const char *name)
{
    const char *at = repo->call->api->arg_text(repo->call, "at", NULL);
    git_commit *commit = NULL;
    git_reference *branch = NULL;
    int32_t status = repo_commit(repo, at ? at : "HEAD", &commit);
    if (status != TACKLE_OK)
        return status;
    if (git_branch_lookup(&branch, repo->git, name, GIT_BRANCH_LOCAL) == 0)
        status = tackle_failf(repo->call, TACKLE_E_FAILED,
                              "the branch '%.100s' exists already; git_switch goes to it", name);
    if (status == TACKLE_OK)
        status = remember_id(repo->call, git_commit_id(commit));
    if (status == TACKLE_OK) {
        int error = git_branch_create(&branch, repo->git, name, commit, 0);
        status = error < 0 ? repo_fail(repo->call, error, "the branch cannot be made")
                           : write_done(repo->call, "made", name, git_commit_id(commit));
    }
    git_reference_free(branch);
    git_commit_free(commit);
    return status;
}

/* Is the branch's last commit part of HEAD's history? Only then can it go without a loss. */
static int32_t check_merged(const struct repo *repo, const char *name, const git_oid *tip)
{
    git_oid head;
    if (git_reference_name_to_id(&head, repo->git, "HEAD") == 0 &&
        (git_oid_equal(&head, tip) || git_graph_descendant_of(repo->git, &head, tip) == 1))
        return TACKLE_OK;
    return tackle_failf(repo->call, TACKLE_E_FAILED,
                        "'%.100s' has commits that the current branch does not have; not deleted. "
                        "If they are not wanted, the user can delete it",
                        name);
}

/* Not git_branch_delete(): it rewrites the configuration through a pattern search that leaks in
 * libgit2 1.5. What the branch followed is forgotten here, as far as it is set. */
static int delete_reference(const struct repo *repo, const char *name, git_reference *branch)
{
    static const char *const keys[] = {"remote", "merge"};
    git_config *config = NULL;
    int error = git_repository_config(&config, repo->git);
    for (size_t i = 0; error == 0 && i < sizeof keys / sizeof *keys; i++) {
        char key[1100];
        (void)snprintf(key, sizeof key, "branch.%s.%s", name, keys[i]);
        error = git_config_delete_entry(config, key);
        if (error == GIT_ENOTFOUND)
            error = 0;
    }
    git_config_free(config);
    return error < 0 ? error : git_reference_delete(branch);
}

static int32_t delete_branch(const struct repo *repo, const char *name)
{
    git_reference *branch = NULL;
    git_oid tip;
    int error = git_branch_lookup(&branch, repo->git, name, GIT_BRANCH_LOCAL);
    if (error < 0)
        return tackle_failf(repo->call, TACKLE_E_NOT_FOUND, "no local branch '%.100s'", name);
    int32_t status = TACKLE_OK;
    error = git_reference_name_to_id(&tip, repo->git, git_reference_name(branch));
    if (error < 0)
        status = repo_fail(repo->call, error, "the branch cannot be read");
    else if (git_branch_is_head(branch) == 1 || git_branch_is_checked_out(branch) == 1)
        status = tackle_failf(repo->call, TACKLE_E_FAILED,
                              "'%.100s' is the current branch; git_switch to another first", name);
    if (status == TACKLE_OK)
        status = check_merged(repo, name, &tip);
    if (status == TACKLE_OK)
        status = remember_id(repo->call, &tip);
    if (status == TACKLE_OK) {
        error = delete_reference(repo, name, branch);
        status = error < 0 ? repo_fail(repo->call, error, "the branch cannot be deleted")
                           : write_done(repo->call, "deleted", name, &tip);
    }
    git_reference_free(branch);
    return status;
}

int32_t branch_call(void *self, tackle_call *call)
{
    struct repo repo;
    int32_t delete = 0;
    const char *name = call->api->arg_text(call, "name", NULL);
    (void)call->api->arg_bool(call, "delete", &delete);
    if (!name && (delete || call->api->arg_text(call, "at", NULL)))
        return call->api->fail(call, TACKLE_E_ARGS, "name the branch");
    if (delete &&call->api->arg_text(call, "at", NULL))
        return call->api->fail(call, TACKLE_E_ARGS, "delete goes without at");
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    if (name && !delete)
        status = check_name(&repo, name);
    if (status == TACKLE_OK)
        status = !name ? list(&repo) : delete ? delete_branch(&repo, name) : create(&repo, name);
    repo_close(&repo);
    return status;
}

int32_t branch_probe(void *self, tackle_call *call)
{
    struct repo repo;
    git_reference *branch = NULL;
    git_oid noted, tip;
    int32_t delete = 0;
    const char *name = call->api->arg_text(call, "name", NULL);
    const char *note = call->api->remembered(call, NULL);
    (void)call->api->arg_bool(call, "delete", &delete);
    if (!name || !note)
        return TACKLE_PROBE_NOT_DONE; /* the note is written before the effect */
    if (git_oid_fromstr(&noted, note) < 0)
        return TACKLE_PROBE_UNKNOWN;
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    int error = git_branch_lookup(&branch, repo.git, name, GIT_BRANCH_LOCAL);
    bool same = error == 0 &&
                git_reference_name_to_id(&tip, repo.git, git_reference_name(branch)) == 0 &&
                git_oid_equal(&tip, &noted);
    if (error != 0 && error != GIT_ENOTFOUND)
        status = TACKLE_PROBE_UNKNOWN;
    else if (delete)
        status = error == GIT_ENOTFOUND ? TACKLE_PROBE_DONE
                 : same                 ? TACKLE_PROBE_NOT_DONE
                                        : TACKLE_PROBE_UNKNOWN;
    else
        status = same                     ? TACKLE_PROBE_DONE
                 : error == GIT_ENOTFOUND ? TACKLE_PROBE_NOT_DONE
                                          : TACKLE_PROBE_UNKNOWN;
    if (status == TACKLE_PROBE_DONE)
        (void)write_done(call, delete ? "deleted" : "made", name, &noted);
    git_reference_free(branch);
    repo_close(&repo);
    return status;
}
