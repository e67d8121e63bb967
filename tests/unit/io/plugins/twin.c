/* A plugin with a tool that another plugin has as well. */
#include <tackle/plugin.h>

static int32_t act(void *self, tackle_call *call)
{
    (void)self;
    return tackle_writef(call, "twin");
}

static const tackle_tool act_tool = {
    .size = sizeof(tackle_tool), .name = "act", .description = "Does something else.", .call = act};
static const tackle_tool own_tool = {.size = sizeof(tackle_tool),
                                     .name = "twin_act",
                                     .description = "Does it under a name of its own.",
                                     .call = act};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "twin",
    .version = "1",
    .description = "Has a tool that another has.",
    .tools = (const tackle_tool *const[]){&act_tool, &own_tool, NULL},
};
