/* How the tools of a run are held: whether that can be had, and what is told of it. */
#include <string.h>

#include "api/runtime.h"
#include "base/enforce.h"
#include "engine/confine.h"

int api_require_sandbox(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    const char *tier = confine_tier(&p->settings);
    if (!confine_is_enforced(tier) || json_object_size(p->confine) == 0)
        return 0;
    struct confine_offer *known = &rt->offers[strcmp(tier, "t2") == 0];
    if (!known->had) {
        const char *program = api_host_program(rt, err);
        if (!program)
            return -1;
        if (confine_probe(program, rt->cache_dir, tier, known, err) != 0 &&
            ENFORCED(sandbox_required))
            return -1;
    }
    p->sandbox = *known;
    return 0;
}

json_t *api_sandbox_json(const struct prepared *p)
{
    const char *tier = confine_tier(&p->settings);
    const char *mode = settings_text(&p->settings, SET_SANDBOX);
    bool needed = json_object_size(p->confine) > 0;
    json_t *all = json_pack("{s:s, s:s?, s:b, s:s}", "mode", mode, "tier", needed ? tier : NULL,
                            "enforced", needed && confine_is_enforced(tier), "network",
                            settings_text(&p->settings, SET_COMMAND_NETWORK));
    if (p->sandbox.had) {
        (void)json_object_set_new(all, "landlock", json_integer(p->sandbox.landlock));
        (void)json_object_set_new(all, "cgroup", json_string(p->sandbox.cgroup));
        (void)json_object_set_new(all, "via", json_string(p->sandbox.via));
    }
    return all;
}
