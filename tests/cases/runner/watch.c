/* Reads /proc (proc(5)); see watch.h. */
#include "watch.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>

long watch_parent(const char *pid, char *command, size_t size)
{
    char path[64], line[512];
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    char *got = fgets(line, sizeof line, file);
    (void)fclose(file);
    /* The command is in brackets, and may have some itself. */
    char *open = got ? strchr(line, '(') : NULL;
    char *close = got ? strrchr(line, ')') : NULL;
    long parent = -1;
    if (!open || !close || sscanf(close + 1, " %*c %ld", &parent) != 1)
        return -1;
    *close = '\0';
    (void)snprintf(command, size, "%s", open + 1);
    return parent;
}

static long count_entries(const char *path)
{
    DIR *dir = opendir(path);
    long count = 0;
    if (!dir)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += *entry->d_name != '.';
    (void)closedir(dir);
    return count;
}

static long count_children(pid_t pid)
{
    char command[64];
    long count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));)
        count += isdigit((unsigned char)*entry->d_name) &&
                 watch_parent(entry->d_name, command, sizeof command) == (long)pid;
    if (proc)
        (void)closedir(proc);
    return count;
}

struct watch watch_process(pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    return (struct watch){.descriptors = count_entries(path), .children = count_children(pid)};
}
