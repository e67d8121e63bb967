#include "host/sandbox_spec.h"

#include <string.h>

#include "base/glob.h"

static const char *const tier_names[] = {"off", "external", "t2", "t3"};

const char *sandbox_tier_name(enum sandbox_tier tier)
{
    return tier_names[tier];
}

int sandbox_tier_of(const char *name)
{
    for (size_t i = 0; name && i < sizeof tier_names / sizeof *tier_names; i++)
        if (strcmp(name, tier_names[i]) == 0)
            return (int)i;
    return -1;
}

static bool is_text(const json_t *value)
{
    /* A NUL would cut a path to another one. */
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static int read_list(const json_t *box, const char *name, const char **out, struct err *err)
{
    const json_t *list = json_object_get(box, name);
    size_t count = json_array_size(list);
    if ((list && !json_is_array(list)) || count > SANDBOX_LIST_MAX)
        return err_set(err, ERR_USAGE, "\"%s\" is no list of at most %d texts", name,
                       SANDBOX_LIST_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!is_text(json_array_get(list, i)))
            return err_set(err, ERR_USAGE, "\"%s\" is no list of texts", name);
        out[i] = json_string_value(json_array_get(list, i));
    }
    out[count] = NULL;
    return 0;
}

/* An absolute path that names no way up: it becomes the name of a mount. */
static bool is_plain_path(const char *path)
{
    if (*path != '/')
        return false;
    for (const char *part = path; *part;) {
        part += strspn(part, "/");
        size_t len = strcspn(part, "/");
        if (len == 2 && strncmp(part, "..", 2) == 0)
            return false;
        part += len;
    }
    return true;
}

static int read_path(const json_t *open, const char *name, const char **out, struct err *err)
{
    const json_t *value = json_object_get(open, name);
    *out = json_string_value(value);
    if (value && (!is_text(value) || !is_plain_path(*out)))
        return err_set(err, ERR_USAGE, "\"%s\" is no absolute path", name);
    return 0;
}

static int read_word(const json_t *box, const char *name, const char *no, const char *yes,
                     bool *out, struct err *err)
{
    const char *word = json_string_value(json_object_get(box, name));
    *out = word && strcmp(word, yes) == 0;
    if (!word || (!*out && strcmp(word, no) != 0))
        return err_set(err, ERR_USAGE, "\"%s\" is neither %s nor %s", name, no, yes);
    return 0;
}

static int read_bool(const json_t *box, const char *name, bool *out, struct err *err)
{
    const json_t *value = json_object_get(box, name);
    *out = json_is_true(value);
    return json_is_boolean(value) ? 0 : err_set(err, ERR_USAGE, "\"%s\" is no boolean", name);
}

static int read_limit(const json_t *box, const char *name, unsigned *out, struct err *err)
{
    const json_t *value = json_object_get(box, name);
    json_int_t n = json_integer_value(value);
    if (value && (!json_is_integer(value) || n < 0 || n > 1 << 30))
        return err_set(err, ERR_USAGE, "\"%s\" is no number from 0 to %d", name, 1 << 30);
    *out = (unsigned)n;
    return 0;
}

static int read_box(const json_t *box, struct sandbox_spec *spec, struct err *err)
{
    int tier = sandbox_tier_of(json_string_value(json_object_get(box, "tier")));
    if (tier < 0)
        return err_set(err, ERR_USAGE, "\"tier\" is none of t3, t2, external, off");
    spec->tier = (enum sandbox_tier)tier;
    if (read_bool(box, "write", &spec->write, err) || read_bool(box, "runs", &spec->runs, err) ||
        read_word(box, "git", "read", "write", &spec->git_write, err) ||
        read_word(box, "network", "none", "host", &spec->network, err) ||
        read_list(box, "read", spec->read, err) || read_list(box, "hide", spec->hide, err) ||
        read_limit(box, "memory_mib", &spec->memory_mib, err) ||
        read_limit(box, "processes", &spec->processes, err) ||
        read_limit(box, "file_mib", &spec->file_mib, err))
        return -1;
    for (size_t i = 0; spec->read[i]; i++)
        if (!is_plain_path(spec->read[i]))
            return err_set(err, ERR_USAGE, "\"read\" holds '%.200s', no absolute path",
                           spec->read[i]);
    for (size_t i = 0; spec->hide[i]; i++)
        if (glob_check(spec->hide[i], err))
            return err_prefix(err, "\"hide\"");
    return 0;
}

int sandbox_spec_read(const json_t *open, struct sandbox_spec *spec, struct err *err)
{
    const json_t *box = json_object_get(open, "sandbox");
    *spec = (struct sandbox_spec){.tier = TIER_OFF, .workspace_fd = -1, .plugin_fd = -1};
    if (read_path(open, "workspace", &spec->workspace, err) ||
        read_path(open, "home", &spec->home, err) || read_path(open, "tmp", &spec->tmp, err))
        return -1;
    spec->write = json_is_true(json_object_get(open, "write"));
    if (!box)
        return 0;
    if (read_box(box, spec, err))
        return err_prefix(err, "\"sandbox\"");
    return 0;
}
