/* Files of the work tree without links; see worktree.h. */
#include "worktree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/enforce.h"

/* Opens the folder `name` of `dir`. The descriptor; -1 when there is no such folder; -2 when it is
 * a link. */
static int enter(int dir, const char *name)
{
    struct stat st;
    int links = ENFORCED(git_links) ? O_NOFOLLOW : 0;
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | links);
    if (fd >= 0)
        return fd;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return -2;
    return -1;
}

/* The folder of the last part of `path`, and where that part begins. */
static int enter_parent(int root, const char *path, const char **name)
{
    int dir = fcntl(root, F_DUPFD_CLOEXEC, 10);
    for (const char *slash; dir >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
        char part[NAME_MAX + 1];
        size_t len = (size_t)(slash - path);
        if (len > NAME_MAX)
            len = NAME_MAX; /* cannot be: repo_path() refuses longer ones, a tree's are then missing
                             */
        memcpy(part, path, len);
        part[len] = '\0';
        int next = enter(dir, part);
        (void)close(dir);
        dir = next;
    }
    *name = path;
    return dir;
}

int worktree_kind(mode_t mode)
{
    if (S_ISREG(mode))
        return WORKTREE_FILE;
    if (S_ISLNK(mode))
        return WORKTREE_LINK;
    return S_ISDIR(mode) ? WORKTREE_DIR : WORKTREE_OTHER;
}

int32_t worktree_find(const struct repo *repo, const char *path, struct worktree_file *file)
{
    *file = (struct worktree_file){.kind = WORKTREE_MISSING, .path = path};
    file->dir = enter_parent(repo->root_fd, path, &file->name);
    if (file->dir == -2)
        return tackle_failf(repo->call, TACKLE_E_DENIED,
                            "refused: a folder on the way to '%.200s' is a symbolic link; use the "
                            "path that it stands for",
                            path);
    if (file->dir < 0)
        return TACKLE_OK;
    if (fstatat(file->dir, file->name, &file->st, AT_SYMLINK_NOFOLLOW) == 0)
        file->kind = worktree_kind(file->st.st_mode);
    else if (errno != ENOENT && errno != ENOTDIR) {
        int32_t status = tackle_failf(repo->call, TACKLE_E_FAILED,
                                      "'%.200s' cannot be looked at: %s", path, strerror(errno));
        worktree_release(file);
        return status;
    }
    return TACKLE_OK;
}

void worktree_release(struct worktree_file *file)
{
    if (file->dir >= 0)
        (void)close(file->dir);
    file->dir = -1;
}

git_filemode_t worktree_mode(const struct worktree_file *file, const git_index *index,
                             const git_index_entry *known)
{
    if (file->kind == WORKTREE_LINK)
        return GIT_FILEMODE_LINK;
    bool runs = file->st.st_mode & S_IXUSR;
    if (git_index_caps(index) & GIT_INDEX_CAPABILITY_NO_FILEMODE)
        runs = known && known->mode == GIT_FILEMODE_BLOB_EXECUTABLE;
    return runs ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

static int32_t fail_read(const struct repo *repo, const char *path, const char *why)
{
    return tackle_failf(repo->call, TACKLE_E_FAILED, "'%.200s' cannot be read: %s", path, why);
}

static int32_t read_link(const struct repo *repo, const struct worktree_file *file, char **data,
                         size_t *len)
{
    char *target = malloc(PATH_MAX);
    if (!target)
        return repo_no_memory(repo->call);
    ssize_t n = readlinkat(file->dir, file->name, target, PATH_MAX);
    if (n < 0 || n == PATH_MAX) {
        free(target);
        return fail_read(repo, file->path, n < 0 ? strerror(errno) : "its target is too long");
    }
    *data = target;
    *len = (size_t)n;
    return TACKLE_OK;
}

/* Reads an open file to its end; it may have grown or shrunk since it was looked at. */
static int32_t read_all(const struct repo *repo, const char *path, int fd, size_t size, char **data,
                        size_t *len)
{
    char *bytes = malloc(size + 1);
    size_t used = 0;
    if (!bytes)
        return repo_no_memory(repo->call);
    for (;;) {
        ssize_t n = read(fd, bytes + used, size + 1 - used);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || used + (size_t)n > size) {
            free(bytes);
            return fail_read(repo, path, n < 0 ? strerror(errno) : "it grows while it is read");
        }
        if (n == 0)
            break;
        used += (size_t)n;
    }
    *data = bytes;
    *len = used;
    return TACKLE_OK;
}

int32_t worktree_read(const struct repo *repo, const struct worktree_file *file, char **data,
                      size_t *len)
{
    struct stat st;
    *data = NULL;
    *len = 0;
    if (file->kind == WORKTREE_LINK)
        return read_link(repo, file, data, len);
    int fd =
        openat(file->dir, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return fail_read(repo, file->path, strerror(errno));
    int32_t status;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        status = fail_read(repo, file->path, "it is no regular file");
    else if (ENFORCED(git_file_size) && (uintmax_t)st.st_size > WORKTREE_MAX_BYTES)
        status = tackle_failf(repo->call, TACKLE_E_LIMIT,
                              "'%.200s' has %jd bytes; the git tools handle up to 64 MiB",
                              file->path, (intmax_t)st.st_size);
    else
        status = read_all(repo, file->path, fd, (size_t)st.st_size, data, len);
    (void)close(fd);
    return status;
}

int32_t worktree_is(const struct repo *repo, const struct worktree_file *file,
                    const git_index *index, const git_index_entry *entry, bool *same)
{
    char *data = NULL;
    size_t len = 0;
    git_oid id;
    *same = false;
    if ((file->kind != WORKTREE_FILE && file->kind != WORKTREE_LINK) ||
        (uint32_t)worktree_mode(file, index, entry) != entry->mode ||
        (file->kind == WORKTREE_FILE && (uintmax_t)file->st.st_size > WORKTREE_MAX_BYTES))
        return TACKLE_OK;
    int32_t status = worktree_read(repo, file, &data, &len);
    if (status == TACKLE_OK) {
        int error = git_odb_hash(&id, data, len, GIT_OBJECT_BLOB);
        if (error < 0)
            status = repo_fail(repo->call, error, "the file cannot be hashed");
        else
            *same = git_oid_equal(&id, &entry->id) != 0;
    }
    free(data);
    return status;
}
