#include "host/plan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/enforce.h"
#include "host/plan_workspace.h"

/* Programs, libraries and what they need to run. On merged-usr systems most are links. */
static const char *const system_folders[] = {
    "/usr",   "/bin",    "/sbin", "/lib",       "/lib32",
    "/lib64", "/libx32", "/opt",  "/nix/store", "/gnu/store",
};

/* Of /etc what programs cannot do without, by name: a root without any capability still owns
 * /etc/shadow and the keys of the machine. Folders are here when all in them is public. */
static const char *const etc_files[] = {
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "crypto-policies",
    "debian_version",
    "fonts",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "java",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "ld.so.preload",
    "locale.alias",
    "locale.conf",
    "localtime",
    "lsb-release",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki/ca-trust/extracted",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "protocols",
    "resolv.conf",
    "services",
    "shells",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
};

static const char *const private_folders[] = {"/run", "/tmp", "/var/tmp"};

/* ---- Entries ---- */

int plan_add(struct plan *plan, enum plan_kind kind, bool folder, const char *path,
             const char *source, struct step_failure *failure)
{
    if (plan->count == PLAN_MAX)
        return step_refuse(failure, "plan", "more than %d mounts would be needed", PLAN_MAX);
    struct plan_entry *entry = &plan->entries[plan->count++];
    *entry = (struct plan_entry){.kind = kind, .folder = folder, .path = strdup(path)};
    entry->source = source ? strdup(source) : NULL;
    if (!entry->path || (source && !entry->source))
        return step_refuse(failure, "plan", "out of memory");
    return 0;
}

bool plan_has(const struct plan *plan, const char *path)
{
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->entries[i].path, path) == 0)
            return true;
    return false;
}

void plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        free(plan->entries[i].path);
        free(plan->entries[i].source);
    }
    plan->count = 0;
}

/* Adds what a path leads to; nothing when there is no such thing, which is nothing to allow. */
static int add_existing(struct plan *plan, enum plan_kind kind, const char *path,
                        struct step_failure *failure)
{
    char real[PATH_MAX];
    struct stat st;
    if (!realpath(path, real) || stat(real, &st))
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR
                   ? 0
                   : step_fail(failure, "plan", "%s", path);
    return plan_add(plan, kind, S_ISDIR(st.st_mode), path, real, failure);
}

/* The same, but a link into /usr stays a link: programs read /etc/localtime and /bin as such. */
static int add_public(struct plan *plan, const char *path, struct step_failure *failure)
{
    char text[PATH_MAX];
    ssize_t len = readlink(path, text, sizeof text - 1);
    if (len > 0) {
        text[len] = '\0';
        if (strncmp(text, "usr/", 4) == 0 || strncmp(text, "/usr/", 5) == 0 ||
            strncmp(text, "../usr/", 7) == 0)
            return plan_add(plan, PLAN_LINK, false, path, text, failure);
    }
    return add_existing(plan, PLAN_READ, path, failure);
}

/* ---- The parts ---- */

static int add_system(struct plan *plan, struct step_failure *failure)
{
    char path[64];
    for (size_t i = 0; i < sizeof system_folders / sizeof *system_folders; i++)
        if (add_public(plan, system_folders[i], failure))
            return -1;
    if (!ENFORCED(sandbox_etc_by_name))
        return add_existing(plan, PLAN_READ, "/etc", failure);
    for (size_t i = 0; i < sizeof etc_files / sizeof *etc_files; i++) {
        (void)snprintf(path, sizeof path, "/etc/%s", etc_files[i]);
        if (add_public(plan, path, failure))
            return -1;
    }
    return 0;
}

static int add_private(struct plan *plan, struct step_failure *failure)
{
    for (size_t i = 0; i < sizeof private_folders / sizeof *private_folders; i++)
        if (plan_add(plan, PLAN_TMPFS, true, private_folders[i], NULL, failure))
            return -1;
    return plan_add(plan, PLAN_DEV, true, "/dev", NULL, failure) ||
                   plan_add(plan, PLAN_PROC, true, "/proc", NULL, failure)
               ? -1
               : 0;
}

static bool is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);
    return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* What would bring back what the new root leaves out. */
static bool is_forbidden(const char *path)
{
    return path[strspn(path, "/")] == '\0' || is_below(path, "/proc") || is_below(path, "/dev") ||
           is_below(path, "/sys");
}

static int add_given(const struct sandbox_spec *spec, struct plan *plan,
                     struct step_failure *failure)
{
    for (size_t i = 0; spec->read[i]; i++) {
        if (is_forbidden(spec->read[i]))
            return step_refuse(failure, "plan",
                               "%s cannot be among the folders that may be read (sandbox_read): "
                               "name the folders in it that are needed",
                               spec->read[i]);
        if ((!spec->workspace || !is_below(spec->read[i], spec->workspace)) &&
            add_existing(plan, PLAN_READ, spec->read[i], failure))
            return -1;
    }
    if (spec->plugin && add_existing(plan, PLAN_READ, spec->plugin, failure))
        return -1;
    if ((spec->home && add_existing(plan, PLAN_WRITE, spec->home, failure)) ||
        (spec->tmp && add_existing(plan, PLAN_WRITE, spec->tmp, failure)))
        return -1;
    if (!spec->workspace)
        return 0;
    if (is_forbidden(spec->workspace))
        return step_refuse(failure, "plan",
                           "%s cannot be a sandboxed workspace; work in a folder of it",
                           spec->workspace);
    if (plan_add(plan, PLAN_WORKSPACE, true, spec->workspace, NULL, failure))
        return -1;
    plan->entries[plan->count - 1].writable = spec->write || !ENFORCED(sandbox_workspace_readonly);
    return 0;
}

/* What contains something comes before it; of two things in one place the more it may do, the
 * later. */
static int compare(const void *a, const void *b)
{
    const struct plan_entry *one = a, *other = b;
    int order = strcmp(one->path, other->path);
    return order ? order : (int)one->kind - (int)other->kind;
}

int plan_make(const struct sandbox_spec *spec, struct plan *plan, struct step_failure *failure)
{
    plan->count = 0;
    plan->cut = false;
    if (add_system(plan, failure))
        return -1;
    if (spec->tier == TIER_T3 && add_private(plan, failure))
        return -1;
    size_t given = plan->count;
    if (add_given(spec, plan, failure))
        return -1;
    if (spec->workspace && plan_repository(spec, plan, failure))
        return -1;
    qsort(plan->entries + given, plan->count - given, sizeof *plan->entries, compare);
    if (!spec->workspace || spec->tier != TIER_T3 || spec->inside)
        return 0;
    return plan_workspace(spec, plan, failure);
}
