/* A plugin as of ABI 1.0, always built with the frozen header: it must load in every tackle 1.x.
 * Uses each field and each function that there was. */
#include <string.h>

#include <tackle/plugin.h>

#if TACKLE_ABI != 0x10000u
#error "this file is for the frozen header of ABI 1.0"
#endif

static const tackle_host *host;

static int32_t all_of_1_0(void *self, tackle_call *call)
{
    const tackle_call_api *api = call->api;
    size_t len = 0;
    int64_t integer = 0;
    double real = 0;
    int32_t yes = 0;
    if (strcmp(self, "self") != 0)
        return tackle_failf(call, TACKLE_E_FAILED, "self is lost");
    if (!TACKLE_HAS(api, remembered) || !TACKLE_HAS(host, error))
        return api->fail(call, TACKLE_E_FAILED, "the host's structs are too small");
    const char *text = api->arg_text(call, "text", &len);
    if (!text || !api->arg_int(call, "int", &integer) || !api->arg_real(call, "real", &real) ||
        !api->arg_bool(call, "bool", &yes))
        return api->fail(call, TACKLE_E_ARGS, "an argument is missing");
    if (api->progress(call, "half way") || api->remember(call, "note", 4))
        return TACKLE_E_FAILED;
    return tackle_writef(call, "%s %d %g %d %d %s key=%s cancelled=%d fd=%d left=%d json=%zu", text,
                         (int)integer, real, (int)yes, (int)api->arg_count(call, "list"),
                         api->arg_item(call, "list", 1, NULL), api->call_key(call),
                         (int)api->cancelled(call), api->cancel_fd(call) >= 0,
                         api->ms_left(call) > 0, strlen(api->args_json(call, &len)));
}

static int32_t probe(void *self, tackle_call *call)
{
    size_t len = 0;
    const char *note = call->api->remembered(call, &len);
    (void)self;
    return note && len == 4 ? TACKLE_PROBE_DONE : TACKLE_PROBE_UNKNOWN;
}

static int32_t services(void *self, tackle_call *call)
{
    const tackle_log_v1 *log = host->service(host, "log/1");
    const tackle_config_v1 *config = host->service(host, "config/1");
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    const tackle_http_v1 *http = host->service(host, "http/1");
    const tackle_process_v1 *process = host->service(host, "process/1");
    static const char *const argv[] = {"echo", "ran", NULL};
    tackle_http_request request = {.size = sizeof request, .url = config->text(host, "api")};
    tackle_http_response response = {.size = sizeof response};
    tackle_process run = {.size = sizeof run, .argv = argv};
    tackle_process_result result = {.size = sizeof result};
    int64_t count = 0;
    int32_t flag = 0;
    (void)self;
    log->write(host, TACKLE_LOG_INFO, workspace->root(host));
    if (!config->integer(host, "count", &count) || !config->boolean(host, "flag", &flag))
        return call->api->fail(call, TACKLE_E_FAILED, "an option is missing");
    int32_t code = workspace->replace(call, "new.txt", "new", 3, TACKLE_REPLACE_NEW);
    if (code == TACKLE_OK)
        code = workspace->changed(call, "gone.txt", TACKLE_CHANGED_DELETED);
    int32_t fd = code == TACKLE_OK ? workspace->open(call, ".", TACKLE_OPEN_DIR) : code;
    if (fd >= 0)
        code = http->fetch(call, &request, &response);
    if (fd >= 0 && code == TACKLE_OK)
        code = process->run(call, &run, &result);
    if (fd < 0 || code != TACKLE_OK)
        return fd < 0 ? fd : code;
    return tackle_writef(call, "%d %d %d %s %s %d %.*s", (int)count, (int)flag,
                         (int)response.status, response.content_type, response.body,
                         (int)result.exit_status, (int)result.head_len, result.head);
}

static int32_t open_plugin(const tackle_host *given, void **self)
{
    static char text[] = "self";
    host = given;
    *self = text;
    if (strcmp(host->name, "tackle") != 0 || host->abi >> 16 != 1 || !*host->version) {
        host->error(host, "a strange host");
        return TACKLE_E_FAILED;
    }
    return TACKLE_OK;
}

static void close_plugin(void *self)
{
    (void)self;
}

static const tackle_tool all_tool = {
    .size = sizeof(tackle_tool),
    .does = TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_PROBE,
    .name = "all_of_1_0",
    .description = "Uses every function of a call.",
    .params = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}}",
    .call = all_of_1_0,
    .probe = probe,
};

static const tackle_tool services_tool = {
    .size = sizeof(tackle_tool),
    .does = TACKLE_READS | TACKLE_WRITES | TACKLE_RUNS | TACKLE_NETWORK,
    .effect = TACKLE_EFFECT_NEVER,
    .name = "services",
    .description = "Uses every service.",
    .call = services,
    .hosts = (const char *const[]){"example.org", "$api", NULL},
};

static const tackle_option api_option = {
    .size = sizeof(tackle_option),
    .type = TACKLE_OPTION_URL,
    .name = "api",
    .default_value = "http://example.org/",
    .help = "Where to ask.",
};
static const tackle_option count_option = {
    .size = sizeof(tackle_option),
    .type = TACKLE_OPTION_INT,
    .name = "count",
    .default_value = "3",
};
static const tackle_option flag_option = {
    .size = sizeof(tackle_option),
    .type = TACKLE_OPTION_BOOL,
    .flags = TACKLE_OPTION_SECRET,
    .name = "flag",
};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "good_1_0",
    .version = "1.0",
    .description = "All of ABI 1.0.",
    .needs = (const char *const[]){"log/1", "config/1", "workspace/1", "http/1", "process/1", NULL},
    .tools = (const tackle_tool *const[]){&all_tool, &services_tool, NULL},
    .options = (const tackle_option *const[]){&api_option, &count_option, &flag_option, NULL},
    .open = open_plugin,
    .close = close_plugin,
};
