#include "engine/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOSTS_MAX 256

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Labels of 1 to 63 letters, digits, '-' and '_' with single dots between them. */
static bool is_name(const char *name)
{
    for (;;) {
        size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");
        if (len == 0 || len > 63)
            return false;
        name += len;
        if (*name == '\0')
            return true;
        if (*name++ != '.')
            return false;
    }
}

int host_read(const char *text, size_t len, struct host *out)
{
    *out = (struct host){.is_address = false};
    if (len == 0 || len >= sizeof out->name)
        return -1;
    if (address_parse(text, len, &out->address) == 0) {
        out->is_address = true;
        address_text(&out->address, out->name);
        return 0;
    }
    for (size_t i = 0; i < len; i++)
        out->name[i] = lower(text[i]);
    return strlen(out->name) == len && is_name(out->name) ? 0 : -1;
}

bool host_is_loopback(const struct host *host)
{
    if (host->is_address)
        return address_kind(&host->address) == ADDRESS_LOOPBACK;
    return strcmp(host->name, "localhost") == 0;
}

/* `rest` is what stands behind scheme and "*.": read as the URL parser reads it. */
static int read_rest(const char *rest, struct host_rule *out)
{
    char url[HOST_NAME_MAX_BYTES + 32];
    struct url_parts parts;
    int len = snprintf(url, sizeof url, "https://%s", rest);
    if (len < 0 || (size_t)len >= sizeof url || url_split(url, &parts) != 0 || *parts.path ||
        host_read(parts.host, parts.host_len, &out->host) != 0)
        return -1;
    const char *host_end = parts.host + parts.host_len;
    out->port = strchr(host_end, ':') ? parts.port : 0;
    return out->below && out->host.is_address ? -1 : 0;
}

int host_rule_parse(const char *text, struct host_rule *out, struct err *err)
{
    const char *rest = text;
    *out = (struct host_rule){.port = 0};
    if (strncasecmp(rest, "http://", 7) == 0) {
        out->http = true;
        rest += 7;
    } else if (strncasecmp(rest, "https://", 8) == 0) {
        out->https = true;
        rest += 8;
    }
    if (strcmp(rest, "*") == 0) {
        out->any = true;
        return 0;
    }
    if (strncmp(rest, "*.", 2) == 0) {
        out->below = true;
        rest += 2;
    }
    if (read_rest(rest, out) == 0)
        return 0;
    return err_set(err, ERR_USAGE,
                   "'%.100s' is no host; write example.com, *.example.com, example.com:8443 or "
                   "http://127.0.0.1:8080, without a path",
                   text);
}

bool host_rule_names(const struct host_rule *rule, const struct host *host)
{
    if (rule->any)
        return true;
    if (rule->host.is_address != host->is_address)
        return false;
    if (host->is_address)
        return address_equal(&rule->host.address, &host->address);
    if (!rule->below)
        return strcmp(rule->host.name, host->name) == 0;
    size_t len = strlen(host->name), tail = strlen(rule->host.name);
    return len > tail + 1 && host->name[len - tail - 1] == '.' &&
           strcmp(host->name + len - tail, rule->host.name) == 0;
}

bool host_rule_covers(const struct host_rule *rule, const struct url_parts *url,
                      const struct host *host)
{
    if (!host_rule_names(rule, host) || (rule->port && rule->port != url->port))
        return false;
    if (url->https)
        return rule->https || !rule->http;
    return rule->http || (!rule->https && !rule->any && host_is_loopback(&rule->host));
}

int hosts_add(struct hosts *hosts, const char *text, struct err *err)
{
    struct host_rule rule;
    if (hosts->count == HOSTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d hosts", HOSTS_MAX);
    if (host_rule_parse(text, &rule, err) != 0)
        return -1;
    struct host_rule *rules = realloc(hosts->rules, (hosts->count + 1) * sizeof *rules);
    if (!rules)
        return err_set(err, ERR_NOMEM, "out of memory");
    rules[hosts->count++] = rule;
    hosts->rules = rules;
    return 0;
}

void hosts_release(struct hosts *hosts)
{
    free(hosts->rules);
    *hosts = (struct hosts){.rules = NULL};
}

const struct host_rule *hosts_find(const struct hosts *hosts, const struct url_parts *url,
                                   const struct host *host)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (host_rule_covers(&hosts->rules[i], url, host))
            return &hosts->rules[i];
    return NULL;
}
