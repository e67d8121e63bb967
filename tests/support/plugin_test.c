#include "plugin_test.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "host/manifest.h"
#include "host/session.h"
#include "test_support.h"
#include "wire/schema.h"

#define COLLECT_MAX (64u << 20)

struct plugin_test {
    struct manifest manifest;
    struct session *session;
    char *made; /* the temporary directory */
    char root[BENEATH_PATH_MAX];
    int root_fd;
    int cancel_fd;
    int64_t deadline_ms;
    unsigned calls;
    plugin_test_fetch fetch;
    void *fetch_user;
    struct buf output, progress, changed, note;
    struct session_outcome outcome;
    struct plugin_result result;
};

/* ---- The sink: keeps what the plugin says ---- */

static void on_output(void *user, const char *data, size_t len)
{
    struct plugin_test *t = user;
    assert_int_equal(buf_append(&t->output, data, len), 0);
}

static void on_progress(void *user, const char *text, size_t len)
{
    struct plugin_test *t = user;
    assert_int_equal(buf_append(&t->progress, text, len), 0);
    assert_int_equal(buf_byte(&t->progress, '\n'), 0);
}

static void on_log(void *user, int32_t level, const char *text)
{
    (void)user;
    (void)fprintf(stderr, "plugin log %d: %s\n", level, text);
}

static void on_changed(void *user, uint32_t what, const char *path)
{
    static const char *const words[] = {"", "created", "modified", "deleted"};
    struct plugin_test *t = user;
    assert_int_equal(buf_format(&t->changed, "%s %s\n", words[what], path), 0);
}

static int on_remember(void *user, const char *note, size_t len, struct err *err)
{
    struct plugin_test *t = user;
    (void)err;
    assert_int_equal(buf_append(&t->note, note, len), 0);
    return 0;
}

static int32_t on_fetch(void *user, const tackle_http_request *request, struct fetch_reply *reply)
{
    struct plugin_test *t = user;
    tackle_http_response response = {.size = sizeof response, .content_type = "", .body = ""};
    int32_t code = t->fetch ? t->fetch(t->fetch_user, request, &response) : TACKLE_E_FAILED;
    if (code < 0) {
        assert_int_equal(buf_format(&reply->message, "no answer from %s", request->url), 0);
        return code;
    }
    reply->status = response.status;
    assert_int_equal(buf_text(&reply->content_type, response.content_type), 0);
    if (response.location)
        assert_int_equal(buf_text(&reply->location, response.location), 0);
    if (buf_append(&reply->body, response.body, response.body_len)) {
        assert_int_equal(buf_text(&reply->message, "the answer is too large"), 0);
        return TACKLE_E_LIMIT;
    }
    return TACKLE_OK;
}

/* ---- Making one ---- */

static json_t *read_options(const char *const *options)
{
    json_t *given = json_object();
    assert_non_null(given);
    for (; options && *options; options++) {
        const char *equals = strchr(*options, '=');
        assert_non_null(equals);
        char *name = strndup(*options, (size_t)(equals - *options));
        assert_non_null(name);
        assert_int_equal(json_object_set_new(given, name, json_string(equals + 1)), 0);
        free(name);
    }
    return given;
}

static void load(struct plugin_test *t, const tackle_plugin *plugin)
{
    struct problems problems = {0};
    if (manifest_read(&t->manifest, plugin, &problems) == 0)
        return;
    for (size_t i = 0; i < problems.count; i++)
        print_error("%s; %s\n", problems.items[i].what, problems.items[i].fix);
    fail_msg("the plugin does not pass the load checks");
}

struct plugin_test *plugin_test_new(const tackle_plugin *plugin, const char *const *options)
{
    struct err err = {0};
    struct plugin_test *t = calloc(1, sizeof *t);
    assert_non_null(t);
    load(t, plugin);
    t->made = test_temp_dir();
    t->root_fd = beneath_open_root(t->made, t->root, &err);
    t->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(t->root_fd >= 0 && t->cancel_fd >= 0);
    t->deadline_ms = 10000;
    buf_init(&t->output, COLLECT_MAX);
    buf_init(&t->progress, COLLECT_MAX);
    buf_init(&t->changed, COLLECT_MAX);
    buf_init(&t->note, SESSION_NOTE_MAX);
    buf_init(&t->outcome.message, COLLECT_MAX);

    json_t *given = read_options(options);
    struct session_spec spec = {
        .manifest = &t->manifest,
        .options = given,
        .workspace = t->root,
        .workspace_fd = t->root_fd,
        .write = true,
        .cancel_fd = t->cancel_fd,
        .sink = {t, on_output, on_progress, on_log, on_changed, on_remember, on_fetch},
    };
    t->session = session_new(&spec, &err);
    json_decref(given);
    if (!t->session)
        fail_msg("the plugin does not open: %s", err.text);
    return t;
}

void plugin_test_free(struct plugin_test *t)
{
    if (!t)
        return;
    session_free(t->session);
    manifest_release(&t->manifest);
    buf_release(&t->output);
    buf_release(&t->progress);
    buf_release(&t->changed);
    buf_release(&t->note);
    buf_release(&t->outcome.message);
    (void)close(t->cancel_fd);
    (void)close(t->root_fd);
    test_remove_tree(t->made);
    free(t->made);
    free(t);
}

const char *plugin_test_root(const struct plugin_test *t)
{
    return t->root;
}

void plugin_test_put(struct plugin_test *t, const char *path, const char *text)
{
    char *full = test_join(t->root, path);
    test_write_file(full, text, strlen(text));
    free(full);
}

char *plugin_test_get(struct plugin_test *t, const char *path)
{
    char *full = test_join(t->root, path);
    char *text = test_read_file(full, NULL);
    free(full);
    return text;
}

void plugin_test_on_fetch(struct plugin_test *t, plugin_test_fetch fetch, void *user)
{
    t->fetch = fetch;
    t->fetch_user = user;
}

void plugin_test_deadline(struct plugin_test *t, int64_t ms)
{
    t->deadline_ms = ms;
}

void plugin_test_cancel(struct plugin_test *t)
{
    assert_int_equal(eventfd_write(t->cancel_fd, 1), 0);
}

/* ---- Calling ---- */

/* As the runtime does it: arguments that do not fit never reach the plugin. */
static bool args_fit(const struct plugin_test *t, const char *tool, const char *args_json,
                     struct buf *problems)
{
    static const char no_arguments[] = "{\"type\":\"object\",\"properties\":{}}";
    struct err err = {0};
    const tackle_tool *found = manifest_tool(&t->manifest, tool);
    if (!found)
        fail_msg("the plugin has no tool '%s'", tool);
    const char *params = found->params ? found->params : no_arguments;
    struct schema *schema = schema_compile(params, strlen(params), SCHEMA_STRICT_PROPERTIES, &err);
    json_t *args = json_loads(args_json, 0, NULL);
    if (!schema || !args)
        fail_msg("%s: %s", tool, schema ? "the arguments are no JSON" : err.text);
    bool fit = schema_check(schema, args, problems) == 0;
    schema_free(schema);
    json_decref(args);
    return fit;
}

static const struct plugin_result *run(struct plugin_test *t, struct session_call *call)
{
    eventfd_t count;
    char key[32];
    (void)snprintf(key, sizeof key, "test:%u", ++t->calls);
    call->args_len = strlen(call->args);
    call->key = key;
    call->ms = t->deadline_ms;
    buf_clear(&t->output);
    buf_clear(&t->progress);
    buf_clear(&t->changed);
    buf_clear(&t->note);
    buf_clear(&t->outcome.message);
    if (args_fit(t, call->tool, call->args, &t->outcome.message))
        session_run(t->session, call, &t->outcome);
    else
        t->outcome.code = TACKLE_E_ARGS;
    (void)eventfd_read(t->cancel_fd, &count); /* EAGAIN when it was not cancelled */
    t->result = (struct plugin_result){
        .code = t->outcome.code,
        .output = t->output.data,
        .output_len = t->output.len,
        .message = t->outcome.message.data,
        .note = t->note.data,
        .progress = t->progress.data,
        .changed = t->changed.data,
    };
    return &t->result;
}

const struct plugin_result *plugin_test_call(struct plugin_test *t, const char *tool,
                                             const char *args_json)
{
    return run(t, &(struct session_call){.tool = tool, .args = args_json});
}

const struct plugin_result *plugin_test_probe(struct plugin_test *t, const char *tool,
                                              const char *args_json, const char *note)
{
    return run(t, &(struct session_call){.tool = tool,
                                         .args = args_json,
                                         .probe = true,
                                         .note = note,
                                         .note_len = note ? strlen(note) : 0});
}
