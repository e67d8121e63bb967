#include "host/manifest.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "host/options.h"
#include "host/services.h"
#include "wire/schema.h"

#define SIZE_TO(type, field) (offsetof(type, field) + sizeof(((type *)NULL)->field))
/* The last fields of ABI 1.0: what every plugin must have. These lines never change. */
#define MANIFEST_1_0 SIZE_TO(tackle_plugin, close)
#define TOOL_1_0     SIZE_TO(tackle_tool, hosts)
#define OPTION_1_0   SIZE_TO(tackle_option, help)

#define NAME_MAX_PLUGIN 32u
#define NAME_MAX_TOOL   64u
#define NAME_MAX_OPTION 64u
#define LOWER_ONLY      "abcdefghijklmnopqrstuvwxyz"
#define LOWER           LOWER_ONLY "_"
#define LETTERS         LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS          "0123456789"
#define VERSION_MAX     64u
#define DOES_KNOWN      (TACKLE_READS | TACKLE_WRITES | TACKLE_RUNS | TACKLE_NETWORK)
#define DOES_BINDING    0xffu /* bits that must be understood; the others are hints */

/* `subject` names what is looked at in every message: "tool 'read_file'". */
struct check {
    const struct manifest *manifest;
    struct problems *problems;
    char subject[128];
};

static void set_subject(struct check *check, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int refuse(struct check *check, const char *fix, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void set_subject(struct check *check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vsnprintf(check->subject, sizeof check->subject, format, args) < 0)
        check->subject[0] = '\0';
    va_end(args);
}

static int refuse(struct check *check, const char *fix, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    if (vsnprintf(text, sizeof text, format, args) < 0)
        text[0] = '\0';
    va_end(args);
    return problems_add(check->problems, fix, "%s: %s", check->subject, text);
}

/* ---- Reading the plugin's structs ---- */

/* Copies as much of `raw`, whose first field is its size, as this program knows. */
static int copy_struct(struct check *check, const char *type, const void *raw, size_t least,
                       void *own, size_t own_size)
{
    uint32_t size;
    char fix[96];
    (void)snprintf(fix, sizeof fix, "set .size = sizeof(%s)", type);
    memcpy(&size, raw, sizeof size);
    if (size < least)
        return refuse(check, fix, "%s.size is %u, under the %zu bytes of ABI 1.0", type, size,
                      least);
    if (size > MANIFEST_STRUCT_MAX)
        return refuse(check, fix, "%s.size is %u, over the %u bytes that any version may have",
                      type, size, MANIFEST_STRUCT_MAX);
    memset(own, 0, own_size);
    memcpy(own, raw, size < own_size ? size : own_size);
    return 0;
}

/* The length of a list of pointers that ends with NULL; max + 1 when it is longer. */
static size_t count_list(const void *const *list, size_t max)
{
    size_t n = 0;
    while (list && n <= max && list[n])
        n++;
    return n;
}

/* ---- Texts ---- */

static bool is_name(const char *name, const char *first, const char *all, size_t max)
{
    size_t len = strnlen(name, max + 1);
    return len > 0 && len <= max && strchr(first, name[0]) && strspn(name, all) == len;
}

/* A text that people or the model read: there, valid UTF-8, not longer than `max`. */
static int check_text(struct check *check, const char *field, const char *text, size_t max)
{
    char fix[96];
    (void)snprintf(fix, sizeof fix, "give it a text of at most %zu bytes of UTF-8", max);
    if (!text)
        return refuse(check, fix, "%s is NULL", field);
    size_t len = strnlen(text, max + 1);
    if (len == 0)
        return refuse(check, fix, "%s is empty", field);
    if (len > max)
        return refuse(check, fix, "%s is over %zu bytes", field, max);
    if (!text_is_utf8(text, len))
        return refuse(check, fix, "%s is not valid UTF-8", field);
    return 0;
}

/* ---- Options ---- */

static int check_option(struct check *check, const tackle_option *option)
{
    struct err why;
    if (!option->name)
        return refuse(check, "give it a name", "name is NULL");
    if (!is_name(option->name, LETTERS, LETTERS DIGITS "-", NAME_MAX_OPTION))
        return refuse(check, "rename the option",
                      "its name '%.80s' must be [A-Za-z_][A-Za-z0-9_-]*, at most %u bytes",
                      option->name, NAME_MAX_OPTION);
    set_subject(check, "option '%s'", option->name);
    if (option->type > TACKLE_OPTION_URL)
        return refuse(check, "use one of the TACKLE_OPTION_ types, or update tackle",
                      "type %u is unknown to tackle " TACKLE_VERSION_TEXT, option->type);
    if (option->flags & ~TACKLE_OPTION_SECRET)
        return refuse(check, "use TACKLE_OPTION_SECRET or 0, or update tackle",
                      "flags 0x%x are unknown to tackle " TACKLE_VERSION_TEXT,
                      option->flags & ~TACKLE_OPTION_SECRET);
    if (option->help && check_text(check, "help", option->help, MANIFEST_DESCRIPTION_MAX))
        return -1;
    if (option->default_value && *option->default_value &&
        check_text(check, "default_value", option->default_value, MANIFEST_DESCRIPTION_MAX))
        return -1;
    if (option->default_value && option_check(option, option->default_value, &why))
        return refuse(check, "change the default or the type", "default_value %s", why.text);
    return 0;
}

static int read_options(struct manifest *manifest, struct check *check)
{
    const tackle_option *const *list = manifest->plugin.options;
    size_t count = count_list((const void *const *)list, MANIFEST_OPTIONS_MAX);
    if (count > MANIFEST_OPTIONS_MAX)
        return problems_add(check->problems, "end the list with NULL, or drop some",
                            "has more than %u options", MANIFEST_OPTIONS_MAX);
    manifest->options = calloc(count + 1, sizeof *manifest->options);
    if (!manifest->options)
        return problems_add(check->problems, "free some memory", "out of memory");
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        tackle_option *option = &manifest->options[manifest->option_count];
        set_subject(check, "option %zu", i + 1);
        if (copy_struct(check, "tackle_option", list[i], OPTION_1_0, option, sizeof *option) ||
            check_option(check, option)) {
            status = -1;
        } else if (manifest_option(manifest, option->name)) {
            status = refuse(check, "rename one of them", "there are two of that name");
        } else {
            manifest->option_count++;
        }
    }
    return status;
}

/* ---- Tools ---- */

static int check_does(struct check *check, const tackle_tool *tool)
{
    char fix[96];
    uint32_t unknown = tool->does & DOES_BINDING & ~DOES_KNOWN;
    (void)snprintf(fix, sizeof fix, "update tackle or use an older %.32s plugin",
                   check->manifest->plugin.name);
    if (unknown)
        return refuse(check, fix,
                      "does 0x%x is unknown to tackle " TACKLE_VERSION_TEXT
                      ", which cannot judge it",
                      unknown);
    if (tool->effect > TACKLE_EFFECT_PROBE)
        return refuse(check, fix, "effect %u is unknown to tackle " TACKLE_VERSION_TEXT,
                      tool->effect);
    if (!tool->call)
        return refuse(check, "set .call", "call is NULL");
    if (tool->effect == TACKLE_EFFECT_PROBE && !tool->probe)
        return refuse(check, "set .probe, or use another effect",
                      "effect is TACKLE_EFFECT_PROBE, but probe is NULL");
    return 0;
}

static int check_params(struct check *check, const char *params)
{
    static const char fix[] = "give a JSON Schema like "
                              "{\"type\":\"object\",\"properties\":{...}}, or NULL";
    if (!params)
        return 0;
    size_t len = strnlen(params, MANIFEST_PARAMS_MAX + 1);
    if (len > MANIFEST_PARAMS_MAX)
        return refuse(check, "make the schema smaller: the model reads all of it",
                      "params is over %u bytes", MANIFEST_PARAMS_MAX);
    json_error_t where;
    struct err err;
    struct schema *compiled = NULL;
    json_t *schema = json_loadb(params, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!schema)
        return refuse(check, fix, "params is not JSON: %s (line %d, column %d)", where.text,
                      where.line, where.column);
    const char *type = json_string_value(json_object_get(schema, "type"));
    int status = 0;
    if (!type || strcmp(type, "object") != 0)
        status = refuse(check, fix, "params is not an object schema: it lacks \"type\":\"object\"");
    else if (!(compiled = schema_compile_json(schema, 0, &err)))
        status = refuse(check, "change the schema", "params: %s", err.text);
    schema_free(compiled);
    json_decref(schema);
    return status;
}

static int check_host(struct check *check, const char *host)
{
    if (host[0] == '$') {
        const tackle_option *option = manifest_option(check->manifest, host + 1);
        if (!option || option->type != TACKLE_OPTION_URL)
            return refuse(check, "declare it as an option of type TACKLE_OPTION_URL",
                          "hosts names '%.80s', which is no URL option of the plugin", host);
        return 0;
    }
    if (strcmp(host, "*") == 0) /* all that the person's allow_host names */
        return 0;
    if (!is_name(host, LETTERS DIGITS "[", LETTERS DIGITS "-.:[]", 253))
        return refuse(check, "write a host like \"api.example.org\", \"$option\", or \"*\"",
                      "hosts has '%.80s', which is no host name", host);
    return 0;
}

static int check_hosts(struct check *check, const tackle_tool *tool)
{
    size_t count = count_list((const void *const *)tool->hosts, MANIFEST_HOSTS_MAX);
    bool network = tool->does & TACKLE_NETWORK;
    if (count > MANIFEST_HOSTS_MAX)
        return refuse(check, "end the list with NULL, or drop some", "it has more than %u hosts",
                      MANIFEST_HOSTS_MAX);
    if (network && count == 0)
        return refuse(check, "name the hosts it may ask in .hosts",
                      "does has TACKLE_NETWORK, but hosts is empty");
    if (!network && count > 0)
        return refuse(check, "add TACKLE_NETWORK to .does, or drop .hosts",
                      "hosts is given, but does lacks TACKLE_NETWORK");
    for (size_t i = 0; i < count; i++) {
        if (check_host(check, tool->hosts[i]))
            return -1;
    }
    return 0;
}

static int check_tool(struct check *check, const tackle_tool *tool)
{
    if (!tool->name)
        return refuse(check, "give it a name", "name is NULL");
    if (!is_name(tool->name, LOWER, LOWER DIGITS, NAME_MAX_TOOL))
        return refuse(check, "rename the tool",
                      "its name '%.80s' must be [a-z_][a-z0-9_]*, at most %u bytes", tool->name,
                      NAME_MAX_TOOL);
    set_subject(check, "tool '%s'", tool->name);
    /* All of these, not the first: an author wants the whole list. */
    int status = check_text(check, "description", tool->description, MANIFEST_DESCRIPTION_MAX);
    status |= check_params(check, tool->params);
    status |= check_does(check, tool);
    status |= check_hosts(check, tool);
    return status;
}

static int read_tools(struct manifest *manifest, struct check *check)
{
    const tackle_tool *const *list = manifest->plugin.tools;
    size_t count = count_list((const void *const *)list, MANIFEST_TOOLS_MAX);
    if (count == 0)
        return problems_add(check->problems, "list its tools in .tools, ended by NULL",
                            "has no tools");
    if (count > MANIFEST_TOOLS_MAX)
        return problems_add(check->problems, "end the list with NULL, or make two plugins",
                            "has more than %u tools", MANIFEST_TOOLS_MAX);
    manifest->tools = calloc(count, sizeof *manifest->tools);
    if (!manifest->tools)
        return problems_add(check->problems, "free some memory", "out of memory");
    int status = 0;
    for (size_t i = 0; i < count; i++) {
        tackle_tool *tool = &manifest->tools[manifest->tool_count];
        set_subject(check, "tool %zu", i + 1);
        if (copy_struct(check, "tackle_tool", list[i], TOOL_1_0, tool, sizeof *tool) ||
            check_tool(check, tool)) {
            status = -1;
        } else if (manifest_tool(manifest, tool->name)) {
            status = refuse(check, "rename one of them", "there are two of that name");
        } else {
            manifest->tool_count++;
        }
    }
    return status;
}

/* ---- The plugin ---- */

static int check_head(struct check *check, const tackle_plugin *base)
{
    if (!base->name)
        return refuse(check, "give it a name", "name is NULL");
    if (!is_name(base->name, LOWER_ONLY, LOWER DIGITS "-", NAME_MAX_PLUGIN))
        return refuse(check, "rename the plugin",
                      "its name '%.40s' must be [a-z][a-z0-9_-]*, at most %u bytes", base->name,
                      NAME_MAX_PLUGIN);
    int status = check_text(check, "version", base->version, VERSION_MAX);
    if (base->description && *base->description)
        status |= check_text(check, "description", base->description, MANIFEST_DESCRIPTION_MAX);
    return status;
}

static int check_needs(struct check *check, const tackle_plugin *base)
{
    char fix[96];
    int status = 0;
    (void)snprintf(fix, sizeof fix, "update tackle or use an older %s plugin", base->name);
    size_t count = count_list((const void *const *)base->needs, MANIFEST_NEEDS_MAX);
    if (count > MANIFEST_NEEDS_MAX)
        return problems_add(check->problems, "end the list with NULL",
                            "needs more than %u services", MANIFEST_NEEDS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!service_find(base->needs[i]))
            status =
                problems_add(check->problems, fix,
                             "needs service '%.80s', which tackle " TACKLE_VERSION_TEXT " lacks",
                             base->needs[i]);
    }
    return status;
}

int manifest_read(struct manifest *manifest, const tackle_plugin *raw, struct problems *problems)
{
    struct check check = {
        .manifest = manifest, .problems = problems, .subject = "tackle_plugin_v1"};
    memset(manifest, 0, sizeof *manifest);
    if (copy_struct(&check, "tackle_plugin", raw, MANIFEST_1_0, &manifest->plugin,
                    sizeof manifest->plugin) ||
        check_head(&check, &manifest->plugin))
        return -1;
    int status = check_needs(&check, &manifest->plugin);
    status |= read_options(manifest, &check);
    status |= read_tools(manifest, &check);
    return status;
}

void manifest_release(struct manifest *manifest)
{
    free(manifest->tools);
    free(manifest->options);
    memset(manifest, 0, sizeof *manifest);
}

const tackle_tool *manifest_tool(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->tool_count; i++) {
        if (strcmp(manifest->tools[i].name, name) == 0)
            return &manifest->tools[i];
    }
    return NULL;
}

const tackle_option *manifest_option(const struct manifest *manifest, const char *name)
{
    for (size_t i = 0; i < manifest->option_count; i++) {
        if (strcmp(manifest->options[i].name, name) == 0)
            return &manifest->options[i];
    }
    return NULL;
}
