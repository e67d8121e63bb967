/* A plugin with one tool. README.md in this folder explains it line by line. */
#include <tackle/plugin.h>

static int32_t greet(void *self, tackle_call *call)
{
    (void)self; /* what open() made; this plugin needs none */
    return tackle_writef(call, "Hello, %s!\n", call->api->arg_text(call, "name", NULL));
}

static const tackle_tool greet_tool = {
    .size = sizeof greet_tool,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "greet",
    .description = "Greet a person by name.",
    .params = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},"
              "\"required\":[\"name\"]}",
    .call = greet,
};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "hello",
    .version = "1.0.0",
    .tools = (const tackle_tool *const[]){&greet_tool, NULL},
};
