/* Calls into plugins: tackle-host processes, started on the first call, one call at a time each,
 * more of them when calls run side by side, replaced when they die. Whatever a plugin does, a call
 * ends with a result, at its deadline plus a grace at the latest. */
#ifndef IO_TOOLHOST_H
#define IO_TOOLHOST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/reach.h"
#include "engine/tool.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/plugin.h"
#include "io/scratch.h"

/* A plugin that ignores its deadline or a cancel is killed after this. Longer than what the host
 * gives a program between SIGTERM and SIGKILL. */
#define TOOLHOST_GRACE_MS 4000

#define TOOLHOST_OUTPUT_MAX (16u << 20)
#define TOOLHOST_PROCESSES  8     /* side by side, for one plugin in one workspace */
#define TOOLHOST_IDLE_MS    60000 /* an unused process is ended after this */

struct toolhost; /* all processes of a runtime */
struct toolhost_call;

/* Where calls run. Processes are shared by calls for which all of this is the same. */
struct toolhost_place {
    const struct plugin *plugin;
    const json_t *options; /* object of texts, checked */
    const char *workspace; /* absolute path without links */
    int workspace_fd;      /* O_PATH directory */
    const json_t *confine; /* members of OPEN: "sandbox" and what goes with it; NULL: none */
    /* What its tools may reach; outlives the call, or it is abandoned. Processes are shared all the
     * same: the runtime looks at it for each request. NULL: only hosts that the tool declares. */
    const struct network *network;
};

struct toolhost_result {
    int32_t code;       /* 0, a negative TACKLE_E_ code, or a TACKLE_PROBE_ answer */
    const char *output; /* valid UTF-8 or not: as the plugin wrote it */
    size_t len;
    const char *message; /* why it failed; "" */
    uint64_t omitted;    /* bytes of output that were not kept */
    bool died;           /* the process ended or was ended; the next call gets a new one */
    bool killed;         /* the runtime had to do it */
    bool unconfined;     /* the sandbox cannot be had: nothing was run, `message` says why */
    int64_t duration_ms;
};

/* All but `done` may be NULL. Texts are borrowed for the time of the callback. */
struct toolhost_events {
    void (*progress)(void *user, const char *text, size_t len);
    void (*log)(void *user, const char *level, const char *text);
    void (*changed)(void *user, const char *path, const char *what);
    /* A request to "host" or "host:port": it was sent, or refused. Once for each. */
    void (*contacted)(void *user, const char *host, bool allowed);
    int (*remember)(void *user, const char *note, size_t len, struct err *err);
    void (*done)(void *user, const struct toolhost_result *result); /* exactly once */
    void *user;
};

/* `http` serves the plugins' requests; in `scratch` programs that tools start have their home and
 * their temporary files; both are borrowed. host_program is copied. */
struct toolhost *toolhost_new(struct loop *loop, struct http *http, const char *host_program,
                              struct scratch *scratch, struct err *err);
/* Ends all processes; calls that still run get no result. */
void toolhost_free(struct toolhost *hosts);

/* Starts a call. `done` is never called before this returns. NULL when out of memory. `args` is
 * JSON text. */
struct toolhost_call *toolhost_call(struct toolhost *hosts, const struct toolhost_place *place,
                                    const struct tool *tool, const char *args, size_t args_len,
                                    const char *key, int64_t timeout_ms,
                                    const struct toolhost_events *events);

/* Asks the tool of a call that was interrupted whether it was done: the result's code is a
 * TACKLE_PROBE_ answer or negative. `note` is what the call remembered; NULL: nothing. */
struct toolhost_call *toolhost_probe(struct toolhost *hosts, const struct toolhost_place *place,
                                     const struct tool *tool, const char *args, size_t args_len,
                                     const char *key, const char *note, int64_t timeout_ms,
                                     const struct toolhost_events *events);

/* Asks the call to end soon; `done` still comes, TACKLE_E_CANCELLED. */
void toolhost_cancel(struct toolhost_call *call);

/* The same, but nobody is told any more: no callback comes after this. */
void toolhost_abandon(struct toolhost_call *call);

#endif
