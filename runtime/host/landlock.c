#include "host/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/enforce.h"

/* Rights that the headers of older distributions do not name; the numbers are the kernel's. */
#define FS_TRUNCATE  (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define NET_BIND     (UINT64_C(1) << 0)  /* ABI 4 */
#define NET_CONNECT  (UINT64_C(1) << 1)
#define SCOPE_ALL    (UINT64_C(3)) /* ABI 6: abstract sockets, signals */

#define READ_FILE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)
#define READ_DIR  (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Never devices. */
#define WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define WRITE_DIR                                                                                  \
    (WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                 \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |    \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)

/* As linux/landlock.h has it since ABI 6. */
struct ruleset_attr {
    uint64_t handled_fs, handled_net, scoped;
};

struct rules {
    int fd;
    uint64_t handled;
    struct step_failure *failure;
};

int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi > 0)
        return (int)abi;
    return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
}

static uint64_t rights_of(int abi)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= FS_TRUNCATE;
    if (abi >= 5)
        rights |= FS_IOCTL_DEV;
    return rights;
}

static int allow_fd(const struct rules *rules, int fd, uint64_t rights, const char *what)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights & rules->handled,
                                              .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        return step_fail(rules->failure, "landlock", "%s", what);
    return 0;
}

static int allow(const struct rules *rules, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : step_fail(rules->failure, "landlock", "%s", path);
    int status = allow_fd(rules, fd, rights, path);
    (void)close(fd);
    return status;
}

/* What the plan says of one path. Links say nothing of their own. */
static int allow_entry(const struct rules *rules, const struct plan_entry *entry)
{
    uint64_t read = entry->folder ? READ_DIR : READ_FILE;
    uint64_t write = entry->folder ? WRITE_DIR : WRITE_FILE;
    switch (entry->kind) {
    case PLAN_READ:
        return allow(rules, entry->path, read);
    case PLAN_WORKSPACE:
        return allow(rules, entry->path, entry->writable ? read | write : read);
    case PLAN_WRITE:
    case PLAN_TMPFS:
        return allow(rules, entry->path, read | write);
    default:
        return 0;
    }
}

static int allow_devices(const struct rules *rules)
{
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                          "/dev/urandom"};
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (allow(rules, devices[i], READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_IOCTL_DEV))
            return -1;
    return allow(rules, "/proc", READ_DIR);
}

static int allow_all(const struct rules *rules, const struct sandbox_spec *spec,
                     const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (allow_entry(rules, &plan->entries[i]))
            return -1;
    /* The descriptor was opened outside: for Landlock it is not below the new root. */
    if (spec->plugin_fd >= 0 && allow_fd(rules, spec->plugin_fd, READ_FILE, "the plugin"))
        return -1;
    if (spec->tier == TIER_T2)
        return allow_devices(rules);
    return allow(rules, "/", READ_DIR) ||
                   allow(rules, "/dev", READ_DIR | WRITE_FILE | FS_IOCTL_DEV) ||
                   allow(rules, "/dev/shm", READ_DIR | WRITE_DIR)
               ? -1
               : 0;
}

int landlock_close(const struct sandbox_spec *spec, const struct plan *plan, int *abi,
                   struct step_failure *failure)
{
    bool alone = spec->tier == TIER_T2;
    struct rules rules = {.failure = failure};
    *abi = landlock_abi();
    if (*abi < 0)
        return step_fail(failure, "landlock", "the kernel does not tell its version");
    if (!ENFORCED(sandbox_landlock) || (*abi == 0 && !alone))
        return 0;
    if (alone && *abi < LANDLOCK_ABI_LEAST)
        return step_refuse(failure, "landlock", "the kernel has ABI %d", *abi);
    rules.handled = rights_of(*abi);
    struct ruleset_attr attr = {.handled_fs = rules.handled,
                                /* A namespace of its own needs no rule, and servers on its loopback
                                 * would break by one. */
                                .handled_net = alone ? NET_BIND | NET_CONNECT : 0,
                                .scoped = *abi >= 6 ? SCOPE_ALL : 0};
    size_t size = *abi >= 6 ? sizeof attr : *abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (rules.fd < 0)
        return step_fail(failure, "landlock", "no set of rules");
    int status = allow_all(&rules, spec, plan);
    if (status == 0 && syscall(SYS_landlock_restrict_self, rules.fd, 0))
        status = step_fail(failure, "landlock", "the rules cannot be set");
    (void)close(rules.fd);
    return status;
}
