#include "engine/confine.h"

#include <string.h>

#include <tackle/plugin.h>

#include "base/enforce.h"

#define TEXT_MAX 400 /* of the host's reason: what to do must have room behind it */

const char *confine_tier(const struct settings *s)
{
    const char *mode = settings_text(s, SET_SANDBOX);
    return mode && strcmp(mode, "off") == 0 ? "off" : settings_text(s, SET_SANDBOX_TIER);
}

bool confine_is_enforced(const char *tier)
{
    return strcmp(tier, "t3") == 0 || strcmp(tier, "t2") == 0;
}

int confine_check_off(const struct settings *s, const char *ci, struct err *err)
{
    bool is_ci = ci && *ci && strcmp(ci, "0") != 0 && strcmp(ci, "false") != 0;
    if (!is_ci || strcmp(confine_tier(s), "off") != 0)
        return 0;
    return err_set(err, ERR_USAGE,
                   "sandbox: off is refused where CI is set; in a container that confines tools "
                   "itself, say --sandbox-tier external");
}

static json_t *read_dirs(const struct settings *s)
{
    json_t *dirs = json_array();
    for (size_t i = 0; dirs && i < settings_count(s, SET_SANDBOX_READ); i++)
        (void)json_array_append_new(dirs, json_string(settings_item(s, SET_SANDBOX_READ, i)));
    return dirs;
}

json_t *confine_plugin(const struct settings *s, const struct policy *policy,
                       const struct tool *const *tools, size_t count, const void *owner, bool write)
{
    bool changes = false, runs = false;
    for (size_t i = 0; i < count; i++) {
        bool needs_write = tools[i]->does & (TACKLE_WRITES | TACKLE_RUNS);
        if (tools[i]->owner != owner || !policy_offers(policy, tools[i]) ||
            (needs_write && !write && ENFORCED(confine_read_only)))
            continue;
        runs = runs || (tools[i]->does & TACKLE_RUNS);
        changes = changes || needs_write;
    }
    const char *git = runs && ENFORCED(confine_git_is_read) ? "read" : "write";
    const char *network = runs ? settings_text(s, SET_COMMAND_NETWORK) : "none";
    if (!ENFORCED(confine_no_network))
        network = "host";
    return json_pack("{s:{s:s, s:b, s:b, s:s, s:s, s:o, s:o, s:I, s:I, s:I}, s:o, s:o, s:b}",
                     "sandbox", "tier", confine_tier(s), "write", changes, "runs", runs, "git", git,
                     "network", network, "read", read_dirs(s), "hide",
                     runs ? policy_denied_paths(policy, tools, count, false) : json_array(),
                     "memory_mib", (json_int_t)settings_number(s, SET_COMMAND_MEMORY), "processes",
                     (json_int_t)settings_number(s, SET_COMMAND_PROCESSES), "file_mib",
                     (json_int_t)settings_number(s, SET_COMMAND_FILE_SIZE), "deny_read",
                     policy_denied_paths(policy, tools, count, false), "deny_write",
                     policy_denied_paths(policy, tools, count, true), "mounts",
                     settings_flag(s, SET_CROSS_MOUNTS));
}

/* What to do about a step that failed. */
static const char *advice(const char *tier, const char *step)
{
    static const char *const namespaces[] = {"namespaces", "unshare", "uid_map", "gid_map",
                                             "setgroups",  "clone",   "bwrap"};
    if (strcmp(tier, "t2") == 0)
        return "it needs a kernel with Landlock and seccomp; in a container that confines tools "
               "itself, say --sandbox-tier external";
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces; i++)
        if (strncmp(step, namespaces[i], strlen(namespaces[i])) == 0)
            return "user namespaces are switched by the sysctls user.max_user_namespaces, "
                   "kernel.unprivileged_userns_clone and "
                   "kernel.apparmor_restrict_unprivileged_userns; in a container that confines "
                   "tools itself, say --sandbox-tier external; --sandbox-tier t2 does without "
                   "namespaces and promises less";
    return "in a container that confines tools itself, say --sandbox-tier external; "
           "--sandbox-tier t2 does without namespaces and promises less";
}

int confine_fail(struct err *err, const char *tier, const char *step, const char *problem)
{
    tier = tier ? tier : "";
    step = step ? step : "";
    return err_set(err, ERR_SANDBOX, "the sandbox (tier %.16s) cannot be had: %s%.40s%s%.*s; %s",
                   tier, *step ? "at the step '" : "", step, *step ? "': " : "", TEXT_MAX,
                   problem && *problem ? problem : "tackle-host does not say why",
                   advice(tier, step));
}
