/* What this kernel offers for a sandbox. Only looks; closes nothing. */
#ifndef IO_KERNEL_H
#define IO_KERNEL_H

#include <stdbool.h>

struct kernel_offer {
    int landlock_abi;     /* 0: none */
    bool user_namespaces; /* an unprivileged process can make one */
    bool seccomp;         /* system call filters */
};

void kernel_look(struct kernel_offer *out);

#endif
