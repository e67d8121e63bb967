/* What a program does to its own process before it holds a key. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "api/runtime.h"
#include "base/enforce.h"

int32_t tackle_protect_process(tackle_error *error)
{
    struct err err;
    /* A core that is piped to a program is written whatever its limit; core(5). */
    if ((ENFORCED(process_not_dumpable) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) ||
        (ENFORCED(process_no_core) && setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0)) {
        err_set(&err, ERR_INTERNAL, "the process cannot be protected: %s", strerror(errno));
        return api_fail_as(error, STOP_INTERNAL, err.text);
    }
    return 0;
}
