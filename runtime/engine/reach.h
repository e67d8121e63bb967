/* Where one call may send requests. Decided twice: on the URL, before anything is sent, and on the
 * address, before it is connected, since a name may stand for another machine each time it is
 * looked up. */
#ifndef ENGINE_REACH_H
#define ENGINE_REACH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/redact.h"
#include "engine/hosts.h"
#include "engine/settings.h"
#include "engine/tool.h"

/* Looks up a variable of the environment; NULL when it is unset. */
typedef const char *(*network_getenv)(void *user, const char *name);

/* What the settings of a run say. */
struct network {
    struct hosts allow;         /* allow_host */
    struct hosts allow_private; /* allow_private_host */
    const char *proxy;          /* borrowed from the settings */
    network_getenv env;
    void *env_user;
    const struct redact
        *secrets; /* borrowed: never sent to hosts of the model's choice; NULL: none */
};

/* Release it in any case. */
int network_init(struct network *n, const struct settings *s, network_getenv env, void *user,
                 struct err *err);
void network_release(struct network *n);

/* What one tool may reach. */
struct reach {
    const struct network *network; /* borrowed; NULL: the settings allow nothing */
    const struct hosts *granted;   /* borrowed; may be NULL */
    struct hosts declared;         /* names in the tool's `hosts`; any port */
    struct hosts chosen;           /* the operator put them into an option */
    bool any;                      /* "*": all that allow_host names */
};

/* The text that the operator gave an option, or its default; *by_operator says which. NULL: unset.
 */
typedef const char *(*reach_option)(void *user, const char *name, bool *by_operator);

/* Adds the hosts of the URLs in a call's arguments, when the tool says "*". The policy has allowed
 * the call with these: by a rule, or because somebody said yes. That grants neither http nor
 * addresses that are not public; only settings do. */
int reach_grant(struct hosts *granted, const struct tool *tool, const json_t *args,
                struct err *err);

int reach_init(struct reach *r, const struct network *network, const struct tool *tool,
               const struct hosts *granted, reach_option option, void *user, struct err *err);
void reach_release(struct reach *r);

#define REACH_SHOWN_MAX (HOST_NAME_MAX_BYTES + 8)

/* A URL that may be asked. */
struct reach_target {
    struct host host;
    unsigned port;
    bool https;
    bool named;                  /* the operator named this very address, or localhost */
    bool may_be_private;         /* its name is in allow_private_host */
    const char *proxy;           /* its URL, "" for none; borrowed from settings or environment */
    char shown[REACH_SHOWN_MAX]; /* "host" or "host:port", for people */
};

/* 0, with the URL in its one form in `url`; or -1: ERR_USAGE for what is no plain URL, ERR_DENIED
 * with what would allow it. `out->shown` is set whenever there is a host to name, else "". */
int reach_judge(const struct reach *r, const char *text, struct reach_target *out, struct buf *url,
                struct err *err);

/* May this address be connected for it? Public ones may. Of the others: the one that the operator
 * named; loopback and private ones behind names of allow_private_host. Metadata services, multicast
 * and the like only by their very address. ERR_DENIED with the reason. */
bool reach_may_connect(const struct reach_target *target, const struct address *address,
                       struct err *err);

#endif
