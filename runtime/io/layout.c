#include "io/layout.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#ifndef LAYOUT_PREFIX
#define LAYOUT_PREFIX "/usr/local"
#endif
#ifndef LAYOUT_LIBDIR
#define LAYOUT_LIBDIR "lib"
#endif
#ifndef LAYOUT_LIBEXECDIR
#define LAYOUT_LIBEXECDIR "libexec"
#endif
#ifndef LAYOUT_DATADIR
#define LAYOUT_DATADIR "share"
#endif

static const struct {
    const char *what;
    const char *below_prefix;
} parts[] = {
    [LAYOUT_HOST] = {"tackle-host", LAYOUT_LIBEXECDIR "/tackle/tackle-host"},
    [LAYOUT_PLUGINS] = {"the plugin folder", LAYOUT_LIBDIR "/tackle/plugins"},
    [LAYOUT_AGENTS] = {"the agent folder", LAYOUT_DATADIR "/tackle/agents"},
};

/* /prefix/bin/program gives /prefix. malloc'd; NULL when it cannot be told. */
static char *program_prefix(void)
{
    char *path = realpath("/proc/self/exe", NULL);
    for (int level = 0; path && level < 2; level++) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    return path;
}

/* /prefix/lib/libtackle.so gives /prefix, when it is that library that this code is in. */
static char *library_prefix(void)
{
    static const char libdir[] = "/" LAYOUT_LIBDIR;
    Dl_info info;
    void *map = NULL;
    if (dladdr1(parts, &info, &map, RTLD_DL_LINKMAP) == 0)
        return NULL;
    const char *name = ((const struct link_map *)map)->l_name; /* "" of a program */
    char *path = *name == '/' ? realpath(name, NULL) : NULL;
    char *slash = path ? strrchr(path, '/') : NULL;
    if (slash)
        *slash = '\0';
    size_t len = path ? strlen(path) : 0;
    if (len > sizeof libdir && strcmp(path + len - (sizeof libdir - 1), libdir) == 0) {
        path[len - (sizeof libdir - 1)] = '\0';
        return path;
    }
    free(path);
    return NULL;
}

char *layout_find(enum layout_part part, struct err *err)
{
    char *prefixes[] = {library_prefix(), program_prefix(), strdup(LAYOUT_PREFIX)};
    char *found = NULL;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char *path =
            prefixes[i] && !found ? path_join(prefixes[i], parts[part].below_prefix) : NULL;
        if (path && access(path, F_OK) == 0)
            found = path;
        else
            free(path);
        free(prefixes[i]);
    }
    if (!found)
        err_set(err, ERR_NOT_FOUND, "%s is not at %s/%s; is tackle installed whole?",
                parts[part].what, LAYOUT_PREFIX, parts[part].below_prefix);
    return found;
}
