#include "io/small_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not json_loadfd(): it reads byte by byte. */
static json_t *read_whole(int fd, size_t size)
{
    char *text = malloc(size ? size : 1);
    ssize_t got = text ? read(fd, text, size) : -1;
    json_t *value = got > 0 ? json_loadb(text, (size_t)got, 0, NULL) : NULL;
    free(text);
    return value;
}

json_t *small_file_read_json(const char *path, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat own;
    json_t *value = NULL;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &own) == 0 && S_ISREG(own.st_mode) && own.st_uid == geteuid() &&
        own.st_size <= (off_t)max)
        value = read_whole(fd, (size_t)own.st_size);
    (void)close(fd);
    return value;
}

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

int small_file_write_json(const char *path, const json_t *value)
{
    char *temporary = NULL;
    int status = -1;
    if (!value || asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -1;
    make_parents(temporary);
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd >= 0) {
        bool written = json_dumpfd(value, fd, JSON_COMPACT) == 0;
        if (close(fd) == 0 && written && rename(temporary, path) == 0)
            status = 0;
        else
            (void)unlink(temporary);
    }
    free(temporary);
    return status;
}
