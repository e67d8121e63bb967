/* run_command: runs a program or a line of shell in the workspace. What runs it, confines it and
 * clears up after it is the host's process/1; here are the arguments and what the model reads. */
#include <tackle/plugin.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/enforce.h"

#define TIMEOUT_MAX_S 1800
#define ARG_MAX_BYTES (128u << 10) /* Linux takes no longer argument (MAX_ARG_STRLEN) */

/* Kept free before the call's own deadline, so that a command which is ended at its time limit
 * (SIGTERM, two seconds, SIGKILL) can still be told of. */
#define MARGIN_MS 3000

#define READ_MAX (64u << 20) /* process/1 ends a program that writes more */

struct shell {
    const tackle_process_v1 *process;
    char *path; /* what runs `command`; owned */
    int64_t timeout_s;
};

/* How long the command may take, and whether its own limit or the call's deadline says so. */
struct limit {
    int64_t ms;
    bool by_deadline;
};

/* ---- Arguments ---- */

static int32_t check_length(tackle_call *call, const char *name, size_t len)
{
    if (!ENFORCED(shell_argument_size) || len < ARG_MAX_BYTES)
        return TACKLE_OK;
    return tackle_failf(call, TACKLE_E_ARGS,
                        "%s has %zu bytes; below %u are possible: write it to a file and run that",
                        name, len, ARG_MAX_BYTES);
}

/* argv of argv[0..n): *out is malloc'd, its items are the call's. */
static int32_t read_argv(tackle_call *call, int64_t count, const char ***out)
{
    if (count == 0)
        return tackle_failf(call, TACKLE_E_ARGS, "argv is empty: its first item is the program");
    const char **argv = calloc((size_t)count + 1, sizeof *argv);
    if (!argv)
        return TACKLE_E_NOMEM;
    int32_t status = TACKLE_OK;
    for (int64_t i = 0; i < count && status == TACKLE_OK; i++) {
        size_t len;
        argv[i] = call->api->arg_item(call, "argv", i, &len);
        if (argv[i])
            status = check_length(call, "an item of argv", len);
        else
            status =
                tackle_failf(call, TACKLE_E_ARGS, "item %lld of argv is not a text", (long long)i);
    }
    if (status != TACKLE_OK) {
        free(argv);
        return status;
    }
    *out = argv;
    return TACKLE_OK;
}

static int32_t command_argv(const struct shell *shell, tackle_call *call, const char *command,
                            size_t len, const char ***out)
{
    int32_t status = check_length(call, "command", len);
    if (status != TACKLE_OK)
        return status;
    const char **argv = calloc(4, sizeof *argv);
    if (!argv)
        return TACKLE_E_NOMEM;
    argv[0] = shell->path;
    argv[1] = "-c";
    argv[2] = command;
    *out = argv;
    return TACKLE_OK;
}

/* The argument vector from either argument; the caller frees *out. */
static int32_t read_program(const struct shell *shell, tackle_call *call, const char ***out)
{
    size_t len = 0;
    const char *command = call->api->arg_text(call, "command", &len);
    int64_t count = call->api->arg_count(call, "argv");
    if (command && count >= 0)
        return tackle_failf(call, TACKLE_E_ARGS, "give command or argv, not both");
    if (command)
        return command_argv(shell, call, command, len, out);
    if (count >= 0)
        return read_argv(call, count, out);
    return tackle_failf(call, TACKLE_E_ARGS,
                        "give command (a line of shell) or argv (a program and its arguments)");
}

static int32_t read_limit(const struct shell *shell, tackle_call *call, struct limit *limit)
{
    int64_t seconds = shell->timeout_s;
    (void)call->api->arg_int(call, "timeout_s", &seconds);
    if (seconds < 1 || seconds > TIMEOUT_MAX_S)
        return tackle_failf(call, TACKLE_E_ARGS, "timeout_s must be 1 to %d", TIMEOUT_MAX_S);
    int64_t left = call->api->ms_left(call);
    int64_t usable = left > 2 * MARGIN_MS ? left - MARGIN_MS : left / 2;
    limit->by_deadline = usable < seconds * 1000;
    limit->ms = limit->by_deadline ? usable : seconds * 1000;
    if (limit->ms < 1)
        return tackle_failf(call, TACKLE_E_TIMEOUT, "no time is left to run a command");
    return TACKLE_OK;
}

/* ---- What the model reads ---- */

static int32_t write_outcome(tackle_call *call, const tackle_process_result *r,
                             const struct limit *limit)
{
    double seconds = (double)r->duration_ms / 1000;
    uint64_t total = r->omitted + r->head_len + r->tail_len;
    if (r->timed_out && limit->by_deadline)
        return tackle_writef(call,
                             "timed out after %.3g s and was ended; this run allows no longer "
                             "call\n",
                             (double)limit->ms / 1000);
    if (r->timed_out)
        return tackle_writef(call,
                             "timed out after %.3g s and was ended; timeout_s can be up to %d\n",
                             (double)limit->ms / 1000, TIMEOUT_MAX_S);
    if (total >= READ_MAX && r->signal)
        return tackle_writef(call, "wrote more than %u MiB and was ended after %.1f s\n",
                             READ_MAX >> 20, seconds);
    if (r->signal) {
        const char *name = sigabbrev_np(r->signal);
        return name ? tackle_writef(call, "killed by SIG%s after %.1f s\n", name, seconds)
                    : tackle_writef(call, "killed by signal %d after %.1f s\n", (int)r->signal,
                                    seconds);
    }
    return tackle_writef(call, "exit %d in %.1f s\n", (int)r->exit_status, seconds);
}

/* Would a model make anything of these bytes? Compressed data has a tenth of control bytes, text
 * of any language next to none. A short output is shown in any case. */
static bool is_binary(const char *data, size_t len)
{
    size_t sample = len < 8192 ? len : 8192, odd = 0;
    for (size_t i = 0; i < sample; i++) {
        unsigned char c = (unsigned char)data[i];
        odd += c == 0x7f || (c < 0x20 && !(c >= '\a' && c <= '\r') && c != 0x1b);
    }
    return sample >= 256 && odd > sample / 20;
}

/* How many bytes at the end of `data` are the beginning of a UTF-8 character. */
static size_t cut_end(const char *data, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        unsigned char c = (unsigned char)data[len - back];
        if (c >= 0xC0)
            return back < (c >= 0xF0 ? 4u : c >= 0xE0 ? 3u : 2u) ? back : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

/* How many bytes at the start of `data` are the end of one. */
static size_t cut_start(const char *data, size_t len)
{
    size_t n = 0;
    while (n < 3 && n < len && ((unsigned char)data[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static int32_t write_output(tackle_call *call, const tackle_process_result *r)
{
    size_t head = r->head_len, skip = 0;
    uint64_t omitted = r->omitted;
    if (head + r->tail_len == 0)
        return tackle_writef(call, "(no output)\n");
    if (ENFORCED(shell_binary) && is_binary(r->head, head))
        return tackle_writef(call,
                             "(binary output of %llu bytes, not shown: write it to a file, or show "
                             "it with od or base64)\n",
                             (unsigned long long)(head + omitted + r->tail_len));
    if (omitted) {
        head -= cut_end(r->head, head);
        skip = cut_start(r->tail, r->tail_len);
        omitted += r->head_len - head + skip;
    }
    int32_t status = call->api->write(call, r->head, head);
    if (status == TACKLE_OK && omitted)
        status =
            tackle_writef(call, "\n[... %llu bytes left out ...]\n", (unsigned long long)omitted);
    if (status == TACKLE_OK)
        status = call->api->write(call, r->tail + skip, r->tail_len - skip);
    return status;
}

static int32_t run_command(void *self, tackle_call *call)
{
    const struct shell *shell = self;
    const char **argv = NULL;
    struct limit limit = {0};
    int32_t status = read_limit(shell, call, &limit);
    if (status == TACKLE_OK)
        status = read_program(shell, call, &argv);
    if (status != TACKLE_OK)
        return status;
    const tackle_process process = {.size = sizeof process,
                                    .argv = argv,
                                    .cwd = call->api->arg_text(call, "cwd", NULL),
                                    .timeout_ms = limit.ms};
    tackle_process_result result = {.size = sizeof result};
    status = shell->process->run(call, &process, &result);
    free(argv);
    if (status != TACKLE_OK)
        return status;
    status = write_outcome(call, &result, &limit);
    if (status == TACKLE_OK)
        status = write_output(call, &result);
    /* A full result is not a failure: the command has run. */
    return status == TACKLE_E_LIMIT ? TACKLE_OK : status;
}

/* ---- The plugin ---- */

static void shell_close(void *self)
{
    struct shell *shell = self;
    free(shell->path);
    free(shell);
}

static int32_t shell_open(const tackle_host *host, void **self)
{
    const tackle_config_v1 *config = host->service(host, "config/1");
    struct shell *shell = calloc(1, sizeof *shell);
    if (!shell)
        return TACKLE_E_NOMEM;
    const char *path = config->text(host, "shell");
    shell->path = strdup(path ? path : "");
    shell->process = host->service(host, "process/1");
    if (shell->path && *shell->path && config->integer(host, "timeout_s", &shell->timeout_s) &&
        shell->timeout_s >= 1 && shell->timeout_s <= TIMEOUT_MAX_S) {
        *self = shell;
        return TACKLE_OK;
    }
    host->error(host, "shell must name a program such as /bin/sh, timeout_s must be 1 to 1800");
    shell_close(shell);
    return TACKLE_E_ARGS;
}

static const tackle_tool run_tool = {
    .size = sizeof run_tool,
    .does = TACKLE_READS | TACKLE_WRITES | TACKLE_RUNS,
    .effect = TACKLE_EFFECT_NEVER,
    .name = "run_command",
    .description = "Run a program in the workspace: command (a line of shell) or argv (no shell). "
                   "Returns exit code and output. No stdin; background processes are ended.",
    .params = "{\"type\":\"object\",\"properties\":{"
              "\"command\":{\"type\":\"string\",\"format\":\"shell\"},"
              "\"argv\":{\"type\":\"array\",\"format\":\"argv\",\"items\":{\"type\":\"string\"}},"
              "\"cwd\":{\"type\":\"string\",\"format\":\"path\"},"
              "\"timeout_s\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1800}},"
              "\"additionalProperties\":false}",
    .call = run_command,
};

static const tackle_option option_timeout = {
    .size = sizeof option_timeout,
    .type = TACKLE_OPTION_INT,
    .name = "timeout_s",
    .default_value = "120",
    .help = "seconds a command may take when the call does not say; 1 to 1800",
};

static const tackle_option option_shell = {
    .size = sizeof option_shell,
    .type = TACKLE_OPTION_TEXT,
    .name = "shell",
    .default_value = "/bin/sh",
    .help = "the program that runs `command`, with -c",
};

const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "shell",
    .version = "1.0.0",
    .description = "Runs programs in the workspace",
    .needs = (const char *const[]){"process/1", "config/1", NULL},
    .tools = (const tackle_tool *const[]){&run_tool, NULL},
    .options = (const tackle_option *const[]){&option_timeout, &option_shell, NULL},
    .open = shell_open,
    .close = shell_close,
};
