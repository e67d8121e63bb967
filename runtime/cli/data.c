#include "data.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

/* Set by the build; the fallbacks are for a build by hand. */
#ifndef TACKLE_PREFIX
#define TACKLE_PREFIX "/usr/local"
#endif
#ifndef TACKLE_DATADIR
#define TACKLE_DATADIR "share"
#endif
#ifndef TACKLE_INCLUDEDIR
#define TACKLE_INCLUDEDIR "include"
#endif

/* /prefix of /prefix/bin/tackle; "" when it cannot be told. */
static void own_prefix(char out[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[len > 0 ? len : 0] = '\0';
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(out, '/');
        if (slash)
            *slash = '\0';
    }
}

/* NULL when it is not there. */
static char *existing(char *path)
{
    if (access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static char *find_below_prefix(const char *dir, const char *name)
{
    char own[PATH_MAX];
    own_prefix(own);
    char *path = existing(memory_format("%s/%s/%s", own, dir, name));
    return path ? path : existing(memory_format("%s/%s/%s", TACKLE_PREFIX, dir, name));
}

char *data_find(const char *name)
{
    const char *dir = getenv("TACKLE_DATA_DIR");
    if (dir && *dir)
        return existing(memory_format("%s/%s", dir, name));
    return find_below_prefix(TACKLE_DATADIR "/tackle", name);
}

char *data_include_dir(void)
{
    char *header = find_below_prefix(TACKLE_INCLUDEDIR, "tackle/plugin.h");
    if (!header)
        return NULL;
    header[strlen(header) - strlen("/tackle/plugin.h")] = '\0';
    if (strcmp(header, "/usr/include") == 0 || strcmp(header, "/usr/local/include") == 0)
        *header = '\0';
    return header;
}
