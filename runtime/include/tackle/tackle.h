/*
 * tackle/tackle.h - the agent runtime as a library.
 *
 * A runtime holds settings, tools and one event loop; any number of runs live in it. A run sends
 * a conversation and the schemas of its tools to an OpenAI-compatible endpoint, runs the tool
 * calls that come back, and ends on the model's final answer or on a limit. It always ends with
 * exactly one result.
 *
 *     tackle_runtime *rt;
 *     tackle_run *run;
 *     tackle_error err = TACKLE_ERROR_INIT;
 *     if (tackle_runtime_new(&rt, &err) == 0 && tackle_load_config(rt, &err) == 0 &&
 *         tackle_run_start(rt, &(tackle_run_options){.size = sizeof(tackle_run_options),
 *                                                    .prompt = "What is in this folder?"},
 *                          &run, &err) == 0 &&
 *         tackle_run_wait(run, &err) == 0)
 *         puts(tackle_run_text(run));
 *
 * Threads: a runtime and everything made from it belong to one thread; only tackle_wakeup() may
 * be called from elsewhere. Different runtimes may live in different threads. The library keeps
 * no global state, never prints, never calls exit() and installs no signal handler.
 *
 * Functions return 0, or a negative number with `err` filled in; err may be NULL. Text is UTF-8
 * and zero-terminated. What you pass is copied; what you get is borrowed until the object it came
 * from is freed, unless the declaration says that you free it, with tackle_free().
 */
#ifndef TACKLE_TACKLE_H
#define TACKLE_TACKLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TACKLE_API __attribute__((visibility("default")))
#else
#define TACKLE_API
#endif

typedef struct tackle_runtime tackle_runtime;
typedef struct tackle_run tackle_run;

/* How a run ended, as the exit code of the command line. */
#define TACKLE_EXIT_OK        0
#define TACKLE_EXIT_INTERNAL  1
#define TACKLE_EXIT_USAGE     2
#define TACKLE_EXIT_CONFIG    3   /* configuration, agent file, plugin or schema file invalid */
#define TACKLE_EXIT_AUTH      4   /* the endpoint answered 401 or 403, or there is no key */
#define TACKLE_EXIT_API       5   /* the endpoint failed for good, or cannot be reached */
#define TACKLE_EXIT_TOOL      6   /* a tool failure that policy makes fatal */
#define TACKLE_EXIT_DENIED    7   /* ended without success after a denial */
#define TACKLE_EXIT_APPROVAL  8   /* paused: an approval is needed */
#define TACKLE_EXIT_BUDGET    9   /* a limit on steps, calls, tokens, cost or time was reached */
#define TACKLE_EXIT_ANSWER    10  /* the answer broke its contract: empty, refused, cut, invalid */
#define TACKLE_EXIT_REPLAY    11  /* a request differs from the recorded one */
#define TACKLE_EXIT_SANDBOX   12  /* tools cannot be confined as asked; nothing was run */
#define TACKLE_EXIT_SESSION   13  /* a session is missing or damaged; output cannot be written */
#define TACKLE_EXIT_LOOP      14  /* the same calls again and again */
#define TACKLE_EXIT_SIGNALLED 128 /* plus the number of the signal */

typedef struct tackle_error {
    uint32_t size;      /* set by the caller: sizeof(tackle_error) */
    int32_t exit_code;  /* TACKLE_EXIT_... */
    char reason[32];    /* stop reason: "usage", "config_error", "plugin_error", ... */
    char message[1024]; /* one line: what, which, what to do */
} tackle_error;

#define TACKLE_ERROR_INIT                                                                          \
    {                                                                                              \
        sizeof(tackle_error), 0, "", ""                                                            \
    }

/* "0.1.0" */
TACKLE_API const char *tackle_version(void);

/* Frees text that the declaration says is yours. NULL is fine. */
TACKLE_API void tackle_free(void *text);

/* ---- Runtime and settings ---- */

TACKLE_API int32_t tackle_runtime_new(tackle_runtime **out, tackle_error *err);

/* Cancels what still runs, ends the tool hosts, frees all runs that are left. NULL is fine. */
TACKLE_API void tackle_runtime_free(tackle_runtime *rt);

/* One setting by its key, with a value as text: ("max_steps", "20"). The last value counts; list
 * settings (type "list") gather one value a call. These win over configuration files, agent files
 * and the environment. An unknown key or a bad value is TACKLE_EXIT_USAGE. */
TACKLE_API int32_t tackle_set(tackle_runtime *rt, const char *key, const char *value,
                              tackle_error *err);

/* Reads what a user has set up: /etc/tackle/config.yaml, $XDG_CONFIG_HOME/tackle/config.yaml,
 * .tackle/config.yaml of the workspace (which may only tighten), and TACKLE_* of the environment.
 * Once at most. Without this call a runtime reads no file, and no variable but those of the API
 * keys and, through libcurl, of proxies. */
TACKLE_API int32_t tackle_load_config(tackle_runtime *rt, tackle_error *err);

/* Makes the process one that others of the same user cannot look into, in /proc or as debuggers,
 * and that leaves no core file (PR_SET_DUMPABLE, RLIMIT_CORE). For programs, first of all: it
 * changes the whole process. The library does nothing of the kind by itself: it leaves the dumpable
 * flag, limits, umask, signals and descriptors of an embedding program as they are. */
TACKLE_API int32_t tackle_protect_process(tackle_error *err);

/* Gives the value of a variable that holds a key ("TACKLE_API_KEY", "OPENAI_API_KEY", ...) in place
 * of the environment, so that a program can take keys out of its environment, where its children
 * could read them. The copy lies in locked memory, which no core file has and which is wiped when
 * the runtime is freed. NULL in place of the variable's name: the key of the endpoint that the
 * settings choose, whatever its variable. NULL in place of the value: it counts as unset.
 *
 * Keys are taken out of all that a runtime hands out: requests, events, results, errors, journals;
 * "[redacted:NAME]" takes their place. So is what an environment that was read holds under names
 * such as *_TOKEN and *_PASSWORD, and what looks like a token of a known service. It is a net: a
 * value that is written backwards passes. */
TACKLE_API int32_t tackle_set_key(tackle_runtime *rt, const char *variable, const char *value,
                                  tackle_error *err);

/* Does that for every key variable that there is, and takes them out of the environment: their
 * bytes are overwritten, so that no child can read them in /proc either; what else looks like a
 * secret there becomes known. Unsets SSLKEYLOGFILE as well, with which libcurl would write down
 * what decrypts its connections. Changes the environment of the whole process: for programs, early,
 * while there is one thread. */
TACKLE_API int32_t tackle_take_keys(tackle_runtime *rt, tackle_error *err);

/* A setting as it is declared. Arrays of them are arrays of pointers, ended by NULL. */
typedef struct tackle_setting {
    uint32_t size;
    uint32_t reserved;
    const char *key;           /* "max_steps"; the flag is --max-steps, the variable
                                  TACKLE_MAX_STEPS */
    const char *type;          /* text, path, int, bool, duration, money, choice, list */
    const char *argument;      /* what stands for the value in help: "N"; NULL for bool */
    const char *default_value; /* as text; NULL: none */
    const char *choices;       /* "low|high" for choice; else NULL */
    const char *group;         /* heading in help: "model", "input", "tools", "limits", ... */
    const char *help;          /* one line */
} tackle_setting;

/* All settings there are; static. */
TACKLE_API const tackle_setting *const *tackle_settings(void);

/* ---- Tools that are functions of the embedding program ---- */

typedef struct tackle_pending tackle_pending;

typedef struct tackle_function {
    uint32_t size;
    uint32_t does;   /* TACKLE_READS | ... of plugin.h; 0: touches nothing */
    uint32_t effect; /* TACKLE_EFFECT_... of plugin.h */
    uint32_t reserved;
    const char *name;        /* [a-z_][a-z0-9_]*, at most 64 bytes */
    const char *description; /* the model reads this */
    const char *params;      /* JSON Schema of the arguments object; NULL: no arguments */
    /* Called from tackle_step() with arguments that fit `params`. Answer with
     * tackle_pending_finish(), at once or later. */
    void (*call)(void *user, tackle_pending *pending, const char *args_json);
    void *user;
} tackle_function;

TACKLE_API int32_t tackle_add_function(tackle_runtime *rt, const tackle_function *function,
                                       tackle_error *err);

/* Ends a call, exactly once; `pending` is gone afterwards. code 0 is success, a negative
 * TACKLE_E_ code of plugin.h a failure; text is what the model reads. If the run has ended in the
 * meantime this only frees `pending`. */
TACKLE_API void tackle_pending_finish(tackle_pending *pending, int32_t code, const char *text,
                                      size_t len);

/* ---- Runs ---- */

typedef struct tackle_event {
    uint32_t size;
    uint32_t reserved;
    uint64_t seq;     /* 1, 2, 3 ... within the run, no gap */
    const char *type; /* "message.delta", "tool.completed", ..., last of all "result" */
    const char *json; /* the whole event as one JSON object, no newline */
    size_t json_len;
    const char *text; /* message.delta and reasoning.delta: the text; else NULL */
    size_t text_len;
} tackle_event;

/* Called from tackle_step(), in order. May cancel the run; must not free it nor step. The event is
 * valid until the callback returns; a callback that blocks makes the run wait. */
typedef void (*tackle_event_fn)(void *user, tackle_run *run, const tackle_event *event);

/* The setting approval is "ask" where nothing sets it: somebody is there, or has answers already.
 */
#define TACKLE_RUN_ASK (1u << 0)
/* Nobody is there to answer: what would be asked is denied, or pauses the run with exit code 8, as
 * the setting on_deny says. The run never waits. */
#define TACKLE_RUN_UNATTENDED (1u << 1)
/* With `resume`: as a new run, with a copy of what was recorded; the old one stays as it is. */
#define TACKLE_RUN_FORK (1u << 2)

typedef struct tackle_run_options {
    uint32_t size;
    uint32_t flags;              /* TACKLE_RUN_... */
    const char *prompt;          /* the user's message; required unless `resume` is set */
    const char *const *settings; /* "key=value" for this run only, NULL-terminated; may be NULL */
    const char *const *files;    /* text, image, sound, film and PDF files, and URLs of these, put
                                    in front of the prompt; NULL-terminated; may be NULL */
    tackle_event_fn on_event;    /* may be NULL */
    void *user;
    const char *resume; /* the id of a run that was recorded, "": the newest of this workspace. It
                           goes on where it stopped, with the settings it had been given; those of
                           now win. Results that were recorded are not got again; a call without
                           one is treated by its tool's effect. With a prompt it goes on with that
                           instead. NULL: a new run */
} tackle_run_options;

/* Checks settings, agent, plugins and files, and starts. On failure nothing was sent anywhere. */
TACKLE_API int32_t tackle_run_start(tackle_runtime *rt, const tackle_run_options *options,
                                    tackle_run **out, tackle_error *err);

/* Adds a user message to a run that has ended, however it ended, and starts it again with the same
 * settings, limits counted anew. */
TACKLE_API int32_t tackle_run_continue(tackle_run *run, const char *prompt, tackle_error *err);

/* Ends the run soon: its request is dropped, its calls are cancelled, its result has status
 * "interrupted". `signal` is what the result says: SIGINT, SIGTERM, ..., 0: cancelled. */
TACKLE_API void tackle_run_cancel(tackle_run *run, int32_t signal);

/* The answers to "approval.requested". */
#define TACKLE_ALLOW_ONCE 1 /* this call may run */
#define TACKLE_ALLOW_RUN                                                                           \
    2 /* and, until the run is freed or resumed, what its event calls "always" */
#define TACKLE_DENY 3

/*
 * Answers a call that needs a yes. With the setting approval=ask (or TACKLE_RUN_ASK) a run
 * that comes to such a call tells of it by the event approval.requested and waits, without a limit
 * but max_time, while other calls go on; so whoever sets it must answer. `call` is the member
 * "call" of the event, or what stands in it behind the run ("1.2"); NULL: all that have no answer.
 * `reason` is what the model is told of a TACKLE_DENY; may be NULL. From callbacks of the run as
 * well.
 *
 * A run that ended with exit code 8 waits for answers, too: resume it, and give them before the
 * first tackle_step(). Calls that get none are treated as before.
 *
 * A yes is for what the event shows, and lifts nothing that a rule denies. TACKLE_EXIT_USAGE: no
 * such call waits; the message names those that do.
 */
TACKLE_API int32_t tackle_run_decide(tackle_run *run, const char *call, int32_t decision,
                                     const char *reason, tackle_error *err);

/* 1 when the result is there. */
TACKLE_API int32_t tackle_run_done(const tackle_run *run);

/* After the end: the exit code, the result object as JSON, the final answer ("" when none). */
TACKLE_API int32_t tackle_run_exit_code(const tackle_run *run);
TACKLE_API const char *tackle_run_result(const tackle_run *run);
TACKLE_API const char *tackle_run_text(const tackle_run *run);

/* Cancels a run that is not done, without further events, and frees it. NULL is fine. */
TACKLE_API void tackle_run_free(tackle_run *run);

/* ---- The loop ---- */

/* Handles what is ready, after waiting for it for at most timeout_ms (0: not at all, -1: without
 * limit). Returns the number of runs that are not done, or a negative number. */
TACKLE_API int32_t tackle_step(tackle_runtime *rt, int32_t timeout_ms, tackle_error *err);

/* Steps until this run is done; others go on meanwhile. 0 whatever its exit code. */
TACKLE_API int32_t tackle_run_wait(tackle_run *run, tackle_error *err);

/* A descriptor for the caller's own loop: readable when tackle_step(rt, 0, ...) has work, timers
 * included. Only poll it. */
TACKLE_API int32_t tackle_fd(const tackle_runtime *rt);

/* Makes a tackle_step() that waits return. From any thread, and from a signal handler. */
TACKLE_API void tackle_wakeup(tackle_runtime *rt);

/* ---- Looking things up: *json is yours, free it with tackle_free() ---- */

/* [{"name","description","plugin","params","does":[...],"effect","allowed","reason"}]: the tools
 * of the agent and plugins that the settings name. */
TACKLE_API int32_t tackle_list_tools(tackle_runtime *rt, char **json, tackle_error *err);

/* Runs one tool without a model, policy and argument check included, and waits for it:
 * {"name","ok","code","output","duration_ms","files":[...]}. 0 even when the tool failed. */
TACKLE_API int32_t tackle_call_tool(tackle_runtime *rt, const char *name, const char *args_json,
                                    char **json, tackle_error *err);

/* [{"name","version","description","path","tools":[...],"status","error"}] */
TACKLE_API int32_t tackle_list_plugins(tackle_runtime *rt, char **json, tackle_error *err);

/* Loads one plugin in a host process and says what is wrong with it:
 * {"path","ok","problems":[{"what","fix"}],"notes":[...],"plugin":{...}}. */
TACKLE_API int32_t tackle_check_plugin(tackle_runtime *rt, const char *path, char **json,
                                       tackle_error *err);

/* [{"name","description","path","origin"}] */
TACKLE_API int32_t tackle_list_agents(tackle_runtime *rt, char **json, tackle_error *err);

/* One agent by name or path, read and checked: {"name","description","path","model","tools",
 * "settings":{...},"prompt"}. An invalid file is an error that names the line. */
TACKLE_API int32_t tackle_show_agent(tackle_runtime *rt, const char *agent, char **json,
                                     tackle_error *err);

/* [{"key","value","origin","ms"?}]: every setting with where its value comes from; ms is there for
 * durations that are set. Never a key. */
TACKLE_API int32_t tackle_show_settings(tackle_runtime *rt, char **json, tackle_error *err);

/* [{"name","base_url","key_env","key_present","model"}] */
TACKLE_API int32_t tackle_list_providers(tackle_runtime *rt, char **json, tackle_error *err);

/* ---- Runs that were recorded, in $XDG_STATE_HOME/tackle/runs or where the setting state_dir says.
 * Errors are TACKLE_EXIT_SESSION. ---- */

/* [{"id","started","agent","model","workspace","prompt","status","stop_reason","resumable",
 * "forked_from","steps","cost_usd"}], the newest first; forked_from is the id of a run or null. Of
 * a large journal only both ends are read, so damage in between shows in the others below. status
 * is that of the result, "running", "unfinished" (its process was killed), or "damaged" with the
 * reason in "problem" and no more than that. */
TACKLE_API int32_t tackle_list_runs(tackle_runtime *rt, char **json, tackle_error *err);

/* One run, and "records": all that its journal says, as objects with "n" (number), "t"
 * (time) and "k" (kind). */
TACKLE_API int32_t tackle_show_run(tackle_runtime *rt, const char *id, char **json,
                                   tackle_error *err);

/* The same, to be handed on. */
TACKLE_API int32_t tackle_export_run(tackle_runtime *rt, const char *id, char **json,
                                     tackle_error *err);

/* Deletes the journal of a run that is not going on. */
TACKLE_API int32_t tackle_remove_run(tackle_runtime *rt, const char *id, tackle_error *err);

/* {"id","ok","records","dropped_bytes","torn","problem"}: is the journal whole? "torn" alone is no
 * damage: the process was killed while it wrote its last record. */
TACKLE_API int32_t tackle_verify_run(tackle_runtime *rt, const char *id, char **json,
                                     tackle_error *err);

/* Cuts off what does not verify, and tells what was wrong in the same form. A damaged journal is
 * kept beside it as journal.damaged. */
TACKLE_API int32_t tackle_repair_run(tackle_runtime *rt, const char *id, char **json,
                                     tackle_error *err);

/* The two that ask an endpoint, with a GET, and wait for at most 30 seconds: that of the provider
 * of this name, or when it is NULL of the one that the settings choose. Not from a callback. */

/* [{"id","owned_by"?,"context"?}] sorted by id: the models that the endpoint says it has; context
 * is in tokens. */
TACKLE_API int32_t tackle_list_models(tackle_runtime *rt, const char *provider, char **json,
                                      tackle_error *err);

/* {"endpoint","status","credits","body"}: what is left on the account. `body` is what the endpoint
 * says, as JSON or text; `credits` the number that stands for the balance in it, null when none can
 * be told. */
TACKLE_API int32_t tackle_credits(tackle_runtime *rt, const char *provider, char **json,
                                  tackle_error *err);

#define TACKLE_DOCTOR_OFFLINE (1u << 0) /* ask no endpoint */

/* Looks whether a run with these settings could work, for at most a few seconds:
 * {"ok","checks":[{"name","status","text","fix"}],"configuration":[{"path","found"}],"settings":
 * [...],"plugins":[...],"kernel":{...},"versions":{...}}. status is "ok", "note", "skipped" or
 * "broken"; ok: nothing is broken. fix is null, or says what to do. No key is ever in it. 0 even
 * when something is broken. */
TACKLE_API int32_t tackle_doctor(tackle_runtime *rt, uint32_t flags, char **json,
                                 tackle_error *err);

/* ---- The policy: which calls may run, looked at without running any. The tools of the shipped
 * plugins are known besides those of the agent. ---- */

/* The decision on one call: {"tool","arguments","decision":"allow"|"ask"|"deny","rule","why"},
 * where `why` says what would change it. `tool` may be NULL: the arguments are {"argv":[...]}, a
 * command. TACKLE_EXIT_USAGE: no such tool, or arguments that do not fit it. */
TACKLE_API int32_t tackle_check_policy(tackle_runtime *rt, const char *tool, const char *args_json,
                                       char **json, tackle_error *err);

/* [{"layer","origin","verdict","rule"}]: all that holds, in the order of the layers. */
TACKLE_API int32_t tackle_show_policy(tackle_runtime *rt, char **json, tackle_error *err);

/* [{"rule","origin","problem"}]: rules that allow more than they seem to, or are about nothing. */
TACKLE_API int32_t tackle_lint_policy(tackle_runtime *rt, char **json, tackle_error *err);

/* ---- What goes over the wire, looked at without sending anything ---- */

typedef struct tackle_wire_options {
    uint32_t size;
    int32_t status;  /* the response's HTTP status; 0: 200 */
    uint64_t chunk;  /* read the body in pieces of so many bytes; 0: as a whole */
    uint32_t random; /* not 0: in pieces of many sizes, the same ones for the same number */
    uint32_t reserved;
} tackle_wire_options;

/* Reads a response body, after content decoding, as a run reads it: {"text","reasoning",
 * "tool_calls":[{"id","name","arguments","extra_content"}],"finish_reason","stop","usage","error",
 * "echo","done_marker"}, and "warnings":[...] where something was mended. 0 whatever the body is;
 * `options` may be NULL. */
TACKLE_API int32_t tackle_wire_parse(const char *body, size_t len,
                                     const tackle_wire_options *options, char **json,
                                     tackle_error *err);

/* The JSON Schema of a tool's arguments in the form in which endpoints are given it, and what had
 * to be changed: {"schema":{...},"changes":["path: what"]}. TACKLE_EXIT_CONFIG when it is none. */
TACKLE_API int32_t tackle_wire_schema(const char *schema, size_t len, char **json,
                                      tackle_error *err);

#ifdef __cplusplus
}
#endif

#endif /* TACKLE_TACKLE_H */
