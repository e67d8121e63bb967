/* The checks of .git; see gitdir.h. */
#include "base/enforce.h"
#include "gitdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH        32
#define MAX_CONFIG_BYTES ((size_t)1 << 20)

/* What to do below a directory of .git. */
enum walk { WALK_TOP, WALK_ALL, WALK_OBJECTS, WALK_NOTHING };

struct check {
    tackle_call *call;
    unsigned entries;
};

static int32_t refuse(const struct check *c, const char *dir, const char *name, const char *why)
{
    return tackle_failf(c->call, TACKLE_E_DENIED,
                        "refused: %.200s/%.200s %s; the git tools use only a repository that is "
                        "wholly inside the workspace. Ask the user to look at it",
                        dir, name, why);
}

/* hooks/ is never used, so links there do no harm; of the folders of .git only those that libgit2
 * goes into are walked. */
static enum walk walk_below(enum walk here, const char *name)
{
    if (here == WALK_ALL)
        return WALK_ALL;
    if (here == WALK_TOP) {
        static const char *const used[] = {"refs", "logs", "info", "worktrees"};
        for (size_t i = 0; i < sizeof used / sizeof *used; i++)
            if (strcmp(name, used[i]) == 0)
                return WALK_ALL;
        return strcmp(name, "objects") == 0 ? WALK_OBJECTS : WALK_NOTHING;
    }
    /* Loose objects are many, and harmless: their content is checked against their name. */
    return strcmp(name, "info") == 0 || strcmp(name, "pack") == 0 ? WALK_ALL : WALK_NOTHING;
}

static int32_t check_dir(struct check *c, int parent, const char *name, const char *shown,
                         enum walk walk, int depth);

static int32_t check_entry(struct check *c, int dir, const char *shown, const struct dirent *e,
                           enum walk walk, int depth)
{
    struct stat st;
    if (++c->entries > GITDIR_MAX_FILES)
        return tackle_failf(c->call, TACKLE_E_LIMIT,
                            "the .git of this repository has more than %u files beside its "
                            "objects; ask the user to run git pack-refs and git gc",
                            GITDIR_MAX_FILES);
    if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? TACKLE_OK : refuse(c, shown, e->d_name, "cannot be read");
    if (walk == WALK_TOP && strcmp(e->d_name, "hooks") == 0)
        return TACKLE_OK;
    if (S_ISLNK(st.st_mode))
        return refuse(c, shown, e->d_name, "is a symbolic link");
    /* A socket is left by git's own file system monitor; opening one fails at once. */
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISSOCK(st.st_mode))
        return refuse(c, shown, e->d_name, "is no regular file");
    if (walk == WALK_TOP && strcmp(e->d_name, "commondir") == 0)
        return refuse(c, shown, e->d_name, "takes the repository from another place");
    if (ENFORCED(git_ways_out) && walk == WALK_ALL && strcmp(e->d_name, "alternates") == 0 &&
        st.st_size > 0 && strcmp(shown, ".git/objects/info") == 0)
        return refuse(c, shown, e->d_name, "takes objects from another repository");
    enum walk below = walk_below(walk, e->d_name);
    if (!S_ISDIR(st.st_mode) || below == WALK_NOTHING)
        return TACKLE_OK;
    return check_dir(c, dir, e->d_name, shown, below, depth + 1);
}

static int32_t check_dir(struct check *c, int parent, const char *name, const char *above,
                         enum walk walk, int depth)
{
    char shown[PATH_MAX];
    int32_t status = TACKLE_OK;
    int len = snprintf(shown, sizeof shown, "%s%s%s", above, *above ? "/" : "", name);
    if (depth > MAX_DEPTH || len < 0 || (size_t)len >= sizeof shown)
        return refuse(c, above, name, "is nested too deep");
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refuse(c, above, name, "cannot be opened");
    DIR *dir = fdopendir(fd);
    if (!dir) {
        (void)close(fd);
        return c->call->api->fail(c->call, TACKLE_E_NOMEM, "out of memory");
    }
    for (const struct dirent *e; status == TACKLE_OK && (e = readdir(dir));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            status = check_entry(c, fd, shown, e, walk, depth);
    (void)closedir(dir);
    return status;
}

/* Does this configuration have an [include] or [includeIf] section? A section's name follows its
 * bracket at once. */
static int has_include(const char *text, size_t len)
{
    static const char word[] = "[include";
    for (size_t i = 0; i + sizeof word - 1 <= len; i++)
        if (text[i] == '[' && strncasecmp(text + i, word, sizeof word - 1) == 0)
            return 1;
    return 0;
}

/* A configuration file that libgit2 parses: regular, of a sane size, without includes. */
static int32_t check_config(const struct check *c, int dir, const char *shown, const char *name)
{
    int32_t status = TACKLE_OK;
    struct stat st;
    char *text = NULL;
    size_t len = 0;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? TACKLE_OK : refuse(c, shown, name, "cannot be opened");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_CONFIG_BYTES) {
        status = refuse(c, shown, name, "is no regular file of at most 1 MiB");
        goto out;
    }
    text = malloc(MAX_CONFIG_BYTES);
    if (!text) {
        status = c->call->api->fail(c->call, TACKLE_E_NOMEM, "out of memory");
        goto out;
    }
    for (ssize_t n = 1; n > 0 && len < MAX_CONFIG_BYTES; len += (size_t)n) {
        n = read(fd, text + len, MAX_CONFIG_BYTES - len);
        if (n < 0) {
            status = refuse(c, shown, name, "cannot be read");
            goto out;
        }
    }
    if (ENFORCED(git_include) && has_include(text, len))
        status = refuse(c, shown, name, "includes other configuration files ([include])");
out:
    free(text);
    (void)close(fd);
    return status;
}

/* The files of the work tree that libgit2 opens by name: a link to a regular file may be, a FIFO
 * would block for ever. */
static int32_t check_rules(const struct check *c, int root)
{
    static const char *const names[] = {".gitignore", ".gitattributes", ".mailmap"};
    struct stat st;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fstatat(root, names[i], &st, 0) == 0 && !S_ISREG(st.st_mode))
            return refuse(c, ".", names[i], "is no regular file");
    return TACKLE_OK;
}

int32_t gitdir_check(tackle_call *call, int root)
{
    struct check c = {.call = call};
    struct stat st;
    if (fstatat(root, ".git", &st, AT_SYMLINK_NOFOLLOW) < 0)
        return call->api->fail(call, TACKLE_E_NOT_FOUND,
                               "this folder is not a git repository; ask the user, or make it "
                               "one with git_init");
    if (!S_ISDIR(st.st_mode))
        return tackle_failf(call, TACKLE_E_DENIED,
                            "refused: .git is a %s to a repository in another place (a linked "
                            "worktree or a submodule); the git tools use only a repository that "
                            "is wholly inside the workspace",
                            S_ISLNK(st.st_mode) ? "link" : "file that points");
    int32_t status = check_dir(&c, root, ".git", "", WALK_TOP, 0);
    if (status == TACKLE_OK)
        status = check_rules(&c, root);
    if (status == TACKLE_OK)
        status = check_config(&c, root, ".", ".gitmodules");
    if (status != TACKLE_OK)
        return status;
    int dir = openat(root, ".git", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return refuse(&c, ".", ".git", "cannot be opened");
    status = check_config(&c, dir, ".git", "config");
    (void)close(dir);
    return status;
}
