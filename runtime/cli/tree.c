#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define DEPTH_MAX 16

static bool is_self_or_parent(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int copy_bytes(int from, int to)
{
    char block[1 << 14];
    for (;;) {
        ssize_t got = read(from, block, sizeof block);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        for (ssize_t done = 0; done < got;) {
            ssize_t n = write(to, block + done, (size_t)(got - done));
            if (n < 0 && errno != EINTR)
                return -1;
            done += n > 0 ? n : 0;
        }
    }
}

static int copy_file(const char *from, const char *to, mode_t mode)
{
    int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
    int status = out < 0 ? -1 : copy_bytes(in, out);
    if (out >= 0 && close(out) != 0)
        status = -1;
    if (in >= 0)
        (void)close(in);
    return status;
}

static int copy_folder(const char *from, const char *to, int depth);

static int copy_entry(const char *from, const char *to, int depth)
{
    struct stat st;
    if (lstat(from, &st) != 0)
        return -1;
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, st.st_mode);
    if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX) {
        errno = EINVAL;
        return -1;
    }
    return mkdir(to, 0777) == 0 ? copy_folder(from, to, depth + 1) : -1;
}

static int copy_folder(const char *from, const char *to, int depth)
{
    DIR *dir = opendir(from);
    int status = dir ? 0 : -1;
    struct dirent *entry;
    while (status == 0 && (errno = 0, entry = readdir(dir))) {
        if (is_self_or_parent(entry->d_name))
            continue;
        char *source = memory_format("%s/%s", from, entry->d_name);
        char *target = memory_format("%s/%s", to, entry->d_name);
        status = copy_entry(source, target, depth);
        free(source);
        free(target);
    }
    if (status == 0 && errno != 0)
        status = -1;
    int saved = errno;
    if (dir)
        (void)closedir(dir);
    errno = saved;
    return status;
}

int tree_copy(const char *from, const char *to)
{
    return copy_folder(from, to, 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

int tree_remove(const char *path)
{
    return nftw(path, remove_entry, DEPTH_MAX, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : -1;
}

bool tree_is_empty(const char *path)
{
    DIR *dir = opendir(path);
    bool empty = dir != NULL;
    struct dirent *entry;
    while (empty && (entry = readdir(dir)))
        empty = is_self_or_parent(entry->d_name);
    if (dir)
        (void)closedir(dir);
    return empty;
}
