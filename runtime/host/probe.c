#include "host/probe.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/describe.h"
#include "host/sandbox.h"

/* At most what anybody may ask for. */
static const struct sandbox_spec everything = {.workspace_fd = -1,
                                               .write = true,
                                               .runs = true,
                                               .memory_mib = 64,
                                               .processes = 16,
                                               .file_mib = 64,
                                               .plugin_fd = -1};

/* Takes over the value. */
static int print(json_t *value, int status)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (!text || puts(text) < 0)
        status = EXIT_FAILURE;
    free(text);
    json_decref(value);
    return status;
}

static int probe(const char *name, uint64_t outer_pids, const char *cgroup)
{
    const char *const again[] = {"probe", name, NULL};
    struct sandbox_spec spec = everything;
    struct sandbox_report report;
    struct step_failure failure;
    int tier = sandbox_tier_of(name);
    if (tier < 0) {
        (void)fputs("tackle-host: the tiers are t3, t2, external, off\n", stderr);
        return 2;
    }
    spec.tier = (enum sandbox_tier)tier;
    spec.again = again;
    spec.inside = outer_pids != 0;
    spec.outer_pids = outer_pids;
    spec.cgroup = cgroup;
    if (sandbox_enter(&spec, &report, &failure))
        return print(
            json_pack("{s:o, s:s}", "problem", describe_text(failure.text), "step", failure.step),
            PROBE_EXIT_NONE);
    return print(json_pack("{s:s, s:i, s:s, s:s, s:b, s:b}", "tier", sandbox_tier_name(report.tier),
                           "landlock", report.landlock, "cgroup", report.cgroup, "via",
                           report.bwrap ? "bwrap" : "self", "user_namespaces",
                           report.tier == TIER_T3, "seccomp", report.tier >= TIER_T2),
                 EXIT_SUCCESS);
}

int probe_tier(const char *name)
{
    return probe(name, 0, NULL);
}

int probe_inside(const char *name, uint64_t outer_pids, const char *cgroup)
{
    return probe(name, outer_pids, cgroup);
}
