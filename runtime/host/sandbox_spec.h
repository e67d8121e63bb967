/* What the runtime asks for in OPEN: how a plugin is shut in, and what it may have. */
#ifndef HOST_SANDBOX_SPEC_H
#define HOST_SANDBOX_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define SANDBOX_LIST_MAX 1024 /* entries of one list */

enum sandbox_tier {
    TIER_OFF,      /* limits only */
    TIER_EXTERNAL, /* the same; somebody else has shut it in */
    TIER_T2,       /* Landlock and seccomp */
    TIER_T3        /* namespaces and a root of its own besides */
};

struct sandbox_spec {
    enum sandbox_tier tier;
    const char *workspace; /* absolute path without links; NULL: none (a probe) */
    int workspace_fd;      /* O_PATH directory; replaced by one of the new root in t3 */
    bool write;            /* may files of the workspace be changed? */
    bool runs;             /* does it start programs? */
    bool git_write;        /* may .git and .tackle be changed? */
    bool network;          /* the network of this machine, not one of its own */
    const char *home;      /* writable folders; NULL: none */
    const char *tmp;
    const char
        *read[SANDBOX_LIST_MAX + 1]; /* folders that may be read, absolute; NULL at the end */
    const char *hide[SANDBOX_LIST_MAX + 1]; /* globs of files that nobody may see (base/deny.h) */
    unsigned memory_mib;                    /* 0: no limit; so for the next two */
    unsigned processes;
    unsigned file_mib;
    const char *plugin; /* path of the plugin file; NULL: none */
    int plugin_fd;      /* that file */

    /* For bubblewrap, in which the program is started again. */
    const char *const *again; /* its arguments; NULL: it is not to be */
    const char *open;         /* the payload of OPEN; NULL: none */
    size_t open_len;
    bool inside;         /* it was */
    uint64_t outer_pids; /* then: the process namespace around */
    const char *cgroup;  /* and the controllers that hold it */
};

/* Reads the members of OPEN; texts are borrowed from it. No "sandbox" is tier off. 0, or -1 with
 * ERR_USAGE for what the link does not allow. */
int sandbox_spec_read(const json_t *open, struct sandbox_spec *spec, struct err *err);

const char *sandbox_tier_name(enum sandbox_tier tier);

/* -1: no tier has that name. */
int sandbox_tier_of(const char *name);

#endif
