#include "host/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/enforce.h"

#define NAME_PREFIX   "tackle-"
#define OWN_PROCESSES 4u /* of tackle-host itself: they count, and are not the user's */
#define SWEEP_MAX     4096
#define REMOVE_TRIES  50

/* ---- Where the groups are ---- */

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += len)
        if ((at == list || strchr(", ", at[-1])) && (!at[len] || strchr(", \n", at[len])))
            return true;
    return false;
}

/* The path of this process in the hierarchy of a controller; "" is the unified one of version 2. */
static bool own_path(const char *controller, char path[PATH_MAX])
{
    char line[PATH_MAX + 128];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':');
        char *at = names ? strchr(names + 1, ':') : NULL;
        if (!at)
            continue;
        *at++ = '\0';
        at[strcspn(at, "\n")] = '\0';
        names++;
        found = *controller ? has_word(names, controller) : !*names;
        if (found)
            (void)snprintf(path, PATH_MAX, "%s", at);
    }
    if (file)
        (void)fclose(file);
    return found;
}

/* The folder of that group, by the mount that shows it. */
static bool own_folder(const char *controller, char dir[PATH_MAX])
{
    char line[4096], path[PATH_MAX], root[PATH_MAX], point[PATH_MAX], type[64], options[1024];
    bool found = false;
    FILE *file = own_path(controller, path) ? fopen("/proc/self/mountinfo", "re") : NULL;
    while (file && !found && fgets(line, sizeof line, file)) {
        const char *tail = strstr(line, " - ");
        if (!tail || sscanf(line, "%*s %*s %*s %4095s %4095s", root, point) != 2 ||
            sscanf(tail, " - %63s %*s %1023s", type, options) != 2)
            continue;
        size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);
        found = strcmp(type, *controller ? "cgroup" : "cgroup2") == 0 &&
                (!*controller || has_word(options, controller)) && strncmp(path, root, len) == 0;
        if (found) {
            const char *rest = strcmp(path + len, "/") == 0 ? "" : path + len;
            int used = snprintf(dir, PATH_MAX, "%s%s", point, rest);
            found = used > 0 && used < PATH_MAX - 128;
        }
    }
    if (file)
        (void)fclose(file);
    return found;
}

static bool is_top(const char *controller)
{
    char path[PATH_MAX];
    return own_path(controller, path) && strcmp(path, "/") == 0;
}

/* Delegated by systemd's mark, or by being owned by somebody who is not root. */
static bool is_delegated(const char *dir)
{
    char mark[4];
    struct stat st;
    return getxattr(dir, "user.delegate", mark, sizeof mark) > 0 ||
           getxattr(dir, "trusted.delegate", mark, sizeof mark) > 0 ||
           (stat(dir, &st) == 0 && st.st_uid != 0 && st.st_uid == geteuid());
}

/* ---- Groups ---- */

static int write_value(const char *dir, const char *name, const char *value)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, value, strlen(value));
    if (fd >= 0)
        (void)close(fd);
    return written == (ssize_t)strlen(value) ? 0 : -1;
}

static int write_number(const char *dir, const char *name, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    return write_value(dir, name, text);
}

/* The name says who made it, so that what a dead one left can be told from one that is new. */
static void sweep(const char *parent)
{
    DIR *dir = opendir(parent);
    const struct dirent *entry;
    for (int i = 0; dir && i < SWEEP_MAX && (entry = readdir(dir)); i++) {
        if (strncmp(entry->d_name, NAME_PREFIX, sizeof NAME_PREFIX - 1) != 0)
            continue;
        long pid = strtol(entry->d_name + sizeof NAME_PREFIX - 1, NULL, 10);
        if (pid > 1 && kill((pid_t)pid, 0) && errno == ESRCH)
            (void)unlinkat(dirfd(dir), entry->d_name,
                           AT_REMOVEDIR); /* which needs it to be empty */
    }
    if (dir)
        (void)closedir(dir);
}

/* A new group beneath `parent`: NULL when it cannot be. */
static struct cgroup_group *make_group(struct cgroup *cgroup, const char *parent)
{
    struct cgroup_group *group = &cgroup->groups[cgroup->count];
    char path[PATH_MAX + 64];
    uint32_t number = 0;
    sweep(parent);
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return NULL;
    int len = snprintf(group->dir, sizeof group->dir, "%s/" NAME_PREFIX "%d-%08" PRIx32, parent,
                       (int)getpid(), number);
    if (len < 0 || (size_t)len >= sizeof group->dir || mkdir(group->dir, 0755))
        return NULL;
    (void)snprintf(path, sizeof path, "%s/cgroup.procs", group->dir);
    group->procs_fd = open(path, O_WRONLY | O_CLOEXEC);
    if (group->procs_fd < 0) {
        (void)rmdir(group->dir);
        return NULL;
    }
    cgroup->count++;
    return group;
}

static void drop_group(struct cgroup *cgroup)
{
    struct cgroup_group *group = &cgroup->groups[--cgroup->count];
    (void)close(group->procs_fd);
    (void)rmdir(group->dir);
}

static void name_controller(struct cgroup *cgroup, const char *name)
{
    size_t used = strlen(cgroup->controllers);
    (void)snprintf(cgroup->controllers + used, sizeof cgroup->controllers - used, "%s%s",
                   used ? "," : "", name);
}

/* Sets the limits that this group has a file for. */
static bool limit(const struct sandbox_spec *spec, struct cgroup *cgroup, const char *dir,
                  const char *memory_file)
{
    bool pids = spec->processes > 0 &&
                write_number(dir, "pids.max", (uint64_t)spec->processes + OWN_PROCESSES) == 0;
    bool memory = spec->memory_mib > 0 &&
                  write_number(dir, memory_file, (uint64_t)spec->memory_mib << 20) == 0;
    if (memory)
        (void)write_value(dir, "memory.swap.max", "0"); /* there may be no such file */
    if (pids)
        name_controller(cgroup, "pids");
    if (memory)
        name_controller(cgroup, "memory");
    return pids || memory;
}

static void make_beneath(const struct sandbox_spec *spec, struct cgroup *cgroup, const char *parent,
                         const char *memory_file)
{
    const struct cgroup_group *group = make_group(cgroup, parent);
    if (group && !limit(spec, cgroup, group->dir, memory_file))
        drop_group(cgroup);
}

/* In version 2 a group with processes has no controllers to give away, so that a new one stands
 * beside the caller's own, where the one above both is the user's. */
static void make_unified(const struct sandbox_spec *spec, struct cgroup *cgroup)
{
    char dir[PATH_MAX];
    if (!own_folder("", dir))
        return;
    if (!is_top("")) {
        char *slash = strrchr(dir, '/');
        if (slash)
            *slash = '\0';
        if (!is_delegated(dir))
            return;
    }
    make_beneath(spec, cgroup, dir, "memory.max");
}

static void make_v1(const struct sandbox_spec *spec, struct cgroup *cgroup, const char *controller)
{
    char dir[PATH_MAX];
    if (own_folder(controller, dir) && (is_top(controller) || is_delegated(dir)))
        make_beneath(spec, cgroup, dir, "memory.limit_in_bytes");
}

void cgroup_make(const struct sandbox_spec *spec, struct cgroup *cgroup)
{
    cgroup->count = 0;
    cgroup->controllers[0] = '\0';
    if (!ENFORCED(sandbox_cgroup) || !spec->runs)
        return;
    make_unified(spec, cgroup);
    if (cgroup->count > 0)
        return;
    make_v1(spec, cgroup, "pids");
    make_v1(spec, cgroup, "memory");
}

void cgroup_join(struct cgroup *cgroup)
{
    for (size_t i = 0; i < cgroup->count; i++)
        if (write(cgroup->groups[i].procs_fd, "0", 1) != 1)
            cgroup->controllers[0] = '\0';
}

void cgroup_remove(void *user)
{
    const struct cgroup *cgroup = user;
    for (size_t i = 0; i < cgroup->count; i++)
        for (int tries = 0; tries < REMOVE_TRIES; tries++) {
            /* The last of them may be dying still. */
            if (rmdir(cgroup->groups[i].dir) == 0 || errno != EBUSY)
                break;
            (void)poll(NULL, 0, 1);
        }
}
