/* A plugin that hangs while the dynamic linker loads it. */
#include <tackle/plugin.h>

#include <poll.h>

__attribute__((constructor)) static void hang(void)
{
    while (poll(NULL, 0, 1000) <= 0)
        ;
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
    .name = "constructed",
    .description = "Is never reached.",
    .call = nothing,
};

TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "constructor",
    .version = "1",
    .description = "Never loads",
    .tools = (const tackle_tool *const[]){&tool, NULL},
};
