/* Can this machine confine tools as asked? tackle-host tries it, all of it, in a process without a
 * plugin; a good answer is kept in the cache as long as kernel, boot, user, namespaces and
 * tackle-host are the same. A run that was promised a sandbox then says so before it begins. */
#ifndef IO_CONFINE_PROBE_H
#define IO_CONFINE_PROBE_H

#include <stdbool.h>

#include "base/err.h"

/* What a tier came to. */
struct confine_offer {
    bool had;        /* else nothing else is known */
    int landlock;    /* ABI; 0: none */
    char cgroup[64]; /* controllers that hold a command's processes: "pids,memory"; "" */
    char via[16];    /* who makes the namespaces: "self", "bwrap"; "" */
};

/* `cache_dir` may be NULL. ERR_SANDBOX names the step that fails and what to do. */
int confine_probe(const char *host_program, const char *cache_dir, const char *tier,
                  struct confine_offer *out, struct err *err);

#endif
