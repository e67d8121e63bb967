/* Configuration files and environment, in their order. */
#include "api/keys.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/path.h"
#include "base/yaml.h"

#define CONFIG_MAX (256u << 10)

/* $NAME/tackle, or $HOME/fallback/tackle; relative values are ignored (XDG Base Directory). */
static char *xdg_dir(const char *name, const char *fallback)
{
    const char *value = getenv(name);
    if (value && value[0] == '/')
        return path_join(value, "tackle");
    const char *home = getenv("HOME");
    if (!home || home[0] != '/')
        return NULL;
    char *base = path_join(home, fallback);
    char *dir = base ? path_join(base, "tackle") : NULL;
    free(base);
    return dir;
}

static int read_whole(int fd, const char *path, struct buf *out, struct err *err)
{
    for (;;) {
        if (buf_reserve(out, 4096) != 0)
            return err_set(err, ERR_CONFIG, "%s: over %u KiB", path, CONFIG_MAX >> 10);
        ssize_t got = read(fd, out->data + out->len, 4096);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
        if (got == 0)
            return 0;
        out->len += (size_t)got;
        out->data[out->len] = '\0';
    }
}

static int apply(struct settings *s, enum layer layer, const char *path, const char *text,
                 size_t len, json_t *warnings, struct err *err)
{
    const char *key;
    json_t *value, *file = yaml_load(text, len, 1, err);
    int status = file ? 0 : -1;
    if (status == 0 && !json_is_object(file) && !json_is_null(file))
        status = err_set(err, ERR_CONFIG, "line 1: 'key: value' lines are wanted");
    json_object_foreach(file, key, value)
    {
        bool ignored = false;
        if (status != 0)
            break;
        /* Lists read better in the plural. */
        const char *name = strcmp(key, "plugins") == 0          ? "plugin"
                           : strcmp(key, "plugin_options") == 0 ? "plugin_option"
                                                                : key;
        status = settings_set_json(s, layer, name, value, &ignored, err);
        if (ignored) {
            char line[256];
            (void)snprintf(line, sizeof line,
                           "%.100s: '%.60s' is ignored: a project's file may only tighten", path,
                           key);
            (void)json_array_append_new(warnings, json_string(line));
        }
    }
    json_decref(file);
    if (status != 0) {
        err->code = err->code == ERR_NOMEM ? ERR_NOMEM : ERR_CONFIG;
        err_prefix(err, "%s", path);
    }
    return status;
}

/* A file that is not there is fine. */
static int read_file(struct settings *s, enum layer layer, const char *path, json_t *warnings,
                     struct err *err)
{
    struct buf text;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : err_set(err, ERR_CONFIG, "%s: %s", path, strerror(errno));
    buf_init(&text, CONFIG_MAX);
    int status = read_whole(fd, path, &text, err);
    if (status == 0)
        status = apply(s, layer, path, text.data, text.len, warnings, err);
    (void)close(fd);
    buf_release(&text);
    return status;
}

int config_read_project(const char *workspace, struct settings *s, json_t *warnings,
                        struct err *err)
{
    char real[BENEATH_PATH_MAX];
    char *text = NULL;
    size_t len = 0;
    struct err missing;
    int root = beneath_open_root(workspace, real, err);
    if (root < 0)
        return -1;
    int status = 0;
    if (beneath_read(root, ".tackle/config.yaml", CONFIG_MAX, &text, &len, &missing) == 0)
        status = apply(s, LAYER_PROJECT, ".tackle/config.yaml", text, len, warnings, err);
    else if (missing.code != ERR_NOT_FOUND)
        status = err_set(err, ERR_CONFIG, ".tackle/config.yaml: %s", missing.text);
    free(text);
    (void)close(root);
    return status;
}

/* TACKLE_MAX_STEPS sets max_steps, and so on for every setting but those that make no sense for a
 * whole session. */
static int read_environment(struct settings *s, struct err *err)
{
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        char name[64] = "TACKLE_";
        const char *key = settings_key((enum setting)id);
        size_t used = strlen(name);
        for (; *key && used + 1 < sizeof name; key++)
            name[used++] = (char)toupper((unsigned char)*key);
        name[used] = '\0';
        const char *value = getenv(name);
        if (id == SET_FILE || id == SET_PLUGIN_OPTION || !value || !*value)
            continue;
        if (settings_set(s, LAYER_ENVIRONMENT, settings_key((enum setting)id), value, err) != 0)
            return err_prefix(err, "%s", name);
    }
    return 0;
}

static char *copy_env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? strdup(value) : NULL;
}

int32_t tackle_load_config(tackle_runtime *rt, tackle_error *error)
{
    struct err err = {.code = ERR_NONE};
    if (rt->configured)
        return api_fail_as(error, STOP_USAGE, "the configuration has been read already");
    rt->configured = true;
    if (keys_learn_environment(rt) != 0)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    rt->config_dir = xdg_dir("XDG_CONFIG_HOME", ".config");
    rt->cache_dir = xdg_dir("XDG_CACHE_HOME", ".cache");
    rt->state_dir = xdg_dir("XDG_STATE_HOME", ".local/state");
    rt->temp_dir = copy_env("TMPDIR");
    rt->scratch.parent = rt->temp_dir;
    rt->plugin_path = copy_env("TACKLE_PLUGIN_PATH");
    rt->agent_path = copy_env("TACKLE_AGENT_PATH");
    free(rt->host_program); /* of a look-up before */
    rt->host_program = copy_env("TACKLE_HOST_PROGRAM");
    if (read_file(&rt->settings, LAYER_SYSTEM, "/etc/tackle/config.yaml", rt->warnings, &err) != 0)
        return api_fail(rt, error, &err);
    char *user = rt->config_dir ? path_join(rt->config_dir, "config.yaml") : NULL;
    int status = user ? read_file(&rt->settings, LAYER_USER, user, rt->warnings, &err) : 0;
    free(user);
    if (status == 0)
        status = read_environment(&rt->settings, &err);
    return status == 0 ? 0 : api_fail(rt, error, &err);
}
