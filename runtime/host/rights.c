#include "host/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/enforce.h"

int rights_forbid_new(struct step_failure *failure)
{
    if (ENFORCED(sandbox_no_new_privs) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return step_fail(failure, "no_new_privs", "setuid programs would get rights");
    return 0;
}

/* The bounding set first: it needs a capability to be dropped. The kernel may know more of them
 * than these headers do. */
static int drop_bounding_set(void)
{
    for (unsigned long cap = 0; cap < 64; cap++) {
        int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (has < 0)
            return cap > CAP_CHOWN ? 0 : -1; /* there are no more */
        if (has && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
            return errno == EPERM ? 1 : -1;
    }
    return 0;
}

static int drop_capabilities(struct step_failure *failure)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_data_struct own[_LINUX_CAPABILITY_U32S_3] = {{0}};
    if (syscall(SYS_capget, &head, own))
        return step_fail(failure, "capabilities", "unknown");
    int bounding = drop_bounding_set();
    /* Somebody without capabilities cannot drop the set, and with no_new_privs gains nothing by
     * it. */
    if (bounding < 0 || (bounding > 0 && (own[0].effective & 1u << CAP_SETPCAP)))
        return step_fail(failure, "bounding set", "it cannot be emptied");
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
        syscall(SYS_capset, &head, none))
        return step_fail(failure, "capset", "capabilities cannot be dropped");
    return 0;
}

int rights_drop(struct step_failure *failure)
{
    if (ENFORCED(sandbox_capabilities) && drop_capabilities(failure))
        return -1;
    if (ENFORCED(sandbox_not_dumpable) && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return step_fail(failure, "dumpable", "others could look into the process");
    return 0;
}
