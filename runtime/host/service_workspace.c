/* workspace/1: files beneath the folder the run works in. */
#include <unistd.h>

#include "base/beneath.h"
#include "host/call.h"
#include "host/services.h"

static const char *root(const tackle_host *host)
{
    return session_of(host)->workspace;
}

/* The path relative to the workspace; `out` has BENEATH_PATH_MAX bytes. */
static int32_t relative(struct call *call, const char *path, char *out)
{
    struct err err;
    if (!path)
        return call_fail(call, TACKLE_E_ARGS, "the plugin passes no path");
    if (beneath_relative(call->session->workspace, path, out, &err))
        return call_fail_err(call, &err);
    return TACKLE_OK;
}

static int32_t open_path(tackle_call *base, const char *path, uint32_t how)
{
    struct call *call = call_of(base);
    char name[BENEATH_PATH_MAX];
    struct err err;
    int32_t code = call_may(call, TACKLE_READS | TACKLE_WRITES | TACKLE_RUNS,
                            "reads files of the workspace (TACKLE_READS)");
    if (code == TACKLE_OK)
        code = relative(call, path, name);
    if (code != TACKLE_OK)
        return code;
    const unsigned mounts = call->session->mounts ? BENEATH_MOUNTS : 0;
    int fd;
    if (how == TACKLE_OPEN_FILE)
        fd = beneath_open_file(call->session->workspace_fd, name, mounts, NULL, &err);
    else if (how == TACKLE_OPEN_DIR)
        fd = beneath_open_dir(call->session->workspace_fd, name, mounts, &err);
    else
        return call_fail(call, TACKLE_E_ARGS, "the plugin opens in an unknown way: %u", how);
    if (fd < 0)
        return call_fail_err(call, &err);
    if (denied_check_read(&call->session->denied, call->session->workspace_fd, fd, call->tool->name,
                          &err) == 0)
        return fd;
    (void)close(fd);
    return call_fail_err(call, &err);
}

static int check_write(void *user, const char *path, struct err *err)
{
    struct call *call = user;
    return denied_check_write(&call->session->denied, path, call->tool->name, err);
}

static int32_t replace(tackle_call *base, const char *path, const void *data, size_t len,
                       uint32_t flags)
{
    struct call *call = call_of(base);
    char name[BENEATH_PATH_MAX];
    struct err err;
    bool created = false;
    int32_t code = call_may(call, TACKLE_WRITES, "changes files of the workspace (TACKLE_WRITES)");
    if (code == TACKLE_OK)
        code = relative(call, path, name);
    if (code != TACKLE_OK)
        return code;
    if (!call->session->write)
        return call_fail(
            call, TACKLE_E_DENIED,
            "this run may only read files; to let it write: --sandbox workspace-write");
    if ((flags & ~(TACKLE_REPLACE_NEW | TACKLE_REPLACE_PARENTS)) || (!data && len > 0))
        return call_fail(call, TACKLE_E_ARGS, "the plugin calls replace() wrongly (flags 0x%x)",
                         flags);
    unsigned how = (flags & TACKLE_REPLACE_NEW ? BENEATH_NEW : 0) |
                   (flags & TACKLE_REPLACE_PARENTS ? BENEATH_PARENTS : 0) |
                   (call->session->mounts ? BENEATH_MOUNTS : 0);
    const struct beneath_guard guard = {check_write, call};
    if (beneath_replace_guarded(call->session->workspace_fd, name, data, len, how, &guard, &created,
                                &err))
        return call_fail_err(call, &err);
    call->session->sink.changed(call->session->sink.user,
                                created ? TACKLE_CHANGED_CREATED : TACKLE_CHANGED_MODIFIED, name);
    return TACKLE_OK;
}

static int32_t changed(tackle_call *base, const char *path, uint32_t what)
{
    struct call *call = call_of(base);
    char name[BENEATH_PATH_MAX];
    if (what < TACKLE_CHANGED_CREATED || what > TACKLE_CHANGED_DELETED)
        return call_fail(call, TACKLE_E_ARGS, "the plugin reports an unknown change: %u", what);
    int32_t code = relative(call, path, name);
    if (code == TACKLE_OK)
        call->session->sink.changed(call->session->sink.user, what, name);
    return code;
}

const tackle_workspace_v1 service_workspace = {.size = sizeof(tackle_workspace_v1),
                                               .root = root,
                                               .open = open_path,
                                               .replace = replace,
                                               .changed = changed};
