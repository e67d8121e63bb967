/* A plugin that does, in the middle of a call, what its argument says: for the tests of what then
 * comes over the link. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tackle/plugin.h>

static const tackle_host *host;

static int32_t echo(tackle_call *call)
{
    size_t len;
    const char *text = call->api->arg_text(call, "text", &len);
    return text ? call->api->write(call, text, len) : TACKLE_E_ARGS;
}

static int32_t flood(tackle_call *call)
{
    static char kib[1024];
    int32_t code = TACKLE_OK;
    memset(kib, 'x', sizeof kib);
    for (int i = 0; i < 300; i++)
        code = call->api->write(call, kib, sizeof kib);
    return tackle_failf(call, code, "the last write returned %d", (int)code);
}

static int32_t wait_for_end(tackle_call *call)
{
    struct pollfd end = {.fd = call->api->cancel_fd(call), .events = POLLIN};
    if (call->api->cancelled(call))
        return tackle_failf(call, TACKLE_E_FAILED, "cancelled from the start");
    call->api->progress(call, "waiting");
    if (poll(&end, 1, -1) != 1 || !call->api->cancelled(call))
        return tackle_failf(call, TACKLE_E_FAILED, "woken for nothing");
    return call->api->ms_left(call) > 0 ? TACKLE_E_CANCELLED : TACKLE_E_TIMEOUT;
}

static int32_t remember(tackle_call *call)
{
    int32_t code = call->api->remember(call, "before", 6);
    return code == TACKLE_OK ? tackle_writef(call, "noted") : code;
}

static int32_t fetch(tackle_call *call)
{
    const tackle_http_v1 *http = host->service(host, "http/1");
    static const char *const headers[] = {"Accept: text/plain", NULL};
    tackle_http_request request = {.size = sizeof request,
                                   .method = "POST",
                                   .url = "https://example.org/x",
                                   .headers = headers,
                                   .body = "ask",
                                   .body_len = 3};
    tackle_http_response response = {.size = sizeof response};
    int32_t code = http->fetch(call, &request, &response);
    if (code != TACKLE_OK)
        return code;
    return tackle_writef(call, "%d %s %s", (int)response.status, response.content_type,
                         response.body);
}

static int32_t leak(tackle_call *call)
{
    for (int i = 0; i < 100; i++) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            return tackle_failf(call, TACKLE_E_FAILED, "open: %s", strerror(errno));
    }
    return TACKLE_OK;
}

static int32_t talk(tackle_call *call)
{
    const tackle_log_v1 *log = host->service(host, "log/1");
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    (void)puts("printed");
    log->write(host, TACKLE_LOG_WARN, "caf\xe9");
    int32_t code = workspace->changed(call, "a\xff", TACKLE_CHANGED_DELETED);
    return code == TACKLE_OK ? call->api->write(call, "caf\xe9", 4) : code;
}

static int32_t replace(tackle_call *call)
{
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    return workspace->replace(call, "a.txt", "a", 1, 0);
}

static int32_t act(void *self, tackle_call *call)
{
    static const struct {
        const char *name;
        int32_t (*run)(tackle_call *call);
    } acts[] = {{"echo", echo},   {"flood", flood}, {"wait", wait_for_end}, {"remember", remember},
                {"fetch", fetch}, {"leak", leak},   {"talk", talk},         {"replace", replace}};
    const char *what = call->api->arg_text(call, "do", NULL);
    (void)self;
    for (size_t i = 0; what && i < sizeof acts / sizeof acts[0]; i++) {
        if (strcmp(what, acts[i].name) == 0)
            return acts[i].run(call);
    }
    if (what && strcmp(what, "crash") == 0)
        (void)raise(SIGSEGV);
    if (what && strcmp(what, "abort") == 0)
        abort();
    if (what && strcmp(what, "exit") == 0)
        exit(0);
    if (what && strcmp(what, "close link") == 0)
        return close(3);
    if (what && strcmp(what, "close all") == 0) {
        for (int fd = 0; fd < 64; fd++)
            (void)close(fd);
        return TACKLE_OK;
    }
    return tackle_failf(call, TACKLE_E_ARGS, "caf\xe9: cannot do that");
}

static int32_t act_probe(void *self, tackle_call *call)
{
    size_t len;
    const char *note = call->api->remembered(call, &len);
    (void)self;
    if (!note)
        return TACKLE_PROBE_UNKNOWN;
    (void)call->api->write(call, note, len);
    return TACKLE_PROBE_DONE;
}

static int32_t open_plugin(const tackle_host *given, void **self)
{
    const tackle_config_v1 *config = given->service(given, "config/1");
    const tackle_log_v1 *log = given->service(given, "log/1");
    const char *mood = config->text(given, "mood");
    (void)self;
    host = given;
    log->write(host, TACKLE_LOG_DEBUG, "opening");
    if (strcmp(mood, "bad") == 0)
        host->error(host, "in no mood for this\nat all");
    return strcmp(mood, "good") == 0 ? TACKLE_OK : TACKLE_E_FAILED;
}

static void close_plugin(void *self)
{
    (void)self;
    (void)puts("closed");
}

static const tackle_tool act_tool = {
    .size = sizeof(tackle_tool),
    .does = TACKLE_READS | TACKLE_WRITES | TACKLE_NETWORK,
    .effect = TACKLE_EFFECT_PROBE,
    .name = "act",
    .description = "Does what it is told.",
    .call = act,
    .probe = act_probe,
    .hosts = (const char *const[]){"example.org", NULL},
};

static const tackle_option mood_option = {
    .size = sizeof(tackle_option), .name = "mood", .default_value = "good"};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "acts",
    .version = "1",
    .tools = (const tackle_tool *const[]){&act_tool, NULL},
    .options = (const tackle_option *const[]){&mood_option, NULL},
    .open = open_plugin,
    .close = close_plugin,
};
