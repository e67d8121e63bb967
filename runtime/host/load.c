#include "host/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUILD_IT "build it with: cc -shared -fPIC -o NAME.so NAME.c"
#define DEFINE_IT                                                                                  \
    "include <tackle/plugin.h> and define: const tackle_plugin tackle_plugin_v1 = {...};"

/* ---- The file ---- */

static bool is_private_group(const struct stat *st)
{
    /* User private groups: the group of that number has one member, who owns the file. */
    return st->st_gid == st->st_uid;
}

static int check_file(const struct stat *st, struct problems *problems)
{
    if (S_ISDIR(st->st_mode))
        return problems_add(problems, "name the .so file in it", "is a directory, not a plugin");
    if (!S_ISREG(st->st_mode))
        return problems_add(problems, BUILD_IT, "is not a regular file");
    if ((st->st_mode & S_IWOTH) || ((st->st_mode & S_IWGRP) && !is_private_group(st)))
        return problems_add(problems, "chmod go-w the file",
                            "can be changed by other users (mode %04o)",
                            (unsigned)(st->st_mode & 07777));
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return problems_add(problems, "copy it to a file of your own",
                            "belongs to another user (uid %u)", (unsigned)st->st_uid);
    return 0;
}

/* Whoever can rename a file away can put another in its place. `real` is changed and put back. */
static int check_parents(char *real, struct problems *problems)
{
    struct stat st;
    int status = 0;
    for (char *slash = strrchr(real, '/'); slash && status == 0;) {
        char saved = slash[1];
        slash[1] = '\0'; /* keeps the slash, so that the last one is "/" */
        if (stat(real, &st) == 0 && (st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
            status = problems_add(problems, "chmod o-w the folder, or move the plugin",
                                  "lies in %s, where every user can replace it (mode %04o)", real,
                                  (unsigned)(st.st_mode & 07777));
        slash[1] = saved;
        char *up = slash;
        while (up > real && up[-1] != '/')
            up--;
        slash = up > real ? up - 1 : NULL;
    }
    return status;
}

int load_open(const char *path, struct stat *file, struct problems *problems)
{
    char real[PATH_MAX];
    if (!realpath(path, real))
        return problems_add(problems, errno == ENOENT ? "check the path" : "check path and rights",
                            "cannot be opened: %s", strerror(errno));
    int fd = open(real, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return problems_add(problems, "check path and rights", "cannot be opened: %s",
                            strerror(errno));
    if (fstat(fd, file)) {
        problems_add(problems, "check the disk", "cannot be read: %s", strerror(errno));
        goto fail;
    }
    if (check_file(file, problems) || check_parents(real, problems))
        goto fail;
    return fd;
fail:
    (void)close(fd);
    return -1;
}

/* ---- The object ---- */

/* dlerror() says "/proc/self/fd/6: undefined symbol: x"; the name in front is of no use. */
static int refuse_object(const char *name, struct problems *problems)
{
    const char *error = dlerror();
    const char *fix = BUILD_IT;
    if (!error)
        error = "unknown error";
    size_t len = strlen(name);
    if (strncmp(error, name, len) == 0 && strncmp(error + len, ": ", 2) == 0)
        error += len + 2;
    if (strncmp(error, "undefined symbol", 16) == 0)
        fix = "link it with what has the symbol; -Wl,-z,defs finds such while linking";
    else if (strstr(error, "cannot open shared object file"))
        fix = "install that library";
    return problems_add(problems, fix, "cannot be loaded: %s", error);
}

static bool is_code(const void *symbol)
{
    Dl_info info;
    void *entry = NULL;
    if (!dladdr1(symbol, &info, &entry, RTLD_DL_SYMENT) || !entry)
        return false;
    return ELF64_ST_TYPE(((const ElfW(Sym) *)entry)->st_info) != STT_OBJECT;
}

static const tackle_plugin *find_symbol(void *object, struct problems *problems)
{
    const tackle_plugin *plugin = dlsym(object, "tackle_plugin_v1");
    if (plugin && !is_code(plugin))
        return plugin;
    if (plugin) {
        problems_add(problems, DEFINE_IT, "tackle_plugin_v1 is a function, not data");
        return NULL;
    }
    if (dlsym(object, "tackle_plugin_v2"))
        problems_add(problems, "update tackle",
                     "is made for a newer major version of tackle than " TACKLE_VERSION_TEXT
                     " (it has tackle_plugin_v2, not tackle_plugin_v1)");
    else
        problems_add(problems, DEFINE_IT,
                     "has no symbol tackle_plugin_v1, so it is no plugin of tackle");
    return NULL;
}

int load_object(int fd, struct manifest *manifest, struct problems *problems)
{
    char name[32];
    memset(manifest, 0, sizeof *manifest);
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object)
        return refuse_object(name, problems);
    const tackle_plugin *plugin = find_symbol(object, problems);
    return plugin ? manifest_read(manifest, plugin, problems) : -1;
}
