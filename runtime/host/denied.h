/* Files of the workspace that the policy keeps from tools: decided on what is really opened, so
 * that no other name, no link and no hard link leads to it. */
#ifndef HOST_DENIED_H
#define HOST_DENIED_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "base/err.h"

#define DENIED_ENTRIES_MAX 200000 /* looked at to find what a hard link stands for */
#define DENIED_DEPTH_MAX   64

struct denied_list {
    const char **globs; /* owned array of texts that belong to `json` */
    size_t count;
    json_t *json;
};

struct denied_file {
    dev_t dev;
    ino_t ino;
};

struct denied {
    struct denied_list read, write;
    struct denied_file *files; /* owned: those that the list `read` denies, when `searched` */
    size_t file_count;
    bool searched;
    bool incomplete; /* there may be more */
};

/* The members deny_read and deny_write of OPEN, arrays of texts; each may be NULL: nothing is
 * denied. 0, or -1 with ERR_USAGE or ERR_NOMEM. */
int denied_init(struct denied *d, const json_t *read, const json_t *write, struct err *err);
void denied_release(struct denied *d);

/* A new call: what was found out about hard links may not hold any more. */
void denied_forget(struct denied *d);

/* May the file or directory behind the descriptor be read? Where that cannot be told it may not. 0,
 * or -1 with ERR_DENIED or ERR_IO. `tool` stands in the message. */
int denied_check_read(struct denied *d, int root, int fd, const char *tool, struct err *err);

/* May the path below the root, links gone, be written? */
int denied_check_write(const struct denied *d, const char *path, const char *tool, struct err *err);

#endif
