#include "engine/policy_subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/url.h"

static const char *format_of(const json_t *schema)
{
    const char *format = json_string_value(json_object_get(schema, "format"));
    return format ? format : "";
}

/* "path" of a list is that of its items. */
static bool has_format(const json_t *property, const char *format)
{
    return strcmp(format_of(property), format) == 0 ||
           strcmp(format_of(json_object_get(property, "items")), format) == 0;
}

enum subject_kind subject_kind_of(const struct tool *tool)
{
    enum subject_kind kind = tool->hosts && tool->hosts[0] ? SUBJECT_HOST : SUBJECT_CALL;
    const char *key;
    json_t *property;
    json_object_foreach(json_object_get(tool->declared, "properties"), key, property)
    {
        enum subject_kind here = has_format(property, "argv") || has_format(property, "shell")
                                     ? SUBJECT_COMMAND
                                 : has_format(property, "url")  ? SUBJECT_HOST
                                 : has_format(property, "path") ? SUBJECT_PATH
                                                                : SUBJECT_CALL;
        kind = here > kind ? here : kind;
    }
    return kind;
}

/* ---- Adding ---- */

static struct subject *add(struct subjects *s, enum subject_kind kind, struct err *err)
{
    if (s->count == SUBJECTS_MAX) {
        err_set(err, ERR_LIMIT, "the call names more than %d things", SUBJECTS_MAX);
        return NULL;
    }
    struct subject *larger = reallocarray(s->items, s->count + 1, sizeof *larger);
    if (!larger) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->items = larger;
    s->items[s->count] = (struct subject){.kind = kind};
    return &s->items[s->count++];
}

static int set_text(struct subject *subject, const char *text, struct err *err)
{
    subject->text = strdup(text);
    return subject->text ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

void subject_clean_path(const char *workspace, const char *path, char *out, bool *outside)
{
    size_t used = 0, floor = 0, root = workspace ? strlen(workspace) : 0;
    root = root == 1 ? 0 : root; /* "/" */
    *outside = *path == '/';
    if (workspace && *path == '/' && strncmp(path, workspace, root) == 0 &&
        (path[root] == '/' || path[root] == '\0')) {
        path += root;
        *outside = false;
    }
    for (path += strspn(path, "/"); *path; path += strspn(path, "/")) {
        size_t len = strcspn(path, "/");
        bool up = len == 2 && memcmp(path, "..", 2) == 0;
        if (up && used > floor) {
            while (used > floor && out[--used] != '/')
                ;
        } else if (up || !(len == 1 && *path == '.')) {
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, path, len);
            used += len;
            floor = up ? used : floor;
            *outside = *outside || up;
        }
        path += len;
    }
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
}

static int add_path(struct subjects *s, const struct subject_view *view, const json_t *value,
                    struct err *err)
{
    char clean[SUBJECT_PATH_MAX + 1], real[SUBJECT_PATH_MAX];
    const char *text = json_string_value(value);
    size_t len = text ? strlen(text) : 0;
    bool outside;
    if (!text)
        return 0; /* what is no text names no path */
    if (len != json_string_length(value))
        return err_set(err, ERR_USAGE, "a path has a zero byte in it");
    if (len >= SUBJECT_PATH_MAX)
        return err_set(err, ERR_LIMIT, "the path is too long: over %d bytes", SUBJECT_PATH_MAX - 1);
    subject_clean_path(view->workspace, text, clean, &outside);
    struct subject *subject = add(s, SUBJECT_PATH, err);
    if (!subject || set_text(subject, clean, err) != 0)
        return -1;
    subject->outside = outside;
    if (!view->resolve || !view->resolve(view->user, text, real) || strcmp(real, clean) == 0)
        return 0;
    subject = add(s, SUBJECT_PATH, err);
    return subject ? set_text(subject, real, err) : -1;
}

static int add_host(struct subjects *s, const char *name, size_t len, struct err *err)
{
    struct subject *subject = add(s, SUBJECT_HOST, err);
    if (!subject)
        return -1;
    subject->unreadable = host_read(name, len, &subject->host) != 0;
    return set_text(subject, subject->unreadable ? "?" : subject->host.name, err);
}

static int add_url(struct subjects *s, const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);
    struct url_parts parts;
    if (!text)
        return 0;
    if (strlen(text) != json_string_length(value) || url_split(text, &parts) != 0)
        return add_host(s, "", 0, err);
    return add_host(s, parts.host, parts.host_len, err);
}

/* What is not understood is one subject as well. */
static int add_command(struct subjects *s, const json_t *value, struct err *err)
{
    if (s->command_count == sizeof s->commands / sizeof *s->commands)
        return err_set(err, ERR_LIMIT, "the call has more than one command");
    size_t index = s->command_count++;
    struct command *command = &s->commands[index];
    int status = json_is_array(value) ? command_read_argv(command, value, err)
                                      : command_read_shell(command, json_string_value(value),
                                                           json_string_length(value), err);
    for (size_t i = 0; status == 0 && (i < command->part_count || i == 0); i++) {
        struct subject *subject = add(s, SUBJECT_COMMAND, err);
        status = subject ? 0 : -1;
        if (subject) {
            subject->command = index;
            subject->part = i;
        }
    }
    return status;
}

/* ---- Reading ---- */

static int read_value(struct subjects *s, const struct subject_view *view, const json_t *property,
                      const json_t *value, struct err *err)
{
    size_t index;
    json_t *item;
    int status = 0;
    bool list = json_is_array(value), text = json_is_string(value);
    if ((list && has_format(property, "argv")) || (text && has_format(property, "shell")))
        return add_command(s, value, err);
    bool path = has_format(property, "path"), url = has_format(property, "url");
    if (text && (path || url))
        return path ? add_path(s, view, value, err) : add_url(s, value, err);
    json_array_foreach((json_t *)value, index, item)
    {
        if (status == 0 && path)
            status = add_path(s, view, item, err);
        else if (status == 0 && url)
            status = add_url(s, item, err);
    }
    return status;
}

int subjects_read(struct subjects *s, const struct subject_view *view, const struct tool *tool,
                  const json_t *args, struct err *err)
{
    const json_t *properties = json_object_get(tool->declared, "properties");
    const char *key;
    json_t *value;
    bool url = false;
    *s = (struct subjects){0};
    json_object_foreach((json_t *)args, key, value)
    {
        const json_t *property = json_object_get(properties, key);
        url = url || has_format(property, "url");
        if (property && read_value(s, view, property, value, err) != 0)
            return -1;
    }
    /* Hosts that stand in the tool's declaration; "$option" is known to the runtime only. */
    for (char **host = tool->hosts; host && *host && !url; host++)
        if (**host != '$' && **host != '*' && add_host(s, *host, strlen(*host), err) != 0)
            return -1;
    return s->count > 0 || add(s, SUBJECT_CALL, err) ? 0 : -1;
}

void subjects_release(struct subjects *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->items[i].text);
    free(s->items);
    for (size_t i = 0; i < s->command_count; i++)
        command_release(&s->commands[i]);
    *s = (struct subjects){0};
}
