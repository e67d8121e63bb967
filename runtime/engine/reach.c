#include "engine/reach.h"

#include <stdio.h>
#include <string.h>

#include "base/enforce.h"
#include "engine/policy_subject.h"
#include "engine/proxy.h"

int network_init(struct network *n, const struct settings *s, network_getenv env, void *user,
                 struct err *err)
{
    *n = (struct network){.proxy = settings_text(s, SET_PROXY), .env = env, .env_user = user};
    for (size_t i = 0; i < settings_count(s, SET_ALLOW_HOST); i++)
        if (hosts_add(&n->allow, settings_item(s, SET_ALLOW_HOST, i), err) != 0)
            return err_prefix(err, "allow_host");
    for (size_t i = 0; i < settings_count(s, SET_ALLOW_PRIVATE_HOST); i++)
        if (hosts_add(&n->allow_private, settings_item(s, SET_ALLOW_PRIVATE_HOST, i), err) != 0)
            return err_prefix(err, "allow_private_host");
    return 0;
}

void network_release(struct network *n)
{
    hosts_release(&n->allow);
    hosts_release(&n->allow_private);
}

/* ---- What a tool may reach ---- */

/* A line that names no host allows none: plugins are older than this parser. */
static int add(struct hosts *hosts, const char *text, struct err *err)
{
    struct err own;
    if (hosts_add(hosts, text, &own) == 0 || own.code == ERR_USAGE)
        return 0;
    return err_set(err, own.code, "%s", own.text);
}

/* `scheme` is "" or "http://". */
static int add_host(struct hosts *hosts, const struct host *host, const char *scheme,
                    struct err *err)
{
    char line[HOST_NAME_MAX_BYTES + 16];
    bool ipv6 = host->is_address && host->address.family == AF_INET6;
    (void)snprintf(line, sizeof line, "%s%s%s%s", scheme, ipv6 ? "[" : "", host->name,
                   ipv6 ? "]" : "");
    return add(hosts, line, err);
}

/* The host of a URL, as it would be written in allow_host: with its scheme. A URL that cannot be
 * read names nothing. */
static int add_host_of(struct hosts *hosts, const char *url, bool with_scheme, struct err *err)
{
    struct url_parts parts;
    struct host host;
    if (url_split(url, &parts) != 0 || host_read(parts.host, parts.host_len, &host) != 0)
        return 0;
    return add_host(hosts, &host, with_scheme && !parts.https ? "http://" : "", err);
}

int reach_grant(struct hosts *granted, const struct tool *tool, const json_t *args, struct err *err)
{
    const struct subject_view view = {.workspace = NULL};
    struct subjects subjects;
    bool any = false;
    for (char **host = tool->hosts; host && *host; host++)
        any = any || strcmp(*host, "*") == 0;
    if (!any)
        return 0;
    int status = subjects_read(&subjects, &view, tool, args, err);
    for (size_t i = 0; status == 0 && i < subjects.count; i++) {
        const struct subject *s = &subjects.items[i];
        if (s->kind == SUBJECT_HOST && !s->unreadable)
            status = add_host(granted, &s->host, "", err);
    }
    subjects_release(&subjects);
    return status;
}

int reach_init(struct reach *r, const struct network *network, const struct tool *tool,
               const struct hosts *granted, reach_option option, void *user, struct err *err)
{
    *r = (struct reach){.network = network, .granted = granted};
    int status = 0;
    for (char **host = tool->hosts; status == 0 && host && *host; host++) {
        bool by_operator = false;
        if (strcmp(*host, "*") == 0) {
            r->any = true;
        } else if (**host == '$') {
            const char *url = option(user, *host + 1, &by_operator);
            if (url)
                status =
                    add_host_of(by_operator ? &r->chosen : &r->declared, url, by_operator, err);
        } else {
            status = add(&r->declared, *host, err);
        }
    }
    if (status != 0)
        reach_release(r);
    return status;
}

void reach_release(struct reach *r)
{
    hosts_release(&r->declared);
    hosts_release(&r->chosen);
}

/* ---- The URL ---- */

static int read_url(const char *text, struct url_parts *parts, struct reach_target *out,
                    struct err *err)
{
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p >= 0x80)
            return err_set(err, ERR_USAGE,
                           "%.200s: a URL is ASCII; percent-encode its path, write its host in the "
                           "xn-- form",
                           text);
    if (url_split(text, parts) != 0)
        return err_set(err, ERR_USAGE,
                       "%.200s: not a plain http or https URL: no user name, no blanks, addresses "
                       "in their usual form",
                       text);
    if (host_read(parts->host, parts->host_len, &out->host) != 0)
        return err_set(err, ERR_USAGE, "%.200s: the host is not a plain host name", text);
    out->port = parts->port;
    out->https = parts->https;
    bool ipv6 = out->host.is_address && out->host.address.family == AF_INET6;
    int len = snprintf(out->shown, sizeof out->shown, "%s%s%s", ipv6 ? "[" : "", out->host.name,
                       ipv6 ? "]" : "");
    if (out->port != (out->https ? 443u : 80u))
        (void)snprintf(out->shown + len, sizeof out->shown - (size_t)len, ":%u", out->port);
    return 0;
}

/* Its scheme is looked at later. */
static bool is_among(const struct hosts *hosts, const struct reach_target *t)
{
    for (size_t i = 0; hosts && i < hosts->count; i++) {
        const struct host_rule *rule = &hosts->rules[i];
        if (host_rule_names(rule, &t->host) && (rule->port == 0 || rule->port == t->port))
            return true;
    }
    return false;
}

static int deny_host(const struct reach *r, const struct reach_target *t, struct err *err)
{
    const char *scheme = t->https ? "" : "http://";
    if (r->any)
        return err_set(err, ERR_DENIED,
                       "%s is not among the hosts that this run may ask; --allow-host %s%s would "
                       "allow it",
                       t->shown, scheme, t->shown);
    return err_set(err, ERR_DENIED, "this tool may not ask the host %s", t->shown);
}

static int check_host(const struct reach *r, const struct url_parts *parts, struct reach_target *t,
                      struct err *err)
{
    static const struct network none = {.proxy = NULL};
    const struct network *n = r->network ? r->network : &none;
    const struct host_rule *operators = hosts_find(&n->allow, parts, &t->host);
    const struct host_rule *chosen = hosts_find(&r->chosen, parts, &t->host);
    bool allowed = chosen || is_among(&r->declared, t) || (r->any && operators) ||
                   (r->any && is_among(r->granted, t));
    if (ENFORCED(fetch_host) && !allowed)
        return deny_host(r, t, err);
    if (!operators)
        operators = chosen;
    if (ENFORCED(fetch_https) && !t->https && !operators)
        return err_set(err, ERR_DENIED,
                       "http://%s is not encrypted; ask it by https://, or --allow-host http://%s "
                       "would allow it",
                       t->shown, t->shown);
    bool this_very = t->host.is_address || strcmp(t->host.name, "localhost") == 0;
    t->named = operators && !operators->any && this_very;
    for (size_t i = 0; i < n->allow_private.count && !t->host.is_address; i++)
        t->may_be_private |= host_rule_names(&n->allow_private.rules[i], &t->host);
    return 0;
}

/* A proxy looks names up itself, so what it asks can be judged by the text only. */
static int choose_proxy(const struct network *n, const struct url_parts *parts,
                        struct reach_target *t, struct err *err)
{
    t->proxy = n ? proxy_choose(n->proxy, n->env, n->env_user, parts) : "";
    if (!*t->proxy)
        return 0;
    if (t->host.is_address)
        return reach_may_connect(t, &t->host.address, err) ? 0 : -1;
    if (host_is_loopback(&t->host) && !t->named)
        return err_set(err, ERR_DENIED, "%s is the proxy itself, which tools may not reach",
                       t->shown);
    return 0;
}

int reach_judge(const struct reach *r, const char *text, struct reach_target *out, struct buf *url,
                struct err *err)
{
    struct url_parts parts;
    *out = (struct reach_target){.proxy = ""};
    if (read_url(text, &parts, out, err) != 0 || check_host(r, &parts, out, err) != 0 ||
        choose_proxy(r->network, &parts, out, err) != 0)
        return -1;
    /* Written anew, so that nothing is left that another parser could read in another way. */
    bool ipv6 = out->host.is_address && out->host.address.family == AF_INET6;
    if (buf_format(url, "%s://%s%s%s:%u%s%.*s", out->https ? "https" : "http", ipv6 ? "[" : "",
                   out->host.name, ipv6 ? "]" : "", out->port, *parts.path == '/' ? "" : "/",
                   (int)strcspn(parts.path, "#"), parts.path) != 0)
        return err_set(err, ERR_LIMIT, "the URL is too long");
    return 0;
}

/* ---- The address ---- */

bool reach_may_connect(const struct reach_target *target, const struct address *address,
                       struct err *err)
{
    char text[ADDRESS_TEXT_MAX];
    enum address_kind kind = address_kind(address);
    if (kind == ADDRESS_PUBLIC)
        return true;
    if (target->named && target->host.is_address && address_equal(&target->host.address, address))
        return true;
    if (target->named && !target->host.is_address && kind == ADDRESS_LOOPBACK)
        return true; /* localhost */
    if (target->may_be_private && (kind == ADDRESS_LOOPBACK || kind == ADDRESS_PRIVATE))
        return true;
    address_text(address, text);
    if (target->host.is_address)
        err_set(err, ERR_DENIED,
                "%s is %s, which tools may not reach; --allow-host with this very address would "
                "allow it",
                text, address_kind_text(kind));
    else
        err_set(err, ERR_DENIED,
                "%s stands for %s, %s, which tools may not reach; --allow-private-host %s would "
                "allow private and loopback addresses",
                target->host.name, text, address_kind_text(kind), target->host.name);
    return false;
}
