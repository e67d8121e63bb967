/* A plugin that is right; each file beside this one changes one field, and expected.txt has what
 * is said about it. */
#include <tackle/plugin.h>

static int32_t do_nothing(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    return TACKLE_OK;
}

#define TOOL_FIELDS                                                                                \
    .size = sizeof(tackle_tool), .name = "nothing", .description = "Does nothing.",                \
    .call = do_nothing
#define OPTION_FIELDS .size = sizeof(tackle_option), .name = "option"
#define PLUGIN_FIELDS(...)                                                                         \
    .size = sizeof(tackle_plugin), .abi = TACKLE_ABI, .name = "bad", .version = "1",               \
    .tools = (const tackle_tool *const[])                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* Defines the plugin with the fields that are given changed in it, in its tool, in its option. */
#define BAD_PLUGIN(...)                                                                            \
    static const tackle_tool tool = {TOOL_FIELDS};                                                 \
    const tackle_plugin tackle_plugin_v1 = {PLUGIN_FIELDS(&tool), __VA_ARGS__}
#define BAD_TOOL(...)                                                                              \
    static const tackle_tool tool = {TOOL_FIELDS, __VA_ARGS__};                                    \
    const tackle_plugin tackle_plugin_v1 = {PLUGIN_FIELDS(&tool)}
#define BAD_OPTION(...)                                                                            \
    static const tackle_tool tool = {TOOL_FIELDS};                                                 \
    static const tackle_option option = {OPTION_FIELDS, __VA_ARGS__};                              \
    const tackle_plugin tackle_plugin_v1 = {                                                       \
        PLUGIN_FIELDS(&tool), .options = (const tackle_option *const[]){&option, NULL}}
