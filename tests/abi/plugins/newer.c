/* A plugin of a later 1.x: each struct has more at its end, the tools have hints that nobody knows
 * yet. It must load, and what is new is passed over. */
#include <tackle/plugin.h>

struct newer_tool {
    tackle_tool now;
    const void *later[8];
};
struct newer_option {
    tackle_option now;
    const void *later[8];
};
struct newer_plugin {
    tackle_plugin now;
    const void *later[8];
};

static int32_t say(void *self, tackle_call *call)
{
    (void)self;
    return tackle_writef(call, "newer");
}

static const struct newer_option option = {
    .now = {.size = sizeof(struct newer_option), .name = "option", .default_value = "value"},
    .later = {&option},
};
#define TOOL(text)                                                                                 \
    {                                                                                              \
        .now = {.size = sizeof(struct newer_tool),                                                 \
                .does = TACKLE_READS | 1u << 30,                                                   \
                .effect = TACKLE_EFFECT_SAFE,                                                      \
                .name = (text),                                                                    \
                .description = "From later.",                                                      \
                .call = say},                                                                      \
        .later = {&option},                                                                        \
    }
static const struct newer_tool first = TOOL("first"), second = TOOL("second");

/* What the header declares under this name is the beginning of it. */
extern __attribute__((visibility("default")))
const struct newer_plugin newer __asm__("tackle_plugin_v1");
const struct newer_plugin newer = {
    .now = {.size = sizeof(struct newer_plugin),
            .abi = TACKLE_ABI_MAJOR << 16 | 9,
            .name = "newer",
            .version = "9",
            .tools = (const tackle_tool *const[]){&first.now, &second.now, NULL},
            .options = (const tackle_option *const[]){&option.now, NULL}},
    .later = {&option},
};
