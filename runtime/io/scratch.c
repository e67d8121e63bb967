#include "io/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 2;
    char *path = malloc(size);
    if (path)
        (void)snprintf(path, size, "%s/%s", a, b);
    return path;
}

int scratch_make(struct scratch *s, const char *parent, struct err *err)
{
    if (s->root)
        return 0;
    s->root = join(parent && *parent == '/' ? parent : "/tmp", "tackle-run-XXXXXX");
    if (!s->root)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!mkdtemp(s->root)) {
        int status =
            err_set(err, ERR_IO, "cannot make a folder like %s: %s", s->root, strerror(errno));
        free(s->root);
        s->root = NULL;
        return status;
    }
    s->home = join(s->root, "home");
    s->tmp = join(s->root, "tmp");
    if (s->home && s->tmp && mkdir(s->home, 0700) == 0 && mkdir(s->tmp, 0700) == 0)
        return 0;
    int status = err_set(err, ERR_IO, "cannot make folders in %s: %s", s->root, strerror(errno));
    scratch_remove(s);
    return status;
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

void scratch_remove(struct scratch *s)
{
    if (s->root) {
        (void)nftw(s->root, open_folder, 16, FTW_PHYS | FTW_MOUNT);
        (void)nftw(s->root, delete_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
    free(s->root);
    free(s->home);
    free(s->tmp);
    *s = (struct scratch){NULL, NULL, NULL};
}
