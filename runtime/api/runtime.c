/* A runtime's life, its settings, its loop, and the functions of the embedding program. */
#include "api/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "io/layout.h"

const char *tackle_version(void)
{
    return TACKLE_VERSION_TEXT;
}

void tackle_free(void *text)
{
    free(text);
}

int32_t api_fail_as(tackle_error *out, enum stop_reason reason, const char *message)
{
    if (out && out->size >= sizeof *out) {
        out->exit_code = outcome_exit_code(reason, 0);
        (void)snprintf(out->reason, sizeof out->reason, "%s", outcome_name(reason));
        (void)snprintf(out->message, sizeof out->message, "%s", message);
    }
    return -1;
}

int32_t api_fail_quoting(const struct tackle_runtime *rt, tackle_error *out,
                         enum stop_reason reason, const char *message)
{
    struct buf clean;
    size_t len = strlen(message);
    buf_init(&clean, 8 * len + 4096);
    long found = ENFORCED(secrets_not_in_errors)
                     ? redact_copy(rt->redact, REDACT_TEXT, message, len, &clean)
                     : 0;
    (void)api_fail_as(out, reason,
                      found < 0   ? "failed; the reason holds secrets"
                      : found > 0 ? clean.data
                                  : message);
    buf_release(&clean);
    return -1;
}

int32_t api_fail(const struct tackle_runtime *rt, tackle_error *out, const struct err *from)
{
    return api_fail_quoting(rt, out, outcome_of_error(from->code), from->text);
}

int32_t api_give_text(const struct tackle_runtime *rt, char *text, char **json, tackle_error *err)
{
    struct buf clean;
    size_t len = text ? strlen(text) : 0;
    buf_init(&clean, SIZE_MAX / 2);
    long found = ENFORCED(secrets_not_in_lookups)
                     ? redact_copy(rt->redact, REDACT_JSON, text ? text : "", len, &clean)
                     : 0;
    *json = found == 0 ? text : NULL;
    if (found > 0)
        *json = buf_take(&clean);
    if (found != 0)
        free(text);
    buf_release(&clean);
    return *json ? 0 : api_fail_as(err, STOP_INTERNAL, "out of memory");
}

int32_t api_give_json(const struct tackle_runtime *rt, json_t *value, char **json,
                      tackle_error *err)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(value);
    return api_give_text(rt, text, json, err);
}

bool api_is_listed(const json_t *rows, const char *name)
{
    size_t index;
    json_t *row;
    json_array_foreach(rows, index, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) == 0)
            return true;
    }
    return false;
}

int32_t tackle_runtime_new(tackle_runtime **out, tackle_error *error)
{
    struct err err;
    *out = NULL;
    struct tackle_runtime *rt = calloc(1, sizeof *rt);
    if (!rt)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    rt->warnings = json_array();
    rt->loop = loop_new(&err);
    if (!rt->loop)
        goto fail;
    rt->http = http_new(rt->loop, &err);
    rt->plugin_http = http_new(rt->loop, &err);
    if (!rt->http || !rt->plugin_http)
        goto fail;
    rt->redact = redact_new();
    rt->own = redact_new();
    if (!rt->warnings || !rt->redact || !rt->own || settings_init(&rt->settings) != 0) {
        err_set(&err, ERR_NOMEM, "out of memory");
        goto fail;
    }
    *out = rt;
    return 0;
fail:
    tackle_runtime_free(rt);
    return api_fail_as(error, outcome_of_error(err.code), err.text); /* no secret is known yet */
}

static void functions_free(struct function *f)
{
    while (f) {
        struct function *next = f->next;
        tool_release(&f->tool);
        free(f);
        f = next;
    }
}

void tackle_runtime_free(tackle_runtime *rt)
{
    if (!rt)
        return;
    while (rt->runs)
        tackle_run_free(rt->runs);
    toolhost_free(rt->hosts);
    while (rt->plugins) {
        struct loaded_plugin *next = rt->plugins->next;
        plugin_free(rt->plugins->plugin);
        free(rt->plugins);
        rt->plugins = next;
    }
    functions_free(rt->functions);
    keys_release(rt);
    http_free(rt->plugin_http);
    http_free(rt->http);
    loop_free(rt->loop);
    settings_release(&rt->settings);
    free(rt->host_program);
    free(rt->plugin_path);
    free(rt->agent_path);
    free(rt->config_dir);
    free(rt->cache_dir);
    free(rt->state_dir);
    scratch_remove(&rt->scratch);
    free(rt->temp_dir);
    json_decref(rt->warnings);
    free(rt);
}

int32_t tackle_set(tackle_runtime *rt, const char *key, const char *value, tackle_error *error)
{
    struct err err;
    return settings_set(&rt->settings, LAYER_FLAG, key, value, &err) == 0
               ? 0
               : api_fail(rt, error, &err);
}

const tackle_setting *const *tackle_settings(void)
{
    return settings_table();
}

const char *api_host_program(struct tackle_runtime *rt, struct err *err)
{
    if (!rt->host_program)
        rt->host_program = layout_find(LAYOUT_HOST, err);
    return rt->host_program;
}

struct toolhost *api_hosts(struct tackle_runtime *rt, struct err *err)
{
    if (!rt->hosts && api_host_program(rt, err))
        rt->hosts = toolhost_new(rt->loop, rt->plugin_http, rt->host_program, &rt->scratch, err);
    return rt->hosts;
}

int32_t tackle_add_function(tackle_runtime *rt, const tackle_function *function,
                            tackle_error *error)
{
    struct err err;
    if (function->size < sizeof *function || !function->call)
        return api_fail_as(error, STOP_USAGE, "tackle_function: size or call is not set");
    for (const struct function *f = rt->functions; f; f = f->next)
        if (function->name && strcmp(f->tool.name, function->name) == 0)
            return api_fail_as(error, STOP_USAGE, "there is a function of this name already");
    struct function *f = calloc(1, sizeof *f);
    if (!f)
        return api_fail_as(error, STOP_INTERNAL, "out of memory");
    if (tool_from_parts(function->name, function->description, function->params, function->does,
                        function->effect, &f->tool, &err) != 0) {
        free(f);
        return api_fail_as(error, STOP_USAGE, err.text);
    }
    f->call = function->call;
    f->user = function->user;
    f->next = rt->functions;
    rt->functions = f;
    return 0;
}

int32_t tackle_fd(const tackle_runtime *rt)
{
    return loop_fd(rt->loop);
}

void tackle_wakeup(tackle_runtime *rt)
{
    loop_wake(rt->loop);
}
