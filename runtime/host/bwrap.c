#include "host/bwrap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/link.h"

#define ARGS_MAX (8 * PLAN_MAX + 64)
#define HIGH_FD  64 /* above every number that is handed on */

/* bubblewrap's arguments; texts are borrowed. */
struct args {
    const char *items[ARGS_MAX + 1]; /* room for the longest plan */
    size_t count;
    char size[32];
    char space[32];
    char host[PATH_MAX];
};

static void add(struct args *args, const char *const *items)
{
    for (; *items; items++)
        args->items[args->count++] = *items;
}

#define ADD(args, ...) add(args, (const char *const[]){__VA_ARGS__, NULL})

bool bwrap_can(const struct sandbox_spec *spec)
{
    return spec->tier == TIER_T3 && spec->again && access(BWRAP_PROGRAM, X_OK) == 0;
}

/* ---- The plan as arguments ---- */

static void add_tmpfs(struct args *args, const char *path, const char *mode)
{
    ADD(args, "--perms", mode);
    if (args->size[0])
        ADD(args, "--size", args->size);
    ADD(args, "--tmpfs", path);
}

static void add_entry(struct args *args, const struct plan_entry *entry)
{
    const char *path = entry->path;
    switch (entry->kind) {
    case PLAN_READ:
        ADD(args, "--ro-bind", entry->source, path);
        break;
    case PLAN_WRITE:
        ADD(args, "--bind", entry->source, path);
        break;
    case PLAN_WORKSPACE:
        ADD(args, entry->writable ? "--bind" : "--ro-bind", path, path);
        break;
    case PLAN_LINK:
        ADD(args, "--symlink", entry->source, path);
        break;
    case PLAN_TMPFS:
        add_tmpfs(args, path, strcmp(path, "/run") == 0 ? "0755" : "1777");
        break;
    case PLAN_PROC:
        ADD(args, "--proc", path);
        break;
    case PLAN_DEV:
        ADD(args, "--dev", path);
        add_tmpfs(args, "/dev/shm", "1777");
        break;
    case PLAN_PIN:
        ADD(args, "--ro-bind", path, path);
        break;
    case PLAN_MASK:
        /* Devices cannot be opened in what it binds: neither read nor written. */
        if (entry->folder)
            ADD(args, "--perms", "0000", "--tmpfs", path, "--remount-ro", path);
        else
            ADD(args, "--ro-bind", "/dev/null", path);
        break;
    }
}

static uint64_t pid_namespace(void)
{
    struct stat st;
    return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static int make_args(const struct sandbox_spec *spec, const struct plan *plan, const char *cgroup,
                     struct args *args)
{
    ssize_t len = readlink("/proc/self/exe", args->host, sizeof args->host - 1);
    if (len <= 0)
        return -1;
    args->host[len] = '\0';
    if (spec->memory_mib > 0)
        (void)snprintf(args->size, sizeof args->size, "%" PRIu64, (uint64_t)spec->memory_mib << 20);
    (void)snprintf(args->space, sizeof args->space, "%" PRIu64, pid_namespace());
    ADD(args, BWRAP_PROGRAM, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts",
        "--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL");
    if (!spec->network)
        ADD(args, "--unshare-net");
    for (size_t i = 0; i < plan->count; i++)
        add_entry(args, &plan->entries[i]);
    ADD(args, "--ro-bind", args->host, args->host, "--remount-ro", "/", "--chdir", "/", "--",
        args->host, "inside", args->space, cgroup);
    add(args, spec->again);
    args->items[args->count] = NULL;
    return 0;
}

/* ---- What is handed on ---- */

static int keep_open_text(const struct sandbox_spec *spec)
{
    int fd = memfd_create("open", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < spec->open_len) {
        ssize_t written = write(fd, spec->open + done, spec->open_len - done);
        if (written < 0 && errno != EINTR) {
            (void)close(fd);
            return -1;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    return fd;
}

/* Gives the descriptor its number inside; from above, so that none is overwritten that is still
 * needed. */
static int place(int fd, int number)
{
    int high = fcntl(fd, F_DUPFD, HIGH_FD);
    if (high < 0 || dup2(high, number) < 0)
        return -1;
    return close(high);
}

static int hand_on(const struct sandbox_spec *spec, int word_fd)
{
    int high_word = fcntl(word_fd, F_DUPFD, HIGH_FD);
    if (high_word < 0)
        return -1;
    if (spec->open) {
        int text = keep_open_text(spec);
        int plugin = fcntl(spec->plugin_fd, F_DUPFD, HIGH_FD);
        if (text < 0 || plugin < 0 || place(text, BWRAP_OPEN_FD) ||
            lseek(BWRAP_OPEN_FD, 0, SEEK_SET) != 0 || place(plugin, BWRAP_PLUGIN_FD))
            return -1;
        for (int fd = LINK_SOCKET_FD; fd <= LINK_CANCEL_FD; fd++)
            if (fcntl(fd, F_SETFD, 0) < 0)
                return -1;
    }
    if (place(high_word, BWRAP_WORD_FD))
        return -1;
    return close_range(BWRAP_WORD_FD + 1, ~0u, 0);
}

int bwrap_exec(const struct sandbox_spec *spec, const struct plan *plan, const char *cgroup,
               int word_fd, struct step_failure *failure)
{
    struct args *args = calloc(1, sizeof *args);
    if (!args || make_args(spec, plan, cgroup, args) || hand_on(spec, word_fd)) {
        free(args);
        return step_fail(failure, "bubblewrap", "it cannot be prepared");
    }
    /* execve() takes them as they are declared for historical reasons, and changes nothing. */
    (void)execv(BWRAP_PROGRAM, (char *const *)args->items);
    (void)step_fail(failure, "bubblewrap", BWRAP_PROGRAM);
    free(args);
    return -1;
}

int bwrap_check(const struct sandbox_spec *spec, struct step_failure *failure)
{
    uint64_t space = pid_namespace();
    if (space == 0 || space == spec->outer_pids || getppid() != 1)
        return step_refuse(failure, "bubblewrap", "it gave no process numbers of its own");
    return 0;
}
