/* A plugin that does in a call what it is told to, and most of that is wrong: for the tests of what
 * the runtime makes of it. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tackle/plugin.h>

static const tackle_host *host;

static int32_t for_ever(void)
{
    while (pause() == -1)
        continue;
    return TACKLE_E_FAILED;
}

static int32_t echo(tackle_call *call, const char *with)
{
    return call->api->write(call, with, strlen(with));
}

static int32_t tell_pid(tackle_call *call, const char *with)
{
    (void)with;
    return tackle_writef(call, "%ld", (long)getpid());
}

static int32_t refuse(tackle_call *call, const char *with)
{
    (void)call->api->write(call, "so far", 6);
    return tackle_failf(call, TACKLE_E_NOT_FOUND, "there is no %s", with);
}

static int32_t crash(tackle_call *call, const char *with)
{
    (void)call->api->write(call, with, strlen(with));
    (void)puts("the last\xff words");
    (void)signal(SIGSEGV, SIG_DFL); /* sanitizers catch it */
    (void)raise(SIGSEGV);
    return TACKLE_OK;
}

static int32_t leave(tackle_call *call, const char *with)
{
    (void)call;
    exit((int)strtol(with, NULL, 10));
}

static int32_t hang(tackle_call *call, const char *with)
{
    (void)with;
    call->api->progress(call, "hanging");
    return for_ever();
}

/* Ends as a good plugin does. */
static int32_t wait_for_end(tackle_call *call, const char *with)
{
    struct pollfd end = {.fd = call->api->cancel_fd(call), .events = POLLIN};
    (void)with;
    call->api->progress(call, "waiting");
    (void)poll(&end, 1, -1);
    return call->api->ms_left(call) > 0 ? TACKLE_E_CANCELLED : TACKLE_E_TIMEOUT;
}

static int32_t flood(tackle_call *call, const char *with)
{
    static char mib[1 << 20];
    (void)with;
    memset(mib, 'x', sizeof mib);
    for (int i = 0; i < 20; i++)
        (void)call->api->write(call, mib, sizeof mib);
    return TACKLE_OK;
}

static int32_t print(tackle_call *call, const char *with)
{
    (void)printf("%s\n", with);
    (void)fflush(stdout);
    return call->api->write(call, "printed", 7);
}

static int32_t print_much(tackle_call *call, const char *with)
{
    (void)with;
    for (int i = 0; i < 20000; i++)
        (void)printf("line %d of far too many\n", i);
    (void)fflush(stdout);
    return call->api->write(call, "printed", 7);
}

static int32_t leak(tackle_call *call, const char *with)
{
    (void)with;
    for (int i = 0; i < 100; i++)
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
            return TACKLE_E_FAILED;
    return tell_pid(call, with);
}

/* What it has done so far counts, although it then crashes. */
static int32_t change_and_crash(tackle_call *call, const char *with)
{
    static char half_mib[1 << 19];
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    memset(half_mib, 'y', sizeof half_mib);
    (void)call->api->write(call, half_mib, sizeof half_mib);
    (void)workspace->changed(call, with, TACKLE_CHANGED_MODIFIED);
    abort();
}

/* A child that outlives the process and never stops talking. */
static int32_t orphan(tackle_call *call, const char *with)
{
    static char words[1 << 16];
    (void)call;
    (void)with;
    memset(words, 'z', sizeof words);
    if (fork() == 0) {
        (void)setsid();
        while (write(STDOUT_FILENO, words, sizeof words) > 0)
            continue;
        _exit(0);
    }
    (void)usleep(100000);
    abort();
}

static int32_t close_link(tackle_call *call, const char *with)
{
    (void)call;
    (void)with;
    (void)close(3);
    return for_ever();
}

static int32_t lie(tackle_call *call, const char *with)
{
    (void)with;
    if (write(3, "this is no frame of the link at all, is it", 42) < 0)
        return tackle_failf(call, TACKLE_E_FAILED, "descriptor 3 is not the link");
    return for_ever();
}

static int32_t read_file(tackle_call *call, const char *with)
{
    char text[256];
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    int fd = workspace->open(call, with, TACKLE_OPEN_FILE);
    if (fd < 0)
        return fd;
    ssize_t got = read(fd, text, sizeof text);
    (void)close(fd);
    return got < 0 ? TACKLE_E_FAILED : call->api->write(call, text, (size_t)got);
}

static int32_t write_file(tackle_call *call, const char *with)
{
    const tackle_workspace_v1 *workspace = host->service(host, "workspace/1");
    int32_t code = workspace->replace(call, with, "new", 3, 0);
    return code < 0 ? code : tackle_writef(call, "written");
}

static int32_t fetch(tackle_call *call, const char *with)
{
    const tackle_http_v1 *http = host->service(host, "http/1");
    tackle_http_request request = {.size = sizeof request, .url = with};
    tackle_http_response response = {.size = sizeof response};
    int32_t code = http->fetch(call, &request, &response);
    return code < 0 ? code : tackle_writef(call, "%d %s", (int)response.status, response.body);
}

static int32_t remember(tackle_call *call, const char *with)
{
    int32_t code = call->api->remember(call, with, strlen(with));
    return code < 0 ? code : tackle_writef(call, "noted");
}

static int32_t log_it(tackle_call *call, const char *with)
{
    const tackle_log_v1 *log = host->service(host, "log/1");
    log->write(host, TACKLE_LOG_WARN, with);
    return tackle_writef(call, "logged");
}

static int32_t tell_option(tackle_call *call, const char *with)
{
    const tackle_config_v1 *config = host->service(host, "config/1");
    const char *value = config->text(host, with);
    return tackle_writef(call, "%s", value ? value : "(unset)");
}

static int32_t act(void *self, tackle_call *call)
{
    static const struct {
        const char *name;
        int32_t (*run)(tackle_call *call, const char *with);
    } acts[] = {
        {"echo", echo},
        {"pid", tell_pid},
        {"refuse", refuse},
        {"crash", crash},
        {"exit", leave},
        {"hang", hang},
        {"wait", wait_for_end},
        {"flood", flood},
        {"print", print},
        {"print much", print_much},
        {"leak", leak},
        {"change and crash", change_and_crash},
        {"orphan", orphan},
        {"close link", close_link},
        {"lie", lie},
        {"read", read_file},
        {"write", write_file},
        {"fetch", fetch},
        {"remember", remember},
        {"log", log_it},
        {"option", tell_option},
    };
    const char *what = call->api->arg_text(call, "do", NULL);
    const char *with = call->api->arg_text(call, "with", NULL);
    (void)self;
    for (size_t i = 0; what && i < sizeof acts / sizeof acts[0]; i++)
        if (strcmp(what, acts[i].name) == 0)
            return acts[i].run(call, with ? with : "");
    return tackle_failf(call, TACKLE_E_ARGS, "cannot do that");
}

static int32_t open_plugin(const tackle_host *given, void **self)
{
    const tackle_config_v1 *config = given->service(given, "config/1");
    const char *how = config->text(given, "open");
    (void)self;
    host = given;
    if (strcmp(how, "refuse") == 0) {
        given->error(given, "not in the mood");
        return TACKLE_E_FAILED;
    }
    if (strcmp(how, "exit") == 0)
        exit(7);
    if (strcmp(how, "crash") == 0)
        abort();
    return strcmp(how, "hang") == 0 ? for_ever() : TACKLE_OK;
}

static void close_plugin(void *self)
{
    const tackle_config_v1 *config = host->service(host, "config/1");
    (void)self;
    if (strcmp(config->text(host, "open"), "never close") == 0)
        (void)for_ever();
}

#define PARAMS                                                                                     \
    "{\"type\":\"object\",\"properties\":{\"do\":{\"type\":\"string\"},"                           \
    "\"with\":{\"type\":\"string\"}},\"required\":[\"do\"]}"

static const char *const hosts[] = {"127.0.0.1", "$url", NULL};

static const tackle_tool act_tool = {.size = sizeof(tackle_tool),
                                     .does = TACKLE_READS | TACKLE_NETWORK | TACKLE_PARALLEL,
                                     .effect = TACKLE_EFFECT_SAFE,
                                     .name = "act",
                                     .description = "Does what it is told.",
                                     .params = PARAMS,
                                     .call = act,
                                     .hosts = hosts};

static const tackle_tool change_tool = {.size = sizeof(tackle_tool),
                                        .does = TACKLE_READS | TACKLE_WRITES,
                                        .name = "act_alone",
                                        .description = "Does it, with nothing beside it.",
                                        .params = PARAMS,
                                        .call = act};

static const tackle_option open_option = {.size = sizeof(tackle_option),
                                          .type = TACKLE_OPTION_TEXT,
                                          .name = "open",
                                          .default_value = "well",
                                          .help = "how it opens"};
static const tackle_option url_option = {.size = sizeof(tackle_option),
                                         .type = TACKLE_OPTION_URL,
                                         .name = "url",
                                         .default_value = "http://localhost:1/",
                                         .help = "whom it asks"};
static const tackle_option count_option = {
    .size = sizeof(tackle_option), .type = TACKLE_OPTION_INT, .name = "count", .help = "how many"};
static const tackle_option loud_option = {
    .size = sizeof(tackle_option), .type = TACKLE_OPTION_BOOL, .name = "loud", .help = "how"};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "unruly",
    .version = "1",
    .description = "Does what it is told.",
    .tools = (const tackle_tool *const[]){&act_tool, &change_tool, NULL},
    .options = (const tackle_option *const[]){&open_option, &url_option, &count_option,
                                              &loud_option, NULL},
    .open = open_plugin,
    .close = close_plugin,
};
