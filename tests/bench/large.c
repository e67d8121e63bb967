/* A plugin with one tool, whose result is 10 MiB. */
#include <string.h>

#include <tackle/plugin.h>

#define PIECE  (64u << 10)
#define PIECES 160

static int32_t large_call(void *self, tackle_call *call)
{
    static char piece[PIECE];
    int32_t status = 0;
    (void)self;
    memset(piece, 'x', sizeof piece);
    for (size_t at = 99; at < sizeof piece; at += 100)
        piece[at] = '\n';
    for (int i = 0; i < PIECES && status == 0; i++)
        status = call->api->write(call, piece, sizeof piece);
    return status;
}

static const tackle_tool large_tool = {
    .size = sizeof large_tool,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "large",
    .description = "Gives 10 MiB.",
    .params = "{\"type\":\"object\",\"properties\":{\"run\":{\"type\":\"integer\"},"
              "\"step\":{\"type\":\"integer\"}}}",
    .call = large_call,
};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "large",
    .version = "1.0.0",
    .tools = (const tackle_tool *const[]){&large_tool, NULL},
};
