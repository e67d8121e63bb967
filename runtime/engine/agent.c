#include "engine/agent.h"

#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"
#include "base/text.h"
#include "base/yaml.h"

/* What an agent may set beside name and description. */
static const enum setting allowed[] = {
    SET_MODEL,          SET_EFFORT,     SET_THOUGHTS,   SET_STREAM,       SET_INSTRUCTIONS,
    SET_PLUGIN,         SET_TOOLS,      SET_NO_TOOLS,   SET_SANDBOX,      SET_MAX_STEPS,
    SET_MAX_TOOL_CALLS, SET_MAX_TIME,   SET_MAX_TOKENS, SET_MAX_COST_USD, SET_LOOP_LIMIT,
    SET_TOOL_TIMEOUT,   SET_ALLOW_HOST, SET_ALLOW,      SET_ASK,          SET_DENY};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_name(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return len > 0 && len <= 64 && text[len] == '\0' && text[0] != '-';
}

/* "plugins" reads better than "plugin" where a list follows. */
static const char *setting_key(const char *key)
{
    return strcmp(key, "plugins") == 0 ? "plugin" : key;
}

static bool is_allowed(const char *key)
{
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (strcmp(settings_key(allowed[i]), key) == 0)
            return true;
    return false;
}

static int unknown_key(const char *key, struct err *err)
{
    struct text_nearest near = {.word = key};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        (void)text_nearest(&near, settings_key(allowed[i]));
    return near.best
               ? err_set(err, ERR_CONFIG, "unknown key '%s'; did you mean '%s'?", key, near.best)
               : err_set(err, ERR_CONFIG, "unknown key '%s' in the front matter", key);
}

/* Finds the front matter: from the line after "---" to the next line "---". 0 when there is none.
 */
static int split(const char *text, size_t len, const char **yaml, size_t *yaml_len,
                 const char **body, struct err *err)
{
    const char *end = text + len;
    *yaml = NULL;
    *yaml_len = 0;
    *body = text;
    if (len < 4 || strncmp(text, "---", 3) != 0 || (text[3] != '\n' && text[3] != '\r'))
        return 0;
    const char *line = memchr(text, '\n', len);
    for (*yaml = line ? ++line : end; line && line < end;) {
        const char *next = memchr(line, '\n', (size_t)(end - line));
        size_t width = (size_t)((next ? next : end) - line);
        if (width && line[width - 1] == '\r')
            width--;
        if (width == 3 && strncmp(line, "---", 3) == 0) {
            *yaml_len = (size_t)(line - *yaml);
            *body = next ? next + 1 : end;
            return 0;
        }
        line = next ? next + 1 : NULL;
    }
    return err_set(err, ERR_CONFIG, "line 1: the front matter has no closing '---'");
}

static char *trimmed(const char *text, const char *end)
{
    while (text < end && strchr(" \t\r\n", *text))
        text++;
    while (end > text && strchr(" \t\r\n", end[-1]))
        end--;
    return strndup(text, (size_t)(end - text));
}

static int take_text(const json_t *value, const char *key, char **out, struct err *err)
{
    if (!json_is_string(value))
        return err_set(err, ERR_CONFIG, "%s: it must be text", key);
    free(*out);
    *out = strdup(json_string_value(value));
    return *out ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

static int read_front_matter(struct agent *a, const json_t *front, struct err *err)
{
    struct settings scratch;
    const char *key;
    json_t *value;
    int status = 0;
    if (settings_init(&scratch) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    json_object_foreach((json_t *)front, key, value)
    {
        const char *name = setting_key(key);
        if (strcmp(key, "name") == 0)
            status = take_text(value, key, &a->name, err);
        else if (strcmp(key, "description") == 0)
            status = take_text(value, key, &a->description, err);
        else if (ENFORCED(agent_may_not_unconfine) && settings_check_agent(name, value, err) != 0)
            status = -1;
        else if (!is_allowed(name))
            status = unknown_key(key, err);
        else if ((status = settings_set_json(&scratch, LAYER_AGENT, name, value, NULL, err)) == 0 &&
                 json_object_set(a->settings, name, value) != 0)
            status = err_set(err, ERR_NOMEM, "out of memory");
        if (status != 0)
            break;
    }
    settings_release(&scratch);
    return status;
}

/* The line that a key of the front matter stands on, for messages about its value. */
static unsigned line_of_key(const char *yaml, size_t len, const char *message)
{
    char word[64];
    const char *quote = strchr(message, '\'');
    size_t word_len = strcspn(message, ":");
    if (strncmp(message, "unknown key '", 13) == 0 && quote) {
        message = quote + 1;
        word_len = strcspn(message, "'");
    }
    if (word_len == 0 || word_len >= sizeof word)
        return 0;
    memcpy(word, message, word_len);
    word[word_len] = '\0';
    unsigned number = 2;
    for (const char *line = yaml; line && line < yaml + len; number++) {
        if (strncmp(line, word, word_len) == 0)
            return number;
        line = memchr(line, '\n', (size_t)(yaml + len - line));
        line = line ? line + 1 : NULL;
    }
    return 0;
}

static int fail_in_file(const char *file_name, const char *yaml, size_t len, struct err *err)
{
    unsigned line =
        err && strncmp(err->text, "line ", 5) != 0 ? line_of_key(yaml, len, err->text) : 0;
    if (err && err->code != ERR_NOMEM)
        err->code = ERR_CONFIG;
    if (line)
        return err_prefix(err, "%s: line %u", file_name, line);
    return err_prefix(err, "%s", file_name);
}

int agent_parse(const char *file_name, const char *text, size_t len, struct agent *out,
                struct err *err)
{
    const char *yaml = NULL, *body = NULL;
    size_t yaml_len = 0;
    json_t *front = NULL;
    *out = (struct agent){0};
    if (len >= 3 && strncmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        text += 3;
        len -= 3;
    }
    if (len > AGENT_FILE_MAX)
        return err_set(err, ERR_CONFIG, "%s: an agent file may have %u KiB at most", file_name,
                       AGENT_FILE_MAX >> 10);
    if (!text_is_utf8(text, len) || memchr(text, '\0', len))
        return err_set(err, ERR_CONFIG, "%s: not UTF-8 text", file_name);
    if (split(text, len, &yaml, &yaml_len, &body, err) != 0)
        return fail_in_file(file_name, "", 0, err);
    out->settings = json_object();
    out->description = strdup("");
    const char *base = last_part(file_name);
    size_t base_len = strlen(base);
    if (base_len > 3 && strcmp(base + base_len - 3, ".md") == 0)
        base_len -= 3;
    out->name = strndup(base, base_len);
    out->prompt = trimmed(body, text + len);
    if (!out->settings || !out->description || !out->name || !out->prompt) {
        err_set(err, ERR_NOMEM, "out of memory");
        goto fail;
    }
    if (yaml) {
        front = yaml_load(yaml, yaml_len, 2, err);
        if (!front)
            goto fail;
        if (!json_is_object(front) && !json_is_null(front)) {
            err_set(err, ERR_CONFIG, "line 2: the front matter must be 'key: value' lines");
            goto fail;
        }
        if (json_is_object(front) && read_front_matter(out, front, err) != 0)
            goto fail;
    }
    if (!is_name(out->name)) {
        err_set(err, ERR_CONFIG, "name: '%s' is not of small letters, digits and dashes",
                out->name);
        goto fail;
    }
    if (!*out->prompt) {
        err_set(err, ERR_CONFIG, "there is no prompt below the front matter");
        goto fail;
    }
    json_decref(front);
    return 0;
fail:
    json_decref(front);
    agent_release(out);
    return fail_in_file(file_name, yaml ? yaml : "", yaml_len, err);
}

void agent_release(struct agent *a)
{
    free(a->name);
    free(a->description);
    free(a->prompt);
    json_decref(a->settings);
    *a = (struct agent){0};
}

int agent_apply(const struct agent *a, struct settings *s, bool trusted, bool *held_back,
                struct err *err)
{
    const char *key;
    json_t *value;
    *held_back = false;
    json_object_foreach(a->settings, key, value)
    {
        bool is_right = strcmp(key, "sandbox") == 0 || strcmp(key, "plugin") == 0 ||
                        strcmp(key, "allow_host") == 0 || strcmp(key, "allow") == 0;
        bool is_rule = strcmp(key, "ask") == 0 || strcmp(key, "deny") == 0;
        if (is_right && !trusted && ENFORCED(policy_agent_held_back)) {
            *held_back = true;
            continue;
        }
        /* Rules of the workspace stand on top of others, and take the place of none. */
        enum layer layer = is_rule && !trusted ? LAYER_PROJECT : LAYER_AGENT;
        if (settings_set_json(s, layer, key, value, NULL, err) != 0)
            return err_prefix(err, "agent %s", a->name);
    }
    return 0;
}
