/* process/1: programs, run to their end by host/process.c. */
#include <stddef.h>
#include <unistd.h>

#include "base/beneath.h"
#include "host/call.h"
#include "host/services.h"

#define KEEP_DEFAULT 65536u
#define PROCESS_1_0  (offsetof(tackle_process, tail_bytes) + sizeof(size_t))

static size_t kept(size_t asked)
{
    if (asked == 0)
        return KEEP_DEFAULT;
    return asked < PROCESS_KEEP_MAX ? asked : PROCESS_KEEP_MAX;
}

/* Opens the directory to run in; the workspace itself stands for NULL and is not for closing. */
static int32_t open_cwd(struct call *call, const char *cwd, int *out)
{
    char name[BENEATH_PATH_MAX];
    struct err err;
    *out = call->session->workspace_fd;
    if (!cwd)
        return TACKLE_OK;
    if (beneath_relative(call->session->workspace, cwd, name, &err))
        return call_fail_err(call, &err);
    *out = beneath_open_dir(call->session->workspace_fd, name,
                            call->session->mounts ? BENEATH_MOUNTS : 0, &err);
    return *out < 0 ? call_fail_err(call, &err) : TACKLE_OK;
}

static int32_t run_in(struct call *call, const tackle_process *process, int cwd)
{
    struct process_env env;
    struct err err;
    int64_t left = call_ms_left(call);
    if (process_env_init(&env, call->session->home, call->session->tmp, process->env, &err))
        return call_fail_err(call, &err);
    struct process_spec spec = {
        .argv = process->argv,
        .cwd_fd = cwd,
        .env = (const char *const *)env.vars,
        .timeout_ms =
            process->timeout_ms > 0 && process->timeout_ms < left ? process->timeout_ms : left,
        .cancel_fd = call->session->cancel_fd,
        .head_bytes = kept(process->head_bytes),
        .tail_bytes = kept(process->tail_bytes),
    };
    process_outcome_release(&call->ran);
    int status = process_run(&spec, &call->ran, &err);
    process_env_release(&env);
    if (status)
        return call_fail_err(call, &err);
    if (call->ran.cancelled)
        return call_fail(call, TACKLE_E_CANCELLED, "the call was cancelled");
    return TACKLE_OK;
}

/* The outcome belongs to the call, so the plugin may read it until the next run. */
static void give_result(struct call *call, tackle_process_result *result)
{
    struct process_outcome *ran = &call->ran;
    /* The struct has no field for it, and the signal alone would not explain itself. Out of memory
     * leaves the note out. */
    if (ran->flooded) {
        (void)buf_format(&ran->tail, "\n[ended: it wrote more than %u MiB]\n",
                         PROCESS_READ_MAX >> 20);
    }
    tackle_process_result own = {
        .exit_status = ran->exit_status,
        .signal = ran->signal,
        .timed_out = ran->timed_out,
        .duration_ms = ran->duration_ms,
        .head = ran->head.data,
        .head_len = ran->head.len,
        .tail = ran->tail.data,
        .tail_len = ran->tail.len,
        .omitted = ran->omitted,
    };
    call_give(&own, sizeof own, result);
}

static int32_t run(tackle_call *base, const tackle_process *given, tackle_process_result *result)
{
    struct call *call = call_of(base);
    tackle_process process;
    int cwd;
    int32_t code = call_may(call, TACKLE_RUNS, "starts programs (TACKLE_RUNS)");
    if (code == TACKLE_OK)
        code = call_copy(call, given, PROCESS_1_0, &process, sizeof process);
    if (code == TACKLE_OK)
        code = call_ended(call);
    if (code != TACKLE_OK)
        return code;
    if (!process.argv || !process.argv[0] || !result)
        return call_fail(call, TACKLE_E_ARGS, "the plugin names no program to run");
    code = open_cwd(call, process.cwd, &cwd);
    if (code != TACKLE_OK)
        return code;
    code = run_in(call, &process, cwd);
    if (cwd != call->session->workspace_fd)
        (void)close(cwd);
    if (code == TACKLE_OK)
        give_result(call, result);
    return code;
}

const tackle_process_v1 service_process = {.size = sizeof(tackle_process_v1), .run = run};
