#include "engine/tool.h"

#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "wire/sanitise.h"

static const struct {
    const char *word;
    uint32_t bit;
} does_words[] = {{"reads", TACKLE_READS},
                  {"writes", TACKLE_WRITES},
                  {"runs", TACKLE_RUNS},
                  {"network", TACKLE_NETWORK}};

static const char *const effect_words[] = {"never", "safe", "keyed", "probe"};

#define NO_PARAMS "{\"type\":\"object\",\"properties\":{}}"

static bool is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return len > 0 && len <= 64 && name[len] == '\0' && (name[0] < '0' || name[0] > '9');
}

struct tool_check {
    struct schema *schema; /* NULL until it is needed */
};

const struct schema *tool_schema(const struct tool *tool, struct err *err)
{
    if (tool->check && !tool->check->schema)
        tool->check->schema = schema_compile_json(tool->declared, SCHEMA_STRICT_PROPERTIES, err);
    return tool->check ? tool->check->schema : NULL;
}

/* `offered` is what the model gets, if that is known already. */
static int set_schema(struct tool *tool, json_t *params, const char *offered, struct err *err)
{
    json_t *clean = NULL;
    if (params) {
        tool->declared = json_incref(params);
        tool->check = calloc(1, sizeof *tool->check);
        if (!tool->check)
            return err_set(err, ERR_NOMEM, "out of memory");
        if (!offered && (!tool_schema(tool, err) || !(clean = sanitise_schema(params, NULL, err))))
            return -1;
    }
    tool->params = clean               ? json_dumps(clean, JSON_COMPACT)
                   : params && offered ? strdup(offered)
                                       : strdup(NO_PARAMS);
    json_decref(clean);
    return tool->params ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int set_names(struct tool *tool, const char *name, const char *description, struct err *err)
{
    if (!name || !is_name(name))
        return err_set(err, ERR_PLUGIN,
                       "tool '%s': a name is of a-z, 0-9 and _, starts with no digit, and has 64 "
                       "bytes at most",
                       name ? name : "");
    if (!description || !*description)
        return err_set(err, ERR_PLUGIN, "tool '%s': it needs a description for the model", name);
    tool->name = strdup(name);
    tool->description = strdup(description);
    return tool->name && tool->description ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int set_hosts(struct tool *tool, const json_t *list, struct err *err)
{
    size_t count = json_array_size(list);
    if (count == 0)
        return 0;
    tool->hosts = calloc(count + 1, sizeof *tool->hosts);
    for (size_t i = 0; tool->hosts && i < count; i++) {
        const char *host = json_string_value(json_array_get(list, i));
        tool->hosts[i] = strdup(host ? host : "");
        if (!tool->hosts[i])
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return tool->hosts ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static uint32_t does_from_json(const json_t *list)
{
    uint32_t does = 0;
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item)
    {
        const char *word = json_string_value(item);
        for (size_t i = 0; word && i < sizeof does_words / sizeof *does_words; i++)
            if (strcmp(word, does_words[i].word) == 0)
                does |= does_words[i].bit;
    }
    return does;
}

static uint32_t effect_from_json(const json_t *value)
{
    const char *word = json_string_value(value);
    for (uint32_t i = 0; word && i < sizeof effect_words / sizeof *effect_words; i++)
        if (strcmp(word, effect_words[i]) == 0)
            return i;
    return TACKLE_EFFECT_NEVER;
}

int tool_from_json(const json_t *value, struct tool *out, struct err *err)
{
    *out = (struct tool){0};
    json_t *params = json_object_get(value, "params");
    out->does = does_from_json(json_object_get(value, "does"));
    out->effect = effect_from_json(json_object_get(value, "effect"));
    out->parallel = json_is_true(json_object_get(value, "parallel"));
    if (set_names(out, json_string_value(json_object_get(value, "name")),
                  json_string_value(json_object_get(value, "description")), err) != 0 ||
        set_hosts(out, json_object_get(value, "hosts"), err) != 0)
        goto fail;
    if (set_schema(out, json_is_object(params) ? params : NULL,
                   json_string_value(json_object_get(value, "offered")), err) != 0) {
        err_prefix(err, "tool '%s': params", out->name);
        goto fail;
    }
    return 0;
fail:
    tool_release(out);
    return -1;
}

int tool_from_parts(const char *name, const char *description, const char *params, uint32_t does,
                    uint32_t effect, struct tool *out, struct err *err)
{
    *out = (struct tool){.does = does, .effect = effect, .parallel = (does & TACKLE_PARALLEL) != 0};
    json_error_t where;
    json_t *schema = params ? json_loads(params, JSON_REJECT_DUPLICATES, &where) : NULL;
    int status = 0;
    if (set_names(out, name, description, err) != 0)
        status = -1;
    else if (params && !schema)
        status = err_set(err, ERR_PLUGIN, "tool '%s': params: %s", name, where.text);
    else if (set_schema(out, schema, NULL, err) != 0)
        status = err_prefix(err, "tool '%s': params", name);
    json_decref(schema);
    if (status != 0)
        tool_release(out);
    return status;
}

void tool_release(struct tool *tool)
{
    free(tool->name);
    free(tool->description);
    free(tool->params);
    json_decref(tool->declared);
    if (tool->check)
        schema_free(tool->check->schema);
    free(tool->check);
    for (char **host = tool->hosts; host && *host; host++)
        free(*host);
    free(tool->hosts);
    *tool = (struct tool){0};
}

json_t *tool_does_json(const struct tool *tool)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < sizeof does_words / sizeof *does_words; i++)
        if ((tool->does & does_words[i].bit) &&
            json_array_append_new(list, json_string(does_words[i].word)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

const char *tool_effect_name(const struct tool *tool)
{
    return tool->effect < sizeof effect_words / sizeof *effect_words ? effect_words[tool->effect]
                                                                     : "never";
}
