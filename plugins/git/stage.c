/* Staging through the plugin's own resolver; see stage.h. */
#include "base/enforce.h"
#include "stage.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "diff.h"

#define MAX_DEPTH 100

int32_t stage_init(struct stage *s, const struct repo *repo)
{
    *s = (struct stage){.repo = repo};
    int32_t status = repo_unlocked(repo);
    if (status == TACKLE_OK)
        status = repo_index(repo, &s->index);
    if (status != TACKLE_OK)
        return status;
    if (fstatat(repo->root_fd, ".git/index", &s->index_st, AT_SYMLINK_NOFOLLOW) < 0)
        s->index_st = (struct stat){0};
    int error = git_index_read(s->index, 0);
    return error < 0 ? repo_fail(repo->call, error, "the index cannot be read") : TACKLE_OK;
}

void stage_release(struct stage *s)
{
    git_index_free(s->index);
    s->index = NULL;
}

int32_t stage_write(struct stage *s)
{
    int error = git_index_write(s->index);
    return error < 0 ? repo_fail(s->repo->call, error, "the index cannot be written") : TACKLE_OK;
}

static int32_t count_file(struct stage *s)
{
    if (++s->files <= REPO_MAX_FILES)
        return repo_may_go_on(s->repo->call);
    return tackle_failf(s->repo->call, TACKLE_E_LIMIT,
                        "more than %d files: nothing staged; name smaller folders, or add what is "
                        "built to .gitignore",
                        REPO_MAX_FILES);
}

/* Is the entry surely what the file is, without reading it? As in git: all that stat() tells is the
 * same, and the file is older than the index, so that no change can hide in the clock's grain. */
static bool is_fresh(const struct stage *s, const git_index_entry *e, const struct stat *st,
                     git_filemode_t mode)
{
    return e && e->mode == (uint32_t)mode && e->file_size == (uint32_t)st->st_size &&
           e->ino == (uint32_t)st->st_ino && e->mtime.seconds == (int32_t)st->st_mtim.tv_sec &&
           e->mtime.nanoseconds == (uint32_t)st->st_mtim.tv_nsec &&
           e->ctime.seconds == (int32_t)st->st_ctim.tv_sec &&
           e->ctime.nanoseconds == (uint32_t)st->st_ctim.tv_nsec &&
           (s->index_st.st_mtim.tv_sec > st->st_mtim.tv_sec ||
            (s->index_st.st_mtim.tv_sec == st->st_mtim.tv_sec &&
             s->index_st.st_mtim.tv_nsec > st->st_mtim.tv_nsec));
}

static void fill_entry(git_index_entry *e, const char *path, const struct stat *st,
                       git_filemode_t mode)
{
    *e = (git_index_entry){
        .ctime = {(int32_t)st->st_ctim.tv_sec, (uint32_t)st->st_ctim.tv_nsec},
        .mtime = {(int32_t)st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec},
        .dev = (uint32_t)st->st_dev,
        .ino = (uint32_t)st->st_ino,
        .mode = (uint32_t)mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .file_size = (uint32_t)st->st_size,
        .path = path,
    };
}

/* Is `path` in a folder that the index holds as a submodule? What is in there is another
 * repository's, also before it was ever fetched. */
static bool is_in_submodule(const struct stage *s, const char *path)
{
    char folder[REPO_PATH_MAX];
    for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        const git_index_entry *e = git_index_get_bypath(s->index, folder, 0);
        if (e && e->mode == GIT_FILEMODE_COMMIT)
            return true;
    }
    return false;
}

static int32_t stage_file(struct stage *s, const struct worktree_file *file)
{
    const struct repo *repo = s->repo;
    git_index_entry entry;
    char *data = NULL;
    size_t len = 0;
    const git_index_entry *known = git_index_get_bypath(s->index, file->path, 0);
    git_filemode_t mode = worktree_mode(file, s->index, known);
    int32_t status = count_file(s);
    if (status != TACKLE_OK || is_fresh(s, known, &file->st, mode))
        return status;
    status = worktree_read(repo, file, &data, &len);
    if (status != TACKLE_OK)
        return status;
    fill_entry(&entry, file->path, &file->st, mode);
    int error = git_blob_create_from_buffer(&entry.id, repo->git, data, len);
    free(data);
    if (error == 0)
        error = git_index_add(s->index, &entry);
    if (error == 0 && git_index_conflict_remove(s->index, file->path) < 0)
        git_error_clear(); /* it was in no conflict */
    return error < 0 ? repo_fail(repo->call, error, "a file cannot be staged") : TACKLE_OK;
}

/* Unstages what is tracked at `path` or below it and is no longer in the work tree. */
static int32_t stage_gone(struct stage *s, const char *path)
{
    char prefix[REPO_PATH_MAX + 1];
    struct stat st;
    size_t at = 0;
    int len = snprintf(prefix, sizeof prefix, "%s", path);
    if (len < 0 || git_index_find_prefix(&at, s->index, prefix) < 0)
        return TACKLE_OK; /* nothing is tracked there */
    for (const git_index_entry *e; (e = git_index_get_byindex(s->index, at));) {
        if (strncmp(e->path, prefix, (size_t)len) != 0)
            break;
        bool below = len == 0 || e->path[len] == '/' || e->path[len] == '\0';
        bool kept = e->mode == GIT_FILEMODE_COMMIT ||
                    e->flags_extended & GIT_INDEX_ENTRY_SKIP_WORKTREE ||
                    fstatat(s->repo->root_fd, e->path, &st, AT_SYMLINK_NOFOLLOW) == 0;
        int32_t status = repo_may_go_on(s->repo->call);
        if (status != TACKLE_OK)
            return status;
        if (!below || kept) {
            at++;
            continue;
        }
        int error = git_index_remove(s->index, e->path, GIT_INDEX_ENTRY_STAGE(e));
        if (error < 0)
            return repo_fail(s->repo->call, error, "a removal cannot be staged");
    }
    return TACKLE_OK;
}

static bool is_tracked(const struct stage *s, const char *path)
{
    char prefix[REPO_PATH_MAX + 1];
    size_t at;
    if (git_index_find(&at, s->index, path) == 0)
        return true;
    (void)snprintf(prefix, sizeof prefix, "%s/", path);
    bool found = git_index_find_prefix(&at, s->index, prefix) == 0;
    git_error_clear();
    return found;
}

/* A trailing slash tells libgit2 that the path is a folder. */
static int32_t is_ignored(const struct stage *s, const char *path, bool folder, bool *ignored)
{
    char name[REPO_PATH_MAX + 2];
    int yes = 0;
    (void)snprintf(name, sizeof name, "%s%s", path, folder ? "/" : "");
    int error = git_ignore_path_is_ignored(&yes, s->repo->git, name);
    *ignored = yes != 0;
    return error < 0 ? repo_fail(s->repo->call, error, ".gitignore cannot be read") : TACKLE_OK;
}

/* ---- folders ---- */

/* A folder with a .git of its own is another repository, and so is a submodule. */
static bool is_other_repository(const struct stage *s, const char *path, int dir)
{
    struct stat st;
    const git_index_entry *e = *path ? git_index_get_bypath(s->index, path, 0) : NULL;
    return (e && e->mode == GIT_FILEMODE_COMMIT) ||
           (*path && fstatat(dir, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0);
}

/* libgit2 opens these itself to know what is ignored, and would wait on a FIFO. */
static int32_t check_rules(const struct stage *s, const char *path, int dir)
{
    struct stat st;
    if (fstatat(dir, ".gitignore", &st, 0) == 0 && !S_ISREG(st.st_mode))
        return tackle_failf(s->repo->call, TACKLE_E_DENIED,
                            "refused: %.200s/.gitignore is no regular file", *path ? path : ".");
    return TACKLE_OK;
}

static int32_t stage_dir(struct stage *s, int dir, const char *path, int depth);

static int32_t stage_below(struct stage *s, int dir, const char *path, const char *name, int depth)
{
    char full[REPO_PATH_MAX];
    struct worktree_file file = {.dir = dir, .path = full, .name = name};
    bool ignored = false;
    int len = snprintf(full, sizeof full, "%s%s%s", path, *path ? "/" : "", name);
    if (len < 0 || (size_t)len >= sizeof full)
        return tackle_failf(s->repo->call, TACKLE_E_LIMIT, "a path below '%.200s' is too long",
                            path);
    if (fstatat(dir, name, &file.st, AT_SYMLINK_NOFOLLOW) < 0)
        return TACKLE_OK; /* gone since it was listed */
    file.kind = worktree_kind(file.st.st_mode);
    if (file.kind == WORKTREE_OTHER) {
        if (s->skipped++ == 0)
            (void)snprintf(s->first_skipped, sizeof s->first_skipped, "%s", full);
        return TACKLE_OK;
    }
    if (!is_tracked(s, full)) {
        int32_t status = is_ignored(s, full, file.kind == WORKTREE_DIR, &ignored);
        if (status != TACKLE_OK || ignored)
            return status;
    }
    if (file.kind != WORKTREE_DIR)
        return stage_file(s, &file);
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tackle_failf(s->repo->call, TACKLE_E_FAILED, "the folder '%.200s' cannot be read",
                            full);
    return stage_dir(s, fd, full, depth + 1);
}

/* Takes over `dir`. */
static int32_t stage_dir(struct stage *s, int dir, const char *path, int depth)
{
    int32_t status = check_rules(s, path, dir);
    if (status == TACKLE_OK && depth > MAX_DEPTH)
        status = tackle_failf(s->repo->call, TACKLE_E_LIMIT,
                              "'%.200s' is nested deeper than %d folders", path, MAX_DEPTH);
    DIR *list = status == TACKLE_OK && !is_other_repository(s, path, dir) ? fdopendir(dir) : NULL;
    if (!list) {
        (void)close(dir);
        return status;
    }
    for (const struct dirent *e; status == TACKLE_OK && (e = readdir(list));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strcasecmp(e->d_name, ".git") != 0)
            status = stage_below(s, dir, path, e->d_name, depth);
    (void)closedir(list);
    return status;
}

/* ---- what was asked for ---- */

static int32_t stage_whole_dir(struct stage *s, const char *path, int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return tackle_failf(s->repo->call, TACKLE_E_FAILED, "the folder '%.200s' cannot be read",
                            path);
    if (is_other_repository(s, path, fd)) {
        (void)close(fd);
        return tackle_failf(s->repo->call, TACKLE_E_DENIED,
                            "refused: '%.200s' is a git repository of its own; submodules are "
                            "left alone",
                            path);
    }
    int32_t status = stage_dir(s, fd, path, 0);
    return status == TACKLE_OK ? stage_gone(s, path) : status;
}

/* Checks one path that was named, and stages it. */
static int32_t stage_found(struct stage *s, const struct worktree_file *file)
{
    tackle_call *call = s->repo->call;
    bool tracked = is_tracked(s, file->path), ignored = false;
    if (is_in_submodule(s, file->path))
        return tackle_failf(call, TACKLE_E_DENIED,
                            "refused: '%.200s' is in a submodule; submodules are left alone",
                            file->path);
    if (file->kind == WORKTREE_MISSING)
        return tracked ? stage_gone(s, file->path)
                       : tackle_failf(call, TACKLE_E_NOT_FOUND,
                                      "no '%.200s', neither in the work tree nor tracked; paths "
                                      "are literal, without wildcards",
                                      file->path);
    if (ENFORCED(git_kind) && file->kind == WORKTREE_OTHER)
        return tackle_failf(call, TACKLE_E_ARGS,
                            "'%.200s' is neither a file nor a link: it cannot be staged",
                            file->path);
    int32_t status = check_rules(s, "", file->dir);
    if (status == TACKLE_OK && !tracked)
        status = is_ignored(s, file->path, file->kind == WORKTREE_DIR, &ignored);
    if (status != TACKLE_OK)
        return status;
    if (ignored)
        return tackle_failf(call, TACKLE_E_FAILED,
                            "'%.200s' is ignored by .gitignore: not staged; leave it out, or "
                            "change .gitignore",
                            file->path);
    if (file->kind == WORKTREE_DIR)
        return stage_whole_dir(s, file->path, file->dir, file->name);
    return stage_file(s, file);
}

int32_t stage_path(struct stage *s, const char *path)
{
    struct worktree_file file;
    if (*path == '\0')
        return stage_whole_dir(s, path, s->repo->root_fd, ".");
    int32_t status = worktree_find(s->repo, path, &file);
    if (status != TACKLE_OK)
        return status;
    status = stage_found(s, &file);
    worktree_release(&file);
    return status;
}

/* One file that libgit2 found changed. */
static int32_t stage_delta(struct stage *s, const git_diff_delta *delta)
{
    struct worktree_file file;
    const char *path = delta->old_file.path ? delta->old_file.path : delta->new_file.path;
    int32_t status = worktree_find(s->repo, path, &file);
    if (status != TACKLE_OK)
        return status;
    if (file.kind == WORKTREE_FILE || file.kind == WORKTREE_LINK) {
        status = stage_file(s, &file);
    } else {
        /* Gone, or a folder now, or nothing that git can hold: a removal, as libgit2 sees it. */
        int error = git_index_remove_bypath(s->index, path);
        status =
            error < 0 ? repo_fail(s->repo->call, error, "a removal cannot be staged") : TACKLE_OK;
    }
    worktree_release(&file);
    return status;
}

int32_t stage_tracked(struct stage *s)
{
    git_diff *diff = NULL;
    git_diff_options options;
    int32_t status = TACKLE_OK;
    diff_options(&options);
    int error = git_diff_index_to_workdir(&diff, s->repo->git, s->index, &options);
    if (error < 0)
        return repo_fail(s->repo->call, error, "what changed cannot be listed");
    size_t count = git_diff_num_deltas(diff);
    for (size_t i = 0; status == TACKLE_OK && i < count; i++)
        status = stage_delta(s, git_diff_get_delta(diff, i));
    git_diff_free(diff);
    return status;
}
