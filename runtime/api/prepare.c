/* From settings to all that a run needs: agent, plugins, tools, workspace, system prompt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "api/keys.h"
#include "base/beneath.h"
#include "base/enforce.h"
#include "base/text.h"
#include "engine/confine.h"

#define SYSTEM_MAX (512u << 10)
#define TOOLS_MAX  128

/* The plugins of an agent that names none. "?" marks one that may be missing. */
static const char *const default_plugins[] = {"file", "git?"};

static int apply_extra(struct prepared *p, const char *const *extra, struct err *err)
{
    char key[64];
    for (; extra && *extra; extra++) {
        const char *equals = strchr(*extra, '=');
        size_t len = equals ? (size_t)(equals - *extra) : 0;
        if (!equals || len >= sizeof key)
            return err_set(err, ERR_USAGE, "setting '%s' is not key=value", *extra);
        memcpy(key, *extra, len);
        key[len] = '\0';
        if (settings_set(&p->settings, LAYER_RUN, key, equals + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int open_workspace(struct prepared *p, struct err *err)
{
    p->workspace_fd =
        beneath_open_root(settings_text(&p->settings, SET_WORKSPACE), p->workspace, err);
    if (p->workspace_fd < 0) {
        err->code = ERR_USAGE;
        return err_prefix(err, "workspace");
    }
    return 0;
}

static void warn(struct prepared *p, const char *text)
{
    (void)json_array_append_new(p->warnings, json_string(text));
}

static int load_agent(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    bool trusted = true;
    const char *name = settings_text(&p->settings, SET_AGENT);
    if (agents_load(rt, &p->settings, name, &p->agent, &p->agent_path, &trusted, err) != 0 ||
        agent_apply(&p->agent, &p->settings, trusted, &p->held_back, err) != 0)
        return -1;
    if (p->held_back) {
        char line[256];
        (void)snprintf(line, sizeof line,
                       "agent %.60s comes from the workspace: its plugins and its sandbox are "
                       "ignored (--trust-project, or naming its path, accepts them)",
                       p->agent.name);
        warn(p, line);
    }
    return 0;
}

/* ---- Tools ---- */

static bool has_tool(const struct prepared *p, const char *name)
{
    for (size_t i = 0; i < p->tool_count; i++)
        if (strcmp(p->tools[i]->name, name) == 0)
            return true;
    return false;
}

static const char *owner_name(const struct tool *tool)
{
    return tool->owner ? ((const struct plugin *)tool->owner)->path : "the program itself";
}

static int add_tool(struct prepared *p, const struct tool *tool, struct err *err)
{
    for (size_t i = 0; i < p->tool_count; i++)
        if (strcmp(p->tools[i]->name, tool->name) == 0)
            return p->tools[i] == tool
                       ? 0
                       : err_set(err, ERR_PLUGIN, "two tools are named '%s': one of %s, one of %s",
                                 tool->name, owner_name(p->tools[i]), owner_name(tool));
    if (p->tool_count == TOOLS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d tools", TOOLS_MAX);
    p->tools[p->tool_count++] = tool;
    return 0;
}

/* Is `name` in the comma-separated list? */
static bool is_in(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", ");
        size_t part = strcspn(at, ", ");
        if (part == len && strncmp(at, name, len) == 0)
            return true;
        at += part;
    }
    return false;
}

/* `list` NULL: all of them. */
static int add_plugin_tools(struct prepared *p, const struct plugin *plugin, const char *list,
                            struct err *err)
{
    for (size_t i = 0; i < plugin->tool_count; i++)
        if ((!list || is_in(list, plugin->tools[i].name)) &&
            add_tool(p, &plugin->tools[i], err) != 0)
            return -1;
    return 0;
}

/* "git?" may be missing. *out is NULL then. */
static int load_plugin(struct tackle_runtime *rt, struct prepared *p, const char *name,
                       struct plugin **out, struct err *err)
{
    char bare[BENEATH_PATH_MAX];
    size_t len = strlen(name);
    bool optional = len > 1 && name[len - 1] == '?';
    if (len - optional >= sizeof bare)
        return err_set(err, ERR_CONFIG, "the plugin's name is too long");
    memcpy(bare, name, len - optional);
    bare[len - optional] = '\0';
    *out = plugins_load(rt, bare, err);
    if (*out)
        return 0;
    if (optional && err->code == ERR_NOT_FOUND) {
        char line[256];
        (void)snprintf(line, sizeof line,
                       "the plugin %.100s is not installed; its tools are left "
                       "out",
                       bare);
        warn(p, line);
        return 0;
    }
    if (err->code == ERR_NOT_FOUND)
        err->code = ERR_PLUGIN;
    return -1;
}

/* A name in the list of tools that nobody offers. Tools of an optional plugin that is missing may
 * be in an agent's list. */
static int check_list(const struct prepared *p, const char *list, bool strict, struct err *err)
{
    char name[80];
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", ");
        size_t len = strcspn(at, ", ");
        if (len == 0)
            break;
        (void)snprintf(name, sizeof name, "%.*s", (int)len, at);
        at += len;
        if (strict && !has_tool(p, name))
            return err_set(err, ERR_CONFIG,
                           "tools: no plugin of this run offers '%s'; 'tackle tools ls' lists them",
                           name);
    }
    return 0;
}

/* The endpoint takes functions or its search, not both (its documentation). Tools that nobody asked
 * for are left out; those that somebody did are an error. */
static int exclude_tools(const struct tackle_runtime *rt, const struct settings *s, struct err *err)
{
    static const enum setting asked[] = {SET_TOOLS, SET_PLUGIN, SET_AGENT};
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++)
        if (settings_layer(s, asked[i]) >= LAYER_ENVIRONMENT)
            return err_set(err, ERR_USAGE,
                           "google_search excludes tools, and '%s' asks for some; --no-tools "
                           "leaves them out",
                           settings_key(asked[i]));
    return rt->functions ? err_set(err, ERR_USAGE,
                                   "google_search excludes tools, and the program "
                                   "has added some")
                         : 0;
}

/*
 * An agent's list chooses among the tools of the plugins that it (or the configuration) names; a
 * plugin given by flag or for this run brings all of its tools, unless the list was given by flag
 * as well.
 */
static int collect_tools(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    const struct settings *s = &p->settings;
    if (settings_flag(s, SET_NO_TOOLS))
        return 0;
    if (settings_flag(s, SET_GOOGLE_SEARCH))
        return exclude_tools(rt, s, err);
    const char *list = settings_text(s, SET_TOOLS);
    bool list_by_flag = list && settings_layer(s, SET_TOOLS) >= LAYER_ENVIRONMENT;
    bool missing = p->held_back, agent_has_plugins = false;
    struct plugin *plugin;
    for (size_t i = 0; i < settings_count(s, SET_PLUGIN); i++)
        agent_has_plugins |= settings_item_layer(s, SET_PLUGIN, i) == LAYER_AGENT;
    for (size_t i = 0; !agent_has_plugins && i < sizeof default_plugins / sizeof *default_plugins;
         i++) {
        if (load_plugin(rt, p, default_plugins[i], &plugin, err) != 0)
            return -1;
        missing |= !plugin;
        if (plugin && add_plugin_tools(p, plugin, list, err) != 0)
            return -1;
    }
    for (size_t i = 0; i < settings_count(s, SET_PLUGIN); i++) {
        bool by_flag = settings_item_layer(s, SET_PLUGIN, i) >= LAYER_ENVIRONMENT;
        if (load_plugin(rt, p, settings_item(s, SET_PLUGIN, i), &plugin, err) != 0)
            return -1;
        missing |= !plugin;
        if (plugin && add_plugin_tools(p, plugin, by_flag && !list_by_flag ? NULL : list, err) != 0)
            return -1;
    }
    for (const struct function *f = rt->functions; f; f = f->next)
        if ((!list_by_flag || is_in(list, f->tool.name)) && add_tool(p, &f->tool, err) != 0)
            return -1;
    return check_list(p, list, !missing || list_by_flag, err);
}

/* What it reads may hold words of a stranger, which make it send the rest away. */
static void warn_of_way_out(struct prepared *p)
{
    char line[256];
    const char *sender = NULL, *reader = NULL;
    for (size_t i = 0; i < p->tool_count; i++) {
        const struct tool *tool = p->tools[i];
        if (tool->does & (TACKLE_READS | TACKLE_RUNS))
            reader = tool->name;
        for (char **host = tool->hosts; host && *host; host++)
            if (strcmp(*host, "*") == 0)
                sender = tool->name;
    }
    if (!sender || !reader || p->network.allow.count == 0)
        return;
    (void)snprintf(line, sizeof line,
                   "this run can read the workspace (%.64s) and send to the hosts of allow_host "
                   "(%.64s): text that it reads could make it send files there",
                   reader, sender);
    warn(p, line);
}

/* ---- Plugin options ---- */

static const struct plugin *find_plugin(const struct prepared *p, const char *name, size_t len)
{
    for (size_t i = 0; i < p->tool_count; i++) {
        const struct plugin *plugin = p->tools[i]->owner;
        if (plugin && strlen(plugin->name) == len && strncmp(plugin->name, name, len) == 0)
            return plugin;
    }
    return NULL;
}

static int set_option(struct tackle_runtime *rt, struct prepared *p, const struct plugin *plugin,
                      const char *option, const char *value, struct err *err)
{
    /* First, since a value that does not fit is quoted. */
    if (plugin_option_is_secret(plugin, option) && keys_learn(rt, option, value) != 0)
        return err_set(err, ERR_LIMIT, "more than %d secrets", REDACT_SECRETS_MAX);
    if (plugin_check_option(plugin, option, value, err) != 0)
        return -1;
    return json_object_set_new(json_object_get(p->options, plugin->name), option,
                               json_string(value)) == 0
               ? 0
               : err_set(err, ERR_NOMEM, "out of memory");
}

static int collect_options(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    char option[80];
    for (size_t i = 0; i < p->tool_count; i++) {
        const struct plugin *plugin = p->tools[i]->owner;
        if (plugin && !json_object_get(p->options, plugin->name) &&
            json_object_set_new(p->options, plugin->name, json_object()) != 0)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < settings_count(&p->settings, SET_PLUGIN_OPTION); i++) {
        const char *item = settings_item(&p->settings, SET_PLUGIN_OPTION, i);
        const char *equals = strchr(item, '=');
        const char *dot = strchr(item, '.');
        if (!equals || !dot || dot > equals || (size_t)(equals - dot) >= sizeof option)
            return err_set(err, ERR_USAGE, "plugin_option: '%.40s' is not NAME.OPTION=VALUE", item);
        const struct plugin *plugin = find_plugin(p, item, (size_t)(dot - item));
        (void)snprintf(option, sizeof option, "%.*s", (int)(equals - dot - 1), dot + 1);
        if (plugin) {
            if (set_option(rt, p, plugin, option, equals + 1, err) != 0)
                return -1;
        } else if (settings_item_layer(&p->settings, SET_PLUGIN_OPTION, i) >= LAYER_FLAG) {
            return err_set(err, ERR_USAGE, "plugin_option: no plugin '%.*s' takes part in this run",
                           (int)(dot - item), item);
        }
    }
    return 0;
}

/* ---- The system prompt ---- */

static int add_system_file(struct buf *out, const char *path, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = fopen(path, "rbe");
    int status = file ? 0 : err_set(err, ERR_USAGE, "system: cannot read %s", path);
    if (file) {
        text = malloc(SYSTEM_MAX + 1);
        len = text ? fread(text, 1, SYSTEM_MAX + 1, file) : 0;
        if (!text)
            status = err_set(err, ERR_NOMEM, "out of memory");
        else if (ferror(file))
            status = err_set(err, ERR_USAGE, "system: cannot read %s", path);
        else if (len > SYSTEM_MAX || !text_is_utf8(text, len))
            status = err_set(err, ERR_USAGE, "system: %s is no UTF-8 text of %u KiB at most", path,
                             SYSTEM_MAX >> 10);
        else if (buf_append(out, text, len) != 0)
            status = err_set(err, ERR_LIMIT, "system: %s is too large", path);
        (void)fclose(file);
    }
    free(text);
    return status;
}

static int add_rights(const struct prepared *p, struct buf *out)
{
    if (p->tool_count == 0)
        return 0;
    const char *text = " In this run you can only read: when something would have to be changed or "
                       "run, say so, and that --sandbox workspace-write allows it.";
    if (policy_writes(p->policy))
        text = "";
    else if (strcmp(settings_text(&p->settings, SET_APPROVAL), "ask") == 0)
        text = " Calls that change or run something are shown to a person, who says yes or no.";
    return buf_format(out, "\n\nPaths are relative to the workspace.%s", text);
}

/* Text that got into these files by way of a model is obeyed by the next one: a person should know.
 */
static void warn_of_instructions(struct prepared *p)
{
    size_t i;
    json_t *item;
    char line[512];
    json_array_foreach(p->instructions, i, item)
    {
        const char *run = json_string_value(json_object_get(item, "changed_by"));
        if (!run)
            continue;
        (void)snprintf(line, sizeof line,
                       "%.300s is as the run %.32s left it: read it before an agent obeys it, and "
                       "touch it to say that you did",
                       json_string_value(json_object_get(item, "path")), run);
        warn(p, line);
    }
}

static int build_system(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    const char *custom = settings_text(&p->settings, SET_SYSTEM);
    struct buf out;
    int status = 0;
    buf_init(&out, SYSTEM_MAX + (64u << 10));
    if (custom && *custom == '@')
        status = add_system_file(&out, custom + 1, err);
    else if (buf_text(&out, custom ? custom : p->agent.prompt) != 0)
        status = err_set(err, ERR_LIMIT, "the system prompt is too large");
    if (status == 0 && add_rights(p, &out) != 0)
        status = err_set(err, ERR_LIMIT, "the system prompt is too large");
    if (status == 0 && settings_flag(&p->settings, SET_INSTRUCTIONS))
        status = instructions_read(rt, &p->settings, p->workspace, &out, &p->instructions, err);
    warn_of_instructions(p);
    if (status == 0 && !p->instructions)
        p->instructions = json_array();
    if (status == 0 && !(p->system = buf_take(&out)))
        status = err_set(err, ERR_NOMEM, "out of memory");
    buf_release(&out);
    return status;
}

/* ---- The sandbox ---- */

/* {path of the plugin: [for calls that may only read, for those that may write]} */
static int collect_confine(struct tackle_runtime *rt, struct prepared *p, struct err *err)
{
    if (ENFORCED(sandbox_off_refused_in_ci) &&
        confine_check_off(&p->settings, api_getenv(rt, "CI"), err) != 0)
        return -1;
    p->confine = json_object();
    for (size_t i = 0; i < p->tool_count; i++) {
        const struct plugin *plugin = p->tools[i]->owner;
        if (!plugin || json_object_get(p->confine, plugin->path))
            continue;
        json_t *both = json_array();
        for (int write = 0; both && write < 2; write++)
            (void)json_array_append_new(both, confine_plugin(&p->settings, p->policy, p->tools,
                                                             p->tool_count, plugin, write));
        if (json_object_set_new(p->confine, plugin->path, both) != 0 || json_array_size(both) != 2)
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

/* ---- All of it ---- */

/* What was a flag or a variable then wins over the variables of today. */
static int apply_recorded(struct prepared *p, const json_t *recorded, struct err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)recorded, key, value)
    {
        if (settings_set_json(&p->settings, LAYER_ENVIRONMENT, key, value, NULL, err) != 0)
            return err_prefix(err, "the run that is resumed");
    }
    return 0;
}

/* Unless something says otherwise. */
static int ask_by_default(struct prepared *p, struct err *err)
{
    return settings_set(&p->settings, LAYER_BUILTIN, settings_key(SET_APPROVAL), "ask", err);
}

int prepare(struct tackle_runtime *rt, const struct occasion *occasion, struct prepared *out,
            struct err *err)
{
    struct prepared *p = out;
    *p = (struct prepared){.workspace_fd = -1};
    p->warnings = json_deep_copy(rt->warnings);
    p->options = json_object();
    p->tools = calloc(TOOLS_MAX, sizeof(struct tool *));
    if (!p->warnings || !p->options || !p->tools ||
        settings_copy(&p->settings, &rt->settings) != 0) {
        prepared_release(p);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    if (apply_recorded(p, occasion->recorded, err) != 0 ||
        apply_extra(p, occasion->extra, err) != 0 ||
        (occasion->ask && ask_by_default(p, err) != 0) || open_workspace(p, err) != 0)
        goto fail;
    /* Configuration is read as a whole or not at all. */
    if (keys_learn_named(rt, &p->settings, err) != 0)
        goto fail;
    if (rt->configured && config_read_project(p->workspace, &p->settings, p->warnings, err) != 0)
        goto fail;
    if (load_agent(rt, p, err) != 0)
        goto fail;
    if (network_init(&p->network, &p->settings, api_getenv, rt, err) != 0)
        goto fail;
    p->network.secrets = rt->redact;
    if (policies_load(rt, p, err) != 0)
        goto fail;
    if (collect_tools(rt, p, err) != 0 || collect_options(rt, p, err) != 0 ||
        policy_check_tools(p->policy, p->tools, p->tool_count, err) != 0 ||
        collect_confine(rt, p, err) != 0 || build_system(rt, p, err) != 0)
        goto fail;
    warn_of_way_out(p);
    return 0;
fail:
    prepared_release(p);
    return -1;
}

void prepared_release(struct prepared *p)
{
    settings_release(&p->settings);
    agent_release(&p->agent);
    free(p->agent_path);
    network_release(&p->network);
    policy_free(p->policy);
    if (p->workspace_fd >= 0)
        (void)close(p->workspace_fd);
    free(p->tools);
    json_decref(p->options);
    json_decref(p->instructions);
    json_decref(p->warnings);
    json_decref(p->confine);
    free(p->system);
    *p = (struct prepared){.workspace_fd = -1};
}

void prepared_place(const struct prepared *p, const struct tool *tool, bool write,
                    struct toolhost_place *place)
{
    const struct plugin *plugin = tool->owner;
    const json_t *both = json_object_get(p->confine, plugin->path);
    *place = (struct toolhost_place){
        .plugin = plugin,
        .options = json_object_get(p->options, plugin->name),
        .workspace = p->workspace,
        .workspace_fd = p->workspace_fd,
        .confine = json_array_get(both, policy_writes(p->policy) || write),
        .network = &p->network,
    };
}
