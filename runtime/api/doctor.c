/* Could a run work? Looks at everything that one needs, and says what to do about what is wrong. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/keys.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/yaml.h"
#include "engine/confine.h"
#include "io/confine_probe.h"
#include "io/kernel.h"
#include "io/layout.h"
#include "wire/schema.h"

#define ENDPOINT_MS 5000

struct doctor {
    struct tackle_runtime *rt;
    json_t *checks;
    json_t *plugins;
    bool broken;
};

/* One finding; fix may be NULL. */
__attribute__((format(printf, 5, 6))) static void find(struct doctor *d, const char *name,
                                                       const char *status, const char *fix,
                                                       const char *format, ...)
{
    char text[1024];
    struct buf clean; /* texts quote paths and answers, and may be cut within a character */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_init(&clean, 4 * sizeof text);
    (void)text_fix_utf8(&clean, text, strlen(text), NULL);
    d->broken = d->broken || strcmp(status, "broken") == 0;
    (void)json_array_append_new(d->checks,
                                json_pack("{s:s, s:s, s:s, s:s?}", "name", name, "status", status,
                                          "text", clean.data, "fix", fix));
    buf_release(&clean);
}

/* ---- Configuration ---- */

static void add_file(json_t *files, const char *dir, const char *name, size_t *found)
{
    char path[4096];
    if (!dir || snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
        return;
    bool there = access(path, F_OK) == 0;
    *found += there;
    (void)json_array_append_new(files, json_pack("{s:s, s:b}", "path", path, "found", there));
}

/* In the order in which they are read; a later one wins. */
static json_t *look_at_files(struct doctor *d)
{
    const char *workspace = settings_text(&d->rt->settings, SET_WORKSPACE);
    json_t *files = json_array();
    size_t found = 0;
    if (!d->rt->config_dir) { /* no configuration was asked for */
        find(d, "configuration", "skipped", NULL, "no file is read (--bare)");
        return files;
    }
    add_file(files, "/etc/tackle", "config.yaml", &found);
    add_file(files, d->rt->config_dir, "config.yaml", &found);
    add_file(files, workspace ? workspace : ".", ".tackle/config.yaml", &found);
    find(d, "configuration", "ok", NULL, "%zu of %zu files are there", found,
         json_array_size(files));
    return files;
}

/* What is set by more than the defaults. */
static json_t *look_at_settings(const struct settings *s)
{
    json_t *all = settings_json(s), *set = json_array(), *row;
    const char *builtin = settings_layer_name(LAYER_BUILTIN);
    size_t i;
    json_array_foreach(all, i, row)
    {
        const char *origin = json_string_value(json_object_get(row, "origin"));
        if (origin && strcmp(origin, builtin) != 0)
            (void)json_array_append(set, row);
    }
    json_decref(all);
    return set;
}

/* ---- What a run is made of ---- */

static void look_at_run(struct doctor *d, const struct prepared *p, const struct err *why)
{
    size_t i, offered = 0;
    json_t *text;
    if (!p) {
        find(d, "run", "broken",
             "correct that setting or file; 'tackle config show --origin' says "
             "where each comes from",
             "%s", why->text);
        return;
    }
    for (i = 0; i < p->tool_count; i++)
        offered += policy_offers(p->policy, p->tools[i]);
    find(d, "run", "ok", NULL, "agent %s with %zu tools in %s", p->agent.name, offered,
         p->workspace);
    json_array_foreach(p->warnings, i, text)
        find(d, "run", "note", NULL, "%s", json_string_value(text));
}

static void look_at_key(struct doctor *d, const struct provider *provider, const struct err *why)
{
    if (!provider && why->code == ERR_AUTH)
        find(d, "key", "broken", "export it, or choose another endpoint: 'tackle models'", "%s",
             why->text);
    else if (!provider)
        find(d, "key", "broken", "correct --model or --base-url", "%s", why->text);
    else if (provider->key)
        find(d, "key", "ok", NULL, "%s is set, for %s", provider->key_env, provider->base_url);
    else
        find(d, "key", "ok", NULL, "none is set, and %s needs none", provider->base_url);
}

/* ---- The endpoint ---- */

static void judge_answer(struct doctor *d, const struct provider *provider,
                         const struct endpoint_answer *answer)
{
    tackle_error error = TACKLE_ERROR_INIT;
    const char *url = provider->base_url;
    if (answer->status == 401 || answer->status == 403)
        find(d, "endpoint", "broken",
             provider->key ? "set a key that is valid for this endpoint"
                           : "this endpoint wants a key: TACKLE_API_KEY",
             "%s refuses the key (%d)", url, answer->status);
    else if (answer->status == 404 || answer->status == 405)
        find(d, "endpoint", "note", NULL, "%s answers, but has no list of models (%d)", url,
             answer->status);
    else if (api_check_answer(d->rt, provider, answer, "list its models", &error) != 0)
        find(d, "endpoint", "broken", "try again later, or another endpoint: 'tackle models'", "%s",
             error.message);
    else
        find(d, "endpoint", "ok", NULL, "%s answers", url);
}

/* GET base_url/models, which costs nothing. */
static void ask_for_models(struct doctor *d, const struct provider *provider)
{
    struct endpoint_answer answer;
    tackle_error error = TACKLE_ERROR_INIT;
    if (api_ask_endpoint(d->rt, provider, "/models", ENDPOINT_MS, &answer, &error) == 0)
        judge_answer(d, provider, &answer);
    else
        find(d, "endpoint", "broken",
             "check --base-url, the network, and HTTPS_PROXY if there is a proxy", "%s",
             error.message);
    endpoint_answer_release(&answer);
}

static void look_at_endpoint(struct doctor *d, const struct settings *s,
                             const struct provider *provider, bool offline)
{
    if (settings_text(s, SET_REPLAY))
        find(d, "endpoint", "skipped", NULL, "a replay asks none");
    else if (offline || !provider)
        find(d, "endpoint", "skipped", NULL, "not asked%s", offline ? " (--offline)" : "");
    else
        ask_for_models(d, provider);
}

/* ---- Plugins ---- */

/* The first that is all right; NULL when none is. */
static const char *good_plugin(const json_t *plugins)
{
    size_t i;
    json_t *row;
    json_array_foreach(plugins, i, row)
    {
        const char *status = json_string_value(json_object_get(row, "status"));
        if (status && strcmp(status, "ok") == 0)
            return json_string_value(json_object_get(row, "path"));
    }
    return NULL;
}

/* Those that the run needs have been looked at with it; here another one that is refused is only
 * worth a note. */
static void look_at_plugins(struct doctor *d)
{
    char *text = NULL;
    size_t i, good = 0;
    json_t *row;
    if (tackle_list_plugins(d->rt, &text, NULL) == 0)
        d->plugins = json_loads(text, 0, NULL);
    tackle_free(text);
    json_array_foreach(d->plugins, i, row)
    {
        const char *error = json_string_value(json_object_get(row, "error"));
        good += error == NULL;
        if (error)
            find(d, "plugins", "note", "'tackle plugins check FILE' says what to do", "%s", error);
    }
    find(d, "plugins", good > 0 ? "ok" : "note", NULL, "%zu can be used", good);
}

/* Has tackle-host describe a plugin, past the cache. */
static void look_at_host(struct doctor *d)
{
    static const char fix[] = "install tackle whole, or let TACKLE_HOST_PROGRAM name the program";
    struct err err;
    const char *program = api_host_program(d->rt, &err);
    if (!program) {
        find(d, "tackle-host", "broken", fix, "%s", err.text);
        return;
    }
    const char *path = good_plugin(d->plugins);
    json_t *info = plugin_describe(program, path ? path : "/", &err);
    if (!info)
        find(d, "tackle-host", "broken", fix, "%s", err.text);
    else
        find(d, "tackle-host", "ok", NULL, "%s starts", program);
    json_decref(info);
}

/* ---- The machine ---- */

static json_t *look_at_kernel(void)
{
    struct kernel_offer offer;
    kernel_look(&offer);
    return json_pack("{s:i, s:b, s:b}", "landlock_abi", offer.landlock_abi, "user_namespaces",
                     offer.user_namespaces, "seccomp", offer.seccomp);
}

static void describe_offer(const struct confine_offer *offer, bool namespaces, char *out,
                           size_t size)
{
    const char *maker = strcmp(offer->via, "self") == 0 ? "tackle-host" : offer->via;
    (void)snprintf(out, size, "Landlock ABI %d%s%s%s%s", offer->landlock,
                   namespaces ? ", namespaces by " : "", namespaces ? maker : "",
                   *offer->cgroup ? ", cgroup " : "", offer->cgroup);
}

/* Is it the tier that a run would have? Then not having it is what is broken. */
static json_t *try_tier(struct doctor *d, const char *program, const char *tier, bool wanted)
{
    struct confine_offer offer;
    struct err why;
    char text[160];
    if (confine_probe(program, NULL, tier, &offer, &why) != 0) {
        find(d, "sandbox", wanted ? "broken" : "note", NULL, "%s", why.text);
        return json_pack("{s:b, s:s}", "had", 0, "problem", why.text);
    }
    describe_offer(&offer, strcmp(tier, "t3") == 0, text, sizeof text);
    find(d, "sandbox", "ok", NULL, "%s%s can be had: %s", tier, wanted ? ", which runs get," : "",
         text);
    return json_pack("{s:b, s:i, s:s, s:s}", "had", 1, "landlock", offer.landlock, "cgroup",
                     offer.cgroup, "via", offer.via);
}

/* Which tiers this machine can have, and the one that a run gets. */
static json_t *look_at_sandbox(struct doctor *d, const struct settings *s)
{
    static const char *const tiers[] = {"t3", "t2"};
    struct err ignored;
    const char *program = api_host_program(d->rt, &ignored);
    const char *tier = confine_tier(s);
    json_t *all = json_object();
    for (size_t i = 0; program && i < sizeof tiers / sizeof *tiers; i++)
        (void)json_object_set_new(all, tiers[i],
                                  try_tier(d, program, tiers[i], strcmp(tier, tiers[i]) == 0));
    if (strcmp(tier, "external") == 0)
        find(d, "sandbox", "note", "say --sandbox-tier t3 unless a container confines them",
             "tools run with your rights: tier external says that something else confines them");
    else if (strcmp(tier, "off") == 0)
        find(d, "sandbox", "note", "leave out --sandbox off",
             "tools run with your rights: the sandbox is turned off");
    return json_pack("{s:s, s:s, s:o}", "mode", settings_text(s, SET_SANDBOX), "tier", tier,
                     "tiers", all);
}

static json_t *versions(void)
{
    char pcre2[SCHEMA_REGEX_VERSION_SIZE];
    schema_regex_version(pcre2);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "tackle", tackle_version(), "curl",
                     http_version(), "jansson", jansson_version_str(), "yaml", yaml_version(),
                     "pcre2", pcre2);
}

/* ---- All of it ---- */

int32_t tackle_doctor(tackle_runtime *rt, uint32_t flags, char **json, tackle_error *error)
{
    struct doctor d = {.rt = rt, .checks = json_array()};
    struct prepared p;
    struct provider provider;
    struct err why_run = {.code = ERR_NONE}, why_provider = {.code = ERR_NONE};
    json_t *files = look_at_files(&d);
    bool runs = prepare(rt, &(struct occasion){0}, &p, &why_run) == 0;
    const struct settings *s = runs ? &p.settings : &rt->settings;
    bool need_key = !settings_text(s, SET_REPLAY);
    bool known = (!need_key || keys_read_file(rt, s, &why_provider) == 0) &&
                 provider_resolve(s, api_getenv, rt, need_key, &provider, &why_provider) == 0;
    look_at_run(&d, runs ? &p : NULL, &why_run);
    look_at_key(&d, known ? &provider : NULL, &why_provider);
    look_at_endpoint(&d, s, known ? &provider : NULL, flags & TACKLE_DOCTOR_OFFLINE);
    look_at_plugins(&d);
    look_at_host(&d);
    json_t *sandbox = look_at_sandbox(&d, s);
    json_t *out =
        json_pack("{s:b, s:o, s:o, s:o, s:o?, s:o, s:o, s:o}", "ok", !d.broken, "checks", d.checks,
                  "configuration", files, "settings", look_at_settings(s), "plugins", d.plugins,
                  "sandbox", sandbox, "kernel", look_at_kernel(), "versions", versions());
    if (known)
        provider_release(&provider);
    if (runs)
        prepared_release(&p);
    return api_give_json(rt, out, json, error);
}
