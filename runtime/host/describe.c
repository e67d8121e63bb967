#include "host/describe.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX (4u * MANIFEST_PARAMS_MAX)

json_t *describe_text(const char *text)
{
    struct buf clean;
    json_t *string = NULL;
    buf_init(&clean, TEXT_MAX);
    if (text_fix_utf8(&clean, text, strlen(text), NULL) == 0)
        string = json_stringn(clean.data, clean.len);
    buf_release(&clean);
    return string;
}

static json_t *text_or_null(const char *text)
{
    return text ? describe_text(text) : json_null();
}

static json_t *describe_list(const char *const *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array && list && list[i]; i++) {
        if (json_array_append_new(array, describe_text(list[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *describe_does(uint32_t does)
{
    static const struct {
        uint32_t bit;
        const char *word;
    } words[] = {{TACKLE_READS, "reads"},
                 {TACKLE_WRITES, "writes"},
                 {TACKLE_RUNS, "runs"},
                 {TACKLE_NETWORK, "network"}};
    const char *list[sizeof words / sizeof words[0] + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (does & words[i].bit)
            list[count++] = words[i].word;
    }
    return describe_list(list);
}

static json_t *describe_tool(const tackle_tool *tool)
{
    static const char *const effects[] = {"never", "safe", "keyed", "probe"};
    json_t *params = tool->params ? json_loads(tool->params, 0, NULL) : json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:b, s:s, s:o}", "name", describe_text(tool->name),
                     "description", describe_text(tool->description), "params", params, "does",
                     describe_does(tool->does), "parallel", (tool->does & TACKLE_PARALLEL) != 0,
                     "effect", effects[tool->effect], "hosts", describe_list(tool->hosts));
}

static json_t *describe_option(const tackle_option *option)
{
    static const char *const types[] = {"text", "int", "bool", "url"};
    return json_pack("{s:o, s:s, s:b, s:o, s:o}", "name", describe_text(option->name), "type",
                     types[option->type], "secret", (option->flags & TACKLE_OPTION_SECRET) != 0,
                     "default", text_or_null(option->default_value), "help",
                     describe_text(option->help ? option->help : ""));
}

static json_t *describe_tools(const struct manifest *manifest)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < manifest->tool_count; i++) {
        if (json_array_append_new(array, describe_tool(&manifest->tools[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *describe_options(const struct manifest *manifest)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < manifest->option_count; i++) {
        if (json_array_append_new(array, describe_option(&manifest->options[i]))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *describe_file(const struct stat *file)
{
    json_int_t mtime_ns =
        (json_int_t)file->st_mtim.tv_sec * 1000000000 + (json_int_t)file->st_mtim.tv_nsec;
    return json_pack("{s:I, s:I, s:I, s:I}", "dev", (json_int_t)file->st_dev, "ino",
                     (json_int_t)file->st_ino, "size", (json_int_t)file->st_size, "mtime_ns",
                     mtime_ns);
}

json_t *describe_plugin(const char *path, const struct manifest *manifest, const struct stat *file)
{
    const tackle_plugin *plugin = &manifest->plugin;
    char abi[32];
    (void)snprintf(abi, sizeof abi, "%u.%u", plugin->abi >> 16, plugin->abi & 0xffff);
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "name",
                     describe_text(plugin->name), "version", describe_text(plugin->version),
                     "description", describe_text(plugin->description ? plugin->description : ""),
                     "abi", abi, "path", describe_text(path), "needs", describe_list(plugin->needs),
                     "options", describe_options(manifest), "tools", describe_tools(manifest),
                     "file", describe_file(file));
}

json_t *describe_problems(const char *path, const struct problems *problems)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if (json_array_append_new(
                array, json_pack("{s:s, s:s}", "what", problem->what, "fix", problem->fix))) {
            json_decref(array);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o}", "path", describe_text(path), "problems", array);
}
