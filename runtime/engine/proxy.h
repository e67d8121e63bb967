/* Which proxy, if any, a request goes through. The environment's proxies are used only when the
 * setting `proxy` says so: a variable that somebody else has set must not read along. */
#ifndef ENGINE_PROXY_H
#define ENGINE_PROXY_H

#include "base/err.h"
#include "base/url.h"

/* Is this a value of the setting: none, env, or the URL of an http, https or socks5h proxy without
 * a password in it? ERR_USAGE when not. */
int proxy_check(const char *setting, struct err *err);

/* The proxy's URL, "" for none; borrowed from the setting or the environment. `env` looks up a
 * variable (NULL: unset). What is on this machine is asked directly, except with `env`, where
 * NO_PROXY decides. */
const char *proxy_choose(const char *setting, const char *(*env)(void *user, const char *name),
                         void *user, const struct url_parts *url);

#endif
