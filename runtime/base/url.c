#include "base/url.h"

#include <string.h>
#include <strings.h>

static int split_port(const char *at, const char *end, struct url_parts *out)
{
    if (at == end)
        return 0;
    if (*at++ != ':' || at == end || end - at > 5)
        return -1;
    unsigned port = 0;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9')
            return -1;
        port = port * 10 + (unsigned)(*at - '0');
    }
    out->port = port;
    return port >= 1 && port <= 65535 ? 0 : -1;
}

/* Hosts that end in a number are IPv4 addresses to a resolver, in forms nobody reads as such:
 * 127.1, 0x7f000001, 0177.0.0.1 (inet_aton(3)). Only four plain decimal numbers are taken. */
static bool is_odd_ipv4(const char *host, size_t len)
{
    const char *end = host + len, *bare = len > 0 && end[-1] == '.' ? end - 1 : end, *last = bare;
    while (last > host && last[-1] != '.')
        last--;
    size_t last_len = (size_t)(bare - last);
    bool number = last_len > 0 && strspn(last, "0123456789") >= last_len;
    bool hex = last_len > 1 && last[0] == '0' && (last[1] | 0x20) == 'x' &&
               strspn(last + 2, "0123456789abcdefABCDEF") >= last_len - 2;
    if (!number && !hex)
        return false;
    for (unsigned part = 0; part < 4; part++) {
        size_t digits = strspn(host, "0123456789");
        if (digits == 0 || digits > 3 || (*host == '0' && digits > 1) ||
            (digits == 3 && strncmp(host, "255", 3) > 0) || (part < 3 && host[digits] != '.'))
            return true;
        host += digits + (part < 3);
    }
    return host != end;
}

int url_split(const char *url, struct url_parts *out)
{
    *out = (struct url_parts){.port = 80};
    for (const char *p = url; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f || *p == '\\')
            return -1;
    if (strncasecmp(url, "https://", 8) == 0) {
        out->https = true;
        out->port = 443;
        out->host = url + 8;
    } else if (strncasecmp(url, "http://", 7) == 0) {
        out->host = url + 7;
    } else {
        return -1;
    }
    const char *end = out->host + strcspn(out->host, "/?#");
    out->path = end;
    if (memchr(out->host, '@', (size_t)(end - out->host)))
        return -1;
    const char *host_end;
    if (*out->host == '[') {
        out->host++;
        host_end = memchr(out->host, ']', (size_t)(end - out->host));
        if (!host_end ||
            strspn(out->host, "0123456789abcdefABCDEF:.") < (size_t)(host_end - out->host))
            return -1;
        out->host_len = (size_t)(host_end - out->host);
        host_end++;
    } else {
        host_end = memchr(out->host, ':', (size_t)(end - out->host));
        if (!host_end)
            host_end = end;
        out->host_len = (size_t)(host_end - out->host);
        if (is_odd_ipv4(out->host, out->host_len))
            return -1;
    }
    if (out->host_len == 0 || out->host_len > 255 || memchr(out->host, '%', out->host_len))
        return -1;
    return split_port(host_end, end, out);
}

bool url_is_loopback(const struct url_parts *parts)
{
    const char *host = parts->host;
    size_t len = parts->host_len;
    if (len == 9 && strncasecmp(host, "localhost", 9) == 0)
        return true;
    if (len == 3 && strncmp(host, "::1", 3) == 0)
        return true;
    return len >= 9 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len;
}
