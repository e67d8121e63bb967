#include "host/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/call.h"
#include "host/options.h"
#include "host/services.h"

/* ---- What the plugin sees as its host ---- */

static const void *host_service(const tackle_host *host, const char *id)
{
    (void)host;
    return service_find(id);
}

static void host_error(const tackle_host *host, const char *message)
{
    const char *text = message ? message : "";
    /* Constant for the plugin; the object is ours. */
    struct session *session = (struct session *)(uintptr_t)host;
    call_keep_text(&session->open_error, text, strcspn(text, "\r\n"));
}

/* ---- Opening ---- */

static int watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The descriptor that becomes readable on cancel or deadline is an epoll that watches both. */
static int open_watches(struct session *session, struct err *err)
{
    session->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    session->end_fd = epoll_create1(EPOLL_CLOEXEC);
    if (session->timer_fd < 0 || session->end_fd < 0 ||
        watch(session->end_fd, session->cancel_fd) || watch(session->end_fd, session->timer_fd))
        return err_set(err, ERR_IO, "cannot watch for cancel and deadline: %s", strerror(errno));
    return 0;
}

/* The names there are, for the message about one that is not among them. */
static void list_options(const struct manifest *manifest, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < manifest->option_count && used < size; i++) {
        int len = snprintf(out + used, size - used, "%s%s", i ? ", " : "; it has ",
                           manifest->options[i].name);
        used += len > 0 ? (size_t)len : 0;
    }
}

static int check_given(const struct manifest *manifest, json_t *given, struct err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(given, name, value)
    {
        const tackle_option *option = manifest_option(manifest, name);
        char known[512];
        list_options(manifest, known, sizeof known);
        if (!option)
            return err_set(err, ERR_CONFIG, "has no option '%s'%s", name, known);
        if (!json_is_string(value))
            return err_set(err, ERR_CONFIG, "option '%s' must be a text", name);
        if (option_check(option, json_string_value(value), err))
            return err_prefix(err, "option '%s'", name);
    }
    return 0;
}

static int set_options(struct session *session, json_t *given, struct err *err)
{
    const struct manifest *manifest = session->manifest;
    if (check_given(manifest, given, err))
        return err_prefix(err, "plugin '%s'", manifest->plugin.name);
    session->options = calloc(manifest->option_count + 1, sizeof *session->options);
    if (!session->options)
        return err_set(err, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < manifest->option_count; i++) {
        const tackle_option *option = &manifest->options[i];
        const char *value = json_string_value(json_object_get(given, option->name));
        if (!value)
            value = option->default_value;
        if (value && !(session->options[i] = strdup(value)))
            return err_set(err, ERR_NOMEM, "out of memory");
    }
    return 0;
}

static int copy_text(char **out, const char *text, struct err *err)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? err_set(err, ERR_NOMEM, "out of memory") : 0;
}

static int open_plugin(struct session *session, struct err *err)
{
    const tackle_plugin *plugin = &session->manifest->plugin;
    int32_t code = plugin->open ? plugin->open(&session->host, &session->self) : TACKLE_OK;
    session->opened = code >= 0;
    if (session->opened)
        return 0;
    if (session->open_error.len > 0)
        return err_set(err, ERR_PLUGIN, "%s", session->open_error.data);
    return err_set(err, ERR_PLUGIN, "open() of plugin '%s' fails with code %d and says no reason",
                   plugin->name, code);
}

struct session *session_new(const struct session_spec *spec, struct err *err)
{
    struct session *session = calloc(1, sizeof *session);
    if (!session) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    session->host = (tackle_host){.size = sizeof(tackle_host),
                                  .abi = TACKLE_ABI,
                                  .name = "tackle",
                                  .version = TACKLE_VERSION_TEXT,
                                  .service = host_service,
                                  .error = host_error};
    session->manifest = spec->manifest;
    session->workspace_fd = spec->workspace_fd;
    session->write = spec->write;
    session->mounts = spec->mounts;
    session->cancel_fd = spec->cancel_fd;
    session->sink = spec->sink;
    session->timer_fd = session->end_fd = -1;
    session->call.session = session;
    session->call.base.api = &call_api;
    buf_init(&session->open_error, SESSION_TEXT_MAX);
    if (denied_init(&session->denied, spec->deny_read, spec->deny_write, err) ||
        copy_text(&session->workspace, spec->workspace, err) ||
        copy_text(&session->home, spec->home, err) || copy_text(&session->tmp, spec->tmp, err) ||
        set_options(session, spec->options, err) || open_watches(session, err) ||
        open_plugin(session, err)) {
        session_free(session);
        return NULL;
    }
    return session;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void session_free(struct session *session)
{
    if (!session)
        return;
    if (session->opened && session->manifest->plugin.close)
        session->manifest->plugin.close(session->self);
    for (size_t i = 0; session->options && i < session->manifest->option_count; i++)
        free(session->options[i]);
    free(session->options);
    free(session->workspace);
    free(session->home);
    free(session->tmp);
    buf_release(&session->open_error);
    denied_release(&session->denied);
    close_fd(session->end_fd);
    close_fd(session->timer_fd);
    free(session);
}

/* ---- Calls ---- */

int session_end_fd(const struct session *session)
{
    return session->end_fd;
}

static void set_timer(const struct session *session, int64_t ms)
{
    struct itimerspec at = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
    (void)timerfd_settime(session->timer_fd, 0, &at, NULL); /* fails for bad arguments only */
}

static void begin(struct call *call, const struct session_call *spec)
{
    call->spec = spec;
    call->deadline_ms = clock_ms() + spec->ms;
    call->written = 0;
    call->omitted = 0;
    call->noted = false;
    denied_forget(&call->session->denied);
    buf_init(&call->message, SESSION_TEXT_MAX);
    buf_init(&call->fetched.content_type, SESSION_MESSAGE_MAX);
    buf_init(&call->fetched.location, FETCH_LOCATION_MAX);
    buf_init(&call->fetched.body, FETCH_REPLY_MAX);
    buf_init(&call->fetched.message, SESSION_MESSAGE_MAX);
    memset(&call->ran, 0, sizeof call->ran);
    set_timer(call->session, spec->ms);
}

static void end(struct call *call)
{
    set_timer(call->session, 0);
    json_decref(call->args);
    call->args = NULL;
    buf_release(&call->message);
    buf_release(&call->fetched.content_type);
    buf_release(&call->fetched.location);
    buf_release(&call->fetched.body);
    buf_release(&call->fetched.message);
    process_outcome_release(&call->ran);
    call->spec = NULL;
}

/* Finds the tool and reads the arguments: what the runtime has checked is checked again, because
 * neither side of the link trusts the other. */
static int32_t prepare(struct call *call)
{
    json_error_t where;
    const struct session_call *spec = call->spec;
    call->tool = manifest_tool(call->session->manifest, spec->tool);
    if (!call->tool)
        return call_fail(call, TACKLE_E_NOT_FOUND, "plugin '%s' has no tool '%s'",
                         call->session->manifest->plugin.name, spec->tool);
    if (spec->probe && !call->tool->probe)
        return call_fail(call, TACKLE_E_NOT_FOUND, "tool '%s' has no probe", spec->tool);
    call->args = json_loadb(spec->args, spec->args_len, 0, &where);
    if (!json_is_object(call->args))
        return call_fail(call, TACKLE_E_ARGS, "the arguments of '%s' are no JSON object: %s",
                         spec->tool, call->args ? "another kind of value" : where.text);
    return TACKLE_OK;
}

/* The code as the header allows it, and a message for each failure. */
static int32_t judge(struct call *call, int32_t code)
{
    const char *name = call->tool->name;
    bool probe = call->spec->probe;
    if (probe ? code == 0 || code > TACKLE_PROBE_UNKNOWN : code > 0)
        return call_fail(call, TACKLE_E_FAILED, "%s() of tool '%s' returned %d, which is no result",
                         probe ? "probe" : "call", name, code);
    if (code < 0 && call->message.len == 0) {
        if (code == TACKLE_E_CANCELLED)
            return call_fail(call, code, "the call was cancelled");
        if (code == TACKLE_E_TIMEOUT)
            return call_fail(call, code, "the call ran past its deadline of %lld ms",
                             (long long)call->spec->ms);
        return call_fail(call, code, "tool '%s' failed with code %d and said no reason", name,
                         code);
    }
    return code;
}

void session_run(struct session *session, const struct session_call *spec,
                 struct session_outcome *outcome)
{
    struct call *call = &session->call;
    struct session_call own = *spec;
    if (own.cap == 0)
        own.cap = SESSION_OUTPUT_CAP;
    if (own.ms > SESSION_MS_MAX)
        own.ms = SESSION_MS_MAX;
    if (own.ms < 1)
        own.ms = 1;
    begin(call, &own);
    int32_t code = prepare(call);
    if (code == TACKLE_OK) {
        code = spec->probe ? call->tool->probe(session->self, &call->base)
                           : call->tool->call(session->self, &call->base);
        code = judge(call, code);
    }
    outcome->code = code;
    outcome->omitted = call->omitted;
    buf_clear(&outcome->message);
    if (code < 0)
        (void)buf_append(&outcome->message, call->message.data, call->message.len);
    end(call);
}
