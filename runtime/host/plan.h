/* What of the machine a sandboxed plugin sees: an allow-list, made before anything is closed. One
 * plan serves all ways to enforce it: mounts of our own, bubblewrap's arguments, Landlock's rules.
 */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "host/sandbox_spec.h"
#include "host/step.h"

#define PLAN_MAX 768

enum plan_kind {
    PLAN_READ,      /* a folder or file, read-only at its own path */
    PLAN_WRITE,     /* the same, writable */
    PLAN_WORKSPACE, /* the workspace, whatever its path leads to by now */
    PLAN_LINK,      /* a symbolic link with the text `source` */
    PLAN_TMPFS,     /* an empty, private, writable folder */
    PLAN_PROC,
    PLAN_DEV,
    PLAN_PIN, /* read-only on itself, so that it cannot be renamed either */
    PLAN_MASK /* nothing can be seen of it */
};

struct plan_entry {
    enum plan_kind kind;
    bool folder;   /* else a file */
    bool writable; /* PLAN_WORKSPACE */
    char *path;    /* absolute; owned */
    char *source;  /* PLAN_LINK: owned, else NULL */
};

struct plan {
    struct plan_entry entries[PLAN_MAX]; /* in the order in which they are made */
    size_t count;
    bool cut; /* the workspace was too large to be looked through for what is hidden or pinned */
};

/* Looks, changes nothing; inside bubblewrap not at the workspace, since what it found is mounted.
 * 0, or -1 with the failure; *plan can be released in either case. */
int plan_make(const struct sandbox_spec *spec, struct plan *plan, struct step_failure *failure);
void plan_release(struct plan *plan);

/* Adds an entry; takes a copy of the texts. For the files that make plans. */
int plan_add(struct plan *plan, enum plan_kind kind, bool folder, const char *path,
             const char *source, struct step_failure *failure);

/* Is there an entry for exactly this path? */
bool plan_has(const struct plan *plan, const char *path);

#endif
