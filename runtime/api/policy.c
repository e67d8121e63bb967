/* Files of rules: where they are, and whether they may be trusted. */
#include "api/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/enforce.h"
#include "base/path.h"
#include "engine/policy_rule.h"

#define PROJECT_FILE ".tackle/policy.yaml"

/* ---- Files of the operator ---- */

/* Nobody but the owner may change it: who can write a file of rules can do all that rules allow. */
static int check_owner(const struct stat *st, const char *what, const char *path, struct err *err)
{
    bool sticky_dir = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
    if (!ENFORCED(policy_file_owner))
        return 0;
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return err_set(err, ERR_CONFIG,
                       "%s: %s belongs to another user; it must be yours or root's", path, what);
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !sticky_dir)
        return err_set(err, ERR_CONFIG,
                       "%s: %s can be changed by others (mode %04o), who could allow anything with "
                       "it; chmod go-w makes it safe",
                       path, what, (unsigned)st->st_mode & 07777);
    return 0;
}

/* Where the file really is, links gone, and the folder that it is in. */
static int check_place(int fd, const char *path, const char *workspace, struct err *err)
{
    char link[64], real[BENEATH_PATH_MAX];
    struct stat st;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, real, sizeof real - 1);
    if (len <= 0 || (size_t)len >= sizeof real - 1)
        return err_set(err, ERR_CONFIG, "%s: where it is cannot be told", path);
    real[len] = '\0';
    size_t root = strlen(workspace);
    bool inside = strncmp(real, workspace, root) == 0 && (real[root] == '/' || root == 1);
    if (inside && ENFORCED(policy_file_in_workspace))
        return err_set(
            err, ERR_CONFIG,
            "%s: it is in the workspace, whose author it would trust; rules of a project "
            "stand in " PROJECT_FILE " and may only tighten",
            path);
    char *slash = strrchr(real, '/');
    slash[slash == real] = '\0';
    if (stat(real, &st) != 0)
        return err_set(err, ERR_CONFIG, "%s: %s: %s", path, real, strerror(errno));
    return check_owner(&st, "the folder it is in", path, err);
}

static int read_fd(int fd, const char *path, struct buf *out, struct err *err)
{
    for (;;) {
        if (buf_reserve(out, 4096) != 0)
            return err_set(err, ERR_CONFIG, "%s: a policy file may have %u KiB at most", path,
                           POLICY_FILE_MAX >> 10);
        ssize_t got = read(fd, out->data + out->len, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
        if (got == 0)
            return 0;
        out->len += (size_t)got;
        out->data[out->len] = '\0';
    }
}

static int check_regular(const struct stat *st, const char *path, struct err *err)
{
    if (!S_ISREG(st->st_mode))
        return err_set(err, ERR_CONFIG, "%s: a regular file is wanted", path);
    if (st->st_size > (off_t)POLICY_FILE_MAX)
        return err_set(err, ERR_CONFIG, "%s: a policy file may have %u KiB at most", path,
                       POLICY_FILE_MAX >> 10);
    return 0;
}

static int add_fd(struct prepared *p, enum layer layer, int fd, const char *path, struct err *err)
{
    struct buf text;
    buf_init(&text, POLICY_FILE_MAX + 8192);
    int status = read_fd(fd, path, &text, err);
    if (status == 0)
        status = policy_add_file(p->policy, layer, path, text.data, text.len, p->warnings, err);
    buf_release(&text);
    return status;
}

/* A file that is not there is fine unless somebody named it. */
static int add_trusted(struct prepared *p, enum layer layer, const char *path, bool named,
                       struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return !named && (errno == ENOENT || errno == ENOTDIR)
                   ? 0
                   : err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    int status = fstat(fd, &st) == 0 ? check_regular(&st, path, err)
                                     : err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    if (status == 0)
        status = check_owner(&st, "it", path, err);
    if (status == 0)
        status = check_place(fd, path, p->workspace, err);
    if (status == 0)
        status = add_fd(p, layer, fd, path, err);
    (void)close(fd);
    return status;
}

/* ---- The file of the project ---- */

/* A link could be led elsewhere by whoever may write in the workspace, and with it what tightens
 * could be taken away: .tackle itself is the only folder that no tool writes. */
static int add_project(struct prepared *p, struct err *err)
{
    struct stat st;
    int dir = openat(p->workspace_fd, ".tackle", O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
    if (dir < 0)
        return errno == ENOENT ? 0 : err_set(err, ERR_CONFIG, ".tackle: %s", strerror(errno));
    int status = 0;
    if (fstat(dir, &st) != 0 || S_ISLNK(st.st_mode)) {
        status = err_set(err, ERR_CONFIG,
                         ".tackle: it is a link, which rules are not read through; make it a "
                         "folder, or remove it");
        goto out;
    }
    if (!S_ISDIR(st.st_mode))
        goto out;
    fd = openat(dir, "policy.yaml", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        status = errno == ENOENT  ? 0
                 : errno == ELOOP ? err_set(err, ERR_CONFIG,
                                            PROJECT_FILE ": it is a link, which rules are not "
                                                         "read through")
                                  : err_set(err, ERR_CONFIG, PROJECT_FILE ": %s", strerror(errno));
    else if (fstat(fd, &st) != 0)
        status = err_set(err, ERR_CONFIG, PROJECT_FILE ": %s", strerror(errno));
    else if ((status = check_regular(&st, PROJECT_FILE, err)) == 0)
        status = add_fd(p, LAYER_PROJECT, fd, PROJECT_FILE, err);
out:
    if (fd >= 0)
        (void)close(fd);
    (void)close(dir);
    return status;
}

/* ---- What rules need to know of the world ---- */

static bool resolve(void *user, const char *path, char *out)
{
    const struct prepared *p = user;
    char relative[BENEATH_PATH_MAX];
    struct err ignored;
    if (beneath_relative(p->workspace, path, relative, &ignored) != 0 ||
        beneath_real(p->workspace_fd, relative, out, &ignored) != 0)
        return false;
    if (!*out)
        (void)snprintf(out, BENEATH_PATH_MAX, ".");
    return true;
}

static bool is_same_file(const char *program, const char *file)
{
    struct stat a, b;
    return stat(program, &a) == 0 && stat(file, &b) == 0 && S_ISREG(a.st_mode) &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* A bare name is looked for as the command will look for it. */
static bool same_program(void *user, const char *program, const char *file)
{
    char path[BENEATH_PATH_MAX];
    (void)user;
    if (*program == '/')
        return is_same_file(program, file);
    if (!*program || strchr(program, '/'))
        return false; /* relative to a folder that is not known here */
    for (const char *at = PATH_OF_COMMANDS; *at; at += *at == ':') {
        size_t len = strcspn(at, ":");
        int need = snprintf(path, sizeof path, "%.*s/%s", (int)len, at, program);
        if (need > 0 && (size_t)need < sizeof path && access(path, X_OK) == 0)
            return is_same_file(path, file);
        at += len;
    }
    return false;
}

/* ---- All of it ---- */

static int add_user(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    char *path = rt->config_dir ? path_join(rt->config_dir, "policy.yaml") : NULL;
    int status = path              ? add_trusted(p, LAYER_USER, path, false, err)
                 : !rt->config_dir ? 0
                                   : err_set(err, ERR_NOMEM, "out of memory");
    free(path);
    return status;
}

int policies_load(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    const struct policy_world world = {p->workspace, resolve, same_program, p};
    const char *named = settings_text(&p->settings, SET_POLICY);
    p->policy = policy_new(&p->settings, err);
    if (!p->policy)
        return -1;
    policy_set_world(p->policy, &world);
    if (rt->configured &&
        (add_trusted(p, LAYER_SYSTEM, "/etc/tackle/policy.yaml", false, err) != 0 ||
         add_user(rt, p, err) != 0))
        return -1;
    if (named && add_trusted(p, settings_layer(&p->settings, SET_POLICY), named, true, err) != 0)
        return -1;
    return rt->configured ? add_project(p, err) : 0;
}
