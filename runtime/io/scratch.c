#include "io/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

static int make_root(struct scratch *s, struct err *err)
{
    bool absolute = s->parent && s->parent[0] == '/';
    char *root = path_join(absolute ? s->parent : "/tmp", "tackle-run-XXXXXX");
    if (!root)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!mkdtemp(root)) {
        err_set(err, ERR_IO, "cannot make a folder like %s: %s", root, strerror(errno));
        free(root);
        return -1;
    }
    s->root = root;
    return 0;
}

char *scratch_dir(struct scratch *s, const char *name, struct err *err)
{
    if (!s->root && make_root(s, err) != 0)
        return NULL;
    char *path = path_join(s->root, name);
    if (!path) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        err_set(err, ERR_IO, "cannot make %s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    return path;
}

/* Package managers leave folders without write permission (Go's module cache). */
static int open_folder(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (type == FTW_D || type == FTW_DNR)
        (void)chmod(path, 0700);
    return 0;
}

static int delete_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path); /* what cannot be removed must not keep the rest */
    return 0;
}

void scratch_delete(const char *dir)
{
    (void)nftw(dir, open_folder, 16, FTW_PHYS | FTW_MOUNT);
    (void)nftw(dir, delete_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

void scratch_remove(struct scratch *s)
{
    if (s->root)
        scratch_delete(s->root);
    free(s->root);
    s->root = NULL;
}
