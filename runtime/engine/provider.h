/* Who is asked: endpoints that are known by name, the key that belongs to each, and what a model
 * costs. A key is only ever handed out together with the origin that it belongs to. */
#ifndef ENGINE_PROVIDER_H
#define ENGINE_PROVIDER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "engine/settings.h"

/* Looks up a variable of the environment; NULL when it is unset. The engine itself reads none. ""
 * stands for a key that was given for the endpoint that is asked, whatever its variable is. A key
 * must live as long as what it is resolved into. */
typedef const char *(*provider_getenv)(void *user, const char *name);

struct provider {
    char *name;          /* owned: "default", "openai", ... */
    char *base_url;      /* owned; without a slash at its end */
    char *model;         /* owned */
    const char *key;     /* borrowed from where it was looked up; NULL: none is sent */
    char *proxy;         /* owned: the URL of the proxy it is asked through; "" for none */
    const char *key_env; /* what the key is called: its variable; static */
    bool thoughts_field; /* the endpoint knows include_thoughts */
    double input_usd;    /* per million tokens; negative: unknown */
    double output_usd;
};

/* Chooses by the settings model ("gpt-5", "openai/gpt-5", "openai/") and base_url. ERR_USAGE for a
 * provider without a model, or on another machine and without encryption (see allow_http), ERR_AUTH
 * when its key is missing: the text names the variable. With need_key false (a replay) a missing
 * key is no error. */
int provider_resolve(const struct settings *s, provider_getenv env, void *user, bool need_key,
                     struct provider *out, struct err *err);
void provider_release(struct provider *p);

/* For a question about the endpoint, which needs no model: that of the provider called `name`, or
 * of the one that the setting model names when it is NULL. ERR_USAGE for an unknown name. */
int provider_resolve_endpoint(const struct settings *s, const char *name, provider_getenv env,
                              void *user, struct provider *out, struct err *err);

/* provider_resolve() for the setting fallback_model, which must be set. A name without a provider
 * belongs to that of `first`, its address and key included. */
int provider_resolve_fallback(const struct settings *s, const struct provider *first,
                              provider_getenv env, void *user, bool need_key, struct provider *out,
                              struct err *err);

/* Cost in USD, negative when the price is not known. */
double provider_cost(const struct provider *p, long long input_tokens, long long output_tokens);

/* Makes a key of what a file or a descriptor holds: `text` loses one line break at its end.
 * ERR_AUTH when anything is left that is no visible ASCII, nothing is left, or too much. */
int provider_trim_key(char *text, size_t len, struct err *err);
#define PROVIDER_KEY_MAX 4096

/* The variables that hold keys, NULL-terminated. */
const char *const *provider_key_variables(void);

/* [{"name","base_url","key_env","key_present","model"}] */
json_t *provider_list(provider_getenv env, void *user);

#endif
