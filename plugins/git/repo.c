/* The guarded open and the helpers of all tools; see repo.h. */
#include "repo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enforce.h"
#include "gitdir.h"

#define MAX_REV_BYTES  1000
#define MAX_BLOB_BYTES ((git_object_size_t)64 << 20)

int32_t repo_fail(tackle_call *call, int error, const char *what)
{
    const git_error *last = git_error_last();
    const char *text = last && last->message ? last->message : "no reason given";
    if (last && last->klass == GIT_ERROR_NOMEMORY)
        return repo_no_memory(call);
    if (error == GIT_ELOCKED)
        return tackle_failf(call, TACKLE_E_FAILED,
                            "%s: locked by another git process (%.300s); try again when it is "
                            "done. If none is running, the user can remove the lock file",
                            what, text);
    return tackle_failf(call, error == GIT_ENOTFOUND ? TACKLE_E_NOT_FOUND : TACKLE_E_FAILED,
                        "%s: %.600s", what, text);
}

int32_t repo_no_memory(tackle_call *call)
{
    return call->api->fail(call, TACKLE_E_NOMEM, "out of memory");
}

int32_t repo_may_go_on(tackle_call *call)
{
    if (!call->api->cancelled(call))
        return TACKLE_OK;
    if (call->api->ms_left(call) <= 0)
        return call->api->fail(call, TACKLE_E_TIMEOUT,
                               "the time for this call is up; ask for less");
    return call->api->fail(call, TACKLE_E_CANCELLED, "cancelled");
}

/* ---- opening ---- */

/* Is `path`, links resolved, `root` or below it? */
static bool is_inside(const char *root, const char *path)
{
    char real_root[PATH_MAX], real[PATH_MAX];
    if (!path || !realpath(root, real_root) || !realpath(path, real))
        return false;
    size_t len = strlen(real_root);
    return strncmp(real, real_root, len) == 0 && (real[len] == '/' || real[len] == '\0');
}

static bool is_same(const char *root, const char *path)
{
    char real_root[PATH_MAX], real[PATH_MAX];
    return path && realpath(root, real_root) && realpath(path, real) &&
           strcmp(real_root, real) == 0;
}

/* libgit2 1.5 answers "safe.directory was not found" when the owner is another; say what it is. */
static int32_t fail_open(const struct repo *repo, int error)
{
    struct stat tree, dir;
    uid_t me = geteuid();
    if (fstatat(repo->root_fd, ".", &tree, 0) == 0 &&
        fstatat(repo->root_fd, ".git", &dir, 0) == 0 &&
        (error == GIT_EOWNER || tree.st_uid != me || dir.st_uid != me))
        return tackle_failf(repo->call, TACKLE_E_DENIED,
                            "refused: the repository belongs to another user (uid %ld, this "
                            "program runs as uid %ld). The user can run it as the owner, or give "
                            "the folder and its .git to this user with chown",
                            (long)(dir.st_uid != me ? dir.st_uid : tree.st_uid), (long)me);
    return repo_fail(repo->call, error, "the repository cannot be opened");
}

/* Files of rules that the repository's configuration names are opened by libgit2 like any other. */
static int32_t check_config_path(const struct repo *repo, git_config *config, const char *key)
{
    struct stat st;
    git_buf path = GIT_BUF_INIT;
    int32_t status = TACKLE_OK;
    if (git_config_get_path(&path, config, key) == 0 && path.ptr && stat(path.ptr, &st) == 0 &&
        (!S_ISREG(st.st_mode) || !is_inside(repo->root, path.ptr)))
        status = tackle_failf(repo->call, TACKLE_E_DENIED,
                              "refused: %s of .git/config names a file outside the workspace, or "
                              "none that is regular; ask the user to look at it",
                              key);
    git_buf_dispose(&path);
    return status;
}

static int32_t check_opened(const struct repo *repo)
{
    git_config *config = NULL;
    if (git_repository_is_bare(repo->git))
        return repo->call->api->fail(repo->call, TACKLE_E_DENIED,
                                     "refused: this is a bare repository (core.bare), without "
                                     "files to work on");
    if (ENFORCED(git_work_tree) && !is_same(repo->root, git_repository_workdir(repo->git)))
        return repo->call->api->fail(repo->call, TACKLE_E_DENIED,
                                     "refused: core.worktree of .git/config puts the work tree "
                                     "in another place than the workspace; ask the user to "
                                     "look at it");
    if (!is_inside(repo->root, git_repository_path(repo->git)) ||
        !is_inside(repo->root, git_repository_commondir(repo->git)))
        return repo->call->api->fail(repo->call, TACKLE_E_DENIED,
                                     "refused: the repository is not inside the workspace");
    int error = git_repository_config_snapshot(&config, repo->git);
    if (error < 0)
        return repo_fail(repo->call, error, "the configuration cannot be read");
    int32_t status = check_config_path(repo, config, "core.excludesfile");
    if (status == TACKLE_OK)
        status = check_config_path(repo, config, "core.attributesfile");
    git_config_free(config);
    return status;
}

int32_t repo_open(void *self, tackle_call *call, struct repo *repo)
{
    *repo = (struct repo){.plugin = self, .call = call, .root_fd = -1};
    repo->root = repo->plugin->workspace->root(repo->plugin->host);
    repo->root_fd = repo->plugin->workspace->open(call, ".", TACKLE_OPEN_DIR);
    if (repo->root_fd < 0)
        return repo->root_fd;
    int32_t status = gitdir_check(call, repo->root_fd);
    if (status == TACKLE_OK) {
        int error =
            git_repository_open_ext(&repo->git, repo->root, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
        status = error < 0 ? fail_open(repo, error) : check_opened(repo);
    }
    if (status != TACKLE_OK)
        repo_close(repo);
    return status;
}

void repo_close(struct repo *repo)
{
    git_repository_free(repo->git);
    repo->git = NULL;
    if (repo->root_fd >= 0)
        (void)close(repo->root_fd);
    repo->root_fd = -1;
}

/* ---- paths ---- */

static int32_t bad_path(const struct repo *repo, int32_t code, const char *path, const char *why)
{
    return tackle_failf(repo->call, code, "'%.200s' %s", path, why);
}

int32_t repo_path(const struct repo *repo, const char *path, char *out)
{
    const char *rest = path;
    size_t root_len = strlen(repo->root), used = 0;
    out[0] = '\0';
    if (*path == '\0')
        return bad_path(repo, TACKLE_E_ARGS, path, "is no path; \".\" is the workspace");
    if (*path == '/') {
        if (strncmp(path, repo->root, root_len) != 0 ||
            (path[root_len] != '/' && path[root_len] != '\0'))
            return bad_path(repo, TACKLE_E_DENIED, path, "is outside the workspace");
        rest = path + root_len;
    }
    while (*rest) {
        size_t len = strcspn(rest, "/");
        if (len == 2 && memcmp(rest, "..", 2) == 0)
            return bad_path(repo, TACKLE_E_DENIED, path,
                            "has a \"..\"; write it from the workspace's folder, without one");
        if (len == 4 && strncasecmp(rest, ".git", 4) == 0)
            return bad_path(repo, TACKLE_E_DENIED, path, "is inside .git");
        if (used + len + 2 > REPO_PATH_MAX || len > NAME_MAX)
            return bad_path(repo, TACKLE_E_LIMIT, path, "is too long");
        if (len > 0 && !(len == 1 && *rest == '.')) {
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, rest, len);
            used += len;
        }
        rest += len;
        rest += strspn(rest, "/");
    }
    out[used] = '\0';
    return TACKLE_OK;
}

int32_t repo_paths_init(const struct repo *repo, struct repo_paths *paths)
{
    tackle_call *call = repo->call;
    int64_t count = call->api->arg_count(call, "paths");
    *paths = (struct repo_paths){.all = count < 0};
    if (count <= 0)
        return count < 0 ? TACKLE_OK
                         : call->api->fail(call, TACKLE_E_ARGS,
                                           "paths is empty; name files or folders, or \".\"");
    if (count > REPO_MAX_PATHS)
        return tackle_failf(call, TACKLE_E_LIMIT, "at most %d paths in one call; name the folder",
                            REPO_MAX_PATHS);
    paths->list.strings = calloc((size_t)count, sizeof *paths->list.strings);
    if (!paths->list.strings)
        return repo_no_memory(call);
    for (int64_t i = 0; i < count; i++) {
        char clean[REPO_PATH_MAX];
        const char *item = call->api->arg_item(call, "paths", i, NULL);
        int32_t status = item ? repo_path(repo, item, clean)
                              : call->api->fail(call, TACKLE_E_ARGS, "paths must be strings");
        char *copy = status == TACKLE_OK ? strdup(clean) : NULL;
        if (!copy) {
            repo_paths_release(paths);
            return status == TACKLE_OK ? repo_no_memory(call) : status;
        }
        paths->list.strings[paths->list.count++] = copy;
        paths->all = paths->all || *copy == '\0';
    }
    if (paths->all) {
        repo_paths_release(paths);
        paths->all = true;
    }
    return TACKLE_OK;
}

void repo_paths_release(struct repo_paths *paths)
{
    for (size_t i = 0; i < paths->list.count; i++)
        free(paths->list.strings[i]);
    free(paths->list.strings);
    *paths = (struct repo_paths){0};
}

/* ---- revisions ---- */

static int32_t check_rev(const struct repo *repo, const char *rev)
{
    size_t len = strlen(rev);
    const char *why = NULL;
    if (len == 0 || len > MAX_REV_BYTES)
        why = "is no revision";
    else if (ENFORCED(git_options) && rev[0] == '-')
        why = "begins with '-': options are no revisions";
    else if (strstr(rev, ":/") || strstr(rev, "^{/"))
        why = "searches messages; use git_log with grep";
    for (size_t i = 0; i < len && !why; i++)
        if ((unsigned char)rev[i] < 0x20 || rev[i] == 0x7f)
            why = "has control characters";
    if (!why)
        return TACKLE_OK;
    return tackle_failf(repo->call, TACKLE_E_ARGS,
                        "'%.100s' %s; give a branch, a tag, a commit's id, or HEAD~1", rev, why);
}

static int32_t fail_rev(const struct repo *repo, int error, const char *rev)
{
    if (error == GIT_ENOTFOUND && git_repository_head_unborn(repo->git) == 1)
        return repo->call->api->fail(repo->call, TACKLE_E_NOT_FOUND,
                                     "this branch has no commit yet");
    if (error == GIT_ENOTFOUND)
        return tackle_failf(repo->call, TACKLE_E_NOT_FOUND,
                            "no revision '%.100s' here; git_branch lists branches, git_log commits",
                            rev);
    if (error == GIT_EAMBIGUOUS)
        return tackle_failf(repo->call, TACKLE_E_ARGS, "'%.100s' is ambiguous; give more digits",
                            rev);
    if (error == GIT_EINVALIDSPEC)
        return tackle_failf(repo->call, TACKLE_E_ARGS,
                            "'%.100s' is no revision; give a branch, a tag, a commit's id, or "
                            "HEAD~1",
                            rev);
    return repo_fail(repo->call, error, "the revision cannot be read");
}

int32_t repo_object(const struct repo *repo, const char *rev, git_object_t type, git_object **out)
{
    git_object *found = NULL;
    *out = NULL;
    int32_t status = check_rev(repo, rev);
    if (status != TACKLE_OK)
        return status;
    int error = git_revparse_single(&found, repo->git, rev);
    if (error < 0)
        return fail_rev(repo, error, rev);
    if (type == GIT_OBJECT_ANY) {
        *out = found;
        return TACKLE_OK;
    }
    error = git_object_peel(out, found, type);
    git_object_free(found);
    if (error < 0)
        return tackle_failf(repo->call, TACKLE_E_ARGS, "'%.100s' is no %s", rev,
                            git_object_type2string(type));
    return TACKLE_OK;
}

int32_t repo_commit(const struct repo *repo, const char *rev, git_commit **out)
{
    git_object *object;
    int32_t status = repo_object(repo, rev, GIT_OBJECT_COMMIT, &object);
    *out = (git_commit *)object;
    return status;
}

int32_t repo_tree(const struct repo *repo, const char *rev, git_tree **out)
{
    git_object *object;
    int32_t status = repo_object(repo, rev, GIT_OBJECT_TREE, &object);
    *out = (git_tree *)object;
    return status;
}

int32_t repo_head(const struct repo *repo, git_commit **out)
{
    git_oid id;
    *out = NULL;
    int error = git_reference_name_to_id(&id, repo->git, "HEAD");
    if (error == GIT_ENOTFOUND && git_repository_head_unborn(repo->git) == 1)
        return TACKLE_OK;
    if (error == 0)
        error = git_commit_lookup(out, repo->git, &id);
    return error < 0 ? repo_fail(repo->call, error, "HEAD cannot be read") : TACKLE_OK;
}

int32_t repo_tree_of(const struct repo *repo, const git_commit *commit, git_tree **out)
{
    *out = NULL;
    int error = commit ? git_commit_tree(out, commit) : 0;
    return error < 0 ? repo_fail(repo->call, error, "the commit's tree cannot be read") : TACKLE_OK;
}

int32_t repo_range(const struct repo *repo, const char *text, git_commit **from, git_commit **to,
                   bool *symmetric)
{
    char left[MAX_REV_BYTES + 1];
    const char *dots = strstr(text, ".."), *colon = strchr(text, ':');
    *from = *to = NULL;
    *symmetric = false;
    if (!dots || (colon && colon < dots))
        return TACKLE_OK;
    size_t len = (size_t)(dots - text);
    if (len >= sizeof left)
        return check_rev(repo, text);
    memcpy(left, text, len);
    left[len] = '\0';
    *symmetric = dots[2] == '.';
    const char *right = dots + (*symmetric ? 3 : 2);
    int32_t status = repo_commit(repo, *left ? left : "HEAD", from);
    if (status == TACKLE_OK)
        status = repo_commit(repo, *right ? right : "HEAD", to);
    if (status != TACKLE_OK) {
        git_commit_free(*from);
        *from = NULL;
    }
    return status;
}

int32_t repo_branch(const struct repo *repo, char *out, size_t size)
{
    static const char prefix[] = "refs/heads/";
    git_reference *head = NULL;
    int error = git_reference_lookup(&head, repo->git, "HEAD");
    if (error < 0)
        return repo_fail(repo->call, error, "HEAD cannot be read");
    const char *target = git_reference_symbolic_target(head);
    if (target && strncmp(target, prefix, sizeof prefix - 1) == 0)
        target += sizeof prefix - 1;
    (void)snprintf(out, size, "%s", target ? target : "");
    git_reference_free(head);
    return TACKLE_OK;
}

/* ---- index and objects ---- */

int32_t repo_index(const struct repo *repo, git_index **out)
{
    *out = NULL;
    int error = git_repository_index(out, repo->git);
    return error < 0 ? repo_fail(repo->call, error, "the index cannot be read") : TACKLE_OK;
}

int32_t repo_unlocked(const struct repo *repo)
{
    struct stat st;
    if (fstatat(repo->root_fd, ".git/index.lock", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return TACKLE_OK;
    return repo->call->api->fail(repo->call, TACKLE_E_FAILED,
                                 "locked by another git process (.git/index.lock exists); try "
                                 "again when it is done. If none is running, the user can "
                                 "remove that file");
}

int32_t repo_blob(const struct repo *repo, const git_oid *id, const char *path, git_blob **out)
{
    git_odb *odb = NULL;
    size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    *out = NULL;
    int error = git_repository_odb(&odb, repo->git);
    if (error == 0)
        error = git_odb_read_header(&size, &type, odb, id);
    git_odb_free(odb);
    if (ENFORCED(git_blob_size) && error == 0 && size > MAX_BLOB_BYTES)
        return tackle_failf(repo->call, TACKLE_E_LIMIT,
                            "'%.200s' has %zu bytes; the git tools handle up to 64 MiB", path,
                            size);
    if (error == 0)
        error = git_blob_lookup(out, repo->git, id);
    return error < 0 ? repo_fail(repo->call, error, "the file's content cannot be read")
                     : TACKLE_OK;
}
