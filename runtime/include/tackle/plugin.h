/*
 * tackle/plugin.h - all that a tool plugin needs. C11 or C++17, no other header of ours.
 *
 * A plugin is a shared object that defines one symbol, tackle_plugin_v1. It is loaded by a small
 * host process of its own: a crash, a hang or a leak there costs the call that caused it, never
 * the run. A plugin may block; it has a deadline and can ask how long it has left.
 *
 * When a function may be called:
 *   [host]  any time from the start of open() to the return of close().
 *   [call]  only while the call it is given is running, on the thread that runs it.
 * Calls of one host process run one at a time. Calls that run side by side (TACKLE_PARALLEL) run
 * in different processes, so a plugin needs no locks and must keep nothing between calls that a
 * new process could not find again.
 *
 * Ownership: text is UTF-8. A pointer you are given is borrowed: do not free or keep it past the
 * call. A pointer you pass is copied before the function returns. Nothing is ever freed across
 * this line. Results of type int32_t are TACKLE_OK or a negative TACKLE_E_ code unless the
 * declaration says otherwise; treat a negative code that you do not know as TACKLE_E_FAILED.
 *
 * A plugin must leave alone: working directory, umask, locale, environment, signal handlers,
 * descriptors 0 to 9, and it must not call exit(). Its standard output and standard error go to
 * the log of the run.
 *
 * The promise: a plugin built with this header loads in every tackle 1.x. Structs only grow at
 * their end, and `size` says how much of one the other side knows. See TACKLE_HAS.
 */
#ifndef TACKLE_PLUGIN_H
#define TACKLE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TACKLE_EXPORT __attribute__((visibility("default")))
#else
#define TACKLE_EXPORT
#endif

#define TACKLE_ABI_MAJOR 1u
#define TACKLE_ABI_MINOR 1u
#define TACKLE_ABI       ((TACKLE_ABI_MAJOR << 16) | TACKLE_ABI_MINOR)

/* Is `field` there in the struct behind `ptr`? Needed only for fields newer than 1.0. */
#define TACKLE_HAS(ptr, field)                                                                     \
    ((size_t)(ptr)->size >=                                                                        \
     (size_t)((const char *)&(ptr)->field - (const char *)(ptr)) + sizeof((ptr)->field))

/* Result codes. */
#define TACKLE_OK          0
#define TACKLE_E_FAILED    (-1) /* it did not work; the message says why */
#define TACKLE_E_ARGS      (-2) /* the model sent arguments that cannot be used */
#define TACKLE_E_DENIED    (-3) /* policy, sandbox or the workspace's edge says no */
#define TACKLE_E_CANCELLED (-4) /* the run was cancelled */
#define TACKLE_E_TIMEOUT   (-5) /* the call's deadline has passed */
#define TACKLE_E_LIMIT     (-6) /* a size limit is reached */
#define TACKLE_E_NOMEM     (-7)
#define TACKLE_E_NOT_FOUND (-8) /* no such file, place, ref ... */

/* What a tool does; the policy reads this before it allows a call. A host refuses a tool that
 * sets a bit among 0 to 7 which it does not know: it could not judge it. */
#define TACKLE_READS   (1u << 0) /* reads files of the workspace */
#define TACKLE_WRITES  (1u << 1) /* changes files of the workspace */
#define TACKLE_RUNS    (1u << 2) /* starts programs */
#define TACKLE_NETWORK (1u << 3) /* talks to `hosts`, through http/1 */
/* Hints: bits 8 to 31; unknown ones are ignored. */
#define TACKLE_PARALLEL (1u << 8) /* may run side by side with other calls */

/* May a call be run again when the run stopped in the middle of it? Zero is the careful answer. */
#define TACKLE_EFFECT_NEVER 0u /* no: the model is told that the outcome is unknown */
#define TACKLE_EFFECT_SAFE  1u /* yes: it changes nothing */
#define TACKLE_EFFECT_KEYED 2u /* yes, with the same call_key, which makes the repeat harmless */
#define TACKLE_EFFECT_PROBE 3u /* ask the tool's probe() whether it was done */

/* What probe() answers. */
#define TACKLE_PROBE_DONE     1 /* it took effect; write() the result as the call would have */
#define TACKLE_PROBE_NOT_DONE 2 /* it did not; the call may be run again */
#define TACKLE_PROBE_UNKNOWN  3

typedef struct tackle_host tackle_host;
typedef struct tackle_call tackle_call;

/* What a call can ask of its host; reached as call->api->... */
typedef struct tackle_call_api {
    uint32_t size;
    uint32_t reserved;

    /* The arguments have been checked against the tool's `params` before the call starts. */

    /* The whole arguments object as JSON text. [call] */
    const char *(*args_json)(tackle_call *call, size_t *len);
    /* A string argument; NULL when absent or null. len may be NULL; the text ends with a zero
     * byte and holds no other. [call] */
    const char *(*arg_text)(tackle_call *call, const char *key, size_t *len);
    /* 1: present, *out is set; 0: absent or null, *out is left alone. [call] */
    int32_t (*arg_int)(tackle_call *call, const char *key, int64_t *out);
    int32_t (*arg_real)(tackle_call *call, const char *key, double *out);
    int32_t (*arg_bool)(tackle_call *call, const char *key, int32_t *out);
    /* The number of items of an array argument; -1 when absent or null. [call] */
    int64_t (*arg_count)(tackle_call *call, const char *key);
    /* Item `index` of an array of strings; NULL past the end or when it is no string. [call] */
    const char *(*arg_item)(tackle_call *call, const char *key, int64_t index, size_t *len);

    /* Appends to the result that the model reads. TACKLE_E_LIMIT when the result is full: what
     * fits is kept, and the model is told how much was cut. [call] */
    int32_t (*write)(tackle_call *call, const char *text, size_t len);
    /* Notes why the call fails and returns `code`, so that `return fail(...)` reads well. Write
     * the message for the model: what was wrong, what would be right. It counts only when the
     * call then returns a negative code; the last one counts; text written before is kept. [call]
     */
    int32_t (*fail)(tackle_call *call, int32_t code, const char *message);
    /* Shows one line to the person who watches; the model never sees it. [call] */
    int32_t (*progress)(tackle_call *call, const char *text);

    /* 1 when the call should end soon: cancelled, or past its deadline. [call] */
    int32_t (*cancelled)(tackle_call *call);
    /* A descriptor for poll(): readable once cancelled() is 1. Never read or close it. [call] */
    int32_t (*cancel_fd)(tackle_call *call);
    /* Milliseconds until the deadline, 0 when past. [call] */
    int64_t (*ms_left)(tackle_call *call);

    /* A key for this call, the same when the call is run again after a crash. [call] */
    const char *(*call_key)(tackle_call *call);
    /* For TACKLE_EFFECT_PROBE: puts a note of at most 4 KiB into the journal, on disk before this
     * returns, so that probe() can compare. Call it before the effect. One note a call. [call] */
    int32_t (*remember)(tackle_call *call, const char *note, size_t len);
    /* In probe(): the note of the interrupted call, NULL when there is none. [call] */
    const char *(*remembered)(tackle_call *call, size_t *len);
} tackle_call_api;

struct tackle_call {
    const tackle_call_api *api;
};

/* What the host offers to the plugin as a whole. */
struct tackle_host {
    uint32_t size;
    uint32_t abi;        /* the header the host was built with: for messages */
    const char *name;    /* "tackle" */
    const char *version; /* "0.1.0" */
    /* A service by name and version, NULL when it is not offered; the structs are below. [host] */
    const void *(*service)(const tackle_host *host, const char *id);
    /* Why open() fails: one line for a person. [host] */
    void (*error)(const tackle_host *host, const char *message);
};

typedef struct tackle_tool {
    uint32_t size;
    uint32_t does;   /* TACKLE_READS | ... */
    uint32_t effect; /* TACKLE_EFFECT_... */
    uint32_t reserved;
    const char *name;        /* [a-z_][a-z0-9_]*, at most 64 bytes, unique in a run */
    const char *description; /* the model reads this; at most 4 KiB */
    const char *params;      /* JSON Schema of the arguments object; NULL: no arguments */
    /* Does the work: TACKLE_OK or a negative code. [call] */
    int32_t (*call)(void *self, tackle_call *call);
    /* Required for TACKLE_EFFECT_PROBE: was the interrupted call, whose arguments these are, done?
     * TACKLE_PROBE_..., or a negative code. Must change nothing. [call] */
    int32_t (*probe)(void *self, tackle_call *call);
    /* With TACKLE_NETWORK: the hosts it may ask, NULL-terminated: "api.example.org", or "$option"
     * for the host of the URL in that option. Others are refused, outside this process, and so is
     * what is not https, unless the person has named it with http://. 1.1: "*" stands for all hosts
     * that the person allows tools to ask. */
    const char *const *hosts;
} tackle_tool;

#define TACKLE_OPTION_TEXT 0u
#define TACKLE_OPTION_INT  1u
#define TACKLE_OPTION_BOOL 2u
#define TACKLE_OPTION_URL  3u /* http or https */

#define TACKLE_OPTION_SECRET (1u << 0) /* never shown; redacted in logs and events */

/* Something the user may set: --plugin-option NAME.OPTION=VALUE, or in a configuration file
 * plugin_options: {NAME: {OPTION: value}}. Unknown names are refused. */
typedef struct tackle_option {
    uint32_t size;
    uint32_t type;  /* TACKLE_OPTION_TEXT ... */
    uint32_t flags; /* TACKLE_OPTION_SECRET */
    uint32_t reserved;
    const char *name;
    const char *default_value; /* as text; NULL: unset */
    const char *help;          /* one line */
} tackle_option;

typedef struct tackle_plugin {
    uint32_t size;
    uint32_t abi;                        /* TACKLE_ABI: for messages, never for refusal */
    const char *name;                    /* [a-z][a-z0-9_-]*, at most 32 bytes */
    const char *version;                 /* any short text */
    const char *description;             /* one line for people */
    const char *const *needs;            /* services it cannot work without; may be NULL */
    const tackle_tool *const *tools;     /* NULL-terminated, at least one */
    const tackle_option *const *options; /* NULL-terminated; may be NULL */
    /* Optional. Runs once before the first call; *self is handed to every call. A negative code
     * and host->error() refuse the plugin. */
    int32_t (*open)(const tackle_host *host, void **self);
    /* Optional. Runs once at the end, unless the process is killed. */
    void (*close)(void *self);
} tackle_plugin;

/* The one symbol a plugin defines. The host reads it before any function of the plugin runs. */
extern TACKLE_EXPORT const tackle_plugin tackle_plugin_v1;

/* ---- Services: host->service(host, "log/1") and so on. A released one never changes. ---- */

#define TACKLE_LOG_DEBUG 0
#define TACKLE_LOG_INFO  1
#define TACKLE_LOG_WARN  2
#define TACKLE_LOG_ERROR 3

typedef struct tackle_log_v1 { /* "log/1" */
    uint32_t size;
    uint32_t reserved;
    void (*write)(const tackle_host *host, int32_t level, const char *message); /* [host] */
} tackle_log_v1;

typedef struct tackle_config_v1 { /* "config/1": the plugin's declared options */
    uint32_t size;
    uint32_t reserved;
    /* The value as set or by default; NULL when unset or not declared. [host] */
    const char *(*text)(const tackle_host *host, const char *option);
    /* 1: set, *out is written; 0: unset. [host] */
    int32_t (*integer)(const tackle_host *host, const char *option, int64_t *out);
    int32_t (*boolean)(const tackle_host *host, const char *option, int32_t *out);
} tackle_config_v1;

#define TACKLE_OPEN_FILE 0u /* a regular file, for reading */
#define TACKLE_OPEN_DIR  1u /* a directory, for listing and for openat() below it */

#define TACKLE_REPLACE_NEW     (1u << 0) /* the file must not exist yet */
#define TACKLE_REPLACE_PARENTS (1u << 1) /* make missing directories */

#define TACKLE_CHANGED_CREATED  1u
#define TACKLE_CHANGED_MODIFIED 2u
#define TACKLE_CHANGED_DELETED  3u

/* "workspace/1": the folder the run works in. Paths are relative to it, or absolute and inside it;
 * nothing outside is ever reached, through links neither. A failing function has already called
 * fail() with a message for the model: `if (fd < 0) return fd;` is enough. */
typedef struct tackle_workspace_v1 {
    uint32_t size;
    uint32_t reserved;
    /* Absolute path of the workspace, for messages. [host] */
    const char *(*root)(const tackle_host *host);
    /* Opens for reading; `how` is TACKLE_OPEN_... The descriptor is yours to close(). Links are
     * followed as long as they stay inside. Returns it, or a negative code. [call] */
    int32_t (*open)(tackle_call *call, const char *path, uint32_t how);
    /* Writes a whole file at once: it has the old content or the new, at no time a mix. Keeps the
     * mode of a file that exists. Files under .git and .tackle are refused. Reports the change.
     * Returns TACKLE_OK or a negative code. [call] */
    int32_t (*replace)(tackle_call *call, const char *path, const void *data, size_t len,
                       uint32_t flags);
    /* Reports a change made in another way; `what` is TACKLE_CHANGED_... [call] */
    int32_t (*changed)(tackle_call *call, const char *path, uint32_t what);
} tackle_workspace_v1;

typedef struct tackle_http_request {
    uint32_t size;
    uint32_t reserved;
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    const void *body;
    size_t body_len;
} tackle_http_request;

typedef struct tackle_http_response {
    uint32_t size;            /* set by the caller: sizeof(tackle_http_response) */
    int32_t status;           /* 200, 404, ... */
    const char *content_type; /* "" when the server sent none */
    const char *body;         /* ends with a zero byte that body_len does not count */
    size_t body_len;          /* at most 8 MiB */
    /* 1.1: the absolute URL that a redirect (301, 302, 303, 307, 308) points to; else "". To follow
     * it is to fetch it: its host must be one of the tool's. */
    const char *location;
} tackle_http_response;

typedef struct tackle_http_v1 { /* "http/1": done by the runtime; only to the tool's `hosts` */
    uint32_t size;
    uint32_t reserved;
    /* One request, no redirects. Obeys the call's deadline. Any status is TACKLE_OK; a negative
     * code, with fail() called, means that no answer came. The response is valid until the next
     * fetch or the end of the call. [call] */
    int32_t (*fetch)(tackle_call *call, const tackle_http_request *request,
                     tackle_http_response *response);
} tackle_http_v1;

typedef struct tackle_process {
    uint32_t size;
    uint32_t reserved;
    const char *const *argv; /* argv[0] is looked for in the host's PATH; NULL-terminated */
    const char *cwd;         /* in the workspace; NULL: its root */
    const char *const *env;  /* "NAME=value" on top of the host's small environment; may be NULL */
    int64_t timeout_ms;      /* 0: the call's deadline, which is the most in any case */
    size_t head_bytes;       /* output kept from its beginning; 0: 64 KiB */
    size_t tail_bytes;       /* output kept from its end; 0: 64 KiB */
} tackle_process;

typedef struct tackle_process_result {
    uint32_t size;       /* set by the caller */
    int32_t exit_status; /* 0 to 255; -1 when a signal ended it */
    int32_t signal;      /* 0, or the signal that ended it */
    int32_t timed_out;   /* 1: it was ended because its time was up */
    int64_t duration_ms;
    const char *head; /* standard output and standard error as they came */
    size_t head_len;
    const char *tail; /* what came last; head and tail together are all when omitted is 0 */
    size_t tail_len;
    uint64_t omitted; /* bytes between head and tail that were not kept */
} tackle_process_result;

typedef struct tackle_process_v1 { /* "process/1" */
    uint32_t size;
    uint32_t reserved;
    /* Runs a program to its end: standard input is empty, it has a process group of its own, and
     * nothing that it started is left when this returns. A negative code, with fail() called,
     * means that it could not be started or the call was cancelled; any exit is TACKLE_OK. The
     * result is valid until the next run or the end of the call. [call] */
    int32_t (*run)(tackle_call *call, const tackle_process *process, tackle_process_result *result);
} tackle_process_v1;

#ifdef __cplusplus
}
#endif

/* ---- Helpers, compiled into the plugin. #define TACKLE_NO_HELPERS to leave them out. ---- */
#ifndef TACKLE_NO_HELPERS
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__GNUC__)
#define TACKLE_PRINTF(f, a) __attribute__((format(printf, f, a), unused))
#else
#define TACKLE_PRINTF(f, a)
#endif

/* write() with a format. */
TACKLE_PRINTF(2, 3)
static inline int32_t tackle_writef(tackle_call *call, const char *format, ...)
{
    char line[512];
    char *text = line;
    int32_t status = TACKLE_E_NOMEM;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(line, sizeof line, format, args);
    if (len >= (int)sizeof line) {
        text = (char *)malloc((size_t)len + 1);
        if (text)
            len = vsnprintf(text, (size_t)len + 1, format, again);
    }
    if (text && len >= 0)
        status = call->api->write(call, text, (size_t)len);
    if (text != line)
        free(text);
    va_end(again);
    va_end(args);
    return status;
}

/* fail() with a format; messages past 1 KiB are cut. */
TACKLE_PRINTF(3, 4)
static inline int32_t tackle_failf(tackle_call *call, int32_t code, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    /* In parentheses, because cmocka defines a macro fail(). */
    return (call->api->fail)(call, code, len < 0 ? "failed" : line);
}
#endif /* TACKLE_NO_HELPERS */

#endif /* TACKLE_PLUGIN_H */
