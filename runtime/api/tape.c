#include "api/tape.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "api/keys.h"
#include "base/crc32c.h"

/* ---- Rules ---- */

static int make_rules(struct tape *t, struct tackle_runtime *rt, const struct prepared *p,
                      struct err *err)
{
    struct utsname machine;
    t->rules = volatile_new();
    int bad = t->rules ? 0 : -1;
    if (bad == 0) {
        volatile_hide(t->rules, rt->redact);
        bad = volatile_set(t->rules, "workspace", p->workspace) ||
              volatile_set(t->rules, "home", rt->configured ? getenv("HOME") : NULL) ||
              volatile_set(t->rules, "tmp", rt->temp_dir ? rt->temp_dir : "/tmp") ||
              (uname(&machine) == 0 && volatile_set(t->rules, "host", machine.nodename));
    }
    return bad ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* ---- What is known of a run ---- */

static json_t *sum_of(const char *text, size_t len)
{
    char sum[16];
    (void)snprintf(sum, sizeof sum, "%08" PRIx32, crc32c(0, text, len));
    return json_string(sum);
}

/* A plugin's tools, as the model and the runtime know them. */
static json_t *plugin_json(const struct plugin *plugin)
{
    uint32_t sum = 0;
    char text[16];
    for (size_t i = 0; i < plugin->tool_count; i++) {
        const struct tool *t = &plugin->tools[i];
        sum = crc32c(sum, t->name, strlen(t->name) + 1);
        sum = crc32c(sum, t->description, strlen(t->description) + 1);
        sum = crc32c(sum, t->params ? t->params : "", t->params ? strlen(t->params) : 0);
        sum = crc32c(sum, tool_effect_name(t), strlen(tool_effect_name(t)));
    }
    (void)snprintf(text, sizeof text, "%08" PRIx32, sum);
    return json_pack("{s:s, s:s, s:s}", "name", plugin->name, "version", plugin->version, "sum",
                     text);
}

static json_t *plugins_json(const struct prepared *p)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < p->tool_count; i++) {
        const struct plugin *plugin = p->tools[i]->owner;
        bool listed = !plugin;
        for (size_t k = 0; k < i && !listed; k++)
            listed = p->tools[k]->owner == plugin;
        if (!listed)
            (void)json_array_append_new(list, plugin_json(plugin));
    }
    return list;
}

/* The part of the manifest that tells what was recorded. Sums tell that something changed, not
 * what. */
static json_t *description(const struct tape *t, const struct prepared *p,
                           const struct provider *provider)
{
    struct buf system;
    buf_init(&system, 1u << 20);
    /* Without the places of this machine. */
    if (p->system)
        (void)volatile_mask(t->rules, p->system, strlen(p->system), false, &system);
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:{s:s, s:o}, s:{s:I, s:o}, s:o}", "tackle", tackle_version(), "provider",
        provider->name, "model", provider->model, "agent", "name", p->agent.name, "sum",
        sum_of(p->agent.prompt, strlen(p->agent.prompt)), "system", "bytes", (json_int_t)system.len,
        "sum", sum_of(system.data, system.len), "plugins", plugins_json(p));
    buf_release(&system);
    return out;
}

static const json_t *named(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *text = json_string_value(json_object_get(item, "name"));
        if (text && name && strcmp(text, name) == 0)
            return item;
    }
    return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "none";
}

static void tell(struct buf *out, const char *what, const char *was, const char *is)
{
    (void)buf_format(out, "%s%s", out->len ? ", " : "", what);
    if (was && strcmp(was, is) != 0)
        (void)buf_format(out, " (%s, now %s)", was, is);
}

static void tell_plugins(const json_t *recorded, const json_t *now, struct buf *out)
{
    size_t i;
    json_t *plugin;
    char what[100];
    json_array_foreach(now, i, plugin)
    {
        const char *name = text_of(plugin, "name");
        const json_t *was = named(recorded, name);
        (void)snprintf(what, sizeof what, "the plugin %.60s", name);
        if (!was || !json_equal(was, plugin))
            tell(out, what, text_of(was, "version"), text_of(plugin, "version"));
    }
    json_array_foreach(recorded, i, plugin)
    {
        const char *name = text_of(plugin, "name");
        (void)snprintf(what, sizeof what, "the plugin %.60s", name);
        if (!named(now, name))
            tell(out, what, text_of(plugin, "version"), "none");
    }
}

void tape_explain(const struct tape *tape, const struct prepared *p,
                  const struct provider *provider, struct err *err)
{
    static const char *const keys[][2] = {{"tackle", "tackle"}, {"model", "the model"}};
    const json_t *was = tape->cassette ? cassette_manifest(tape->cassette) : NULL;
    json_t *now = was ? description(tape, p, provider) : NULL;
    struct buf text;
    if (!now)
        return;
    buf_init(&text, 600);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(text_of(was, keys[i][0]), text_of(now, keys[i][0])) != 0)
            tell(&text, keys[i][1], text_of(was, keys[i][0]), text_of(now, keys[i][0]));
    const json_t *agents[2] = {json_object_get(was, "agent"), json_object_get(now, "agent")};
    if (!json_equal(agents[0], agents[1]))
        tell(&text, "the agent", text_of(agents[0], "name"), text_of(agents[1], "name"));
    else if (!json_equal(json_object_get(was, "system"), json_object_get(now, "system")))
        tell(&text, "the system prompt", NULL, NULL);
    tell_plugins(json_object_get(was, "plugins"), json_object_get(now, "plugins"), &text);
    size_t len = strlen(err->text);
    if (text.len > 0)
        (void)snprintf(err->text + len, sizeof err->text - len,
                       "; changed since it was recorded: %s", text.data);
    buf_release(&text);
    json_decref(now);
}

/* ---- Life ---- */

bool tape_runs_nothing(const struct settings *s)
{
    return settings_text(s, SET_REPLAY) && strcmp(settings_text(s, SET_REPLAY_MODE), "full") == 0;
}

int tape_open(struct tape *tape, struct tackle_runtime *rt, const struct prepared *p,
              struct err *err)
{
    const struct settings *s = &p->settings;
    const char *replay = settings_text(s, SET_REPLAY), *record = settings_text(s, SET_RECORD);
    tape->full = tape_runs_nothing(s);
    tape->speed = (int)settings_number(s, SET_REPLAY_SPEED);
    if (!replay && !record)
        return 0;
    if (replay && record)
        return err_set(err, ERR_USAGE, "a replay is not recorded: leave out --record or --replay");
    if (make_rules(tape, rt, p, err) != 0)
        return -1;
    bool compare = strcmp(settings_text(s, SET_REPLAY_MODE), "replies") != 0;
    tape->cassette = replay ? cassette_open(replay, tape->rules, compare, err) : NULL;
    if (replay && !tape->cassette)
        return -1;
    if (replay && tape->full && !cassette_compares(tape->cassette))
        return err_set(err, ERR_USAGE,
                       "replay_mode: %s holds replies only, no calls; record it, or take the mode "
                       "model",
                       replay);
    return 0;
}

int tape_begin(struct tape *tape, struct tackle_runtime *rt, const struct prepared *p,
               const struct provider *provider, const char *run, struct err *err)
{
    const char *record = settings_text(&p->settings, SET_RECORD);
    if (!tape->rules)
        return 0;
    if (volatile_set(tape->rules, "run", run) != 0 || keys_learn(rt, "API_KEY", provider->key) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!record)
        return 0;
    json_t *manifest = description(tape, p, provider);
    tape->recorder = manifest ? recorder_new(record, settings_flag(&p->settings, SET_REFRESH),
                                             manifest, tape->rules, err)
                              : NULL;
    json_decref(manifest);
    return tape->recorder ? 0 : -1;
}

void tape_release(struct tape *tape)
{
    cassette_free(tape->cassette);
    recorder_free(tape->recorder);
    volatile_free(tape->rules);
    *tape = (struct tape){0};
}

/* ---- Calls ---- */

/* "3.1" of "r1m84....3.1" */
static const char *place_of(const struct run_call *call)
{
    const char *dot = strchr(call->key, '.');
    return dot ? dot + 1 : call->key;
}

int tape_call(struct tape *tape, const struct run_call *call, struct buf *args,
              struct cassette_result *out, struct err *err)
{
    int status;
    *out = (struct cassette_result){0};
    if (tape->cassette && cassette_compares(tape->cassette)) {
        if (cassette_call(tape->cassette, place_of(call), call->name, call->args, call->args_len,
                          out, err) != 0)
            return -1;
        if (tape->full)
            return 0;
        cassette_result_release(out);
        status = volatile_move(tape->rules, call->args, call->args_len, args);
    } else {
        status = buf_append(args, call->args, call->args_len);
    }
    return status == 0 ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

int tape_call_done(struct tape *tape, const struct run_call *call,
                   const struct run_result_of_call *result, const json_t *files, struct err *err)
{
    return tape->recorder ? recorder_call(tape->recorder, place_of(call), call->name, call->args,
                                          call->args_len, result, files, err)
                          : 0;
}

int64_t tape_wait_ms(const struct tape *tape, int64_t ms)
{
    if (!tape->cassette)
        return ms;
    return tape->speed > 0 ? ms / tape->speed : 0;
}
