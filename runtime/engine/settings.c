#include "engine/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "base/text.h"
#include "engine/hosts.h"
#include "engine/proxy.h"

const char *settings_layer_name(enum layer layer)
{
    static const char *const names[] = {"default",
                                        "system configuration",
                                        "user configuration",
                                        "project configuration",
                                        "agent",
                                        "environment",
                                        "flag",
                                        "run"};
    return names[layer];
}

static const tackle_setting *row_of(size_t id)
{
    return settings_table()[id];
}

static bool is_type(enum setting id, const char *type)
{
    return strcmp(row_of(id)->type, type) == 0;
}

int64_t settings_parse_duration(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    const int64_t year_ms = INT64_C(31536000000);
    if (*text < '0' || *text > '9')
        return -1;
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno)
        return -1;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(end, units[i].unit) == 0)
            return number > year_ms / units[i].ms ? -1 : number * units[i].ms;
    return -1;
}

static int parse_int(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-');
    if (*digits < '0' || *digits > '9') /* strtoll() takes blanks and a plus as well */
        return -1;
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno || *end)
        return -1;
    *out = number;
    return 0;
}

/* USD; -1 when it is no amount. */
static double parse_money(const char *text)
{
    char *end = NULL;
    double amount = strtod(text, &end);
    return end != text && *end == '\0' && strspn(text, "0123456789.") == strlen(text) &&
                   amount < 1e9
               ? amount
               : -1;
}

#define SWITCH_ON  "true|yes|on|1"
#define SWITCH_OFF "false|no|off|0"

static bool is_choice(const char *choices, const char *value)
{
    size_t len = strcspn(value, "|"); /* two choices are none */
    if (value[len])
        return false;
    for (const char *at = choices; len && at; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncmp(at, value, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int bad_value(enum setting id, const char *value, const char *wanted, struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: '%s' is not %s", row_of(id)->key, value, wanted);
}

static int check_host_value(enum setting id, const char *value, struct err *err)
{
    struct host_rule rule;
    if (id == SET_PROXY)
        return proxy_check(value, err) == 0 ? 0 : err_prefix(err, "%s", row_of(id)->key);
    if (id != SET_ALLOW_HOST && id != SET_ALLOW_PRIVATE_HOST)
        return 0;
    if (host_rule_parse(value, &rule, err) != 0)
        return err_prefix(err, "%s", row_of(id)->key);
    if (id == SET_ALLOW_PRIVATE_HOST && (rule.any || rule.host.is_address))
        return bad_value(id, value, "the name of a host; allow_host takes addresses", err);
    return 0;
}

/* Checks a value, and gives booleans one spelling. */
static int check_value(enum setting id, const char **value, struct err *err)
{
    int64_t number = 0;
    if (is_type(id, "bool")) {
        if (is_choice(SWITCH_ON, *value))
            *value = "true";
        else if (is_choice(SWITCH_OFF, *value))
            *value = "false";
        else
            return bad_value(id, *value, "true or false", err);
    } else if (is_type(id, "int")) {
        if (parse_int(*value, &number) != 0 || number < 0 || number > INT32_MAX)
            return bad_value(id, *value, "a whole number from 0 up", err);
        if (id == SET_MAX_STEPS && number == 0)
            return bad_value(id, *value, "a whole number from 1 up", err);
    } else if (is_type(id, "money")) {
        if (parse_money(*value) <= 0)
            return bad_value(id, *value, "an amount in USD such as 0.50", err);
    } else if (is_type(id, "duration")) {
        number = settings_parse_duration(*value);
        if (number <= 0)
            return bad_value(id, *value, "a time such as 90, 30s, 5m or 1h", err);
    } else if (is_type(id, "choice")) {
        if (!is_choice(row_of(id)->choices, *value))
            return err_set(err, ERR_USAGE, "%s: '%s' is not one of %s", row_of(id)->key, *value,
                           row_of(id)->choices);
    } else if (id == SET_SANDBOX_READ && **value != '/') {
        return bad_value(id, *value, "an absolute path", err);
    } else if (**value == '\0' && !is_type(id, "text")) {
        return bad_value(id, *value, "a value", err);
    }
    return check_host_value(id, *value, err);
}

/* The index of a key; dashes count as underscores. SETTING_COUNT when unknown. */
static enum setting find(const char *key)
{
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const char *a = row_of((enum setting)id)->key, *b = key;
        while (*a && (*a == *b || (*a == '_' && *b == '-')))
            a++, b++;
        if (!*a && !*b)
            return (enum setting)id;
    }
    return SETTING_COUNT;
}

static enum setting find_or_explain(const char *key, struct err *err)
{
    enum setting id = find(key);
    if (id != SETTING_COUNT)
        return id;
    struct text_nearest near = {.word = key};
    for (size_t i = 0; i < SETTING_COUNT; i++)
        (void)text_nearest(&near, settings_table()[i]->key);
    if (near.best)
        err_set(err, ERR_USAGE, "unknown setting '%s'; did you mean '%s'?", key, near.best);
    else
        err_set(err, ERR_USAGE, "unknown setting '%s'; 'tackle config show' lists them all", key);
    return SETTING_COUNT;
}

static int add_item(struct setting_value *v, enum layer layer, const char *value, struct err *err)
{
    if (v->count == SETTING_ITEMS_MAX)
        return err_set(err, ERR_USAGE, "more than %d values", SETTING_ITEMS_MAX);
    struct setting_item *items = realloc(v->items, (v->count + 1) * sizeof *items);
    if (!items)
        return err_set(err, ERR_NOMEM, "out of memory");
    v->items = items;
    items[v->count] = (struct setting_item){.text = strdup(value), .layer = layer};
    if (!items[v->count].text)
        return err_set(err, ERR_NOMEM, "out of memory");
    v->count++;
    if (layer > v->layer)
        v->layer = layer;
    return 0;
}

static int set_value(struct settings *s, enum setting id, enum layer layer, const char *value,
                     struct err *err)
{
    struct setting_value *v = &s->values[id];
    if (check_value(id, &value, err) != 0)
        return -1;
    if (is_type(id, "list"))
        return add_item(v, layer, value, err) == 0 ? 0 : err_prefix(err, "%s", row_of(id)->key);
    if (layer < v->layer)
        return 0;
    char *copy = strdup(value);
    if (!copy)
        return err_set(err, ERR_NOMEM, "out of memory");
    free(v->text);
    v->text = copy;
    v->layer = layer;
    return 0;
}

int settings_set(struct settings *s, enum layer layer, const char *key, const char *value,
                 struct err *err)
{
    enum setting id = find_or_explain(key, err);
    return id == SETTING_COUNT ? -1 : set_value(s, id, layer, value, err);
}

double settings_money(const struct settings *s, enum setting id)
{
    return s->values[id].text ? parse_money(s->values[id].text) : 0;
}

int64_t settings_number(const struct settings *s, enum setting id)
{
    int64_t number = 0;
    const char *text = s->values[id].text;
    if (!text)
        return 0;
    if (is_type(id, "duration"))
        return settings_parse_duration(text);
    return parse_int(text, &number) == 0 ? number : 0;
}

/* Would this value of a project's file allow less than what is set now? */
static bool tightens(const struct settings *s, enum setting id, const char *value)
{
    int64_t now = settings_number(s, id);
    int64_t asked = is_type(id, "duration") ? settings_parse_duration(value) : -1;
    switch (id) {
    case SET_MAX_COST_USD:
        return parse_money(value) > 0 &&
               (!settings_text(s, id) || parse_money(value) <= settings_money(s, id));
    case SET_MAX_DENIALS:
    case SET_MAX_STEPS:
    case SET_MAX_TOKENS:
    case SET_MAX_TOOL_CALLS:
        if (parse_int(value, &asked) != 0)
            return false;
        return asked > 0 && (now == 0 || asked <= now);
    case SET_MAX_TIME:
    case SET_TOOL_TIMEOUT:
        return asked > 0 && (now == 0 || asked <= now);
    case SET_SANDBOX:
        return strcmp(value, "read-only") == 0;
    case SET_APPROVAL:
        return strcmp(value, "never") == 0;
    case SET_ON_DENY:
        return strcmp(value, "fail") == 0;
    case SET_ASK:
    case SET_DENY:
        return true;
    case SET_NO_TOOLS:
        return is_choice(SWITCH_ON, value);
    default:
        return false;
    }
}

/* The text of a JSON scalar, in `room` when it must be made. NULL for lists and objects. */
static const char *scalar_text(const json_t *value, char *room, size_t size)
{
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_boolean(value))
        return json_is_true(value) ? "true" : "false";
    if (json_is_integer(value)) {
        (void)snprintf(room, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return room;
    }
    if (json_is_real(value)) {
        (void)snprintf(room, size, "%g", json_real_value(value));
        return room;
    }
    return NULL;
}

static int set_list_as_text(struct settings *s, enum setting id, enum layer layer,
                            const json_t *value, struct err *err)
{
    char joined[4096] = "";
    size_t used = 0, index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        const char *text = json_string_value(item);
        if (!text)
            return err_set(err, ERR_CONFIG, "%s: item %zu is no text", row_of(id)->key, index + 1);
        int len = snprintf(joined + used, sizeof joined - used, "%s%s", index ? "," : "", text);
        if (len < 0 || (size_t)len >= sizeof joined - used)
            return err_set(err, ERR_LIMIT, "%s: the list is too long", row_of(id)->key);
        used += (size_t)len;
    }
    return set_value(s, id, layer, joined, err);
}

static int set_items(struct settings *s, enum setting id, enum layer layer, const json_t *value,
                     struct err *err)
{
    size_t index;
    json_t *item;
    json_array_foreach(value, index, item)
    {
        const char *text = json_string_value(item);
        if (!text)
            return err_set(err, ERR_CONFIG, "%s: item %zu is no text", row_of(id)->key, index + 1);
        if (set_value(s, id, layer, text, err) != 0)
            return -1;
    }
    return 0;
}

/* plugin_options: {NAME: {OPTION: value}}, as NAME.OPTION=VALUE. */
static int set_options(struct settings *s, enum layer layer, const json_t *plugins, struct err *err)
{
    const char *plugin, *option;
    json_t *options, *value;
    char room[64], line[4096];
    json_object_foreach((json_t *)plugins, plugin, options)
    {
        if (!json_is_object(options))
            return err_set(err, ERR_CONFIG, "plugin_options: %s: 'option: value' lines are wanted",
                           plugin);
        json_object_foreach(options, option, value)
        {
            const char *text = scalar_text(value, room, sizeof room);
            int len = text ? snprintf(line, sizeof line, "%s.%s=%s", plugin, option, text) : -1;
            if (len < 0 || (size_t)len >= sizeof line)
                return err_set(err, ERR_CONFIG, "plugin_options: %s.%s: a short value is wanted",
                               plugin, option);
            if (set_value(s, SET_PLUGIN_OPTION, layer, line, err) != 0)
                return -1;
        }
    }
    return 0;
}

int settings_set_json(struct settings *s, enum layer layer, const char *key, const json_t *value,
                      bool *ignored, struct err *err)
{
    char room[64];
    enum setting id = find_or_explain(key, err);
    if (id == SETTING_COUNT)
        return -1;
    const char *text = scalar_text(value, room, sizeof room);
    bool rules = json_is_array(value) && (id == SET_ASK || id == SET_DENY);
    if (layer == LAYER_PROJECT && ENFORCED(project_tightens) && !rules &&
        (!text || !tightens(s, id, text))) {
        *ignored = true;
        return 0;
    }
    if (json_is_object(value) && id == SET_PLUGIN_OPTION)
        return set_options(s, layer, value, err);
    if (json_is_array(value))
        return is_type(id, "list") ? set_items(s, id, layer, value, err)
                                   : set_list_as_text(s, id, layer, value, err);
    if (!text)
        return err_set(err, ERR_CONFIG, "%s: a %s is wanted here", row_of(id)->key,
                       row_of(id)->type);
    return set_value(s, id, layer, text, err);
}

int settings_check_agent(const char *key, const json_t *value, struct err *err)
{
    static const enum setting others[] = {
        SET_SANDBOX_TIER,      SET_SANDBOX_READ,   SET_CROSS_MOUNTS,
        SET_COMMAND_NETWORK,   SET_COMMAND_MEMORY, SET_COMMAND_PROCESSES,
        SET_COMMAND_FILE_SIZE, SET_API_KEY_FILE,   SET_REDACT};
    const enum setting id = find(key);
    const char *text = json_string_value(value);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (id == others[i])
            return err_set(err, ERR_CONFIG,
                           "%s: an agent file may not say this; a flag, a variable or the user's "
                           "configuration may",
                           row_of(id)->key);
    if (id == SET_SANDBOX && text && strcmp(text, "off") == 0)
        return err_set(err, ERR_CONFIG,
                       "sandbox: an agent file may not turn it off; --sandbox off does");
    return 0;
}

int settings_init(struct settings *s)
{
    *s = (struct settings){0};
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        if (!row_of((enum setting)id)->default_value)
            continue;
        s->values[id].text = strdup(row_of((enum setting)id)->default_value);
        if (!s->values[id].text) {
            settings_release(s);
            return -1;
        }
    }
    return 0;
}

void settings_release(struct settings *s)
{
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        struct setting_value *v = &s->values[id];
        free(v->text);
        for (size_t i = 0; i < v->count; i++)
            free(v->items[i].text);
        free(v->items);
    }
    *s = (struct settings){0};
}

int settings_copy(struct settings *to, const struct settings *from)
{
    *to = (struct settings){0};
    for (size_t id = 0; id < SETTING_COUNT; id++) {
        const struct setting_value *v = &from->values[id];
        to->values[id].layer = v->layer;
        if (v->text && !(to->values[id].text = strdup(v->text)))
            goto out_of_memory;
        for (size_t i = 0; i < v->count; i++)
            if (add_item(&to->values[id], v->items[i].layer, v->items[i].text, NULL) != 0)
                goto out_of_memory;
    }
    return 0;
out_of_memory:
    settings_release(to);
    return -1;
}

const char *settings_text(const struct settings *s, enum setting id)
{
    return s->values[id].text;
}

bool settings_flag(const struct settings *s, enum setting id)
{
    const char *text = s->values[id].text;
    return text && strcmp(text, "true") == 0;
}

bool settings_is_set(const struct settings *s, enum setting id)
{
    return s->values[id].layer != LAYER_BUILTIN;
}

size_t settings_count(const struct settings *s, enum setting id)
{
    return s->values[id].count;
}

const char *settings_item(const struct settings *s, enum setting id, size_t index)
{
    return index < s->values[id].count ? s->values[id].items[index].text : NULL;
}

enum layer settings_item_layer(const struct settings *s, enum setting id, size_t index)
{
    return index < s->values[id].count ? s->values[id].items[index].layer : LAYER_BUILTIN;
}

enum layer settings_layer(const struct settings *s, enum setting id)
{
    return s->values[id].layer;
}

/* A plugin's option may be a secret; which ones are, only the plugin knows. */
static json_t *item_json(const struct setting_item *item, enum setting id)
{
    const char *equals = id == SET_PLUGIN_OPTION ? strchr(item->text, '=') : NULL;
    return equals ? json_stringn(item->text, (size_t)(equals - item->text))
                  : json_string(item->text);
}

static json_t *value_json(const struct setting_value *v, enum setting id)
{
    if (!is_type(id, "list"))
        return v->text ? json_string(v->text) : json_null();
    json_t *items = json_array();
    for (size_t i = 0; items && i < v->count; i++)
        if (json_array_append_new(items, item_json(&v->items[i], id)) != 0) {
            json_decref(items);
            return NULL;
        }
    return items;
}

json_t *settings_json(const struct settings *s)
{
    json_t *all = json_array();
    for (size_t id = 0; all && id < SETTING_COUNT; id++) {
        const struct setting_value *v = &s->values[id];
        json_t *row =
            json_pack("{s:s, s:o, s:s}", "key", row_of((enum setting)id)->key, "value",
                      value_json(v, (enum setting)id), "origin", settings_layer_name(v->layer));
        if (v->text && is_type((enum setting)id, "duration"))
            (void)json_object_set_new(row, "ms",
                                      json_integer(settings_number(s, (enum setting)id)));
        if (json_array_append_new(all, row) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}
