/* A plugin that never finishes being loaded. */
#include <tackle/plugin.h>

#include <poll.h>

static int32_t wait_for_ever(const tackle_host *host, void **self)
{
    (void)host;
    (void)self;
    while (poll(NULL, 0, 1000) <= 0)
        ;
    return TACKLE_E_FAILED;
}

static int32_t nothing(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    return TACKLE_OK;
}

static const tackle_tool tool = {
    .size = sizeof(tackle_tool),
    .does = TACKLE_READS,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "stuck",
    .description = "Is never reached.",
    .call = nothing,
};

TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "stuck",
    .version = "1",
    .description = "Never opens",
    .tools = (const tackle_tool *const[]){&tool, NULL},
    .open = wait_for_ever,
};
