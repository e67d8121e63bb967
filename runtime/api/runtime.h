/* The inside of tackle_runtime and tackle_run, for the files of this folder only. */
#ifndef API_RUNTIME_H
#define API_RUNTIME_H

#include <jansson.h>
#include <stdbool.h>

#include <tackle/tackle.h>

#include "base/err.h"
#include "base/locked.h"
#include "base/redact.h"
#include "engine/agent.h"
#include "engine/reach.h"
#include "engine/run.h"
#include "engine/settings.h"
#include "engine/tool.h"
#include "io/backend.h"
#include "io/cassette.h"
#include "io/confine_probe.h"
#include "io/http.h"
#include "io/journal_file.h"
#include "io/loop.h"
#include "io/plugin.h"
#include "io/toolhost.h"

/* A tool of the embedding program. */
struct function {
    struct function *next;
    struct tool tool; /* tool.owner is NULL: that is how it is told from a plugin's */
    void (*call)(void *user, tackle_pending *pending, const char *args_json);
    void *user;
};

struct loaded_plugin {
    struct loaded_plugin *next;
    struct plugin *plugin;
};

/* A variable that tackle_set_key() stands in for. */
struct key {
    struct key *next;
    char *variable;    /* "": the key of the endpoint that is asked, whatever its variable */
    const char *value; /* in locked memory; NULL: unset */
};

struct tackle_runtime {
    struct loop *loop;
    struct http *http;        /* asks endpoints */
    struct http *plugin_http; /* serves plugins: shares no connection and no memory of names with
                                 the other */
    struct toolhost *hosts;   /* NULL before the first call into a plugin */
    struct scratch scratch;
    unsigned result_folders; /* made in it so far */
    struct settings settings;
    struct locked locked; /* what the keys lie in */
    struct key *keys;
    bool key_given; /* by tackle_set_key(), for the endpoint that is asked: no file is read */
    struct redact *redact; /* all secrets that are known */
    struct redact *own;    /* the keys among them: these must not be in a prompt */
    struct function *functions;
    struct loaded_plugin *plugins;  /* each file once */
    char *host_program;             /* NULL until it is looked for */
    struct confine_offer offers[2]; /* what t3 and t2 came to, once a run has asked */
    bool configured;                /* tackle_load_config() was called */
    char *plugin_path;              /* TACKLE_PLUGIN_PATH when configuration was read; NULL */
    char *agent_path;               /* TACKLE_AGENT_PATH likewise */
    char *config_dir;               /* $XDG_CONFIG_HOME/tackle likewise */
    char *cache_dir;                /* $XDG_CACHE_HOME/tackle likewise */
    char *state_dir;                /* $XDG_STATE_HOME/tackle likewise */
    char *temp_dir;                 /* TMPDIR likewise */
    json_t *warnings;               /* of reading configuration: texts */
    struct tackle_run *runs;
    int32_t active; /* how many of them have not ended */
    bool stepping;
};

/* Fills the caller's error and returns -1; `from` says what. */
int32_t api_fail(const struct tackle_runtime *rt, tackle_error *out, const struct err *from);
int32_t api_fail_as(tackle_error *out, enum stop_reason reason, const char *message);
/* The same with a message that may quote anything: an endpoint's words, and in these a key. */
int32_t api_fail_quoting(const struct tackle_runtime *rt, tackle_error *out,
                         enum stop_reason reason, const char *message);

/* Hands a JSON value over as text, without secrets, and drops it: 0, or -1. `value` may be NULL
 * (out of memory). */
int32_t api_give_json(const struct tackle_runtime *rt, json_t *value, char **json,
                      tackle_error *err);
/* The same with JSON text, which is malloc'd; NULL: out of memory. */
int32_t api_give_text(const struct tackle_runtime *rt, char *text, char **json, tackle_error *err);

/* Is there an object of this "name" in the array? */
bool api_is_listed(const json_t *rows, const char *name);

/* In the form that provider_resolve() wants: `user` is the runtime. What tackle_set_key() gave,
 * else the environment. */
const char *api_getenv(void *user, const char *name);

/* The plugin processes, made when first needed. NULL with *err. */
struct toolhost *api_hosts(struct tackle_runtime *rt, struct err *err);
const char *api_host_program(struct tackle_runtime *rt, struct err *err);

/* ---- ask_endpoint.c: a GET to an endpoint that is waited for ---- */

struct endpoint_answer {
    int status;      /* 200..299, or 400 and above */
    struct buf body; /* as it came */
    json_t *value;   /* owned: the body as JSON; NULL: it is none */
};

/* Asks base_url + path, with the provider's key. 0, whatever the endpoint answers; or -1 when no
 * whole answer came within total_ms, with the caller's error filled in. Release the answer in any
 * case. */
int32_t api_ask_endpoint(struct tackle_runtime *rt, const struct provider *provider,
                         const char *path, int64_t total_ms, struct endpoint_answer *out,
                         tackle_error *error);
void endpoint_answer_release(struct endpoint_answer *answer);

/* Does it hold an error? Then fills in the caller's error and returns -1; else 0. `lack` is what an
 * endpoint without this address cannot do: "list its models". */
int32_t api_check_answer(const struct tackle_runtime *rt, const struct provider *provider,
                         const struct endpoint_answer *answer, const char *lack,
                         tackle_error *error);

/* ---- agents.c ---- */

/* Finds and reads an agent by name or path. *trusted is false for one that was found in the
 * workspace. */
int agents_load(struct tackle_runtime *rt, const struct settings *s, const char *name,
                struct agent *out, char **path, bool *trusted, struct err *err);

/* ---- plugins.c ---- */

/* Loads a plugin by name or path, once. NULL with *err; ERR_NOT_FOUND when no file has the name. */
struct plugin *plugins_load(struct tackle_runtime *rt, const char *name, struct err *err);

/* ---- instructions.c ---- */

struct prepared;

#define INSTRUCTIONS_MAX (32u << 10)

/* Appends the AGENTS.md files from the repository's root down to the workspace, each under its
 * path, INSTRUCTIONS_MAX bytes together; *list (a new reference) names them, each with the run that
 * left it as it is, if one did. */
int instructions_read(const struct tackle_runtime *rt, const struct settings *s,
                      const char *workspace, struct buf *out, json_t **list, struct err *err);

/* Remembers in the state folder which of these files the run changed, and how it left them. */
void instructions_note(const struct tackle_runtime *rt, const struct prepared *p,
                       const struct run *run);

/* ---- prompt.c: the user's message with its files ---- */

#define PROMPT_PARTS_MAX 33

struct prompt {
    struct chat_part parts[PROMPT_PARTS_MAX]; /* borrow from texts */
    struct buf texts[PROMPT_PARTS_MAX];
    size_t count;
};

void prompt_init(struct prompt *p);
void prompt_release(struct prompt *p);

/* The files of the setting and `files` (may be NULL), then the text. ERR_USAGE names the file that
 * cannot be sent. */
int prompt_build(struct prompt *p, const struct settings *s, const char *const *files,
                 const char *text, struct err *err);

/* Reads a file of the user's; *data is malloc'd and zero-terminated. ERR_USAGE. */
int prompt_read_file(const char *path, size_t max, char **data, size_t *len, struct err *err);

/* ---- lookup.c ---- */

struct prepared;

/* The tool of that name; NULL with *err. */
const struct tool *api_find_tool(const struct prepared *p, const char *name, struct err *err);

/* Checks arguments as those of a model's call, and gives them one form: malloc'd JSON text; NULL
 * with *err. */
char *api_check_arguments(const struct tool *tool, const char *args_json, struct err *err);

/* ---- policy.c ---- */

/* Makes p->policy of the settings and of the files of rules, in their order; what of them is
 * ignored goes to p->warnings. */
int policies_load(struct tackle_runtime *rt, struct prepared *p, struct err *err);

/* ---- prepare.c ---- */

/* All that a run or a tool call needs, checked. */
struct prepared {
    struct settings settings;
    struct agent agent;
    bool held_back; /* the agent asked for rights that it did not get */
    char *agent_path;
    char workspace[4096]; /* absolute, without links */
    int workspace_fd;
    struct network network;
    struct policy *policy;     /* owned */
    const struct tool **tools; /* owned array of borrowed tools */
    size_t tool_count;
    json_t *options;              /* owned: plugin name -> {option: text} */
    json_t *instructions;         /* owned: what was read */
    json_t *warnings;             /* owned: texts */
    json_t *confine;              /* owned: how each plugin is confined; see prepared_place() */
    struct confine_offer sandbox; /* what was found to be possible; api_require_sandbox() */
    char *system;                 /* owned: the whole system prompt */
};

/* What is known of a run besides its settings. */
struct occasion {
    const char *const *extra; /* "key=value" for this run; NULL */
    const json_t *recorded;   /* settings that a run of the past had been given, {key: text or
                                 texts}, which give way to flags; NULL */
    bool ask;                 /* somebody is asked, unless it is set that nobody is */
};

int prepare(struct tackle_runtime *rt, const struct occasion *occasion, struct prepared *out,
            struct err *err);
void prepared_release(struct prepared *p);

/* The place where a plugin's tool runs; borrows from p. `write` gives this call the right to change
 * things though the run may only read: a person said yes to it. */
void prepared_place(const struct prepared *p, const struct tool *tool, bool write,
                    struct toolhost_place *place);

/* ---- sandbox.c ---- */

/* Can the plugins of this run be confined as they have to be? Nothing is started when none takes
 * part, or the last good answer still holds. ERR_SANDBOX says what to do. */
int api_require_sandbox(struct tackle_runtime *rt, struct prepared *p, struct err *err);

/* {"mode","tier","enforced","network","landlock","cgroup","via"}: how the tools of this run are
 * held. A new reference. */
json_t *api_sandbox_json(const struct prepared *p);

/* ---- results.c ---- */

/* The results of one run that were cut: kept in a folder of their own, which goes with the run. */
struct results {
    struct tackle_runtime *rt;
    struct function function; /* read_result */
    const char *journal_dir;  /* borrowed: where they stay; NULL: they go with the run */
    char *dir;                /* owned; NULL before the first */
    size_t kept;              /* bytes */
};

int results_init(struct results *r, struct tackle_runtime *rt, struct err *err);
void results_release(struct results *r);

/* Of a run that is resumed: those that it kept before. */
void results_find(struct results *r);

/* In the form of run_config.keep. */
char *results_keep(void *user, const char *id, const char *text, size_t len);

/* ---- journal.c: the journal of a run ---- */

/* Where the journals of these settings are kept; malloc'd. NULL with code ERR_NONE: they are kept
 * nowhere; NULL with another code: an error. */
char *journal_folder(const struct tackle_runtime *rt, const struct settings *s, struct err *err);

enum durability journal_durability(const struct settings *s);

/* Do these settings want one? */
bool journal_wanted(const struct tackle_runtime *rt, const struct settings *s);

/* A journal of the past, open and locked. */
struct past {
    struct journal_file *file; /* owned until it is taken out */
    struct buf text;           /* its records */
    char id[32];
    json_t *settings;      /* owned: what the run had been given, its workspace among it */
    char tools[16];        /* the sum of its tools */
    char policy[16];       /* the sum of its rules; "": not known */
    size_t torn;           /* bytes that were cut off its end */
    unsigned results_lost; /* kept ones of a run that is forked */
    char forked_from[32];  /* "": it is no fork; a fork goes again when nothing comes of it */
};

/* Opens the journal of a run; an empty id is the newest of the workspace that the settings name.
 * `fork`: that of a new run, which has all that was recorded of this one. */
int past_open(struct tackle_runtime *rt, const char *const *extra, const char *id, bool fork,
              struct past *out, struct err *err);
void past_release(struct past *past);

/* Hands all records to a run that is new. */
int past_restore(const struct past *past, struct run *run, struct err *err);

/* The sum that tells one set of tools from another: eight digits. */
void journal_tools_sum(const struct prepared *p, char out[16]);

/* A new journal for `run`, with its first record. *out is NULL when the settings want none.
 * `prompt` is what people know the run by. */
int journal_begin(struct tackle_runtime *rt, const struct prepared *p,
                  const struct provider *provider, const char *run, const char *prompt,
                  struct journal_file **out, struct err *err);

/* ---- config.c ---- */

/* Reads .tackle/config.yaml of a workspace into settings, which may only tighten. */
int config_read_project(const char *workspace, struct settings *s, json_t *warnings,
                        struct err *err);

/* ---- call.c: one call, wherever the tool runs ---- */

struct api_call;

struct api_call_events {
    void (*progress)(void *user, const char *text, size_t len);
    void (*log)(void *user, const char *level, const char *text);
    void (*changed)(void *user, const char *path, const char *what);
    /* A request to "host" or "host:port": it was sent, or refused. Once for each. */
    void (*contacted)(void *user, const char *host, bool allowed);
    int (*remember)(void *user, const char *note, size_t len, struct err *err);
    void (*done)(void *user, const struct run_result_of_call *result);
    void *user;
};

/* Starts a call; `done` comes once, later. `write` as for prepared_place(). NULL with *err. */
struct api_call *api_call_start(struct tackle_runtime *rt, const struct prepared *p,
                                const struct tool *tool, const char *args, size_t args_len,
                                const char *key, bool write, const struct api_call_events *events,
                                struct err *err);
/* The same, but the tool is only asked whether the call was done: see toolhost_probe(). For tools
 * of plugins. */
struct api_call *api_call_probe(struct tackle_runtime *rt, const struct prepared *p,
                                const struct tool *tool, const char *args, size_t args_len,
                                const char *key, const char *note,
                                const struct api_call_events *events, struct err *err);
/* A call that is not run: its result is the recorded one, which is taken, after wait_ms. */
struct api_call *api_call_recorded(struct tackle_runtime *rt, struct cassette_result *result,
                                   int64_t wait_ms, const struct api_call_events *events,
                                   struct err *err);
void api_call_cancel(struct api_call *call);
/* No callback comes after this. */
void api_call_abandon(struct api_call *call);

#endif
