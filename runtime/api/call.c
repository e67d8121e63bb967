/* One tool call, wherever the tool runs: in a plugin's process, in the embedding program, or once
 * upon a time, in a recording. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <tackle/plugin.h>

#include "api/runtime.h"
#include "base/clock.h"

struct api_call {
    struct tackle_runtime *rt;
    struct api_call_events events;
    struct toolhost_call *in_host; /* or */
    struct tackle_pending *pending;
    const struct function *function;
    struct loop_task start; /* of a function */
    struct loop_timer timer;
    char *args;
    int64_t started_ms, timeout_ms;
    struct cassette_result recorded; /* owned, when it is not run at all */
};

/* Belongs to the embedding program until it calls tackle_pending_finish(). */
struct tackle_pending {
    struct api_call *call; /* NULL: nobody waits any more */
};

static void call_free(struct api_call *c)
{
    loop_unpost(&c->start);
    loop_clear_timer(c->rt->loop, &c->timer);
    if (c->pending)
        c->pending->call = NULL;
    cassette_result_release(&c->recorded);
    free(c->args);
    free(c);
}

static void call_done(struct api_call *c, const struct run_result_of_call *result)
{
    if (c->events.done)
        c->events.done(c->events.user, result);
    call_free(c);
}

/* ---- In a plugin's process ---- */

static void on_progress(void *user, const char *text, size_t len)
{
    const struct api_call *c = user;
    if (c->events.progress)
        c->events.progress(c->events.user, text, len);
}

static void on_log(void *user, const char *level, const char *text)
{
    const struct api_call *c = user;
    if (c->events.log)
        c->events.log(c->events.user, level, text);
}

static void on_changed(void *user, const char *path, const char *what)
{
    const struct api_call *c = user;
    if (c->events.changed)
        c->events.changed(c->events.user, path, what);
}

static void on_contacted(void *user, const char *host, bool allowed)
{
    const struct api_call *c = user;
    if (c->events.contacted)
        c->events.contacted(c->events.user, host, allowed);
}

static int on_remember(void *user, const char *note, size_t len, struct err *err)
{
    const struct api_call *c = user;
    return c->events.remember ? c->events.remember(c->events.user, note, len, err) : 0;
}

static void on_host_done(void *user, const struct toolhost_result *r)
{
    const struct run_result_of_call result = {.code = r->code,
                                              .output = r->output,
                                              .len = r->len,
                                              .message = r->message,
                                              .omitted = r->omitted,
                                              .killed = r->killed,
                                              .unconfined = r->unconfined,
                                              .duration_ms = r->duration_ms};
    call_done(user, &result);
}

/* What is asked of a tool. */
struct request {
    const struct tool *tool;
    size_t args_len; /* of call->args */
    const char *key;
    bool write; /* a person gave it the right to */
    bool probe;
    const char *note; /* of a probe; NULL: none */
};

static int start_in_host(struct api_call *c, const struct prepared *p, const struct request *q,
                         struct err *err)
{
    struct toolhost_place place;
    struct toolhost *hosts = api_hosts(c->rt, err);
    if (!hosts)
        return -1;
    const struct toolhost_events events = {.progress = on_progress,
                                           .log = on_log,
                                           .changed = on_changed,
                                           .contacted = on_contacted,
                                           .remember = on_remember,
                                           .done = on_host_done,
                                           .user = c};
    prepared_place(p, q->tool, q->write, &place);
    c->in_host = q->probe ? toolhost_probe(hosts, &place, q->tool, c->args, q->args_len, q->key,
                                           q->note, c->timeout_ms, &events)
                          : toolhost_call(hosts, &place, q->tool, c->args, q->args_len, q->key,
                                          c->timeout_ms, &events);
    return c->in_host ? 0 : err_set(err, ERR_NOMEM, "out of memory");
}

/* ---- In the embedding program ---- */

static void finish_function(struct api_call *c, int32_t code, const char *text, size_t len)
{
    struct run_result_of_call result = {
        .code = code, .output = "", .message = "", .duration_ms = clock_ms() - c->started_ms};
    char *message = NULL;
    if (code == 0) {
        result.output = text;
        result.len = len;
    } else {
        message = strndup(text, len);
        result.message = message ? message : "the tool failed";
    }
    call_done(c, &result);
    free(message);
}

void tackle_pending_finish(tackle_pending *pending, int32_t code, const char *text, size_t len)
{
    struct api_call *c = pending->call;
    free(pending);
    if (!c)
        return;
    c->pending = NULL;
    finish_function(c, code, text ? text : "", text ? len : 0);
}

static void on_function_timeout(void *user)
{
    static const char text[] = "timed out; the program may still be working on it";
    finish_function(user, TACKLE_E_TIMEOUT, text, sizeof text - 1);
}

static void on_function_cancelled(void *user)
{
    finish_function(user, TACKLE_E_CANCELLED, "cancelled", sizeof "cancelled" - 1);
}

static void on_function_start(void *user)
{
    struct api_call *c = user;
    struct tackle_pending *pending = calloc(1, sizeof *pending);
    if (!pending) {
        finish_function(c, TACKLE_E_NOMEM, "out of memory", sizeof "out of memory" - 1);
        return;
    }
    pending->call = c;
    c->pending = pending;
    c->function->call(c->function->user, pending, c->args);
}

static int start_function(struct api_call *c, const struct tool *tool, struct err *err)
{
    /* A tool without an owner is part of its function. */
    c->function = (const struct function *)((const char *)tool - offsetof(struct function, tool));
    c->start = (struct loop_task){.run = on_function_start, .user = c};
    c->timer = (struct loop_timer){.due = on_function_timeout, .user = c};
    if (loop_set_timer(c->rt->loop, &c->timer, c->started_ms + c->timeout_ms) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    loop_post(c->rt->loop, &c->start);
    return 0;
}

/* ---- In a recording ---- */

static void on_recorded(void *user)
{
    struct api_call *c = user;
    const struct cassette_result *r = &c->recorded;
    const struct run_result_of_call result = {.code = r->code,
                                              .output = r->output,
                                              .len = r->len,
                                              .message = r->message ? r->message : "",
                                              .omitted = r->omitted,
                                              .duration_ms = r->duration_ms};
    size_t i;
    json_t *file;
    json_array_foreach(r->files, i, file)
    {
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *what = json_string_value(json_object_get(file, "what"));
        if (path && what && c->events.changed)
            c->events.changed(c->events.user, path, what);
    }
    call_done(c, &result);
}

struct api_call *api_call_recorded(struct tackle_runtime *rt, struct cassette_result *result,
                                   int64_t wait_ms, const struct api_call_events *events,
                                   struct err *err)
{
    struct api_call *c = calloc(1, sizeof *c);
    if (!c) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    *c = (struct api_call){.rt = rt, .events = *events};
    c->start = (struct loop_task){.run = on_recorded, .user = c};
    c->timer = (struct loop_timer){.due = on_recorded, .user = c};
    if (wait_ms > 0 && loop_set_timer(rt->loop, &c->timer, clock_ms() + wait_ms) != 0) {
        free(c);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    if (wait_ms <= 0)
        loop_post(rt->loop, &c->start);
    c->recorded = *result;
    *result = (struct cassette_result){0};
    return c;
}

/* ---- All ---- */

static struct api_call *start(struct tackle_runtime *rt, const struct prepared *p,
                              const struct request *q, const char *args,
                              const struct api_call_events *events, struct err *err)
{
    struct api_call *c = calloc(1, sizeof *c);
    if (!c || !(c->args = malloc(q->args_len + 1))) {
        free(c);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    memcpy(c->args, args, q->args_len);
    c->args[q->args_len] = '\0';
    c->rt = rt;
    c->events = *events;
    c->started_ms = clock_ms();
    c->timeout_ms = settings_number(&p->settings, SET_TOOL_TIMEOUT);
    int status = q->tool->owner ? start_in_host(c, p, q, err) : start_function(c, q->tool, err);
    if (status == 0)
        return c;
    call_free(c);
    return NULL;
}

struct api_call *api_call_start(struct tackle_runtime *rt, const struct prepared *p,
                                const struct tool *tool, const char *args, size_t args_len,
                                const char *key, bool write, const struct api_call_events *events,
                                struct err *err)
{
    const struct request q = {.tool = tool, .args_len = args_len, .key = key, .write = write};
    return start(rt, p, &q, args, events, err);
}

struct api_call *api_call_probe(struct tackle_runtime *rt, const struct prepared *p,
                                const struct tool *tool, const char *args, size_t args_len,
                                const char *key, const char *note,
                                const struct api_call_events *events, struct err *err)
{
    const struct request q = {
        .tool = tool, .args_len = args_len, .key = key, .probe = true, .note = note};
    if (tool->owner)
        return start(rt, p, &q, args, events, err);
    err_set(err, ERR_USAGE, "a function of the program cannot be asked whether it was done");
    return NULL;
}

void api_call_cancel(struct api_call *call)
{
    if (call->in_host) {
        toolhost_cancel(call->in_host);
        return;
    }
    /* In the next turn, so that nothing is called from inside the caller. */
    loop_unpost(&call->start);
    call->start.run = on_function_cancelled;
    loop_post(call->rt->loop, &call->start);
}

void api_call_abandon(struct api_call *call)
{
    if (call->in_host)
        toolhost_abandon(call->in_host);
    call_free(call);
}
