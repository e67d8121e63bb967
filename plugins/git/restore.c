/* git_restore: files of the work tree as they are staged or were at a revision; or, with `staged`,
 * the index as the last commit has it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "reply.h"
#include "treecheck.h"
#include "worktree.h"

#define MAX_LISTED 100

struct restore {
    const struct repo *repo;
    struct repo_paths paths;
    bool staged;       /* the index is what changes */
    bool look_only;    /* for probe(): counts what differs */
    git_index *source; /* what there should be: the repository's index, or a tree read into one */
    git_index *index;  /* the repository's */
    struct reply reply;
    size_t matched, changed;
};

/* ---- one file of the work tree ---- */

static int32_t fail_file(const struct restore *r, const char *path, const char *what)
{
    return tackle_failf(r->repo->call, TACKLE_E_FAILED, "'%.200s' cannot be %s: %s", path, what,
                        strerror(errno));
}

/* Names a change to the model, and counts it. */
static void list_change(struct restore *r, const char *path, const char *what)
{
    if (r->changed++ < MAX_LISTED) {
        (void)reply_format(&r->reply, "%s ", what);
        (void)reply_path(&r->reply, "", path);
        (void)reply_text(&r->reply, "\n");
    }
}

static int32_t remove_file(struct restore *r, const struct worktree_file *file)
{
    if (file->kind == WORKTREE_DIR)
        return tackle_failf(r->repo->call, TACKLE_E_FAILED,
                            "'%.200s' is a folder now; move it away first", file->path);
    return unlinkat(file->dir, file->name, 0) < 0 ? fail_file(r, file->path, "removed") : TACKLE_OK;
}

/* Gives a file the execute bits that git notes, as far as it may be read. */
static int32_t set_mode(struct restore *r, const git_index_entry *want)
{
    struct worktree_file file;
    struct stat st;
    int fd = -1;
    int32_t status = worktree_find(r->repo, want->path, &file);
    if (status != TACKLE_OK)
        return status;
    if (file.kind == WORKTREE_FILE && (uint32_t)worktree_mode(&file, r->index, want) != want->mode)
        fd = openat(file.dir, file.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        mode_t mode = st.st_mode & 0666;
        if (want->mode == GIT_FILEMODE_BLOB_EXECUTABLE)
            mode |= (st.st_mode & 0444) >> 2;
        if (fchmod(fd, mode) < 0)
            status = fail_file(r, want->path, "given its mode");
    }
    if (fd >= 0)
        (void)close(fd);
    worktree_release(&file);
    return status;
}

static int32_t write_link(struct restore *r, const char *path, const git_blob *blob)
{
    struct worktree_file file;
    const char *target = git_blob_rawcontent(blob);
    size_t len = (size_t)git_blob_rawsize(blob);
    char text[REPO_PATH_MAX];
    if (len == 0 || len >= sizeof text || memchr(target, '\0', len))
        return tackle_failf(r->repo->call, TACKLE_E_FAILED, "'%.200s' is no proper link", path);
    memcpy(text, target, len);
    text[len] = '\0';
    int32_t status = worktree_find(r->repo, path, &file);
    if (status != TACKLE_OK)
        return status;
    if (file.dir < 0)
        status = tackle_failf(r->repo->call, TACKLE_E_FAILED,
                              "the folder of the link '%.200s' is gone; make it first", path);
    else if (symlinkat(text, file.dir, file.name) < 0)
        status = fail_file(r, path, "made");
    else
        status = r->repo->plugin->workspace->changed(r->repo->call, path, TACKLE_CHANGED_CREATED);
    worktree_release(&file);
    return status;
}

/* Writes a file that differs. What is no file is removed first: replace() follows links. */
static int32_t write_file(struct restore *r, const struct worktree_file *file,
                          const git_index_entry *want)
{
    const struct repo *repo = r->repo;
    git_blob *blob;
    bool link = want->mode == GIT_FILEMODE_LINK;
    int32_t status = repo_blob(repo, &want->id, want->path, &blob);
    if (status == TACKLE_OK && file->kind != WORKTREE_MISSING &&
        (link || file->kind != WORKTREE_FILE))
        status = remove_file(r, file);
    if (status == TACKLE_OK && link)
        status = write_link(r, want->path, blob);
    else if (status == TACKLE_OK)
        status = repo->plugin->workspace->replace(repo->call, want->path, git_blob_rawcontent(blob),
                                                  (size_t)git_blob_rawsize(blob),
                                                  TACKLE_REPLACE_PARENTS);
    if (status == TACKLE_OK && !link)
        status = set_mode(r, want);
    git_blob_free(blob);
    return status;
}

static int32_t restore_file(struct restore *r, const git_index_entry *want)
{
    struct worktree_file file;
    bool same;
    int32_t status = worktree_find(r->repo, want->path, &file);
    if (status != TACKLE_OK)
        return status;
    status = worktree_is(r->repo, &file, r->index, want, &same);
    if (status == TACKLE_OK && !same) {
        list_change(r, want->path, "restored");
        status = r->look_only ? TACKLE_OK : write_file(r, &file, want);
    }
    worktree_release(&file);
    return status;
}

/* A tracked file that the source does not have. */
static int32_t drop_file(struct restore *r, const char *path)
{
    struct worktree_file file;
    int32_t status = worktree_find(r->repo, path, &file);
    if (status != TACKLE_OK)
        return status;
    if (file.kind != WORKTREE_MISSING) {
        list_change(r, path, "removed");
        if (!r->look_only)
            status = remove_file(r, &file);
        if (status == TACKLE_OK && !r->look_only)
            status =
                r->repo->plugin->workspace->changed(r->repo->call, path, TACKLE_CHANGED_DELETED);
    }
    worktree_release(&file);
    return status;
}

/* ---- one entry of the index ---- */

static int32_t restore_entry(struct restore *r, const git_index_entry *want)
{
    const git_index_entry *have = git_index_get_bypath(r->index, want->path, 0);
    if (have && git_oid_equal(&have->id, &want->id) && have->mode == want->mode)
        return TACKLE_OK;
    list_change(r, want->path, "unstaged");
    if (r->look_only)
        return TACKLE_OK;
    int error = git_index_add(r->index, want);
    if (error == 0 && git_index_conflict_remove(r->index, want->path) < 0)
        git_error_clear(); /* it was in no conflict */
    return error < 0 ? repo_fail(r->repo->call, error, "the index cannot be changed") : TACKLE_OK;
}

static int32_t drop_entry(struct restore *r, const char *path)
{
    list_change(r, path, "unstaged");
    if (r->look_only)
        return TACKLE_OK;
    int error = git_index_remove_bypath(r->index, path);
    return error < 0 ? repo_fail(r->repo->call, error, "the index cannot be changed") : TACKLE_OK;
}

/* ---- all that a path names ---- */

/* Is `path` the named one, or below it? "" names all. */
static bool is_named(const char *path, const char *named)
{
    size_t len = strlen(named);
    return len == 0 || (strncmp(path, named, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

/* .tackle holds what the run itself obeys; the resolver's replace() refuses it too. */
static bool is_protected(const char *path)
{
    for (; *path; path += strcspn(path, "/"), path += *path == '/') {
        size_t len = strcspn(path, "/");
        if ((len == 7 && strncasecmp(path, ".tackle", 7) == 0) ||
            (len == 4 && strncasecmp(path, ".git", 4) == 0) ||
            (len == 2 && strncmp(path, "..", 2) == 0))
            return true;
    }
    return false;
}

static int32_t restore_one(struct restore *r, const git_index_entry *want)
{
    int32_t status = repo_may_go_on(r->repo->call);
    if (status != TACKLE_OK || want->mode == GIT_FILEMODE_COMMIT)
        return status;
    if (++r->matched > REPO_MAX_FILES)
        return tackle_failf(r->repo->call, TACKLE_E_LIMIT,
                            "more than %d files; name smaller folders", REPO_MAX_FILES);
    if (git_index_entry_is_conflict(want))
        return tackle_failf(r->repo->call, TACKLE_E_FAILED,
                            "'%.200s' is in conflict: there is no single staged version; give "
                            "from: \"HEAD\"",
                            want->path);
    if (r->staged)
        return restore_entry(r, want);
    if (is_protected(want->path))
        return tackle_failf(r->repo->call, TACKLE_E_DENIED,
                            "refused: files under .git and .tackle are never written: %.200s",
                            want->path);
    return restore_file(r, want);
}

/* What the source has at `named` or below it. */
static int32_t restore_all(struct restore *r, const char *named)
{
    size_t at = 0;
    int32_t status = TACKLE_OK;
    if (git_index_find_prefix(&at, r->source, named) < 0)
        return TACKLE_OK;
    for (const git_index_entry *e; status == TACKLE_OK; at++) {
        e = git_index_get_byindex(r->source, at);
        if (!e || strncmp(e->path, named, strlen(named)) != 0)
            break;
        if (is_named(e->path, named))
            status = restore_one(r, e);
    }
    return status;
}

/* What only the repository's index has there. */
static int32_t drop_rest(struct restore *r, const char *named)
{
    size_t at = 0;
    int32_t status = TACKLE_OK;
    if (r->source == r->index || git_index_find_prefix(&at, r->index, named) < 0)
        return TACKLE_OK;
    while (status == TACKLE_OK) {
        char path[REPO_PATH_MAX];
        size_t count = git_index_entrycount(r->index);
        const git_index_entry *e = git_index_get_byindex(r->index, at);
        if (!e || strncmp(e->path, named, strlen(named)) != 0)
            break;
        (void)snprintf(path, sizeof path, "%s", e->path);
        if (is_named(path, named) && e->mode != GIT_FILEMODE_COMMIT && !is_protected(path) &&
            !git_index_get_bypath(r->source, path, 0)) {
            r->matched++;
            status = r->staged ? drop_entry(r, path) : drop_file(r, path);
        }
        if (git_index_entrycount(r->index) == count)
            at++;
    }
    return status;
}

static int32_t restore_path(struct restore *r, const char *named)
{
    size_t before = r->matched;
    int32_t status = restore_all(r, named);
    if (status == TACKLE_OK)
        status = drop_rest(r, named);
    if (status == TACKLE_OK && r->matched == before)
        status = tackle_failf(r->repo->call, TACKLE_E_NOT_FOUND,
                              "'%.200s' is not tracked, so there is nothing to restore; paths are "
                              "literal, without wildcards",
                              *named ? named : ".");
    return status;
}

/* ---- the source ---- */

/* A tree as an index in memory, so that both kinds of source are walked alike. */
static int32_t read_source(struct restore *r)
{
    const struct repo *repo = r->repo;
    const char *from = repo->call->api->arg_text(repo->call, "from", NULL);
    git_tree *tree = NULL;
    git_commit *head = NULL;
    int32_t status = TACKLE_OK;
    if (!from && !r->staged) {
        r->source = r->index;
        return TACKLE_OK;
    }
    if (from)
        status = repo_tree(repo, from, &tree);
    else if ((status = repo_head(repo, &head)) == TACKLE_OK)
        status = repo_tree_of(repo, head, &tree);
    if (status == TACKLE_OK && tree)
        status = treecheck(repo, tree);
    if (status == TACKLE_OK) {
        int error = git_index_new(&r->source);
        if (error == 0 && tree)
            error = git_index_read_tree(r->source, tree);
        if (error < 0)
            status = repo_fail(repo->call, error, "the source cannot be read");
    }
    git_tree_free(tree);
    git_commit_free(head);
    return status;
}

static void restore_release(struct restore *r)
{
    if (r->source != r->index)
        git_index_free(r->source);
    git_index_free(r->index);
    repo_paths_release(&r->paths);
}

/* Goes over all paths; with look_only nothing is changed. */
static int32_t run(const struct repo *repo, struct restore *r)
{
    int32_t staged = 0;
    (void)repo->call->api->arg_bool(repo->call, "staged", &staged);
    r->repo = repo;
    r->staged = staged != 0;
    int32_t status = repo_paths_init(repo, &r->paths);
    if (status == TACKLE_OK && !r->look_only && r->staged)
        status = repo_unlocked(repo);
    if (status == TACKLE_OK)
        status = repo_index(repo, &r->index);
    if (status == TACKLE_OK)
        status = read_source(r);
    if (status == TACKLE_OK && r->paths.all)
        status = restore_path(r, "");
    for (size_t i = 0; status == TACKLE_OK && i < r->paths.list.count; i++)
        status = restore_path(r, r->paths.list.strings[i]);
    return status;
}

static void write_total(struct restore *r)
{
    if (r->changed > MAX_LISTED)
        (void)reply_format(&r->reply, "[%zu more files]\n", r->changed - MAX_LISTED);
    if (r->changed == 0)
        (void)reply_text(&r->reply, r->staged ? "nothing was staged there\n"
                                              : "nothing to do: the files are so already\n");
}

int32_t restore_call(void *self, tackle_call *call)
{
    static const char note[] = "restore";
    struct repo repo;
    struct restore restore = {0};
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&restore.reply, call);
    status = call->api->remember(call, note, sizeof note - 1);
    if (status == TACKLE_OK)
        status = run(&repo, &restore);
    if (status == TACKLE_OK && restore.staged && restore.changed > 0) {
        int error = git_index_write(restore.index);
        if (error < 0)
            status = repo_fail(call, error, "the index cannot be written");
    }
    if (status == TACKLE_OK)
        write_total(&restore);
    restore_release(&restore);
    repo_close(&repo);
    return status;
}

/* Done when all is as asked. When it is not, what differs may have been edited since: unknown. */
int32_t restore_probe(void *self, tackle_call *call)
{
    struct repo repo;
    struct restore restore = {.look_only = true};
    if (!call->api->remembered(call, NULL))
        return TACKLE_PROBE_NOT_DONE;
    int32_t status = repo_open(self, call, &repo);
    if (status != TACKLE_OK)
        return status;
    reply_init(&restore.reply, call);
    restore.reply.cut = true; /* only the verdict is written */
    status = run(&repo, &restore);
    if (status == TACKLE_OK && restore.changed == 0) {
        status = tackle_writef(call, "restored: the files are as asked\n");
        status = status < 0 ? status : TACKLE_PROBE_DONE;
    } else if (status == TACKLE_OK) {
        status = TACKLE_PROBE_UNKNOWN;
    }
    restore_release(&restore);
    repo_close(&repo);
    return status;
}
