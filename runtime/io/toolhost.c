#include "io/toolhost.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/toolhost_state.h"

#define GOODBYE_MS 300

/* ---- Calls ---- */

void toolhost_free_call(struct toolhost_call *c)
{
    loop_clear_timer(c->hosts->loop, &c->timer);
    if (c->fetch)
        fetch_cancel(c->fetch);
    buf_release(&c->output);
    hosts_release(&c->granted);
    free(c->args);
    free(c->key);
    free(c->note);
    free(c);
}

static void end_with(struct toolhost_call *c, struct toolhost_result *result)
{
    result->output = c->output.data;
    result->len = c->output.len;
    result->omitted = c->omitted;
    result->killed = c->killed;
    result->duration_ms = clock_ms() - c->started_ms;
    if (c->process)
        c->process->call = NULL;
    if (c->events.done)
        c->events.done(c->events.user, result);
    toolhost_free_call(c);
}

void toolhost_end_call(struct toolhost_call *c, int32_t code, const char *message, bool died)
{
    end_with(c, &(struct toolhost_result){.code = code, .message = message, .died = died});
}

void toolhost_refuse_call(struct toolhost_call *c, const char *message)
{
    end_with(c, &(struct toolhost_result){
                    .code = TACKLE_E_FAILED, .message = message, .died = true, .unconfined = true});
}

void toolhost_unlink(struct toolhost_call *c)
{
    struct group *g = c->group;
    for (struct toolhost_call **link = &g->waiting; *link; link = &(*link)->next)
        if (*link == c) {
            *link = c->next;
            if (!c->next)
                g->waiting_end = link;
            return;
        }
}

/* ---- Handing calls to processes ---- */

static void on_call_timer(void *user)
{
    struct toolhost_call *c = user;
    if (!c->process) {
        toolhost_unlink(c);
        if (c->cancelled)
            toolhost_end_call(c, TACKLE_E_CANCELLED, "cancelled", false);
        else
            toolhost_end_call(c, TACKLE_E_TIMEOUT, "timed out before a process was free to run it",
                              false);
        return;
    }
    /* The plugin knows its deadline itself: the grace has passed as well. */
    c->expired = !c->cancelled;
    c->killed = true;
    toolhost_process_kill(c->process, NULL);
}

static struct process *find_state(const struct group *g, enum process_state state)
{
    for (struct process *p = g->processes; p; p = p->next)
        if (p->state == state)
            return p;
    return NULL;
}

static size_t count_state(const struct group *g, enum process_state state)
{
    size_t count = 0;
    for (const struct process *p = g->processes; p; p = p->next)
        count += p->state == state;
    return count;
}

void toolhost_serve(struct group *g)
{
    struct err err;
    struct process *p;
    while (g->waiting && (p = find_state(g, IDLE))) {
        struct toolhost_call *c = g->waiting;
        toolhost_unlink(c);
        toolhost_process_give(p, c);
    }
    if (g->process_count == TOOLHOST_PROCESSES)
        return;
    size_t waiting = 0;
    for (const struct toolhost_call *c = g->waiting; c; c = c->next)
        waiting++;
    size_t starting = count_state(g, STARTING);
    while (starting < waiting && g->process_count < TOOLHOST_PROCESSES) {
        if (toolhost_process_start(g, &err) == 0) {
            starting++;
            continue;
        }
        if (g->process_count > 0)
            return; /* those that are there will serve the calls in time */
        struct toolhost_call *c = g->waiting;
        toolhost_unlink(c);
        toolhost_end_call(c, TACKLE_E_FAILED, err.text, false);
        waiting--;
    }
}

static void on_serve(void *user)
{
    toolhost_serve(user);
}

/* A path may be another folder by now than when the group was made. */
static bool is_same_folder(int a, int b)
{
    struct stat one, other;
    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static bool is_same_place(const struct group *g, const struct toolhost_place *place)
{
    return strcmp(g->path, place->plugin->path) == 0 &&
           strcmp(g->workspace, place->workspace) == 0 && json_equal(g->confine, place->confine) &&
           is_same_folder(g->workspace_fd, place->workspace_fd) &&
           json_equal(g->options, place->options);
}

static void group_free(struct group *g)
{
    loop_unpost(&g->serve);
    json_decref(g->options);
    json_decref(g->confine);
    json_decref(g->file);
    if (g->workspace_fd >= 0)
        (void)close(g->workspace_fd);
    free(g->path);
    free(g->name);
    free(g->workspace);
    free(g);
}

static struct group *group_for(struct toolhost *hosts, const struct toolhost_place *place)
{
    for (struct group *g = hosts->groups; g; g = g->next)
        if (is_same_place(g, place))
            return g;
    struct group *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    g->hosts = hosts;
    g->waiting_end = &g->waiting;
    g->serve = (struct loop_task){.run = on_serve, .user = g};
    g->path = strdup(place->plugin->path);
    g->name = strdup(place->plugin->name);
    g->workspace = strdup(place->workspace);
    g->options = json_deep_copy(place->options);
    g->confine = json_deep_copy(place->confine);
    g->runs = json_is_true(json_object_get(json_object_get(place->confine, "sandbox"), "runs"));
    g->file = json_deep_copy(json_object_get(place->plugin->info, "file"));
    g->workspace_fd = fcntl(place->workspace_fd, F_DUPFD_CLOEXEC, 3);
    if (!g->path || !g->name || !g->workspace || !g->options || !g->confine || !g->file ||
        g->workspace_fd < 0) {
        group_free(g);
        return NULL;
    }
    g->next = hosts->groups;
    hosts->groups = g;
    return g;
}

/* ---- The interface ---- */

struct toolhost *toolhost_new(struct loop *loop, struct http *http, const char *host_program,
                              struct scratch *scratch, struct err *err)
{
    struct toolhost *hosts = calloc(1, sizeof *hosts);
    char *program = strdup(host_program);
    if (!hosts || !program) {
        free(hosts);
        free(program);
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    hosts->loop = loop;
    hosts->http = http;
    hosts->program = program;
    hosts->scratch = scratch;
    return hosts;
}

/* Gives idle processes the chance to run their plugin's close(), together, for a moment. */
static void say_goodbye(struct group *g)
{
    int64_t until = clock_ms() + GOODBYE_MS;
    for (struct process *p = g->processes; p; p = p->next)
        if (p->state == IDLE)
            toolhost_process_close(p);
    for (struct process *p = g->processes; p; p = p->next) {
        struct pollfd ended = {.fd = p->spawned.pidfd, .events = POLLIN};
        int64_t left = until - clock_ms();
        if (p->state == ENDING && left > 0)
            (void)poll(&ended, 1, (int)left);
    }
}

static void end_processes(struct group *g)
{
    say_goodbye(g);
    while (g->processes)
        toolhost_process_destroy(g->processes);
}

void toolhost_free(struct toolhost *hosts)
{
    if (!hosts)
        return;
    while (hosts->groups) {
        struct group *g = hosts->groups;
        hosts->groups = g->next;
        while (g->waiting) {
            struct toolhost_call *c = g->waiting;
            toolhost_unlink(c);
            toolhost_free_call(c);
        }
        end_processes(g);
        group_free(g);
    }
    free(hosts->home);
    free(hosts->tmp);
    free(hosts->program);
    free(hosts);
}

/* What cannot be read grants nothing. */
static int grant_hosts(struct toolhost_call *c, const char *args, size_t args_len)
{
    struct err err = {.code = ERR_NONE};
    if (!(c->tool->does & TACKLE_NETWORK))
        return 0;
    json_t *given = json_loadb(args, args_len, 0, NULL);
    int status = given ? reach_grant(&c->granted, c->tool, given, &err) : 0;
    json_decref(given);
    return status != 0 && err.code == ERR_NOMEM ? -1 : 0;
}

struct toolhost_call *toolhost_call(struct toolhost *hosts, const struct toolhost_place *place,
                                    const struct tool *tool, const char *args, size_t args_len,
                                    const char *key, int64_t timeout_ms,
                                    const struct toolhost_events *events)
{
    struct group *g = group_for(hosts, place);
    struct toolhost_call *c = g ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return NULL;
    c->hosts = hosts;
    c->group = g;
    c->tool = tool;
    c->events = *events;
    c->network = place->network;
    if (++hosts->calls == 0)
        hosts->calls = 1;
    c->number = hosts->calls;
    c->timeout_ms = timeout_ms;
    c->started_ms = clock_ms();
    c->deadline_ms = c->started_ms + timeout_ms;
    c->timer = (struct loop_timer){.due = on_call_timer, .user = c};
    buf_init(&c->output, TOOLHOST_OUTPUT_MAX);
    c->args = malloc(args_len + 1);
    c->args_len = args_len;
    c->key = strdup(key);
    if (!c->args || !c->key || grant_hosts(c, args, args_len) != 0 ||
        loop_set_timer(hosts->loop, &c->timer, c->deadline_ms) != 0) {
        toolhost_free_call(c);
        return NULL;
    }
    memcpy(c->args, args, args_len);
    c->args[args_len] = '\0';
    *g->waiting_end = c;
    g->waiting_end = &c->next;
    loop_post(hosts->loop, &g->serve);
    return c;
}

struct toolhost_call *toolhost_probe(struct toolhost *hosts, const struct toolhost_place *place,
                                     const struct tool *tool, const char *args, size_t args_len,
                                     const char *key, const char *note, int64_t timeout_ms,
                                     const struct toolhost_events *events)
{
    char *copy = note ? strdup(note) : NULL;
    struct toolhost_call *c = NULL;
    if (copy || !note)
        c = toolhost_call(hosts, place, tool, args, args_len, key, timeout_ms, events);
    if (!c) {
        free(copy);
        return NULL;
    }
    c->probe = true; /* nothing is sent before the next turn of the loop */
    c->note = copy;
    return c;
}

void toolhost_cancel(struct toolhost_call *call)
{
    struct toolhost_call *c = call;
    if (c->cancelled)
        return;
    c->cancelled = true;
    if (!c->process) {
        /* Not from inside the caller's own call: the timer brings it in the next turn. */
        (void)loop_set_timer(c->hosts->loop, &c->timer, clock_ms());
        return;
    }
    uint64_t one = 1;
    if (write(c->process->cancel_fd, &one, sizeof one) != (ssize_t)sizeof one)
        (void)loop_set_timer(c->hosts->loop, &c->timer, clock_ms());
    else
        (void)loop_set_timer(c->hosts->loop, &c->timer, clock_ms() + TOOLHOST_GRACE_MS);
}

void toolhost_abandon(struct toolhost_call *call)
{
    call->events = (struct toolhost_events){0};
    call->network = NULL;
    toolhost_cancel(call);
}
