/* Where plugins are found, and what is told of them. A workspace is never looked in. */
#include "api/runtime.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "io/layout.h"

static bool is_path(const char *name)
{
    return strchr(name, '/') != NULL;
}

static char *in_dir(const char *dir, size_t len, const char *name)
{
    size_t size = len + strlen(name) + 5;
    char *path = malloc(size);
    if (path)
        (void)snprintf(path, size, "%.*s/%s.so", (int)len, dir, name);
    return path;
}

/* The file of a plugin that is named without a path; NULL when there is none. Relative parts of
 * TACKLE_PLUGIN_PATH are passed over. */
static char *find_file(const struct tackle_runtime *rt, const char *name)
{
    struct err ignored;
    for (const char *p = rt->plugin_path; p && *p;) {
        size_t len = strcspn(p, ":");
        char *path = *p == '/' ? in_dir(p, len, name) : NULL;
        if (path && access(path, F_OK) == 0)
            return path;
        free(path);
        p += len + (p[len] == ':');
    }
    char *dir = layout_find(LAYOUT_PLUGINS, &ignored);
    char *path = dir ? in_dir(dir, strlen(dir), name) : NULL;
    free(dir);
    if (path && access(path, F_OK) == 0)
        return path;
    free(path);
    return NULL;
}

static struct plugin *load_file(struct tackle_runtime *rt, const char *path, struct err *err)
{
    char *real = realpath(path, NULL);
    struct loaded_plugin *l = rt->plugins;
    while (real && l && strcmp(l->plugin->path, real) != 0)
        l = l->next;
    free(real);
    if (l)
        return l->plugin;
    const char *program = api_host_program(rt, err);
    struct plugin *plugin = program ? plugin_load(program, rt->cache_dir, path, err) : NULL;
    if (!plugin)
        return NULL;
    l = calloc(1, sizeof *l);
    if (!l) {
        plugin_free(plugin);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    *l = (struct loaded_plugin){rt->plugins, plugin};
    rt->plugins = l;
    return plugin;
}

struct plugin *plugins_load(struct tackle_runtime *rt, const char *name, struct err *err)
{
    if (is_path(name))
        return load_file(rt, name, err);
    size_t len = strlen(name);
    bool has_suffix = len > 3 && strcmp(name + len - 3, ".so") == 0;
    char *path = has_suffix ? NULL : find_file(rt, name);
    if (!path) {
        if (has_suffix)
            err_set(err, ERR_PLUGIN, "there is no plugin '%s'; a file is named with a slash: ./%s",
                    name, name);
        else
            err_set(err, ERR_NOT_FOUND, "there is no plugin '%s'; 'tackle plugins ls' lists them",
                    name);
        return NULL;
    }
    struct plugin *plugin = load_file(rt, path, err);
    free(path);
    return plugin;
}

static json_t *plugin_row(const struct plugin *p)
{
    json_t *tools = json_array();
    for (size_t i = 0; tools && i < p->tool_count; i++)
        (void)json_array_append_new(tools, json_string(p->tools[i].name));
    json_t *options = json_object_get(p->info, "options");
    return json_pack("{s:s, s:s, s:s, s:s, s:o?, s:O?, s:s, s:n}", "name", p->name, "version",
                     p->version, "description", p->description, "path", p->path, "tools", tools,
                     "options", options, "status", "ok", "error");
}

static json_t *broken_row(const char *name, const char *path, const char *error)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:[], s:[], s:s, s:s}", "name", name, "version", "",
                     "description", "", "path", path, "tools", "options", "status", "refused",
                     "error", error);
}

static int is_plugin_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

static void list_dir(struct tackle_runtime *rt, json_t *list, const char *dir, size_t len)
{
    char *folder = strndup(dir, len);
    struct dirent **names = NULL;
    int count = folder ? scandir(folder, &names, is_plugin_file, alphasort) : 0;
    for (int i = 0; i < count; i++) {
        struct err err;
        char *file = names[i]->d_name;
        file[strlen(file) - 3] = '\0';
        char *path = in_dir(dir, len, file);
        if (path && !api_is_listed(list, file)) {
            const struct plugin *p = load_file(rt, path, &err);
            (void)json_array_append_new(list, p ? plugin_row(p) : broken_row(file, path, err.text));
        }
        free(path);
        free(names[i]);
    }
    free(names);
    free(folder);
}

int32_t tackle_list_plugins(tackle_runtime *rt, char **json, tackle_error *err)
{
    struct err ignored;
    json_t *list = json_array();
    for (size_t i = 0; list && i < settings_count(&rt->settings, SET_PLUGIN); i++) {
        const char *name = settings_item(&rt->settings, SET_PLUGIN, i);
        const struct plugin *p = plugins_load(rt, name, &ignored);
        if (is_path(name))
            (void)json_array_append_new(list,
                                        p ? plugin_row(p) : broken_row(name, name, ignored.text));
    }
    for (const char *p = rt->plugin_path; list && p && *p;) {
        size_t len = strcspn(p, ":");
        if (*p == '/')
            list_dir(rt, list, p, len);
        p += len + (p[len] == ':');
    }
    char *dir = layout_find(LAYOUT_PLUGINS, &ignored);
    if (list && dir)
        list_dir(rt, list, dir, strlen(dir));
    free(dir);
    return api_give_json(rt, list, json, err);
}

int32_t tackle_check_plugin(tackle_runtime *rt, const char *name, char **json, tackle_error *error)
{
    struct err err = {.code = ERR_NONE};
    json_t *info = NULL, *row = NULL;
    char *found = is_path(name) || access(name, F_OK) == 0 ? NULL : find_file(rt, name);
    char *path = realpath(found ? found : name, NULL);
    const char *program = api_host_program(rt, &err);
    if (!program) {
        free(found);
        free(path);
        return api_fail(rt, error, &err);
    }
    info = plugin_describe(program, path ? path : name, &err);
    const json_t *problems = json_object_get(info, "problems");
    if (!info)
        row = json_pack("{s:s, s:b, s:[{s:s, s:s}], s:n}", "path", path ? path : name, "ok", 0,
                        "problems", "what", err.text, "fix", "", "plugin");
    else if (problems)
        row = json_pack("{s:s, s:b, s:O, s:n}", "path", path ? path : name, "ok", 0, "problems",
                        problems, "plugin");
    else
        row = json_pack("{s:s, s:b, s:[], s:O}", "path", path, "ok", 1, "problems", "plugin", info);
    json_decref(info);
    free(found);
    free(path);
    return api_give_json(rt, row, json, error);
}
