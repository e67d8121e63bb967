#include "engine/approval.h"

#include <string.h>

#include <tackle/plugin.h>

#include "base/text.h"

/* "path", "url", "argv" or "shell" where the schema says so, of the argument or of its items. */
static const char *format_of(const struct tool *tool, const char *key)
{
    const json_t *property = json_object_get(json_object_get(tool->declared, "properties"), key);
    const json_t *format = json_object_get(property, "format");
    if (!format)
        format = json_object_get(json_object_get(property, "items"), "format");
    return json_is_string(format) ? json_string_value(format) : "";
}

static bool names_a_place(const char *format)
{
    return strcmp(format, "path") == 0 || strcmp(format, "url") == 0;
}

json_t *approval_shape(const struct tool *tool, const json_t *args)
{
    json_t *shape = json_object(), *value;
    const char *key;
    bool all = (tool->does & TACKLE_RUNS) != 0;
    for (int pass = 0; shape && pass < 2 && json_object_size(shape) == 0; pass++)
        json_object_foreach((json_t *)(uintptr_t)args, key, value)
        {
            if ((all || pass == 1 || names_a_place(format_of(tool, key))) &&
                json_object_set_new(shape, key, json_deep_copy(value)) != 0) {
                json_decref(shape);
                return NULL;
            }
        }
    return shape;
}

/* ---- For people ---- */

/* As a shell would want it, so that one argument with a blank is not taken for two. */
static int put_token(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./,:@%^";
    if (*text && text[strspn(text, plain)] == '\0')
        return buf_text(out, text);
    int status = buf_byte(out, '\'');
    for (; *text && status == 0; text++)
        status = *text == '\'' ? buf_text(out, "'\\''") : buf_byte(out, *text);
    return status || buf_byte(out, '\'') ? -1 : 0;
}

static int put_value(struct buf *out, const json_t *value, const char *format)
{
    int status = 0;
    size_t i;
    json_t *item;
    if (json_is_string(value))
        return strcmp(format, "argv") == 0 ? put_token(out, json_string_value(value))
                                           : buf_text(out, json_string_value(value));
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item) && status == 0)
            status = (i > 0 && buf_byte(out, ' ') != 0) || put_value(out, item, format) ? -1 : 0;
    }
    return status;
}

/* What else has to be the same. */
static int put_others(const struct tool *tool, const json_t *shape, struct buf *out)
{
    const char *key;
    json_t *value;
    bool any = false;
    json_object_foreach((json_t *)(uintptr_t)shape, key, value)
    {
        if (*format_of(tool, key) && strcmp(key, "cwd") != 0)
            continue;
        if (buf_format(out, "%s%s", any ? ", " : " with the same ", key) != 0)
            return -1;
        any = true;
    }
    return 0;
}

static int put_rule(const struct tool *tool, const json_t *shape, struct buf *out)
{
    const char *key;
    json_t *value;
    size_t shown = 0;
    if (buf_text(out, tool->name) != 0)
        return -1;
    json_object_foreach((json_t *)(uintptr_t)shape, key, value)
    {
        const char *format = format_of(tool, key);
        if (!*format || strcmp(key, "cwd") == 0)
            continue;
        if (buf_text(out, shown++ ? ", " : "(") != 0 || put_value(out, value, format) != 0)
            return -1;
    }
    return (shown && buf_byte(out, ')') != 0) || put_others(tool, shape, out) ? -1 : 0;
}

int approval_rule(const struct tool *tool, const json_t *args, struct buf *out)
{
    struct buf rule;
    json_t *shape = approval_shape(tool, args);
    buf_init(&rule, 64u << 20);
    int status = shape && put_rule(tool, shape, &rule) == 0 ? 0 : -1;
    size_t len = text_edge(rule.data, rule.len, APPROVAL_RULE_MAX - 4);
    if (status == 0 &&
        (buf_append(out, rule.data, len) != 0 || (len < rule.len && buf_text(out, " ...") != 0)))
        status = -1;
    buf_release(&rule);
    json_decref(shape);
    return status;
}
