#include "engine/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "base/text.h"
#include "base/url.h"
#include "engine/proxy.h"

struct row {
    const char *name;
    const char *base_url;
    const char *url_env; /* a variable that replaces base_url; may be NULL */
    const char *key_env; /* NULL: no key is needed */
    const char *model;   /* used when none is named; may be NULL */
    bool thoughts_field;
};

static const struct row rows[] = {
    {"default", "https://api.aivideoapi.ai/v1", NULL, "TACKLE_API_KEY", "gemini-2.5-pro", true},
    {"openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY", NULL, false},
    {"google", "https://generativelanguage.googleapis.com/v1beta/openai", NULL, "GEMINI_API_KEY",
     "gemini-2.5-pro", false},
    {"openrouter", "https://openrouter.ai/api/v1", NULL, "OPENROUTER_API_KEY", NULL, false},
    {"ollama", "http://127.0.0.1:11434/v1", NULL, NULL, NULL, false},
    {"llama.cpp", "http://127.0.0.1:8080/v1", NULL, NULL, "default", false},
};

/* Prices of the default endpoint, from its documentation; USD per million tokens. */
static const struct {
    const char *provider, *model;
    double input_usd, output_usd;
} prices[] = {{"default", "gemini-2.5-pro", 0.285, 2.25}};

const char *const *provider_key_variables(void)
{
    static const char *const names[] = {"TACKLE_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY",
                                        "OPENROUTER_API_KEY", NULL};
    return names;
}

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].name) == len && strncmp(rows[i].name, name, len) == 0)
            return &rows[i];
    return NULL;
}

/* A model's name may hold slashes itself ("meta-llama/llama-3"): the part before the first one
 * names a provider only when it is known. */
static const struct row *choose(const char *setting, const char **model)
{
    *model = setting && *setting ? setting : NULL;
    const char *slash = setting ? strchr(setting, '/') : NULL;
    const struct row *row = slash ? find_row(setting, (size_t)(slash - setting)) : NULL;
    if (row)
        *model = slash[1] ? slash + 1 : NULL;
    return row ? row : &rows[0];
}

static int check_url(const char *url, struct err *err)
{
    struct url_parts parts;
    if (url_split(url, &parts) != 0 || strpbrk(url, "@?#"))
        return err_set(err, ERR_USAGE,
                       "base_url: '%s' is not a plain http or https URL such as "
                       "https://host/v1",
                       url);
    return 0;
}

static char *copy_url(const char *url)
{
    size_t len = strlen(url);
    while (len && url[len - 1] == '/')
        len--;
    return strndup(url, len);
}

static const char *lookup(provider_getenv env, void *user, const char *name)
{
    const char *value = name ? env(user, name) : NULL;
    return value && *value ? value : NULL;
}

static void set_price(struct provider *p)
{
    p->input_usd = p->output_usd = -1;
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++)
        if (strcmp(prices[i].provider, p->name) == 0 && strcmp(prices[i].model, p->model) == 0) {
            p->input_usd = prices[i].input_usd;
            p->output_usd = prices[i].output_usd;
        }
}

/* What goes to another machine is read by whoever is between, the key first of all. */
static int check_encryption(const struct settings *s, const char *url, struct err *err)
{
    struct url_parts parts;
    if (!ENFORCED(model_https) || url_split(url, &parts) != 0 || parts.https ||
        url_is_loopback(&parts) || settings_flag(s, SET_ALLOW_HTTP))
        return 0;
    return err_set(err, ERR_USAGE,
                   "base_url: %.*s would be asked without encryption, and all between could read "
                   "key and conversation; use https://, or say --allow-http",
                   (int)parts.host_len, parts.host);
}

static char *choose_proxy(const struct settings *s, const char *url, provider_getenv env,
                          void *user)
{
    struct url_parts parts;
    if (url_split(url, &parts) != 0)
        return strdup("");
    return strdup(proxy_choose(settings_text(s, SET_PROXY), env, user, &parts));
}

/* Why these bytes are no key; NULL: they are. */
static const char *key_problem(const char *key, size_t len)
{
    if (len == 0)
        return "it is empty";
    if (len > PROVIDER_KEY_MAX)
        return "it is too long for a key";
    if (len >= 3 && memcmp(key, "\xef\xbb\xbf", 3) == 0)
        return "it begins with a byte order mark; save it without";
    for (size_t i = 0; ENFORCED(key_is_visible_ascii) && i < len; i++) {
        if (key[i] == '\n' || key[i] == '\r')
            return "it has a line break in it; set the bare key";
        if (key[i] <= ' ' || key[i] == 0x7f || (unsigned char)key[i] >= 0x80)
            return "it has a byte in it that no key has (a blank, a control character, or no "
                   "ASCII)";
    }
    return NULL;
}

int provider_trim_key(char *text, size_t len, struct err *err)
{
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    const char *problem = key_problem(text, len);
    text[len] = '\0';
    return problem ? err_set(err, ERR_AUTH, "%s", problem) : 0;
}

/* Which endpoint is meant. */
struct choice {
    const struct row *row;
    const char *model;
    const char *custom; /* a base URL that replaces the row's; NULL: none */
    bool chosen;        /* it is the one that the settings choose: a key given for that is its */
    bool need_key;
};

static int resolve(const struct settings *s, const struct choice *choice, provider_getenv env,
                   void *user, struct provider *out, struct err *err)
{
    const struct row *row = choice->row;
    const char *model = choice->model, *custom = choice->custom;
    *out = (struct provider){.input_usd = -1, .output_usd = -1};
    const char *url = custom ? custom : lookup(env, user, row->url_env);
    if (!url)
        url = row->base_url;
    if (check_url(url, err) != 0 || (choice->need_key && check_encryption(s, url, err) != 0))
        return -1;
    if (!model)
        model = row->model;
    if (!model)
        return err_set(err, ERR_USAGE, "which model of %s? Name it: --model %s/MODEL", row->name,
                       row->name);
    out->key_env = custom ? "TACKLE_API_KEY" : row->key_env;
    const char *key = choice->chosen ? lookup(env, user, "") : NULL;
    if (key)
        out->key_env = "the key that was given";
    else
        key = lookup(env, user, out->key_env);
    if (!key && row->key_env && !custom && choice->need_key) {
        return err_set(err, ERR_AUTH, "no API key: %s is not set, and %s needs one", row->key_env,
                       row == &rows[0] ? "the default endpoint" : row->name);
    }
    const char *problem = key ? key_problem(key, strlen(key)) : NULL;
    if (problem)
        return err_set(err, ERR_AUTH, "%s: %s", out->key_env, problem);
    out->name = strdup(row->name);
    out->base_url = copy_url(url);
    out->model = strdup(model);
    out->key = key;
    out->proxy = choose_proxy(s, url, env, user);
    out->thoughts_field = row->thoughts_field;
    if (!out->name || !out->base_url || !out->model || !out->proxy) {
        provider_release(out);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    set_price(out);
    return 0;
}

int provider_resolve(const struct settings *s, provider_getenv env, void *user, bool need_key,
                     struct provider *out, struct err *err)
{
    const char *model = NULL;
    const struct row *row = choose(settings_text(s, SET_MODEL), &model);
    const struct choice choice = {row, model, settings_text(s, SET_BASE_URL), true, need_key};
    return resolve(s, &choice, env, user, out, err);
}

static const struct row *find_or_explain(const char *name, struct err *err)
{
    const struct row *row = find_row(name, strlen(name));
    if (row)
        return row;
    struct text_nearest near = {.word = name};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        (void)text_nearest(&near, rows[i].name);
    if (near.best)
        err_set(err, ERR_USAGE, "there is no provider '%s'; did you mean '%s'?", name, near.best);
    else
        err_set(err, ERR_USAGE, "there is no provider '%s'; 'tackle models' lists them", name);
    return NULL;
}

int provider_resolve_endpoint(const struct settings *s, const char *name, provider_getenv env,
                              void *user, struct provider *out, struct err *err)
{
    const char *model = NULL;
    const struct row *row =
        name ? find_or_explain(name, err) : choose(settings_text(s, SET_MODEL), &model);
    *out = (struct provider){.input_usd = -1, .output_usd = -1};
    if (!row)
        return -1;
    const struct choice choice = {row, "", settings_text(s, SET_BASE_URL), !name, true};
    return resolve(s, &choice, env, user, out, err);
}

int provider_resolve_fallback(const struct settings *s, const struct provider *first,
                              provider_getenv env, void *user, bool need_key, struct provider *out,
                              struct err *err)
{
    const char *model = NULL;
    const char *setting = settings_text(s, SET_FALLBACK_MODEL);
    const struct row *row = choose(setting, &model);
    const char *custom = NULL;
    bool same = model == setting;
    if (same) { /* it names no provider */
        row = find_row(first->name, strlen(first->name));
        custom = settings_text(s, SET_BASE_URL);
    }
    const struct choice choice = {row, model, custom, same, need_key};
    int status = resolve(s, &choice, env, user, out, err);
    return status == 0 ? 0 : err_prefix(err, "fallback_model");
}

void provider_release(struct provider *p)
{
    free(p->proxy);
    free(p->name);
    free(p->base_url);
    free(p->model);
    *p = (struct provider){.input_usd = -1, .output_usd = -1};
}

double provider_cost(const struct provider *p, long long input_tokens, long long output_tokens)
{
    if (p->input_usd < 0 || p->output_usd < 0)
        return -1;
    return ((double)input_tokens * p->input_usd + (double)output_tokens * p->output_usd) / 1e6;
}

json_t *provider_list(provider_getenv env, void *user)
{
    json_t *all = json_array();
    for (size_t i = 0; all && i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        const char *url = lookup(env, user, row->url_env);
        bool present = lookup(env, user, row->key_env) != NULL;
        json_t *item = json_pack("{s:s, s:s, s:s?, s:b, s:s?}", "name", row->name, "base_url",
                                 url ? url : row->base_url, "key_env", row->key_env, "key_present",
                                 present, "model", row->model);
        if (json_array_append_new(all, item) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}
