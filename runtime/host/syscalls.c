/* A deny-list: what programs need differs too much for the other kind, and the walls are the
 * namespaces and Landlock. Closed is what leads out of these, or into parts of the kernel that no
 * build and no test needs. The one file that knows libseccomp. */
#include "host/syscalls.h"

#include <asm/termbits.h>
#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/enforce.h"

#define IOCTL_TIOCLINUX 0x541C /* asm/ioctls.h */
#define OPEN_TREE_ATTR  467    /* newer than libseccomp 2.5; the number is the same everywhere */

/* Refused with EPERM. */
static const int forbidden[] = {
    SCMP_SYS(acct),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(delete_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fspick),
    SCMP_SYS(init_module),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(open_tree),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(pivot_root),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(reboot),
    SCMP_SYS(setns),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(syslog),
    SCMP_SYS(umount),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(vhangup),
    OPEN_TREE_ATTR,
};

/* Refused as if the kernel did not have them, so that programs do without. The flags of clone3 lie
 * in memory, where no filter can look: libc falls back to clone, whose flags are an argument. */
static const int absent[] = {
    SCMP_SYS(add_key),           SCMP_SYS(clone3),         SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register), SCMP_SYS(io_uring_setup), SCMP_SYS(keyctl),
    SCMP_SYS(request_key),
};

/* In t2 nothing else keeps a process from another of the same user. */
static const int forbidden_in_t2[] = {
    SCMP_SYS(ptrace),      SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(socket),
};

static const unsigned new_namespaces[] = {
    CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,
    CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWTIME,
};

/* 0, or a negative errno as everywhere in libseccomp. A call that this machine does not have at all
 * is as good as refused. */
static int refuse_list(scmp_filter_ctx filter, int error, const int *list, size_t count)
{
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++)
        if (list[i] >= 0)
            status = seccomp_rule_add(filter, SCMP_ACT_ERRNO((unsigned)error), list[i], 0);
    return status;
}

#define REFUSE(filter, error, list) refuse_list(filter, error, list, sizeof(list) / sizeof *(list))

static int refuse_namespaces(scmp_filter_ctx filter)
{
#ifdef __s390__
    const unsigned flags = 1;
#else
    const unsigned flags = 0;
#endif
    int status = 0;
    for (size_t i = 0; i < sizeof new_namespaces / sizeof *new_namespaces && status == 0; i++)
        status = seccomp_rule_add(
            filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
            SCMP_CMP(flags, SCMP_CMP_MASKED_EQ, new_namespaces[i], new_namespaces[i]));
    return status;
}

/* Typing into the terminal that tackle itself was started from. The kernel looks at 32 bits. */
static int refuse_typing(scmp_filter_ctx filter)
{
    static const unsigned requests[] = {TIOCSTI, IOCTL_TIOCLINUX};
    int status = 0;
    for (size_t i = 0; i < sizeof requests / sizeof *requests && status == 0; i++)
        status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, requests[i]));
    return status;
}

static int refuse_family(scmp_filter_ctx filter, enum scmp_compare compare, unsigned family)
{
    const struct scmp_arg_cmp first = {.arg = 0, .op = compare, .datum_a = family};
    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                  &first);
}

/* In t3 Unix, IP and netlink sockets reach what is in the namespace. Others are not namespaced
 * (vsock leads to the machine around a virtual one), or are big and not needed. All 64 bits are
 * compared: a number with more than the kernel looks at is above the last one. */
static int refuse_families(scmp_filter_ctx filter)
{
    int status = refuse_family(filter, SCMP_CMP_GT, AF_NETLINK);
    for (unsigned family = AF_INET + 1; family < AF_NETLINK && status == 0; family++)
        if (family != AF_INET6)
            status = refuse_family(filter, SCMP_CMP_EQ, family);
    return status;
}

static int fill(scmp_filter_ctx filter, bool alone)
{
    /* Other architectures, and x32 here: their numbers mean other calls. */
    uint32_t other = ENFORCED(sandbox_syscalls_of_others) ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW;
    int status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, other);
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
    /* A tree instead of a list: a dozen comparisons less for each system call. */
    if (status == 0)
        status = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (status == 0)
        status = REFUSE(filter, EPERM, forbidden);
    if (status == 0)
        status = REFUSE(filter, ENOSYS, absent);
    if (status == 0)
        status = refuse_namespaces(filter);
    if (status == 0)
        status = refuse_typing(filter);
    if (status == 0)
        status = alone ? REFUSE(filter, EPERM, forbidden_in_t2) : refuse_families(filter);
    return status;
}

int syscalls_close(const struct sandbox_spec *spec, struct step_failure *failure)
{
    if (!ENFORCED(sandbox_syscalls))
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return step_refuse(failure, "seccomp", "out of memory");
    int status = fill(filter, spec->tier == TIER_T2);
    if (status == 0)
        status = seccomp_load(filter);
    seccomp_release(filter);
    errno = -status;
    return status ? step_fail(failure, "seccomp", "system calls cannot be filtered") : 0;
}
