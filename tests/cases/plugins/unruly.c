/* Tools that misbehave, one each, for the cases that show what such a plugin costs. */
#include <tackle/plugin.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_PARAMS "{\"type\":\"object\",\"properties\":{}}"

/* Without the handler of a sanitizer, which would take it for a bug of the host. */
static int32_t crash(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    (void)signal(SIGSEGV, SIG_DFL);
    (void)raise(SIGSEGV);
    return TACKLE_OK;
}

static int32_t hang(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    (void)signal(SIGTERM, SIG_IGN);
    while (poll(NULL, 0, 1000) <= 0)
        ;
    return TACKLE_E_FAILED;
}

static int32_t flood(void *self, tackle_call *call)
{
    char block[65536];
    (void)self;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 1024; i++)
        (void)call->api->write(call, block, sizeof block);
    return TACKLE_OK;
}

static int32_t chatter(void *self, tackle_call *call)
{
    (void)self;
    (void)printf("CHATTER-ON-STDOUT\n");
    (void)fflush(stdout);
    (void)fprintf(stderr, "CHATTER-ON-STDERR\n");
    return tackle_writef(call, "chatted");
}

static int32_t quit(void *self, tackle_call *call)
{
    (void)self;
    (void)call;
    _exit(0);
}

/* Bad UTF-8, a zero byte, an escape sequence. */
static int32_t garbage(void *self, tackle_call *call)
{
    static const char bytes[] = "good \xff\xfe\xed\xa0\x80 bad \0 \x1b[31m end";
    (void)self;
    return call->api->write(call, bytes, sizeof bytes - 1);
}

static int32_t fail(void *self, tackle_call *call)
{
    (void)self;
    (void)call->api->write(call, "half of it", 10);
    return tackle_failf(call, TACKLE_E_FAILED, "the flux is too low; raise it to 3");
}

/* Waits, then says its text: for the order of results. */
static int32_t slow(void *self, tackle_call *call)
{
    int64_t ms = 0;
    size_t len = 0;
    (void)self;
    (void)call->api->arg_int(call, "ms", &ms);
    const char *text = call->api->arg_text(call, "text", &len);
    (void)poll(NULL, 0, ms < 0 || ms > 60000 ? 0 : (int)ms);
    return text ? call->api->write(call, text, len) : TACKLE_E_ARGS;
}

static int32_t show_environment(void *self, tackle_call *call)
{
    (void)self;
    for (char **variable = environ; *variable; variable++)
        (void)tackle_writef(call, "%s\n", *variable);
    return TACKLE_OK;
}

#define TOOL(function, about, parameters, hints)                                                   \
    static const tackle_tool function##_tool = {                                                   \
        .size = sizeof(tackle_tool),                                                               \
        .does = TACKLE_READS | (hints),                                                            \
        .effect = TACKLE_EFFECT_SAFE,                                                              \
        .name = #function,                                                                         \
        .description = about,                                                                      \
        .params = parameters,                                                                      \
        .call = function,                                                                          \
    }

TOOL(crash, "Crashes.", NO_PARAMS, 0u);
TOOL(hang, "Never returns.", NO_PARAMS, 0u);
TOOL(flood, "Writes without end.", NO_PARAMS, 0u);
TOOL(chatter, "Prints.", NO_PARAMS, 0u);
TOOL(quit, "Exits.", NO_PARAMS, 0u);
TOOL(garbage, "Writes bytes that are no text.", NO_PARAMS, 0u);
TOOL(fail, "Fails.", NO_PARAMS, 0u);
TOOL(show_environment, "Shows the environment.", NO_PARAMS, 0u);
TOOL(slow, "Says a text after a while.",
     "{\"type\":\"object\",\"properties\":{\"ms\":{\"type\":\"integer\"},"
     "\"text\":{\"type\":\"string\"}},\"required\":[\"ms\",\"text\"]}",
     TACKLE_PARALLEL);

TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof(tackle_plugin),
    .abi = TACKLE_ABI,
    .name = "unruly",
    .version = "1",
    .description = "Tools that misbehave",
    .tools = (const tackle_tool *const[]){&crash_tool, &hang_tool, &flood_tool, &chatter_tool,
                                          &quit_tool, &garbage_tool, &fail_tool, &slow_tool,
                                          &show_environment_tool, NULL},
};
