/* What a running program holds, as /proc tells it. */
#ifndef CASES_WATCH_H
#define CASES_WATCH_H

#include <sys/types.h>

struct watch {
    long descriptors; /* -1: not known */
    long children;
};

/* Of the process `pid`; it may end meanwhile. */
struct watch watch_process(pid_t pid);

/* The parent of a process, and its command in `command`; -1 when it is gone. */
long watch_parent(const char *pid, char *command, size_t size);

#endif
