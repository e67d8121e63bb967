#include "io/toolhost.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/url.h"
#include "io/fetch.h"
#include "io/spawn.h"
#include "wire/link.h"

#define IN_MAX      (LINK_PAYLOAD_MAX + LINK_HEADER_SIZE)
#define OUT_MAX     (2u * LINK_PAYLOAD_MAX)
#define PRINTED_MAX 2048 /* of what a plugin prints, kept for the message when it dies */
#define HOSTS_MAX   16
#define GOODBYE_MS  300

enum state {
    STARTING, /* OPEN is on its way */
    IDLE,
    BUSY,
    ENDING /* killed, or its socket is closed: waits to be reaped */
};

/* The processes for one plugin in one place, and the calls that wait for one. */
struct group {
    struct toolhost *hosts;
    struct group *next;
    char *path, *name, *workspace; /* owned */
    json_t *options;               /* owned */
    int workspace_fd;              /* owned */
    bool write;
    struct process *processes;
    size_t process_count;
    struct toolhost_call *waiting, **waiting_end;
    struct loop_task serve; /* a new call waits */
};

struct process {
    struct group *group;
    struct process *next;
    enum state state;
    bool recycle; /* it leaks: use another for the next call */
    struct spawned spawned;
    struct loop_watch socket, ended, printed;
    struct loop_timer idle;
    int cancel_fd;
    struct buf in, out;
    char tail[PRINTED_MAX + 1]; /* the last of what it printed */
    size_t tail_len;
    char problem[512]; /* why it is ENDING; "" */
    struct toolhost_call *call;
};

struct toolhost_call {
    struct toolhost *hosts;
    struct group *group;
    struct process *process; /* NULL while it waits */
    struct toolhost_call *next;
    const struct tool *tool;
    struct toolhost_events events; /* all NULL once abandoned */
    char *args;                    /* NULL once they are sent */
    size_t args_len;
    char *key;
    uint32_t number;
    int64_t timeout_ms, started_ms, deadline_ms;
    bool cancelled, expired;
    struct loop_timer timer; /* deadline, then deadline plus grace */
    struct buf output;
    uint64_t omitted;
    struct fetch *fetch;
};

struct toolhost {
    struct loop *loop;
    struct http *http;
    char *program;
    struct group *groups;
    uint32_t calls;
};

static void serve_waiting(struct group *g);
static void process_end(struct process *p, const char *problem);
static void flush(struct process *p);

/* ---- Calls ---- */

static void call_free(struct toolhost_call *c)
{
    loop_clear_timer(c->hosts->loop, &c->timer);
    if (c->fetch)
        fetch_cancel(c->fetch);
    buf_release(&c->output);
    free(c->args);
    free(c->key);
    free(c);
}

static void call_done(struct toolhost_call *c, int32_t code, const char *message, bool died)
{
    struct toolhost_result result = {
        .code = code,
        .output = c->output.data,
        .len = c->output.len,
        .message = message,
        .omitted = c->omitted,
        .died = died,
        .duration_ms = clock_ms() - c->started_ms,
    };
    if (c->process)
        c->process->call = NULL;
    if (c->events.done)
        c->events.done(c->events.user, &result);
    call_free(c);
}

static void unlink_waiting(struct toolhost_call *c)
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

/* What the model is told of a call that the process did not end itself. */
static void explain_death(const struct toolhost_call *c, const char *how, char *out, size_t size)
{
    const struct process *p = c->process;
    if (c->cancelled)
        (void)snprintf(out, size, "cancelled");
    else if (c->expired)
        (void)snprintf(out, size,
                       "timed out after %lld ms and was ended; nothing is known of what "
                       "it had done by then",
                       (long long)c->timeout_ms);
    else if (p->problem[0])
        (void)snprintf(out, size, "the plugin %s broke the rules (%s) and was ended",
                       c->group->name, p->problem);
    else
        (void)snprintf(out, size, "the plugin %s %s %s%s%s", c->group->name, how,
                       p->state == STARTING ? "while it was opened" : "in the middle of the call",
                       p->tail_len ? "; it printed last: " : "", p->tail);
}

static int32_t death_code(const struct toolhost_call *c)
{
    return c->cancelled ? TACKLE_E_CANCELLED : c->expired ? TACKLE_E_TIMEOUT : TACKLE_E_FAILED;
}

/* ---- Processes ---- */

static struct loop *loop_of(const struct process *p)
{
    return p->group->hosts->loop;
}

static void close_watch(struct loop *loop, struct loop_watch *watch)
{
    int fd = watch->fd;
    loop_unwatch(loop, watch);
    if (fd >= 0)
        (void)close(fd);
}

static void process_free(struct process *p)
{
    struct group *g = p->group;
    for (struct process **link = &g->processes; *link; link = &(*link)->next)
        if (*link == p) {
            *link = p->next;
            g->process_count--;
            break;
        }
    loop_clear_timer(loop_of(p), &p->idle);
    close_watch(loop_of(p), &p->socket);
    close_watch(loop_of(p), &p->printed);
    loop_unwatch(loop_of(p), &p->ended); /* pidfd: closed by spawn_reap() */
    if (p->cancel_fd >= 0)
        (void)close(p->cancel_fd);
    buf_release(&p->in);
    buf_release(&p->out);
    free(p);
}

static void keep_printed(struct process *p, const char *data, size_t len)
{
    if (len > PRINTED_MAX) {
        data += len - PRINTED_MAX;
        len = PRINTED_MAX;
    }
    if (p->tail_len + len > PRINTED_MAX) {
        size_t drop = p->tail_len + len - PRINTED_MAX;
        memmove(p->tail, p->tail + drop, p->tail_len - drop);
        p->tail_len -= drop;
    }
    memcpy(p->tail + p->tail_len, data, len);
    p->tail_len += len;
    p->tail[p->tail_len] = '\0';
}

/* True when there was something. The pipe does not block on our side. */
static bool read_printed(struct process *p)
{
    char data[4096];
    if (p->printed.fd < 0)
        return false;
    ssize_t got = read(p->printed.fd, data, sizeof data - 1);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        close_watch(loop_of(p), &p->printed);
        return false;
    }
    data[got] = '\0';
    keep_printed(p, data, (size_t)got);
    if (p->call && p->call->events.log)
        p->call->events.log(p->call->events.user, "printed", data);
    return true;
}

static void on_printed(void *user, uint32_t events)
{
    (void)events;
    (void)read_printed(user);
}

/* It has ended: its call ends with it, and calls that wait get another process. */
static void on_ended(void *user, uint32_t events)
{
    (void)events;
    struct process *p = user;
    struct group *g = p->group;
    struct toolhost_call *c = p->call;
    bool was_starting = p->state == STARTING;
    char how[64], message[PRINTED_MAX + 512];
    loop_unwatch(loop_of(p), &p->ended);
    spawn_reap(&p->spawned, how, sizeof how);
    while (read_printed(p))
        continue;
    if (!c && was_starting && g->waiting) {
        /* Died before it could open: the first call in line pays, the others try anew. */
        c = g->waiting;
        unlink_waiting(c);
        c->process = p;
    }
    if (c) {
        explain_death(c, how, message, sizeof message);
        call_done(c, death_code(c), message, true);
    }
    process_free(p);
    serve_waiting(g);
}

/* No more frames from it: it is killed if it still lives; the rest happens when it is reaped. */
static void process_end(struct process *p, const char *problem)
{
    if (p->state == ENDING)
        return;
    if (problem)
        (void)snprintf(p->problem, sizeof p->problem, "%s", problem);
    if (p->state != STARTING)
        p->state = ENDING;
    close_watch(loop_of(p), &p->socket);
    loop_clear_timer(loop_of(p), &p->idle);
    spawn_kill(&p->spawned);
}

static void on_idle(void *user)
{
    struct process *p = user;
    if (p->state == ENDING) { /* its close() hangs */
        spawn_kill(&p->spawned);
        return;
    }
    p->state = ENDING;
    (void)link_write(&p->out, LINK_CLOSE, 0, NULL, 0);
    flush(p);
    (void)loop_set_timer(loop_of(p), &p->idle, clock_ms() + TOOLHOST_GRACE_MS);
}

/* ---- Frames to the process ---- */

static void on_socket(void *user, uint32_t events);

static void flush(struct process *p)
{
    while (p->out.len && p->socket.fd >= 0) {
        ssize_t sent = send(p->socket.fd, p->out.data, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            break; /* EAGAIN: when it is writable; anything else shows as an end of file */
        buf_shift(&p->out, (size_t)sent);
    }
    if (p->socket.fd >= 0)
        (void)loop_rewatch(loop_of(p), &p->socket, p->out.len ? EPOLLIN | EPOLLOUT : EPOLLIN, NULL);
}

static int send_open(struct process *p)
{
    const struct group *g = p->group;
    json_t *open = json_pack("{s:s, s:O, s:s, s:b}", "version", TACKLE_VERSION_TEXT, "options",
                             g->options, "workspace", g->workspace, "write", g->write);
    char *text = open ? json_dumps(open, JSON_COMPACT) : NULL;
    int status = text ? link_write(&p->out, LINK_OPEN, 0, text, strlen(text)) : -1;
    free(text);
    json_decref(open);
    flush(p);
    return status;
}

static int send_call(struct process *p, struct toolhost_call *c)
{
    int64_t left = c->deadline_ms - clock_ms();
    json_t *head = json_pack("{s:s, s:s, s:I, s:I, s:b}", "tool", c->tool->name, "key", c->key,
                             "ms", (json_int_t)(left > 1 ? left : 1), "cap",
                             (json_int_t)TOOLHOST_OUTPUT_MAX, "probe", false);
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    int status = -1;
    if (text)
        status = link_write_parts(&p->out, LINK_CALL, c->number, text, strlen(text), c->args,
                                  c->args_len);
    free(text);
    json_decref(head);
    free(c->args);
    c->args = NULL;
    if (status == 0)
        flush(p);
    return status;
}

/* ---- Frames from the process ---- */

static void on_output(struct toolhost_call *c, const struct link_frame *frame)
{
    size_t room = TOOLHOST_OUTPUT_MAX - c->output.len;
    size_t take = frame->len < room ? frame->len : room;
    if (buf_append(&c->output, frame->payload, take) != 0)
        take = 0;
    c->omitted += frame->len - take;
}

static void on_log(struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *log = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *level = json_string_value(json_object_get(log, "level"));
    const char *text = json_string_value(json_object_get(log, "text"));
    if (c->events.log && text)
        c->events.log(c->events.user, level ? level : "info", text);
    json_decref(log);
}

static void on_changed(struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *change = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *path = json_string_value(json_object_get(change, "path"));
    const char *what = json_string_value(json_object_get(change, "what"));
    if (c->events.changed && path && what)
        c->events.changed(c->events.user, path, what);
    json_decref(change);
}

static void on_remember(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    struct err err = {.code = ERR_NONE};
    if (c->events.remember)
        (void)c->events.remember(c->events.user, frame->payload, frame->len, &err);
    (void)link_write(&p->out, LINK_REMEMBERED, c->number, err.text, strlen(err.text));
    flush(p);
}

static void answer_fetch(struct process *p, uint32_t call, const struct fetch_result *r)
{
    json_t *head =
        r->code ? json_pack("{s:i, s:s}", "code", r->code, "message", r->message)
                : json_pack("{s:i, s:s}", "status", r->status, "content_type", r->content_type);
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    const char *plain = "{\"code\":-1,\"message\":\"the answer could not be read\"}";
    (void)link_write_parts(&p->out, LINK_FETCHED, call, text ? text : plain,
                           strlen(text ? text : plain), r->body, text ? r->len : 0);
    free(text);
    json_decref(head);
    flush(p);
}

static void on_fetched(void *user, const struct fetch_result *result)
{
    struct toolhost_call *c = user;
    c->fetch = NULL;
    if (c->process && c->process->state == BUSY)
        answer_fetch(c->process, c->number, result);
}

/* A tool's hosts as names: "$option" stands for the host of the URL in that option. The names are
 * malloc'd; the list ends with NULL. */
static void resolve_hosts(const struct toolhost_call *c, const struct plugin *plugin,
                          char *out[HOSTS_MAX + 1])
{
    size_t count = 0;
    for (char **host = c->tool->hosts; host && *host && count < HOSTS_MAX; host++) {
        const char *name = *host;
        struct url_parts parts;
        if (*name != '$') {
            out[count] = strdup(name);
        } else {
            const char *url = json_string_value(json_object_get(c->group->options, name + 1));
            if (!url)
                url = plugin_option_default(plugin, name + 1);
            out[count] =
                url && url_split(url, &parts) == 0 ? strndup(parts.host, parts.host_len) : NULL;
        }
        count += out[count] != NULL;
    }
    out[count] = NULL;
}

static void on_fetch(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    const char *head, *body;
    size_t head_len, body_len;
    char *names[HOSTS_MAX + 1] = {NULL};
    if (c->fetch || link_read_parts(frame, &head, &head_len, &body, &body_len) != 0) {
        process_end(p, "a broken request to http/1");
        return;
    }
    if (c->tool->does & TACKLE_NETWORK)
        resolve_hosts(c, c->tool->owner, names);
    c->fetch = fetch_start(p->group->hosts->http, loop_of(p), head, head_len, body, body_len,
                           (const char *const *)names, c->deadline_ms - clock_ms(), on_fetched, c);
    for (size_t i = 0; names[i]; i++)
        free(names[i]);
    if (!c->fetch) {
        struct fetch_result r = {.code = TACKLE_E_NOMEM, .message = "out of memory", .body = ""};
        answer_fetch(p, c->number, &r);
    }
}

static void become_idle(struct process *p)
{
    p->state = IDLE;
    (void)loop_set_timer(loop_of(p), &p->idle, clock_ms() + TOOLHOST_IDLE_MS);
}

static void on_call_done(struct process *p, struct toolhost_call *c, const struct link_frame *frame)
{
    json_t *done = json_loadb(frame->payload, frame->len, 0, NULL);
    const json_t *code = json_object_get(done, "code");
    const char *message = json_string_value(json_object_get(done, "message"));
    if (!json_is_integer(code)) {
        json_decref(done);
        process_end(p, "a broken result");
        return;
    }
    int32_t value = (int32_t)json_integer_value(code);
    c->omitted += (uint64_t)json_integer_value(json_object_get(done, "omitted"));
    if (json_is_true(json_object_get(done, "recycle")))
        p->recycle = true;
    become_idle(p);
    if (p->recycle)
        process_end(p, NULL);
    if (value < 0 && (!message || !*message))
        message = "the tool gave no reason";
    struct group *g = p->group;
    call_done(c, c->cancelled && value < 0 ? TACKLE_E_CANCELLED : value, message ? message : "",
              false);
    json_decref(done);
    serve_waiting(g);
}

/* The plugin refused to open: every call that waits is told why. */
static void on_refused(struct process *p, const struct link_frame *frame)
{
    struct group *g = p->group;
    char message[1024];
    json_t *refusal = json_loadb(frame->payload, frame->len, 0, NULL);
    const char *problem = json_string_value(json_object_get(refusal, "problem"));
    (void)snprintf(message, sizeof message, "the plugin %s cannot be used: %.800s", g->name,
                   problem ? problem : "it does not say why");
    p->state = IDLE; /* not STARTING: nobody else has to pay for it */
    process_end(p, NULL);
    while (g->waiting) {
        struct toolhost_call *c = g->waiting;
        unlink_waiting(c);
        call_done(c, TACKLE_E_FAILED, message, true);
    }
    json_decref(refusal);
}

static void on_frame(struct process *p, const struct link_frame *frame)
{
    struct toolhost_call *c = p->call;
    if (p->state == STARTING && frame->type == LINK_OPENED) {
        become_idle(p);
        serve_waiting(p->group);
        return;
    }
    if (p->state == STARTING && frame->type == LINK_REFUSED) {
        on_refused(p, frame);
        return;
    }
    if (frame->type == LINK_LOG) {
        if (c)
            on_log(c, frame);
        return;
    }
    if (p->state != BUSY || !c || frame->call != c->number) {
        process_end(p, "a frame that nobody waits for");
        return;
    }
    switch (frame->type) {
    case LINK_OUTPUT:
        on_output(c, frame);
        break;
    case LINK_PROGRESS:
        if (c->events.progress)
            c->events.progress(c->events.user, frame->payload, frame->len);
        break;
    case LINK_CHANGED:
        on_changed(c, frame);
        break;
    case LINK_REMEMBER:
        on_remember(p, c, frame);
        break;
    case LINK_FETCH:
        on_fetch(p, c, frame);
        break;
    case LINK_DONE:
        on_call_done(p, c, frame);
        break;
    default:
        process_end(p, "a frame of the wrong kind");
    }
}

/* Handles all whole frames that are there; stops when the process is given up. */
static void read_frames(struct process *p)
{
    size_t used = 0;
    struct link_frame frame;
    struct err err;
    while (p->socket.fd >= 0) {
        long size = link_read(p->in.data + used, p->in.len - used, &frame, &err);
        if (size == 0)
            break;
        if (size < 0) {
            process_end(p, err.text);
            return;
        }
        used += (size_t)size;
        on_frame(p, &frame);
    }
    buf_shift(&p->in, used);
}

static void on_socket(void *user, uint32_t events)
{
    struct process *p = user;
    if (events & EPOLLOUT)
        flush(p);
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || p->socket.fd < 0)
        return;
    if (buf_reserve(&p->in, 65536) != 0 && buf_reserve(&p->in, 1) != 0) {
        process_end(p, "a frame that is too long");
        return;
    }
    size_t room = p->in.size - p->in.len - 1;
    ssize_t got = recv(p->socket.fd, p->in.data + p->in.len, room, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        process_end(p, NULL);
        return;
    }
    p->in.len += (size_t)got;
    p->in.data[p->in.len] = '\0';
    read_frames(p);
}

/* ---- Starting ---- */

static int start_program(struct process *p, int socket, int cancel_fd, int printed, int null_fd,
                         struct err *err)
{
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", NULL};
    const char *const argv[] = {p->group->hosts->program, "serve", p->group->path, NULL};
    const struct spawn_fd fds[] = {{null_fd, 0},
                                   {printed, 1},
                                   {printed, 2},
                                   {socket, LINK_SOCKET_FD},
                                   {p->group->workspace_fd, LINK_WORKSPACE_FD},
                                   {cancel_fd, LINK_CANCEL_FD}};
    return spawn_start(argv, env, fds, sizeof fds / sizeof *fds, &p->spawned, err);
}

static int watch_process(struct process *p, int socket, int printed, struct err *err)
{
    struct loop *loop = loop_of(p);
    p->socket = (struct loop_watch){.fd = -1, .ready = on_socket, .user = p};
    p->printed = (struct loop_watch){.fd = -1, .ready = on_printed, .user = p};
    p->ended = (struct loop_watch){.fd = -1, .ready = on_ended, .user = p};
    if (loop_watch(loop, &p->socket, socket, EPOLLIN, err) != 0)
        return -1;
    if (loop_watch(loop, &p->printed, printed, EPOLLIN, err) != 0) {
        loop_unwatch(loop, &p->socket);
        return -1;
    }
    if (loop_watch(loop, &p->ended, p->spawned.pidfd, EPOLLIN, err) != 0) {
        loop_unwatch(loop, &p->socket);
        loop_unwatch(loop, &p->printed);
        return -1;
    }
    return 0;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

static int process_start(struct group *g, struct err *err)
{
    /* 0, 1: the socket pair; 2, 3: the pipe for what it prints; 4: /dev/null */
    int fds[5] = {-1, -1, -1, -1, -1};
    struct process *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_NOMEM, "out of memory");
    p->group = g;
    p->spawned = (struct spawned){-1, -1};
    p->idle = (struct loop_timer){.due = on_idle, .user = p};
    buf_init(&p->in, IN_MAX);
    buf_init(&p->out, OUT_MAX);
    p->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fds[4] = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (p->cancel_fd < 0 || fds[4] < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
        pipe2(fds + 2, O_CLOEXEC) != 0 || fcntl(fds[2], F_SETFL, O_NONBLOCK) != 0) {
        err_set(err, ERR_IO, "cannot connect to tackle-host: %s", strerror(errno));
        goto fail;
    }
    if (start_program(p, fds[1], p->cancel_fd, fds[3], fds[4], err) != 0)
        goto fail;
    if (watch_process(p, fds[0], fds[2], err) != 0) {
        char how[64];
        spawn_kill(&p->spawned);
        spawn_reap(&p->spawned, how, sizeof how);
        goto fail;
    }
    close_all((int[]){fds[1], fds[3], fds[4]}, 3);
    p->next = g->processes;
    g->processes = p;
    g->process_count++;
    p->state = STARTING;
    if (send_open(p) != 0)
        process_end(p, "out of memory");
    return 0;
fail:
    close_all(fds, sizeof fds / sizeof *fds);
    if (p->cancel_fd >= 0)
        (void)close(p->cancel_fd);
    free(p);
    return -1;
}

/* ---- Handing calls to processes ---- */

static void on_call_timer(void *user)
{
    struct toolhost_call *c = user;
    if (!c->process) {
        unlink_waiting(c);
        if (c->cancelled)
            call_done(c, TACKLE_E_CANCELLED, "cancelled", false);
        else
            call_done(c, TACKLE_E_TIMEOUT, "timed out before a process was free to run it", false);
        return;
    }
    /* The plugin knows its deadline itself: the grace has passed as well. */
    c->expired = !c->cancelled;
    process_end(c->process, NULL);
}

static void give(struct process *p, struct toolhost_call *c)
{
    uint64_t old_cancel;
    ssize_t got = read(p->cancel_fd, &old_cancel, sizeof old_cancel);
    (void)got; /* EAGAIN: the call before was not cancelled */
    loop_clear_timer(loop_of(p), &p->idle);
    p->state = BUSY;
    p->call = c;
    c->process = p;
    if (loop_set_timer(loop_of(p), &c->timer, c->deadline_ms + TOOLHOST_GRACE_MS) != 0 ||
        send_call(p, c) != 0)
        process_end(p, "the call is too large");
}

static struct process *find_state(const struct group *g, enum state state)
{
    for (struct process *p = g->processes; p; p = p->next)
        if (p->state == state)
            return p;
    return NULL;
}

static size_t count_state(const struct group *g, enum state state)
{
    size_t count = 0;
    for (const struct process *p = g->processes; p; p = p->next)
        count += p->state == state;
    return count;
}

static void serve_waiting(struct group *g)
{
    struct err err;
    struct process *p;
    while (g->waiting && (p = find_state(g, IDLE))) {
        struct toolhost_call *c = g->waiting;
        unlink_waiting(c);
        give(p, c);
    }
    size_t waiting = 0;
    for (const struct toolhost_call *c = g->waiting; c; c = c->next)
        waiting++;
    for (size_t starting = count_state(g, STARTING);
         starting < waiting && g->process_count < TOOLHOST_PROCESSES; starting++) {
        if (process_start(g, &err) == 0)
            continue;
        if (g->process_count > 0)
            return; /* those that are there will serve the calls in time */
        struct toolhost_call *c = g->waiting;
        unlink_waiting(c);
        call_done(c, TACKLE_E_FAILED, err.text, false);
        waiting--;
    }
}

static void on_serve(void *user)
{
    serve_waiting(user);
}

static bool is_same_place(const struct group *g, const struct toolhost_place *place)
{
    return g->write == place->write && strcmp(g->path, place->plugin->path) == 0 &&
           strcmp(g->workspace, place->workspace) == 0 && json_equal(g->options, place->options);
}

static void group_free(struct group *g)
{
    loop_unpost(&g->serve);
    json_decref(g->options);
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
    g->write = place->write;
    g->path = strdup(place->plugin->path);
    g->name = strdup(place->plugin->name);
    g->workspace = strdup(place->workspace);
    g->options = json_deep_copy(place->options);
    g->workspace_fd = fcntl(place->workspace_fd, F_DUPFD_CLOEXEC, 3);
    if (!g->path || !g->name || !g->workspace || !g->options || g->workspace_fd < 0) {
        group_free(g);
        return NULL;
    }
    g->next = hosts->groups;
    hosts->groups = g;
    return g;
}

/* ---- The interface ---- */

struct toolhost *toolhost_new(struct loop *loop, struct http *http, const char *host_program,
                              struct err *err)
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
    return hosts;
}

/* Gives idle processes the chance to run their plugin's close(), together, for a moment. */
static void say_goodbye(struct group *g)
{
    int64_t until = clock_ms() + GOODBYE_MS;
    for (struct process *p = g->processes; p; p = p->next)
        if (p->state == IDLE)
            on_idle(p);
    for (struct process *p = g->processes; p; p = p->next) {
        struct pollfd ended = {.fd = p->spawned.pidfd, .events = POLLIN};
        int64_t left = until - clock_ms();
        if (p->state == ENDING && left > 0)
            (void)poll(&ended, 1, (int)left);
    }
}

static void end_processes(struct group *g)
{
    char how[64];
    say_goodbye(g);
    while (g->processes) {
        struct process *p = g->processes;
        if (p->call)
            call_free(p->call);
        p->call = NULL;
        loop_unwatch(loop_of(p), &p->ended);
        spawn_kill(&p->spawned);
        spawn_reap(&p->spawned, how, sizeof how);
        process_free(p);
    }
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
            unlink_waiting(c);
            call_free(c);
        }
        end_processes(g);
        group_free(g);
    }
    free(hosts->program);
    free(hosts);
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
    if (!c->args || !c->key || loop_set_timer(hosts->loop, &c->timer, c->deadline_ms) != 0) {
        call_free(c);
        return NULL;
    }
    memcpy(c->args, args, args_len);
    c->args[args_len] = '\0';
    *g->waiting_end = c;
    g->waiting_end = &c->next;
    loop_post(hosts->loop, &g->serve);
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
    toolhost_cancel(call);
}
