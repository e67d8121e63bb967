/* Lists of hosts that people write: "example.com", "*.example.com", "example.com:8443",
 * "http://127.0.0.1:8080", "[::1]", "*". Settings and policy rules use them. */
#ifndef ENGINE_HOSTS_H
#define ENGINE_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/err.h"
#include "base/url.h"

#define HOST_NAME_MAX_BYTES 254 /* RFC 1035, with the zero byte */

/* A host in its one form: small letters, addresses as inet_ntop(3) writes them. */
struct host {
    char name[HOST_NAME_MAX_BYTES];
    bool is_address;
    struct address address;
};

/* 0; -1 for what is no host name of letters, digits, '-' and '_' in labels (a name with other
 * letters has an xn-- form), for a name that ends in a dot, and for one that is too long. */
int host_read(const char *text, size_t len, struct host *out);

/* localhost, or a literal loopback address. */
bool host_is_loopback(const struct host *host);

struct host_rule {
    struct host host; /* empty with `any` */
    bool any;         /* "*": every host */
    bool below;       /* "*.": the names below host, not itself */
    bool http, https; /* schemes that were named; both false: none was */
    unsigned port;    /* 0: all */
};

/* ERR_USAGE with what is wrong and what would be right. */
int host_rule_parse(const char *text, struct host_rule *out, struct err *err);

/* Is it about this host, whatever the scheme and the port? */
bool host_rule_names(const struct host_rule *rule, const struct host *host);

/* Is it about this URL, whose host is `host`? Without a scheme it is about https, and about http as
 * well when it names this machine: those bytes cross no network. */
bool host_rule_covers(const struct host_rule *rule, const struct url_parts *url,
                      const struct host *host);

struct hosts {
    struct host_rule *rules; /* owned */
    size_t count;
};

int hosts_add(struct hosts *hosts, const char *text, struct err *err);
void hosts_release(struct hosts *hosts);

/* The first rule that covers the URL; NULL: none. */
const struct host_rule *hosts_find(const struct hosts *hosts, const struct url_parts *url,
                                   const struct host *host);

#endif
