#include "io/plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/url.h"
#include "io/ask_host.h"
#include "io/small_file.h"

#define CACHE_FILE_VERSION 3

json_t *plugin_describe(const char *host_program, const char *path, struct err *err)
{
    json_t *info = NULL;
    char how[ASK_HOST_HOW];
    if (ask_host(host_program, "describe", path, &info, how, err) != 0) {
        if (err->code == ERR_LIMIT)
            err->code = ERR_PLUGIN;
        err_prefix(err, "%s: loading it", path);
    } else if (!info) {
        err_set(err, ERR_PLUGIN, "%s: the process %s while it loaded the plugin", path, how);
    }
    return info;
}

/* ---- The cache ---- */

/* One file a plugin, named after its path (FNV-1a, 64 bits); the path itself stands inside. */
static char *cache_path(const char *cache_dir, const char *path)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (const char *p = path; *p; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    size_t size = strlen(cache_dir) + 64;
    char *file = malloc(size);
    if (file)
        (void)snprintf(file, size, "%s/plugins/%016" PRIx64 ".json", cache_dir, hash);
    return file;
}

static bool is_number(const json_t *object, const char *key, long long number)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) == number;
}

static bool is_same_file(const json_t *info, const struct stat *st)
{
    const json_t *file = json_object_get(info, "file");
    long long mtime_ns = (long long)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    return is_number(file, "dev", (long long)st->st_dev) &&
           is_number(file, "ino", (long long)st->st_ino) &&
           is_number(file, "size", (long long)st->st_size) && is_number(file, "mtime_ns", mtime_ns);
}

static json_t *read_cache(const char *cache_dir, const char *path, const struct stat *st)
{
    char *file = cache_path(cache_dir, path);
    json_t *entry = file ? small_file_read_json(file, ASK_HOST_MAX) : NULL;
    json_t *info = NULL;
    const char *version = json_string_value(json_object_get(entry, "tackle"));
    const char *of = json_string_value(json_object_get(entry, "path"));
    if (version && of && strcmp(version, TACKLE_VERSION_TEXT) == 0 && strcmp(of, path) == 0 &&
        is_number(entry, "v", CACHE_FILE_VERSION) && is_number(entry, "mode", st->st_mode) &&
        is_same_file(json_object_get(entry, "info"), st))
        info = json_incref(json_object_get(entry, "info"));
    json_decref(entry);
    free(file);
    return info;
}

/* A cache that cannot be written costs time, nothing else: so errors end here. */
static void write_cache(const char *cache_dir, const char *path, const struct stat *st,
                        json_t *info)
{
    char *file = cache_path(cache_dir, path);
    json_t *entry =
        json_pack("{s:i, s:s, s:s, s:I, s:O}", "v", CACHE_FILE_VERSION, "tackle",
                  TACKLE_VERSION_TEXT, "path", path, "mode", (json_int_t)st->st_mode, "info", info);
    if (file)
        (void)small_file_write_json(file, entry);
    json_decref(entry);
    free(file);
}

/* ---- Loading ---- */

static int refuse_problems(const char *path, const json_t *info, struct err *err)
{
    const json_t *problems = json_object_get(info, "problems");
    const json_t *first = json_array_get(problems, 0);
    if (!first)
        return 0;
    const char *what = json_string_value(json_object_get(first, "what"));
    const char *fix = json_string_value(json_object_get(first, "fix"));
    return err_set(err, ERR_PLUGIN, "%s: %s%s%s", path, what ? what : "cannot be loaded",
                   fix && *fix ? "; " : "", fix && *fix ? fix : "");
}

static const char *text_of(const json_t *info, const char *key)
{
    const char *text = json_string_value(json_object_get(info, key));
    return text ? text : "";
}

static int take_tools(struct plugin *p, struct err *err)
{
    const json_t *list = json_object_get(p->info, "tools");
    size_t count = json_array_size(list);
    p->tools = calloc(count ? count : 1, sizeof *p->tools);
    if (!p->tools)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (; p->tool_count < count; p->tool_count++) {
        struct tool *tool = &p->tools[p->tool_count];
        if (tool_from_json(json_array_get(list, p->tool_count), tool, err) != 0)
            return err_prefix(err, "%s", p->path);
        tool->owner = p;
    }
    return 0;
}

/* What the model gets of each tool is made once and kept with its description. */
static int keep_offered(struct plugin *p)
{
    json_t *list = json_object_get(p->info, "tools");
    for (size_t i = 0; i < p->tool_count; i++)
        if (json_object_set_new(json_array_get(list, i), "offered",
                                json_string(p->tools[i].params)) != 0)
            return -1;
    return 0;
}

struct plugin *plugin_load(const char *host_program, const char *cache_dir, const char *path,
                           struct err *err)
{
    struct stat st;
    bool described = false;
    struct plugin *p = calloc(1, sizeof *p);
    if (!p) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    p->path = realpath(path, NULL);
    if (!p->path || stat(p->path, &st) != 0) {
        err_set(err, ERR_PLUGIN, "plugin %s: %s", path, strerror(errno));
        goto fail;
    }
    p->info = cache_dir ? read_cache(cache_dir, p->path, &st) : NULL;
    if (!p->info) {
        p->info = plugin_describe(host_program, p->path, err);
        if (!p->info || refuse_problems(p->path, p->info, err) != 0)
            goto fail;
        described = true;
    }
    p->name = text_of(p->info, "name");
    p->version = text_of(p->info, "version");
    p->description = text_of(p->info, "description");
    if (take_tools(p, err) != 0)
        goto fail;
    if (cache_dir && described && keep_offered(p) == 0)
        write_cache(cache_dir, p->path, &st, p->info);
    return p;
fail:
    plugin_free(p);
    return NULL;
}

void plugin_free(struct plugin *plugin)
{
    if (!plugin)
        return;
    for (size_t i = 0; i < plugin->tool_count; i++)
        tool_release(&plugin->tools[i]);
    free(plugin->tools);
    json_decref(plugin->info);
    free(plugin->path);
    free(plugin);
}

static const json_t *find_option(const struct plugin *plugin, const char *option)
{
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(plugin->info, "options"), index, item)
    {
        if (strcmp(text_of(item, "name"), option) == 0)
            return item;
    }
    return NULL;
}

const char *plugin_option_default(const struct plugin *plugin, const char *option)
{
    return json_string_value(json_object_get(find_option(plugin, option), "default"));
}

bool plugin_option_is_secret(const struct plugin *plugin, const char *option)
{
    return json_is_true(json_object_get(find_option(plugin, option), "secret"));
}

static int unknown_option(const struct plugin *plugin, const char *option, struct err *err)
{
    size_t index;
    struct text_nearest near = {.word = option};
    json_t *item;
    json_array_foreach(json_object_get(plugin->info, "options"), index, item)
    {
        (void)text_nearest(&near, text_of(item, "name"));
    }
    return near.best ? err_set(err, ERR_USAGE, "plugin %s has no option '%s'; did you mean '%s'?",
                               plugin->name, option, near.best)
                     : err_set(err, ERR_USAGE,
                               "plugin %s has no option '%s'; 'tackle plugins info %s' lists them",
                               plugin->name, option, plugin->name);
}

int plugin_check_option(const struct plugin *plugin, const char *option, const char *value,
                        struct err *err)
{
    const json_t *declared = find_option(plugin, option);
    struct url_parts parts;
    if (!declared)
        return unknown_option(plugin, option, err);
    const char *type = text_of(declared, "type");
    const char *wanted = NULL;
    if (strcmp(type, "int") == 0) {
        char *end = NULL;
        errno = 0;
        (void)strtoll(value, &end, 10);
        if (errno || end == value || *end || strspn(value, "-0123456789") == 0)
            wanted = "a whole number";
    } else if (strcmp(type, "bool") == 0) {
        if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            wanted = "true or false";
    } else if (strcmp(type, "url") == 0 && url_split(value, &parts) != 0) {
        wanted = "a plain http or https URL";
    }
    return wanted ? err_set(err, ERR_USAGE, "plugin option %s.%s: '%s' is not %s", plugin->name,
                            option, value, wanted)
                  : 0;
}
