/* What is there, as JSON, and one tool call without a model. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "api/runtime.h"
#include "base/text.h"
#include "wire/chat_args.h"

static json_t *tool_row(const struct prepared *p, const struct tool *tool)
{
    struct policy_decision d;
    policy_decide(p->policy, tool, NULL, &d);
    bool allowed = policy_offers(p->policy, tool);
    const struct plugin *plugin = tool->owner;
    json_t *params = tool->declared ? json_incref(tool->declared) : json_object();
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:b, s:b, s:s?}", "name", tool->name,
                     "description", tool->description, "plugin", plugin ? plugin->name : "program",
                     "params", params, "does", tool_does_json(tool), "effect",
                     tool_effect_name(tool), "parallel", tool->parallel, "allowed", allowed,
                     "reason", allowed ? NULL : d.why);
}

int32_t tackle_list_tools(tackle_runtime *rt, char **json, tackle_error *error)
{
    struct prepared p;
    struct err err;
    if (prepare(rt, &(struct occasion){0}, &p, &err) != 0)
        return api_fail(rt, error, &err);
    json_t *list = json_array();
    for (size_t i = 0; list && i < p.tool_count; i++)
        (void)json_array_append_new(list, tool_row(&p, p.tools[i]));
    prepared_release(&p);
    return api_give_json(rt, list, json, error);
}

int32_t tackle_show_settings(tackle_runtime *rt, char **json, tackle_error *err)
{
    return api_give_json(rt, settings_json(&rt->settings), json, err);
}

int32_t tackle_list_providers(tackle_runtime *rt, char **json, tackle_error *err)
{
    return api_give_json(rt, provider_list(api_getenv, rt), json, err);
}

/* ---- One call ---- */

struct waiting {
    bool done;
    bool unconfined; /* the tool was not run at all; `why` says so */
    struct err why;
    json_t *files;
    json_t *row;
    const char *name;
};

static void on_changed(void *user, const char *path, const char *what)
{
    const struct waiting *w = user;
    (void)json_array_append_new(w->files, json_pack("{s:s, s:s}", "path", path, "what", what));
}

static void on_done(void *user, const struct run_result_of_call *r)
{
    struct waiting *w = user;
    struct buf text, error;
    w->done = true;
    w->unconfined = r->unconfined;
    if (r->unconfined) {
        (void)err_set(&w->why, ERR_SANDBOX, "%s", r->message);
        return;
    }
    buf_init(&text, 64u << 20);
    buf_init(&error, 64u << 10);
    (void)text_for_model(&text, r->output, r->len);
    if (r->code != 0)
        (void)text_for_model(&error, r->message, strlen(r->message));
    if (r->omitted)
        (void)buf_format(&text, "\n[%" PRIu64 " bytes more were not kept]", r->omitted);
    w->row = json_pack("{s:s, s:b, s:i, s:o?, s:s, s:I, s:O}", "name", w->name, "ok", r->code == 0,
                       "code", (int)r->code, "output", json_stringn(text.data, text.len), "error",
                       error.data, "duration_ms", (json_int_t)r->duration_ms, "files", w->files);
    buf_release(&error);
    buf_release(&text);
}

const struct tool *api_find_tool(const struct prepared *p, const char *name, struct err *err)
{
    struct text_nearest near = {.word = name};
    for (size_t i = 0; i < p->tool_count; i++) {
        if (strcmp(p->tools[i]->name, name) == 0)
            return p->tools[i];
        (void)text_nearest(&near, p->tools[i]->name);
    }
    if (near.best)
        err_set(err, ERR_USAGE, "there is no tool '%s'; did you mean '%s'?", name, near.best);
    else
        err_set(err, ERR_USAGE, "there is no tool '%s'; 'tackle tools ls' lists them", name);
    return NULL;
}

char *api_check_arguments(const struct tool *tool, const char *args_json, struct err *err)
{
    struct buf problems, line;
    char *text = NULL;
    json_t *args = chat_args_parse(args_json, strlen(args_json), NULL, err);
    if (!args) {
        err->code = ERR_USAGE;
        return NULL;
    }
    const struct schema *schema = tool_schema(tool, err);
    if (tool->check && !schema) {
        json_decref(args);
        return NULL;
    }
    buf_init(&problems, 8192);
    buf_init(&line, 16384);
    if (schema && schema_check(schema, args, &problems) != 0) {
        for (const char *p = problems.data; *p; p++)
            (void)(*p == '\n' ? buf_text(&line, "; ") : buf_byte(&line, *p));
        err_set(err, ERR_USAGE, "the arguments do not fit %s: %s", tool->name, line.data);
    } else if (!schema && json_object_size(args) > 0) {
        err_set(err, ERR_USAGE, "%s takes no arguments", tool->name);
    } else if (!(text = json_dumps(args, JSON_COMPACT | JSON_REAL_PRECISION(17)))) {
        err_set(err, ERR_NOMEM, "out of memory");
    }
    buf_release(&line);
    buf_release(&problems);
    json_decref(args);
    return text;
}

/* There is nobody to ask. `args` are the text that api_check_arguments() gave. */
static bool permitted(const struct prepared *p, const struct tool *tool, const char *args,
                      struct err *err)
{
    struct policy_decision d;
    json_t *object = json_loads(args, JSON_ALLOW_NUL, NULL);
    policy_decide(p->policy, tool, object, &d);
    json_decref(object);
    if (d.verdict != POLICY_ALLOW)
        err_set(err, ERR_DENIED, "%s", d.why);
    return d.verdict == POLICY_ALLOW;
}

static int call_and_wait(struct tackle_runtime *rt, const struct prepared *p,
                         const struct tool *tool, const char *args, struct waiting *w,
                         struct err *err)
{
    const struct api_call_events events = {.changed = on_changed, .done = on_done, .user = w};
    struct api_call *call =
        api_call_start(rt, p, tool, args, strlen(args), "call", false, &events, err);
    if (!call)
        return -1;
    int status = 0;
    rt->stepping = true;
    while (!w->done && status == 0)
        status = loop_turn(rt->loop, -1, err);
    rt->stepping = false;
    if (!w->done)
        api_call_abandon(call);
    if (status == 0 && w->unconfined) {
        *err = w->why;
        status = -1;
    }
    return status;
}

int32_t tackle_call_tool(tackle_runtime *rt, const char *name, const char *args_json, char **json,
                         tackle_error *error)
{
    struct prepared p;
    struct err err;
    if (rt->stepping)
        return api_fail_as(error, STOP_USAGE, "tackle_call_tool() called from a callback");
    struct waiting w = {.name = name, .files = json_array()};
    if (prepare(rt, &(struct occasion){0}, &p, &err) != 0) {
        json_decref(w.files);
        return api_fail(rt, error, &err);
    }
    int status = -1;
    char *args = NULL;
    enum stop_reason reason = STOP_USAGE;
    const struct tool *tool = api_find_tool(&p, name, &err);
    if (tool && (args = api_check_arguments(tool, args_json, &err)) &&
        !permitted(&p, tool, args, &err))
        reason = STOP_DENIED;
    else if (args && api_require_sandbox(rt, &p, &err) == 0)
        status = call_and_wait(rt, &p, tool, args, &w, &err);
    free(args);
    json_decref(w.files);
    prepared_release(&p);
    if (status != 0)
        return reason == STOP_DENIED ? api_fail_as(error, reason, err.text)
                                     : api_fail(rt, error, &err);
    return api_give_json(rt, w.row, json, error);
}
