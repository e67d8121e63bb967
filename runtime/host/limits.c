#include "host/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/enforce.h"

#define DESCRIPTORS_MAX 512

static int lower(__rlimit_resource_t resource, rlim_t most)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit))
        return -1;
    if (limit.rlim_cur > most)
        limit.rlim_cur = most;
    if (limit.rlim_max > most)
        limit.rlim_max = most;
    return setrlimit(resource, &limit);
}

/* The hard limit stays: programs that a plugin starts may need more, and raise it themselves. */
static int lower_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return -1;
    if (limit.rlim_cur > DESCRIPTORS_MAX)
        limit.rlim_cur = DESCRIPTORS_MAX;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int limits_set(const struct sandbox_spec *spec, struct step_failure *failure)
{
    if (lower(RLIMIT_CORE, 0))
        return step_fail(failure, "limit core files", "setrlimit");
    if (lower_descriptors())
        return step_fail(failure, "limit descriptors", "setrlimit");
    if (spec->tier < TIER_T2)
        return 0;
    if (ENFORCED(sandbox_file_size) && spec->file_mib > 0 &&
        lower(RLIMIT_FSIZE, (rlim_t)spec->file_mib << 20))
        return step_fail(failure, "limit files", "setrlimit");
    /* The kernel does not hold root to it; the cgroup does. */
    if (ENFORCED(sandbox_processes) && spec->tier == TIER_T3 && spec->processes > 0 &&
        lower(RLIMIT_NPROC, spec->processes))
        return step_fail(failure, "limit processes", "setrlimit");
    return 0;
}

void limits_prefer_to_end(void)
{
    static const char score[] = "500";
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? 0 : write(fd, score, sizeof score - 1);
    (void)written; /* another process goes first, then */
    if (fd >= 0)
        (void)close(fd);
}
