/* Where agents are found, and what is told of them. */
#include "api/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/text.h"
#include "io/layout.h"

#define AGENTS_MAX 200

/* A folder of agents. The workspace's comes last, so that it never shadows another. */
struct place {
    char *dir; /* owned */
    const char *origin;
    bool trusted;
};

#define PLACES_MAX 8

static size_t add_place(struct place *places, size_t count, char *dir, const char *origin,
                        bool trusted)
{
    if (dir && count < PLACES_MAX)
        places[count++] = (struct place){dir, origin, trusted};
    else
        free(dir);
    return count;
}

static char *agent_path(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + sizeof "/.md";
    char *path = malloc(size);
    if (path)
        (void)snprintf(path, size, "%s/%s.md", dir, name);
    return path;
}

static size_t list_places(const struct tackle_runtime *rt, const struct settings *s,
                          struct place places[PLACES_MAX])
{
    size_t count = 0;
    struct err ignored;
    if (rt->config_dir)
        count = add_place(places, count, path_join(rt->config_dir, "agents"), "user", true);
    for (const char *p = rt->agent_path; p && *p;) {
        size_t len = strcspn(p, ":");
        if (*p == '/')
            count = add_place(places, count, strndup(p, len), "TACKLE_AGENT_PATH", true);
        p += len + (p[len] == ':');
    }
    count = add_place(places, count, layout_find(LAYOUT_AGENTS, &ignored), "installed", true);
    const char *workspace = settings_text(s, SET_WORKSPACE);
    count = add_place(places, count, path_join(workspace, ".tackle/agents"), "workspace",
                      settings_flag(s, SET_TRUST_PROJECT));
    return count;
}

static void free_places(struct place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(places[i].dir);
}

static int read_agent(const char *path, struct agent *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_CONFIG,
                       "agent %s: %s", path, strerror(errno));
    struct buf text;
    buf_init(&text, AGENT_FILE_MAX + 4096);
    ssize_t got = 1;
    while (got > 0 && buf_reserve(&text, 4096) == 0) {
        got = read(fd, text.data + text.len, 4096);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            text.len += (size_t)got;
    }
    int status;
    if (got < 0)
        status = err_set(err, ERR_CONFIG, "agent %s: %s", path, strerror(errno));
    else {
        text.data[text.len] = '\0';
        status = agent_parse(path, text.data, text.len, out, err);
    }
    (void)close(fd);
    buf_release(&text);
    return status;
}

static bool is_path(const char *name)
{
    size_t len = strlen(name);
    return strchr(name, '/') || (len > 3 && strcmp(name + len - 3, ".md") == 0);
}

/* Names of the agents in a folder, without ".md", sorted. */
static int is_agent_file(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 3 && strcmp(entry->d_name + len - 3, ".md") == 0;
}

static int unknown_agent(const struct place *places, size_t count, const char *name,
                         struct err *err)
{
    char near[256] = "";
    struct text_nearest nearest = {.word = name};
    for (size_t i = 0; i < count; i++) {
        struct dirent **names = NULL;
        int found = scandir(places[i].dir, &names, is_agent_file, alphasort);
        for (int k = 0; k < found; k++) {
            names[k]->d_name[strlen(names[k]->d_name) - 3] = '\0';
            if (text_nearest(&nearest, names[k]->d_name))
                (void)snprintf(near, sizeof near, "%s", names[k]->d_name);
            free(names[k]);
        }
        free(names);
    }
    return *near
               ? err_set(err, ERR_CONFIG, "there is no agent '%s'; did you mean '%s'?", name, near)
               : err_set(err, ERR_CONFIG,
                         "there is no agent '%s'; 'tackle agents ls' lists them, and a path "
                         "names a file",
                         name);
}

int agents_load(struct tackle_runtime *rt, const struct settings *s, const char *name,
                struct agent *out, char **path, bool *trusted, struct err *err)
{
    struct place places[PLACES_MAX];
    *path = NULL;
    *trusted = true;
    if (is_path(name)) {
        int status = read_agent(name, out, err);
        if (status != 0 && err->code == ERR_NOT_FOUND)
            err->code = ERR_CONFIG;
        if (status == 0 && !(*path = strdup(name))) {
            agent_release(out);
            return err_set(err, ERR_NOMEM, "out of memory");
        }
        return status;
    }
    int status = -1;
    size_t count = list_places(rt, s, places);
    for (size_t i = 0; i < count; i++) {
        *path = agent_path(places[i].dir, name);
        if (!*path) {
            err_set(err, ERR_NOMEM, "out of memory");
            break;
        }
        status = read_agent(*path, out, err);
        *trusted = places[i].trusted;
        if (status == 0 || err->code != ERR_NOT_FOUND)
            break;
        free(*path);
        *path = NULL;
    }
    if (status != 0 && !*path && err->code == ERR_NOT_FOUND)
        unknown_agent(places, count, name, err);
    if (status != 0) {
        free(*path);
        *path = NULL;
    }
    free_places(places, count);
    return status;
}

static void list_folder(json_t *list, const struct place *place)
{
    struct dirent **names = NULL;
    int count = scandir(place->dir, &names, is_agent_file, alphasort);
    for (int i = 0; i < count; i++) {
        struct agent agent;
        struct err err;
        char *path = path_join(place->dir, names[i]->d_name);
        names[i]->d_name[strlen(names[i]->d_name) - 3] = '\0';
        const char *name = names[i]->d_name;
        if (path && !api_is_listed(list, name) && json_array_size(list) < AGENTS_MAX) {
            bool ok = read_agent(path, &agent, &err) == 0;
            (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s?}", "name", name,
                                                        "description", ok ? agent.description : "",
                                                        "path", path, "origin", place->origin,
                                                        "error", ok ? NULL : err.text));
            if (ok)
                agent_release(&agent);
        }
        free(path);
        free(names[i]);
    }
    free(names);
}

int32_t tackle_list_agents(tackle_runtime *rt, char **json, tackle_error *err)
{
    struct place places[PLACES_MAX];
    json_t *list = json_array();
    size_t count = list_places(rt, &rt->settings, places);
    for (size_t i = 0; list && i < count; i++)
        list_folder(list, &places[i]);
    free_places(places, count);
    return api_give_json(rt, list, json, err);
}

int32_t tackle_show_agent(tackle_runtime *rt, const char *name, char **json, tackle_error *error)
{
    struct agent agent;
    struct err err;
    char *path = NULL;
    bool trusted = true;
    if (agents_load(rt, &rt->settings, name, &agent, &path, &trusted, &err) != 0)
        return api_fail(rt, error, &err);
    json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:O?, s:O?, s:O, s:s}", "name", agent.name,
                            "description", agent.description, "path", path, "trusted", trusted,
                            "model", json_object_get(agent.settings, "model"), "tools",
                            json_object_get(agent.settings, "tools"), "settings", agent.settings,
                            "prompt", agent.prompt);
    agent_release(&agent);
    free(path);
    return api_give_json(rt, row, json, error);
}
