/* What can be set, and what is set: one table of settings, and values that remember where they
 * came from. Files, agents, environment and flags all end here; no file is read here. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tackle/tackle.h>

#include "base/err.h"

/* Each has its row in settings_table.c. */
enum setting {
    SET_MODEL,
    SET_BASE_URL,
    SET_API_KEY_FILE,
    SET_EFFORT,
    SET_THOUGHTS,
    SET_STREAM,
    SET_FALLBACK_MODEL,
    SET_GOOGLE_SEARCH,
    SET_SYSTEM,
    SET_FILE,
    SET_OUTPUT_SCHEMA,
    SET_WORKSPACE,
    SET_INSTRUCTIONS,
    SET_AGENT,
    SET_TRUST_PROJECT,
    SET_PLUGIN,
    SET_PLUGIN_OPTION,
    SET_TOOLS,
    SET_NO_TOOLS,
    SET_SANDBOX,
    SET_SANDBOX_TIER,
    SET_SANDBOX_READ,
    SET_CROSS_MOUNTS,
    SET_COMMAND_NETWORK,
    SET_COMMAND_MEMORY,
    SET_COMMAND_PROCESSES,
    SET_COMMAND_FILE_SIZE,
    SET_ALLOW_HOST,
    SET_ALLOW_PRIVATE_HOST,
    SET_ALLOW_HTTP,
    SET_PROXY,
    SET_ALLOW,
    SET_ASK,
    SET_DENY,
    SET_POLICY,
    SET_APPROVAL,
    SET_ON_DENY,
    SET_MAX_DENIALS,
    SET_REDACT,
    SET_MAX_STEPS,
    SET_MAX_TOOL_CALLS,
    SET_MAX_TOKENS,
    SET_MAX_COST_USD,
    SET_UNPRICED,
    SET_MAX_TIME,
    SET_TOOL_TIMEOUT,
    SET_MODEL_TIMEOUT,
    SET_LOOP_LIMIT,
    SET_RETRIES,
    SET_STATE_DIR,
    SET_EPHEMERAL,
    SET_DURABILITY,
    SET_RECORD,
    SET_REFRESH,
    SET_REPLAY,
    SET_REPLAY_MODE,
    SET_REPLAY_SPEED,
    SETTING_COUNT
};

/* Weakest first. A value is replaced by one of the same or a stronger layer. */
enum layer {
    LAYER_BUILTIN,
    LAYER_SYSTEM,  /* /etc/tackle/config.yaml */
    LAYER_USER,    /* $XDG_CONFIG_HOME/tackle/config.yaml */
    LAYER_PROJECT, /* .tackle/config.yaml of the workspace: may only tighten */
    LAYER_AGENT,
    LAYER_ENVIRONMENT,
    LAYER_FLAG, /* tackle_set() */
    LAYER_RUN   /* tackle_run_options.settings */
};

#define SETTING_ITEMS_MAX 64

struct setting_item {
    char *text; /* owned */
    enum layer layer;
};

struct setting_value {
    enum layer layer;
    char *text;                 /* owned; NULL: unset. Not used for lists. */
    struct setting_item *items; /* lists only; owned, at most SETTING_ITEMS_MAX */
    size_t count;
};

struct settings {
    struct setting_value values[SETTING_COUNT];
};

/* The defaults. settings_release() frees; copies are deep. 0 or -1 (out of memory). */
int settings_init(struct settings *s);
int settings_copy(struct settings *to, const struct settings *from);
void settings_release(struct settings *s);

/* Sets one by its key. Unknown keys (with the nearest known one) and bad values are ERR_USAGE.
 * A value that is already set by a stronger layer stays. Lists gather over all layers. */
int settings_set(struct settings *s, enum layer layer, const char *key, const char *value,
                 struct err *err);

/* Sets from one "key: value" of a configuration or agent file, where lists and numbers have their
 * JSON types. In LAYER_PROJECT only what tightens is taken; otherwise *ignored is set to true and
 * nothing changes. `ignored` may be NULL for other layers. */
int settings_set_json(struct settings *s, enum layer layer, const char *key, const json_t *value,
                      bool *ignored, struct err *err);

/* Values. Text is NULL when unset; numbers have defaults or are 0 when unset. Durations are
 * milliseconds. */
const char *settings_text(const struct settings *s, enum setting id);
double settings_money(const struct settings *s, enum setting id); /* 0 when unset */
int64_t settings_number(const struct settings *s, enum setting id);
bool settings_flag(const struct settings *s, enum setting id);
bool settings_is_set(const struct settings *s, enum setting id); /* by more than the default */
size_t settings_count(const struct settings *s, enum setting id);
const char *settings_item(const struct settings *s, enum setting id, size_t index);
enum layer settings_item_layer(const struct settings *s, enum setting id, size_t index);
enum layer settings_layer(const struct settings *s, enum setting id);

const char *settings_layer_name(enum layer layer);
const char *settings_key(enum setting id);

/* May an agent file say this, whoever wrote it? How tools are confined is for those who start the
 * run: how the sandbox is enforced, what it opens, and turning it off. Only the other settings of
 * an agent are judged by the caller. 0, or -1 with ERR_CONFIG. */
int settings_check_agent(const char *key, const json_t *value, struct err *err);

/* The table, as tackle_settings() gives it. */
const tackle_setting *const *settings_table(void);

/* [{"key","value","origin"}], durations with "ms"; NULL only when out of memory. */
json_t *settings_json(const struct settings *s);

/* "90", "30s", "5m", "1h", "250ms" in milliseconds; -1 when it is none of these or over a year. */
int64_t settings_parse_duration(const char *text);

#endif
