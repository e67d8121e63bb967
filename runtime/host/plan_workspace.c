#include "host/plan_workspace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enforce.h"
#include "base/deny.h"

#define WALK_DEPTH   32
#define WALK_ENTRIES 50000u
#define WALK_MOUNTS  512u /* pins and masks */

/* ---- The repository of a worktree ---- */

/* The first line of a small file, behind `prefix`. False when it is not there. */
static bool read_line(int dir, const char *name, const char *prefix, char line[PATH_MAX])
{
    char text[PATH_MAX];
    size_t skip = strlen(prefix);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (strncmp(text, prefix, skip) != 0 || !text[skip])
        return false;
    (void)snprintf(line, PATH_MAX, "%s", text + skip);
    return true;
}

/* The real path of `path`, which is relative to `base`. */
static bool resolve(const char *base, const char *path, char real[PATH_MAX])
{
    char whole[PATH_MAX];
    if (*path == '/')
        return realpath(path, real) != NULL;
    int len = snprintf(whole, sizeof whole, "%s/%s", base, path);
    return len > 0 && (size_t)len < sizeof whole && realpath(whole, real) != NULL;
}

/* Where the worktree's own folder and the repository are, when both agree that they belong
 * together: whoever wrote the workspace cannot have written there. */
static bool find_common(const struct sandbox_spec *spec, char common[PATH_MAX])
{
    char line[PATH_MAX], own[PATH_MAX], back[PATH_MAX];
    struct stat here, there;
    if (!read_line(spec->workspace_fd, ".git", "gitdir: ", line) ||
        !resolve(spec->workspace, line, own))
        return false;
    int dir = open(own, O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool found = dir >= 0 && read_line(dir, "gitdir", "", line) && resolve(own, line, back) &&
                 stat(back, &there) == 0 &&
                 fstatat(spec->workspace_fd, ".git", &here, AT_SYMLINK_NOFOLLOW) == 0 &&
                 here.st_dev == there.st_dev && here.st_ino == there.st_ino &&
                 read_line(dir, "commondir", "", line) && resolve(own, line, common);
    if (dir >= 0)
        (void)close(dir);
    size_t len = found ? strlen(common) : 0;
    return found && strncmp(own, common, len) == 0 && strncmp(own + len, "/worktrees/", 11) == 0;
}

int plan_repository(const struct sandbox_spec *spec, struct plan *plan,
                    struct step_failure *failure)
{
    char common[PATH_MAX];
    struct stat st;
    if (fstatat(spec->workspace_fd, ".git", &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode) ||
        !find_common(spec, common))
        return 0;
    return plan_add(plan, spec->write && spec->git_write ? PLAN_WRITE : PLAN_READ, true, common,
                    common, failure);
}

/* ---- The walk ---- */

struct walk {
    const struct sandbox_spec *spec;
    struct plan *plan;
    struct step_failure *failure;
    bool pins;           /* .git and .tackle must not change */
    size_t entries;      /* seen */
    size_t first;        /* entries of the plan before the walk */
    char path[PATH_MAX]; /* absolute */
    size_t root;         /* its length up to the workspace, slash included */
};

static bool is_protected(const char *name)
{
    return strcasecmp(name, ".git") == 0 || strcasecmp(name, ".tackle") == 0;
}

static bool is_hidden(const struct walk *w)
{
    size_t count = 0;
    while (w->spec->hide[count])
        count++;
    return ENFORCED(sandbox_hide) && deny_find_next(w->spec->hide, count, w->path + w->root);
}

static bool is_full(struct walk *w)
{
    bool full = w->entries >= WALK_ENTRIES || w->plan->count - w->first >= WALK_MOUNTS;
    w->plan->cut = w->plan->cut || full;
    return full;
}

/* A link can be replaced though what it leads to is read-only, and no mount can hold it. */
static int pin(struct walk *w, const char *name, mode_t type, bool top)
{
    if (S_ISDIR(type) || S_ISREG(type))
        return ENFORCED(sandbox_git_pinned)
                   ? plan_add(w->plan, PLAN_PIN, S_ISDIR(type), w->path, NULL, w->failure)
                   : 0;
    if (!top)
        return 0;
    return step_refuse(w->failure, "protect",
                       "%s of the workspace is neither a folder nor a file, so it cannot be kept "
                       "from being replaced; make it a folder",
                       name);
}

static int walk_folder(struct walk *w, int parent, const char *name, unsigned depth);

static int walk_entry(struct walk *w, int dir, const char *name, unsigned depth)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
        return 0; /* gone by now */
    if (is_protected(name))
        return w->pins ? pin(w, name, st.st_mode, depth == 0) : 0;
    if ((S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) && is_hidden(w))
        return plan_add(w->plan, PLAN_MASK, S_ISDIR(st.st_mode), w->path, NULL, w->failure);
    if (!S_ISDIR(st.st_mode))
        return 0;
    if (depth + 1 < WALK_DEPTH)
        return walk_folder(w, dir, name, depth + 1);
    w->plan->cut = true;
    return 0;
}

static int walk_names(struct walk *w, DIR *dir, unsigned depth)
{
    const struct dirent *entry;
    size_t len = strlen(w->path);
    int status = 0;
    while (status == 0 && !is_full(w) && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        w->entries++;
        if (len + 1 + strlen(name) >= sizeof w->path) {
            w->plan->cut = true;
            continue;
        }
        (void)snprintf(w->path + len, sizeof w->path - len, "/%s", name);
        /* Most names are of files that no rule is about: no system call for these. */
        if (entry->d_type != DT_REG || is_protected(name) || is_hidden(w))
            status = walk_entry(w, dirfd(dir), name, depth);
        w->path[len] = '\0';
    }
    return status;
}

/* A folder that cannot be read cannot be read by the plugin either. */
static int walk_folder(struct walk *w, int parent, const char *name, unsigned depth)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    int status = walk_names(w, dir, depth);
    (void)closedir(dir);
    return status;
}

int plan_workspace(const struct sandbox_spec *spec, struct plan *plan, struct step_failure *failure)
{
    struct walk walk = {.spec = spec,
                        .plan = plan,
                        .failure = failure,
                        .pins = spec->write && !spec->git_write,
                        .first = plan->count};
    if (!walk.pins && !spec->hide[0])
        return 0;
    int len = snprintf(walk.path, sizeof walk.path, "%s", spec->workspace);
    if (len < 0 || (size_t)len >= sizeof walk.path)
        return step_refuse(failure, "plan", "the workspace's path is too long");
    walk.root = (size_t)len + 1;
    return walk_folder(&walk, spec->workspace_fd, ".", 0);
}
