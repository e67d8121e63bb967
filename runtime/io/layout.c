#include "io/layout.h"

#include <stdio.h>
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

/* Two levels up from /prefix/bin/program. "" when it cannot be told. */
static void own_prefix(char *out, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", out, size - 1);
    out[len > 0 ? len : 0] = '\0';
    for (int level = 0; level < 2; level++) {
        char *slash = strrchr(out, '/');
        if (slash)
            *slash = '\0';
    }
}

char *layout_find(enum layout_part part, struct err *err)
{
    char own[4096];
    own_prefix(own, sizeof own);
    const char *const prefixes[] = {own, LAYOUT_PREFIX};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        char *path = path_join(prefixes[i], parts[part].below_prefix);
        if (!path) {
            err_set(err, ERR_NOMEM, "out of memory");
            return NULL;
        }
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    err_set(err, ERR_NOT_FOUND, "%s is not at %s/%s; is tackle installed whole?", parts[part].what,
            LAYOUT_PREFIX, parts[part].below_prefix);
    return NULL;
}
