/* Each bind is made aside, gets its flags, and is then put in its place: there is no moment in
 * which it can be written to. mount_setattr() reaches the mounts below it as well. */
#include "host/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/enforce.h"

#define STAGE     "/usr" /* any folder that always exists; covered for a moment */
#define OLD       "/.old"
#define MASK_FILE "/.masked"
#define MASK_DIR  "/.masked.d"

#define SAFE (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* ---- Places ---- */

static int make_parents(const char *path)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0755) && errno != EEXIST)
            return -1;
    }
    return 0;
}

/* Makes what something is mounted on. What is there already stays. */
static int make_place(const char *path, bool folder)
{
    if (make_parents(path))
        return -1;
    if (folder)
        return mkdir(path, 0755) && errno != EEXIST ? -1 : 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0444);
    if (fd < 0)
        return errno == EEXIST ? 0 : -1;
    return close(fd);
}

/* ---- Mounts ---- */

/* Puts what `source` is at `path`, with the flags added to those it has. */
static int bind_tree(const char *source, const char *path, unsigned long flags)
{
    struct mount_attr attr = {.attr_set = flags};
    int tree = open_tree(AT_FDCWD, source,
                         OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW);
    if (tree < 0)
        return -1;
    int status = mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) ||
                         move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)
                     ? -1
                     : 0;
    int why = errno;
    (void)close(tree);
    errno = why;
    return status;
}

static int bind_old(const char *source, const char *path, bool folder, unsigned long flags)
{
    char old[PATH_MAX];
    int len = snprintf(old, sizeof old, OLD "%s", source);
    if (len < 0 || (size_t)len >= sizeof old) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return make_place(path, folder) ? -1 : bind_tree(old, path, flags);
}

static int mount_tmpfs(const char *path, const char *mode, unsigned mib)
{
    char options[64];
    (void)snprintf(options, sizeof options, mib ? "mode=%s,size=%um" : "mode=%s", mode, mib);
    return make_place(path, true) || mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options)
               ? -1
               : 0;
}

/* Few devices, none of them a disk, a terminal or memory; terminals of its own, so that programs
 * that need one can be tested. */
static int mount_dev(unsigned mib)
{
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom"};
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"/proc/self/fd/0", "/dev/stdin"},
                                           {"/proc/self/fd/1", "/dev/stdout"},
                                           {"/proc/self/fd/2", "/dev/stderr"},
                                           {"pts/ptmx", "/dev/ptmx"}};
    char path[32];
    if (mount_tmpfs("/dev", "0755", 1))
        return -1;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        (void)snprintf(path, sizeof path, "/dev/%s", devices[i]);
        if (bind_old(path, path, false, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY))
            return -1;
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (symlink(links[i][0], links[i][1]))
            return -1;
    return mkdir("/dev/pts", 0755) ||
                   mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
                         "newinstance,ptmxmode=0666,mode=0620") ||
                   mount_tmpfs("/dev/shm", "1777", mib)
               ? -1
               : 0;
}

/* Read-only: a root without capabilities could still write to /proc/sys. */
static int mount_proc(void)
{
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (ENFORCED(sandbox_proc_readonly))
        flags |= MS_RDONLY;
    return make_place("/proc", true) || mount("proc", "/proc", "proc", flags, NULL) ? -1 : 0;
}

static int make_link(const struct plan_entry *entry)
{
    return make_parents(entry->path) || symlink(entry->source, entry->path) ? -1 : 0;
}

static int mount_workspace(const struct plan_entry *entry)
{
    unsigned long flags = SAFE;
    if (!entry->writable)
        flags |= MOUNT_ATTR_RDONLY;
    /* "." came along into the new namespace, and is what the runtime opened, whatever the path
     * leads to by now. */
    return make_place(entry->path, true) ? -1 : bind_tree(".", entry->path, flags);
}

static int mount_mask(const struct plan_entry *entry)
{
    return bind_tree(entry->folder ? MASK_DIR : MASK_FILE, entry->path, SAFE | MOUNT_ATTR_RDONLY);
}

static int mount_entry(const struct plan_entry *entry, unsigned mib)
{
    switch (entry->kind) {
    case PLAN_READ:
        return bind_old(entry->source, entry->path, entry->folder,
                        ENFORCED(sandbox_system_readonly) ? SAFE | MOUNT_ATTR_RDONLY : SAFE);
    case PLAN_WRITE:
        return bind_old(entry->source, entry->path, entry->folder, SAFE);
    case PLAN_WORKSPACE:
        return mount_workspace(entry);
    case PLAN_LINK:
        return make_link(entry);
    case PLAN_TMPFS:
        return mount_tmpfs(entry->path, strcmp(entry->path, "/run") == 0 ? "0755" : "1777", mib);
    case PLAN_PROC:
        return mount_proc();
    case PLAN_DEV:
        return mount_dev(mib);
    case PLAN_PIN:
        return bind_tree(entry->path, entry->path, SAFE | MOUNT_ATTR_RDONLY);
    case PLAN_MASK:
        return mount_mask(entry);
    }
    errno = EINVAL;
    return -1;
}

static const char *step_of(enum plan_kind kind)
{
    static const char *const names[] = {"bind read-only", "bind writable", "bind workspace",
                                        "link",           "mount tmpfs",   "mount proc",
                                        "mount dev",      "protect",       "hide"};
    return names[kind];
}

/* ---- The root ---- */

static int make_masks(void)
{
    int fd = open(MASK_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    return fd < 0 || close(fd) || mkdir(MASK_DIR, 0) ? -1 : 0;
}

static int enter_root(struct step_failure *failure)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
        return step_fail(failure, "private mounts", "nothing may be mounted");
    if (mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m,nr_inodes=4k") ||
        mkdir(STAGE OLD, 0700))
        return step_fail(failure, "new root", "no root of its own");
    if (syscall(SYS_pivot_root, STAGE, STAGE OLD))
        return step_fail(failure, "pivot_root", "the root cannot be changed");
    if (make_masks())
        return step_fail(failure, "new root", "no empty file");
    return 0;
}

static int leave_old_root(struct step_failure *failure)
{
    struct mount_attr sealed = {.attr_set = MOUNT_ATTR_RDONLY};
    if (chdir("/"))
        return step_fail(failure, "chdir", "/");
    if (ENFORCED(sandbox_old_root_gone) && (umount2(OLD, MNT_DETACH) || rmdir(OLD)))
        return step_fail(failure, "leave old root", "it stays in sight");
    if (unlink(MASK_FILE) || rmdir(MASK_DIR))
        return step_fail(failure, "leave old root", "the empty files stay in sight");
    if (mount_setattr(AT_FDCWD, "/", 0, &sealed, sizeof sealed))
        return step_fail(failure, "seal root", "the new root stays writable");
    return 0;
}

int mounts_enter(const struct sandbox_spec *spec, const struct plan *plan,
                 struct step_failure *failure)
{
    if (enter_root(failure))
        return -1;
    for (size_t i = 0; i < plan->count; i++)
        if (mount_entry(&plan->entries[i], spec->memory_mib))
            return step_fail(failure, step_of(plan->entries[i].kind), "%s", plan->entries[i].path);
    return leave_old_root(failure);
}

/* ---- Is it still the same? ---- */

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int check_workspace(const struct sandbox_spec *spec, struct step_failure *failure)
{
    struct stat before, now;
    int fd = open(spec->workspace, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &now) || fstat(spec->workspace_fd, &before)) {
        (void)step_fail(failure, "reopen workspace", "%s", spec->workspace);
        goto fail;
    }
    if (ENFORCED(sandbox_same_workspace) && !is_same(&before, &now)) {
        (void)step_refuse(failure, "reopen workspace",
                          "%s is another folder by now than the run began with", spec->workspace);
        goto fail;
    }
    if (dup3(fd, spec->workspace_fd, O_CLOEXEC) < 0) {
        (void)step_fail(failure, "reopen workspace", "%s", spec->workspace);
        goto fail;
    }
    (void)close(fd);
    return 0;
fail:
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

int mounts_check(const struct sandbox_spec *spec, struct step_failure *failure)
{
    struct stat before, now;
    if (spec->workspace && check_workspace(spec, failure))
        return -1;
    if (!spec->plugin)
        return 0;
    if (stat(spec->plugin, &now) || fstat(spec->plugin_fd, &before))
        return step_fail(failure, "check plugin", "%s", spec->plugin);
    if (!is_same(&before, &now))
        return step_refuse(failure, "check plugin", "%s is another file by now", spec->plugin);
    return 0;
}
