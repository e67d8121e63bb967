#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "memory.h"

struct target {
    char *path;      /* links resolved; owned */
    char *temporary; /* beside it; NULL: written in place; owned */
    mode_t mode;     /* of the file that is there, 0: none is */
};

/* 0, or -1 with errno. */
static int target_init(struct target *t, const char *path)
{
    struct stat st;
    char *real = realpath(path, NULL);
    *t = (struct target){.path = real ? real : must(strdup(path))};
    if (!real && (errno != ENOENT || *path == '\0'))
        return -1;
    if (real && stat(real, &st) != 0)
        return -1;
    if (real && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return -1;
    }
    if (real)
        t->mode = st.st_mode & 07777;
    if (!real || S_ISREG(st.st_mode))
        t->temporary = memory_format("%s.%ld.tmp", t->path, (long)getpid());
    return 0;
}

static void target_release(struct target *t)
{
    free(t->path);
    free(t->temporary);
}

static int target_open(const struct target *t)
{
    if (!t->temporary)
        return open(t->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (t->mode && access(t->path, W_OK) != 0) /* a read-only file is meant to stay as it is */
        return -1;
    return open(t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int outfile_check(const char *path, tackle_error *error)
{
    struct target target;
    struct stat st;
    int status = target_init(&target, path);
    /* Opening a pipe would wait for its reader: that comes when there is something to write. */
    bool pipe = status == 0 && stat(target.path, &st) == 0 && S_ISFIFO(st.st_mode);
    if (status == 0 && !pipe) {
        int fd = target_open(&target);
        status = fd < 0 ? -1 : 0;
        if (fd >= 0)
            (void)close(fd);
        if (fd >= 0 && target.temporary)
            (void)unlink(target.temporary);
    }
    if (status != 0)
        cli_error(error, TACKLE_EXIT_USAGE, "usage", "cannot write %s: %s", path, strerror(errno));
    target_release(&target);
    return status;
}

static int write_target(const struct target *t, const char *text)
{
    size_t len = strlen(text);
    int fd = target_open(t);
    if (fd < 0)
        return -1;
    bool good = write_all(fd, text, len) == 0 &&
                (len == 0 || text[len - 1] == '\n' || write_all(fd, "\n", 1) == 0) &&
                (!t->temporary || !t->mode || fchmod(fd, t->mode) == 0);
    int saved = errno;
    if (close(fd) != 0 && good) {
        saved = errno;
        good = false;
    }
    if (good && t->temporary && rename(t->temporary, t->path) != 0) {
        saved = errno;
        good = false;
    }
    if (!good && t->temporary)
        (void)unlink(t->temporary);
    errno = saved;
    return good ? 0 : -1;
}

int outfile_write(const char *path, const char *text, tackle_error *error)
{
    struct target target;
    int status = target_init(&target, path);
    if (status == 0)
        status = write_target(&target, text);
    if (status != 0)
        cli_error(error, TACKLE_EXIT_INTERNAL, "internal", "cannot write %s: %s", path,
                  strerror(errno));
    target_release(&target);
    return status;
}
