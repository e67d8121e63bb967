/* What a plugin gets from its host: arguments, result, time, services. The plugin is in this file.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "plugin_test.h"
#include "test_support.h"

static const tackle_host *host;

static const void *service(const char *id)
{
    const void *found = host->service(host, id);
    assert_non_null(found);
    return found;
}

/* ---- The tools ---- */

static int32_t show_args(void *self, tackle_call *call)
{
    const tackle_call_api *api = call->api;
    size_t len = 77;
    int64_t integer = -1;
    double real = -1;
    int32_t yes = -1;
    const char *text = api->arg_text(call, "text", &len);
    (void)self;
    tackle_writef(call, "text=%s/%zu", text ? text : "none", len);
    if (api->arg_int(call, "int", &integer))
        tackle_writef(call, " int=%" PRId64, integer);
    if (api->arg_real(call, "real", &real))
        tackle_writef(call, " real=%g", real);
    if (api->arg_bool(call, "bool", &yes))
        tackle_writef(call, " bool=%d", (int)yes);
    tackle_writef(call, " items=%d", (int)api->arg_count(call, "list"));
    for (int64_t i = -1; i <= api->arg_count(call, "list"); i++) {
        const char *item = api->arg_item(call, "list", i, NULL);
        if (item)
            tackle_writef(call, " %d:%s", (int)i, item);
    }
    assert_null(api->arg_text(call, NULL, NULL));
    tackle_writef(call, " json=%s", api->args_json(call, &len));
    assert_int_equal(len, strlen(api->args_json(call, NULL)));
    return TACKLE_OK;
}

/* Does what the argument "do" says. */
static int32_t act(void *self, tackle_call *call)
{
    const tackle_call_api *api = call->api;
    const char *what = api->arg_text(call, "do", NULL);
    (void)self;
    if (strcmp(what, "positive") == 0)
        return 7;
    if (strcmp(what, "silent") == 0)
        return TACKLE_E_FAILED;
    if (strcmp(what, "unknown code") == 0)
        return -999;
    if (strcmp(what, "fail with 0") == 0)
        return (api->fail)(call, 0, "it did not");
    if (strcmp(what, "bad text") == 0)
        return (api->fail)(call, TACKLE_E_ARGS, "caf\xe9");
    if (strcmp(what, "fail, then well") == 0) {
        (void)(api->fail)(call, TACKLE_E_ARGS, "never seen");
        return TACKLE_OK;
    }
    if (strcmp(what, "fail twice") == 0) {
        api->write(call, "kept", 4);
        (void)(api->fail)(call, TACKLE_E_ARGS, "first");
        return (api->fail)(call, TACKLE_E_NOT_FOUND, "second");
    }
    if (strcmp(what, "progress") == 0) {
        assert_int_equal(api->progress(call, "one\ntwo"), TACKLE_OK);
        assert_int_equal(api->progress(call, NULL), TACKLE_E_ARGS);
        return api->progress(call, "three");
    }
    if (strcmp(what, "wait") == 0) {
        struct pollfd end = {.fd = api->cancel_fd(call), .events = POLLIN};
        assert_int_equal(poll(&end, 1, -1), 1);
        return tackle_writef(call, "%d %d", (int)api->cancelled(call), api->ms_left(call) > 0);
    }
    if (strcmp(what, "time") == 0)
        return tackle_writef(call, "%d %d", (int)api->cancelled(call), api->ms_left(call) > 0);
    if (strcmp(what, "remember") == 0) {
        assert_int_equal(api->remember(call, "a note", 6), TACKLE_OK);
        assert_null(api->remembered(call, NULL));
        return api->remember(call, "another", 7);
    }
    if (strcmp(what, "remember much") == 0)
        return api->remember(call, "", 4097);
    if (strcmp(what, "key") == 0)
        return tackle_writef(call, "%s", api->call_key(call));
    return tackle_failf(call, TACKLE_E_ARGS, "cannot do '%s'", what);
}

static int32_t act_probe(void *self, tackle_call *call)
{
    size_t len = 0;
    const char *what = call->api->arg_text(call, "do", NULL);
    const char *note = call->api->remembered(call, &len);
    (void)self;
    if (strcmp(what, "nothing") == 0)
        return 0;
    if (!note)
        return TACKLE_PROBE_UNKNOWN;
    tackle_writef(call, "%.*s", (int)len, note);
    return strcmp(note, "done") == 0 ? TACKLE_PROBE_DONE : TACKLE_PROBE_NOT_DONE;
}

static int32_t flood(void *self, tackle_call *call)
{
    static char mebibyte[1 << 20];
    int32_t code = TACKLE_OK;
    int limits = 0;
    (void)self;
    memset(mebibyte, 'x', sizeof mebibyte);
    for (int i = 0; i < 20; i++) {
        code = call->api->write(call, mebibyte, sizeof mebibyte);
        limits += code == TACKLE_E_LIMIT;
    }
    assert_int_equal(limits, 4);
    return TACKLE_OK;
}

/* path, and one of: read, list, text (to write) with flags, changed. */
static int32_t file(void *self, tackle_call *call)
{
    const tackle_workspace_v1 *workspace = service("workspace/1");
    const char *path = call->api->arg_text(call, "path", NULL);
    const char *text = call->api->arg_text(call, "text", NULL);
    int64_t flags = 0;
    int32_t yes;
    (void)self;
    if (text) {
        (void)call->api->arg_int(call, "flags", &flags);
        return workspace->replace(call, path, text, strlen(text), (uint32_t)flags);
    }
    if (call->api->arg_int(call, "changed", &flags))
        return workspace->changed(call, path, (uint32_t)flags);
    int how = call->api->arg_bool(call, "dir", &yes) ? TACKLE_OPEN_DIR : TACKLE_OPEN_FILE;
    int fd = workspace->open(call, path, (uint32_t)how);
    if (fd < 0)
        return fd;
    char buffer[64];
    ssize_t len = how == TACKLE_OPEN_FILE ? read(fd, buffer, sizeof buffer) : 0;
    (void)close(fd);
    return call->api->write(call, buffer, (size_t)len);
}

static int32_t get(void *self, tackle_call *call)
{
    const tackle_http_v1 *http = service("http/1");
    const char *header = call->api->arg_text(call, "header", NULL);
    tackle_http_request request = {
        .size = sizeof request,
        .method = call->api->arg_text(call, "method", NULL),
        .url = call->api->arg_text(call, "url", NULL),
        .headers = (const char *const[]){header, NULL},
    };
    tackle_http_response response = {.size = sizeof response};
    (void)self;
    int32_t code = http->fetch(call, &request, &response);
    if (code < 0)
        return code;
    return tackle_writef(call, "%d %s %s", (int)response.status, response.content_type,
                         response.body);
}

static int32_t undeclared(void *self, tackle_call *call)
{
    const tackle_workspace_v1 *workspace = service("workspace/1");
    const tackle_http_v1 *http = service("http/1");
    tackle_http_request request = {.size = sizeof request, .url = "http://example.org/"};
    tackle_http_response response = {.size = sizeof response};
    (void)self;
    assert_int_equal(workspace->open(call, "a", TACKLE_OPEN_FILE), TACKLE_E_DENIED);
    assert_int_equal(http->fetch(call, &request, &response), TACKLE_E_DENIED);
    return workspace->replace(call, "a", "x", 1, 0);
}

static int32_t options(void *self, tackle_call *call)
{
    const tackle_config_v1 *config = service("config/1");
    const tackle_log_v1 *log = service("log/1");
    int64_t integer = -1;
    int32_t yes = -1;
    (void)self;
    log->write(host, 99, "loud");
    assert_null(config->text(host, "nothing"));
    assert_null(config->text(host, NULL));
    assert_int_equal(config->integer(host, "text", &integer), 0);
    const char *text = config->text(host, "text");
    tackle_writef(call, "text=%s", text ? text : "none");
    if (config->integer(host, "count", &integer))
        tackle_writef(call, " count=%d", (int)integer);
    if (config->boolean(host, "flag", &yes))
        tackle_writef(call, " flag=%d", (int)yes);
    return TACKLE_OK;
}

static int opened, closed;

static int32_t open_plugin(const tackle_host *given, void **self)
{
    host = given;
    *self = &opened;
    opened++;
    assert_string_equal(host->name, "tackle");
    assert_null(host->service(host, "log/99"));
    assert_null(host->service(host, NULL));
    return TACKLE_OK;
}

static void close_plugin(void *self)
{
    assert_ptr_equal(self, &opened);
    closed++;
}

#define OBJECT(properties) "{\"type\":\"object\",\"properties\":{" properties "}}"
#define TOOL(fn, bits, schema)                                                                     \
    &(const tackle_tool)                                                                           \
    {                                                                                              \
        .size = sizeof(tackle_tool), .does = (bits), .name = #fn, .description = "d",              \
        .params = (schema), .call = (fn)                                                           \
    }

static const tackle_tool act_tool = {
    .size = sizeof(tackle_tool),
    .effect = TACKLE_EFFECT_PROBE,
    .name = "act",
    .description = "d",
    .params = OBJECT("\"do\":{\"type\":\"string\"}"),
    .call = act,
    .probe = act_probe,
};

static const tackle_tool get_tool = {
    .size = sizeof(tackle_tool),
    .does = TACKLE_NETWORK,
    .name = "get",
    .description = "d",
    .params = OBJECT("\"url\":{},\"header\":{},\"method\":{}"),
    .call = get,
    .hosts = (const char *const[]){"example.org", NULL},
};

#define OPTION(n, t, value)                                                                        \
    &(const tackle_option)                                                                         \
    {                                                                                              \
        .size = sizeof(tackle_option), .type = (t), .name = (n), .default_value = (value)          \
    }

static const tackle_plugin plugin = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "test",
    .version = "1",
    .needs = (const char *const[]){"log/1", "config/1", "workspace/1", "http/1", NULL},
    .tools =
        (const tackle_tool *const[]){
            TOOL(show_args, 0,
                 OBJECT("\"text\":{},\"int\":{},\"real\":{},\"bool\":{},\"list\":{}")),
            &act_tool, TOOL(flood, 0, NULL),
            TOOL(file, TACKLE_READS | TACKLE_WRITES,
                 OBJECT("\"path\":{},\"text\":{},\"flags\":{},\"dir\":{},\"changed\":{}")),
            &get_tool, TOOL(undeclared, 0, NULL), TOOL(options, 0, NULL), NULL},
    .options = (const tackle_option *const[]){OPTION("text", TACKLE_OPTION_TEXT, NULL),
                                              OPTION("count", TACKLE_OPTION_INT, "5"),
                                              OPTION("flag", TACKLE_OPTION_BOOL, NULL), NULL},
    .open = open_plugin,
    .close = close_plugin,
};

/* ---- The tests ---- */

static struct plugin_test *t;

static int set_up(void **state)
{
    (void)state;
    t = plugin_test_new(&plugin, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    plugin_test_free(t);
    return 0;
}

static void expect(const char *tool, const char *args, int32_t code, const char *output,
                   const char *message)
{
    const struct plugin_result *result = plugin_test_call(t, tool, args);
    assert_string_equal(result->message, message);
    assert_string_equal(result->output, output);
    assert_int_equal(result->code, code);
}

static void arguments_come_typed(void **state)
{
    (void)state;
    expect("show_args", "{}", TACKLE_OK, "text=none/77 items=-1 json={}", "");
    expect("show_args", "{\"text\":\"\xe6\x9d\xb1\",\"int\":3.0,\"real\":2,\"bool\":false}",
           TACKLE_OK,
           "text=\xe6\x9d\xb1/3 int=3 real=2 bool=0 items=-1 "
           "json={\"text\":\"\xe6\x9d\xb1\",\"int\":3.0,\"real\":2,\"bool\":false}",
           "");
    expect("show_args", "{\"list\":[\"a\",1,\"b\"],\"text\":null,\"int\":1.5}", TACKLE_OK,
           "text=none/77 items=3 0:a 2:b json={\"list\":[\"a\",1,\"b\"],\"text\":null,\"int\":1.5}",
           "");
    expect("show_args", "{\"int\":1e300,\"bool\":1,\"list\":[]}", TACKLE_OK,
           "text=none/77 items=0 json={\"int\":1e300,\"bool\":1,\"list\":[]}", "");
}

static void every_result_has_a_meaning(void **state)
{
    (void)state;
    expect("act", "{\"do\":\"positive\"}", TACKLE_E_FAILED, "",
           "call() of tool 'act' returned 7, which is no result");
    expect("act", "{\"do\":\"silent\"}", TACKLE_E_FAILED, "",
           "tool 'act' failed with code -1 and said no reason");
    expect("act", "{\"do\":\"unknown code\"}", -999, "",
           "tool 'act' failed with code -999 and said no reason");
    expect("act", "{\"do\":\"fail with 0\"}", TACKLE_E_FAILED, "", "it did not");
    expect("act", "{\"do\":\"bad text\"}", TACKLE_E_ARGS, "", "caf\xef\xbf\xbd");
    expect("act", "{\"do\":\"fail, then well\"}", TACKLE_OK, "", "");
    expect("act", "{\"do\":\"fail twice\"}", TACKLE_E_NOT_FOUND, "kept", "second");
    expect("act", "{\"do\":\"dance\"}", TACKLE_E_ARGS, "", "cannot do 'dance'");
    expect("act", "{\"do\":\"key\"}", TACKLE_OK, "test:9", "");
}

static void progress_is_one_line_a_time(void **state)
{
    (void)state;
    const struct plugin_result *result = plugin_test_call(t, "act", "{\"do\":\"progress\"}");
    assert_string_equal(result->progress, "one\nthree\n");
    assert_string_equal(result->output, "");
}

static void a_full_result_is_cut(void **state)
{
    (void)state;
    const struct plugin_result *result = plugin_test_call(t, "flood", "{}");
    assert_int_equal(result->code, TACKLE_OK);
    assert_int_equal(result->output_len, 16 << 20);
}

static void time_runs_out_and_calls_are_cancelled(void **state)
{
    (void)state;
    expect("act", "{\"do\":\"time\"}", TACKLE_OK, "0 1", "");
    plugin_test_cancel(t);
    expect("act", "{\"do\":\"time\"}", TACKLE_OK, "1 1", "");
    plugin_test_cancel(t);
    expect("get", "{\"url\":\"http://example.org/\"}", TACKLE_E_CANCELLED, "",
           "the call was cancelled");
    expect("act", "{\"do\":\"time\"}", TACKLE_OK, "0 1", "");
    plugin_test_deadline(t, -5); /* which counts as the shortest there is, a millisecond */
    expect("act", "{\"do\":\"wait\"}", TACKLE_OK, "1 0", "");
    plugin_test_deadline(t, INT64_MAX);
    expect("act", "{\"do\":\"time\"}", TACKLE_OK, "0 1", "");
}

static void a_note_is_for_probe(void **state)
{
    (void)state;
    const struct plugin_result *result = plugin_test_call(t, "act", "{\"do\":\"remember\"}");
    assert_string_equal(result->note, "a note");
    assert_string_equal(result->message, "a call has one note, and probe() has none");
    expect("act", "{\"do\":\"remember much\"}", TACKLE_E_LIMIT, "",
           "the note has 4097 bytes, over the limit of 4096");

    result = plugin_test_probe(t, "act", "{\"do\":\"it\"}", "done");
    assert_int_equal(result->code, TACKLE_PROBE_DONE);
    assert_string_equal(result->output, "done");
    result = plugin_test_probe(t, "act", "{\"do\":\"it\"}", "half");
    assert_int_equal(result->code, TACKLE_PROBE_NOT_DONE);
    result = plugin_test_probe(t, "act", "{\"do\":\"it\"}", NULL);
    assert_int_equal(result->code, TACKLE_PROBE_UNKNOWN);
    result = plugin_test_probe(t, "act", "{\"do\":\"nothing\"}", NULL);
    assert_string_equal(result->message, "probe() of tool 'act' returned 0, which is no result");
}

static void files_stay_in_the_workspace(void **state)
{
    (void)state;
    plugin_test_put(t, "a.txt", "hello");
    expect("file", "{\"path\":\"a.txt\"}", TACKLE_OK, "hello", "");
    expect("file", "{\"path\":\".\",\"dir\":true}", TACKLE_OK, "", "");
    expect("file", "{\"path\":\"../x\"}", TACKLE_E_DENIED, "", "outside the workspace: ../x");
    expect("file", "{\"path\":\"none\"}", TACKLE_E_NOT_FOUND, "",
           "no such file or directory: none");
    expect("file", "{\"path\":\"\"}", TACKLE_E_ARGS, "",
           "the path is empty; \".\" is the workspace itself");
    expect("file", "{}", TACKLE_E_ARGS, "", "the plugin passes no path");
    expect("file", "{\"path\":\".git/config\",\"text\":\"x\"}", TACKLE_E_DENIED, "",
           "files under .git and .tackle are never written: .git/config");
    expect("file", "{\"path\":\"a.txt\",\"text\":\"x\",\"flags\":64}", TACKLE_E_ARGS, "",
           "the plugin calls replace() wrongly (flags 0x40)");
}

static void changes_are_reported(void **state)
{
    (void)state;
    const struct plugin_result *result;
    result = plugin_test_call(t, "file", "{\"path\":\"d/./b\",\"text\":\"1\",\"flags\":2}");
    assert_string_equal(result->message, "");
    assert_string_equal(result->changed, "created d/b\n");
    result = plugin_test_call(t, "file", "{\"path\":\"d/b\",\"text\":\"2\"}");
    assert_string_equal(result->changed, "modified d/b\n");
    char *text = plugin_test_get(t, "d/b");
    assert_string_equal(text, "2");
    free(text);
    result = plugin_test_call(t, "file", "{\"path\":\"d/b\",\"text\":\"3\",\"flags\":1}");
    assert_string_equal(result->message, "the file exists already: d/b");
    assert_string_equal(result->changed, "");
    result = plugin_test_call(t, "file", "{\"path\":\"d/b\",\"changed\":3}");
    assert_string_equal(result->changed, "deleted d/b\n");
    result = plugin_test_call(t, "file", "{\"path\":\"d/b\",\"changed\":4}");
    assert_string_equal(result->message, "the plugin reports an unknown change: 4");
}

static int32_t answer(void *user, const tackle_http_request *request,
                      tackle_http_response *response)
{
    (void)user;
    response->status = 404;
    response->content_type = "text/plain";
    response->body = request->method;
    response->body_len = strlen(request->method);
    return TACKLE_OK;
}

static void fetches_are_checked(void **state)
{
    (void)state;
    expect("get", "{\"url\":\"http://example.org/\"}", TACKLE_E_FAILED, "",
           "no answer from http://example.org/");
    plugin_test_on_fetch(t, answer, NULL);
    expect("get", "{\"url\":\"http://example.org/\"}", TACKLE_OK, "404 text/plain GET", "");
    expect("get", "{\"url\":\"http://example.org/\",\"header\":\"A: b\"}", TACKLE_OK,
           "404 text/plain GET", "");
    static const char *const bad[] = {"", "file:///etc/passwd", "http://", "http://a b/",
                                      "http://caf\xc3\xa9/"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char args[128], message[256];
        (void)snprintf(args, sizeof args, "{\"url\":\"%s\"}", bad[i]);
        (void)snprintf(message, sizeof message,
                       "no URL that can be asked: '%s'; it must be http:// or https://, "
                       "percent-encoded, at most 8192 bytes",
                       bad[i]);
        expect("get", args, TACKLE_E_ARGS, "", message);
    }
    expect("get", "{\"url\":\"http://a/\",\"header\":\"A: b\\r\\nC: d\"}", TACKLE_E_ARGS, "",
           "request header 1 is not \"Name: value\"");
    expect("get", "{\"url\":\"http://a/\",\"header\":\"no colon\"}", TACKLE_E_ARGS, "",
           "request header 1 is not \"Name: value\"");
    expect("get", "{\"url\":\"http://a/\",\"method\":\"GET \"}", TACKLE_E_ARGS, "",
           "no HTTP method: 'GET '");
}

static void a_tool_does_what_it_declares(void **state)
{
    (void)state;
    expect("undeclared", "{}", TACKLE_E_DENIED, "",
           "the tool undeclared does not declare that it changes files of the workspace "
           "(TACKLE_WRITES)");
}

static void options_have_values(void **state)
{
    (void)state;
    expect("options", "{}", TACKLE_OK, "text=none count=5", "");
    struct plugin_test *other =
        plugin_test_new(&plugin, (const char *const[]){"text=a=b", "count=-7", "flag=true", NULL});
    const struct plugin_result *result = plugin_test_call(other, "options", "{}");
    assert_string_equal(result->output, "text=a=b count=-7 flag=1");
    plugin_test_free(other);
}

static void open_and_close_run_once(void **state)
{
    (void)state;
    opened = closed = 0;
    plugin_test_free(plugin_test_new(&plugin, NULL));
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(arguments_come_typed),
        TEST(every_result_has_a_meaning),
        TEST(progress_is_one_line_a_time),
        TEST(a_full_result_is_cut),
        TEST(time_runs_out_and_calls_are_cancelled),
        TEST(a_note_is_for_probe),
        TEST(files_stay_in_the_workspace),
        TEST(changes_are_reported),
        TEST(fetches_are_checked),
        TEST(a_tool_does_what_it_declares),
        TEST(options_have_values),
        cmocka_unit_test(open_and_close_run_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
