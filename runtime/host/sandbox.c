#include "host/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define DESCRIPTORS_MAX 512

static int forbid_core_files(void)
{
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* The hard limit stays: programs that a plugin starts may need more, and raise it themselves. */
static int limit_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return -1;
    if (limit.rlim_cur > DESCRIPTORS_MAX)
        limit.rlim_cur = DESCRIPTORS_MAX;
    return setrlimit(RLIMIT_NOFILE, &limit);
}

int sandbox_close(const struct sandbox_spec *spec, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || forbid_core_files() || limit_descriptors())
        return err_set(err, ERR_DENIED, "cannot close the sandbox for %s: %s", spec->plugin,
                       strerror(errno));
    return 0;
}
