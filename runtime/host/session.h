/* One opened plugin and its calls: what stands behind tackle_host and tackle_call. Single-threaded;
 * one call at a time. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/manifest.h"
#include "host/sink.h"

#define SESSION_NOTE_MAX    4096u
#define SESSION_OUTPUT_CAP  (16u << 20) /* of a call's result, when nothing else is said */
#define SESSION_MESSAGE_MAX 4096u       /* of fail(), and of one line of progress or log */
#define SESSION_TEXT_MAX    (3u * SESSION_MESSAGE_MAX) /* the same when all of it is U+FFFD */
#define SESSION_MS_MAX      (INT64_C(1) << 40)

struct session_spec {
    const struct manifest *manifest; /* borrowed; must outlive the session */
    json_t *options;                 /* {"name": "value"}, or NULL; read at once */
    const char *workspace;           /* absolute path, for messages; copied */
    int workspace_fd;                /* O_PATH directory; borrowed */
    bool write;                      /* may files of the workspace be changed? */
    bool mounts;                     /* may other mounts below the workspace be entered? */
    const json_t *deny_read;         /* globs of files that are kept from tools; NULL: none */
    const json_t *deny_write;
    int cancel_fd;    /* readable: the running call is cancelled; borrowed */
    const char *home; /* HOME and TMPDIR of programs; NULL: none; copied */
    const char *tmp;
    struct sink sink; /* copied */
};

struct session;

/* Sets the options and calls the plugin's open(). NULL: the plugin refuses, or an option is wrong.
 * Errors: ERR_CONFIG, ERR_PLUGIN, ERR_NOMEM, ERR_IO. */
struct session *session_new(const struct session_spec *spec, struct err *err);

/* Calls the plugin's close(). NULL is fine. */
void session_free(struct session *session);

struct session_call {
    const char *tool;
    const char *args; /* a JSON object */
    size_t args_len;
    const char *key;
    int64_t ms;       /* deadline from now, at most SESSION_MS_MAX */
    size_t cap;       /* bytes of the result that are passed on; 0: SESSION_OUTPUT_CAP */
    bool probe;       /* call probe(), not call() */
    const char *note; /* for probe(); NULL: none */
    size_t note_len;
};

struct session_outcome {
    int32_t code;       /* TACKLE_OK, TACKLE_PROBE_..., or negative */
    struct buf message; /* valid UTF-8; empty unless code is negative */
    uint64_t omitted;   /* bytes of the result past the cap */
};

/* Runs one call to its end; every way it can go wrong is an outcome. The caller has initialised
 * outcome->message, and releases it. Nobody may drain cancel_fd while it runs. */
void session_run(struct session *session, const struct session_call *spec,
                 struct session_outcome *outcome);

/* Readable once the running call is cancelled or past its deadline: poll() only. */
int session_end_fd(const struct session *session);

#endif
