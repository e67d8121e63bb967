#include "engine/proxy.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool begins_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* What stands behind the scheme is read by the one parser. */
static bool is_proxy_url(const char *setting)
{
    static const char *const schemes[] = {"http://", "https://", "socks5h://"};
    char url[512];
    struct url_parts parts;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!begins_with(setting, schemes[i]))
            continue;
        int len = snprintf(url, sizeof url, "http://%s", setting + strlen(schemes[i]));
        return len > 0 && (size_t)len < sizeof url && url_split(url, &parts) == 0 &&
               strcmp(parts.path, *parts.path ? "/" : "") == 0;
    }
    return false;
}

int proxy_check(const char *setting, struct err *err)
{
    if (strcmp(setting, "none") == 0 || strcmp(setting, "env") == 0)
        return 0;
    if (strchr(setting, '@')) /* not repeated: the message may be logged */
        return err_set(err, ERR_USAGE,
                       "a name and a password do not belong here; put the URL into HTTPS_PROXY and "
                       "say proxy=env");
    if (!is_proxy_url(setting))
        return err_set(err, ERR_USAGE,
                       "'%.100s' is not none, env or a URL such as http://proxy.example.com:3128",
                       setting);
    return 0;
}

/* One name of NO_PROXY: it and all below it, with a port or without. */
static bool is_exempt(const char *name, size_t len, const struct url_parts *url)
{
    char port[8];
    const char *colon = memchr(name, ':', len);
    (void)snprintf(port, sizeof port, "%u", url->port);
    if (colon && !memchr(colon + 1, ':', len - (size_t)(colon - name) - 1)) { /* not an IPv6 */
        size_t port_len = len - (size_t)(colon - name) - 1;
        if (strlen(port) != port_len || strncmp(colon + 1, port, port_len) != 0)
            return false;
        len = (size_t)(colon - name);
    }
    if (len > 0 && *name == '.') {
        name++;
        len--;
    }
    if (len == 0 || len > url->host_len)
        return false;
    const char *tail = url->host + url->host_len - len;
    return strncasecmp(tail, name, len) == 0 && (tail == url->host || tail[-1] == '.');
}

static bool is_listed(const char *list, const struct url_parts *url)
{
    for (const char *at = list; at && *at;) {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if ((len == 1 && *at == '*') || is_exempt(at, len, url))
            return true;
        at += len;
    }
    return false;
}

static const char *first_set(const char *(*env)(void *user, const char *name), void *user,
                             const char *const *names)
{
    for (; *names; names++) {
        const char *value = env(user, *names);
        if (value && *value)
            return value;
    }
    return "";
}

const char *proxy_choose(const char *setting, const char *(*env)(void *user, const char *name),
                         void *user, const struct url_parts *url)
{
    /* HTTP_PROXY in capitals is what a CGI program gets from a stranger's header "Proxy:". */
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                                        NULL};
    static const char *const http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const exempt[] = {"no_proxy", "NO_PROXY", NULL};
    if (!setting || strcmp(setting, "none") == 0)
        return "";
    if (strcmp(setting, "env") != 0)
        return url_is_loopback(url) ? "" : setting;
    if (is_listed(first_set(env, user, exempt), url))
        return "";
    return first_set(env, user, url->https ? https : http);
}
