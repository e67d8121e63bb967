/* One tackle-host process: how it starts, is talked to, and ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/toolhost_state.h"

#define IN_MAX  (LINK_PAYLOAD_MAX + LINK_HEADER_SIZE)
#define OUT_MAX (2u * LINK_PAYLOAD_MAX)

#define LOST_MS    1000 /* from the end of its link to its own */
#define LAST_READS 1024 /* of 64 KiB: what a socket holds, many times over */

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

/* ---- Frames from the process ---- */

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
            toolhost_process_kill(p, err.text);
            return;
        }
        used += (size_t)size;
        toolhost_take_frame(p, &frame);
    }
    buf_shift(&p->in, used);
}

/* Nobody is at the other end any more. The process that serves has ended, and the one outside of
 * its sandbox is about to end in the same way: how is worth to know, so it gets a moment. */
static void lose(struct process *p)
{
    if (p->state == ENDING)
        return;
    if (p->state != STARTING)
        p->state = ENDING;
    if (loop_set_timer(loop_of(p), &p->idle, clock_ms() + LOST_MS) != 0)
        spawn_kill(&p->spawned);
}

/* Takes what has come. False when there was nothing. */
static bool receive(struct process *p)
{
    if (p->socket.fd < 0)
        return false;
    if (buf_reserve(&p->in, 65536) != 0 && buf_reserve(&p->in, 1) != 0) {
        toolhost_process_kill(p, "a frame that is too long");
        return false;
    }
    size_t room = p->in.size - p->in.len - 1;
    ssize_t got = recv(p->socket.fd, p->in.data + p->in.len, room, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0 && errno == EAGAIN)
        return false;
    if (got <= 0) {
        close_watch(loop_of(p), &p->socket); /* also when it is ending anyway */
        lose(p);
        return false;
    }
    p->in.len += (size_t)got;
    p->in.data[p->in.len] = '\0';
    read_frames(p);
    return true;
}

/* ---- The end of a process ---- */

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

/* What it said before it ended counts. Not for ever: a child that it left behind may hold its link
 * and its output, and go on. */
static void take_last_words(struct process *p)
{
    p->recycle = true; /* nobody else's call goes to it */
    for (int i = 0; i < LAST_READS && receive(p); i++)
        continue;
    for (int i = 0; i < LAST_READS && read_printed(p); i++)
        continue;
}

/* It has ended: its call ends with it, and calls that wait get another process. */
static void on_ended(void *user, uint32_t events)
{
    (void)events;
    struct process *p = user;
    struct group *g = p->group;
    char how[64], message[PRINTED_MAX + 512];
    loop_unwatch(loop_of(p), &p->ended);
    take_last_words(p);
    spawn_reap(&p->spawned, how, sizeof how);
    struct toolhost_call *c = p->call;
    if (!c && p->state == STARTING && g->waiting) {
        /* Died before it could open: the first call in line pays, the others try anew. */
        c = g->waiting;
        toolhost_unlink(c);
        c->process = p;
    }
    if (c) {
        explain_death(c, how, message, sizeof message);
        toolhost_end_call(c, death_code(c), message, true);
    }
    process_free(p);
    toolhost_serve(g);
}

void toolhost_process_kill(struct process *p, const char *problem)
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

void toolhost_process_destroy(struct process *p)
{
    char how[64];
    if (p->call)
        toolhost_free_call(p->call);
    loop_unwatch(loop_of(p), &p->ended);
    spawn_kill(&p->spawned);
    spawn_reap(&p->spawned, how, sizeof how);
    process_free(p);
}

/* ---- Frames to the process ---- */

void toolhost_process_flush(struct process *p)
{
    while (p->out.len && p->socket.fd >= 0) {
        ssize_t sent = send(p->socket.fd, p->out.data, p->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            break; /* EAGAIN: when it is writable; anything else shows as an end of file */
        buf_shift(&p->out, (size_t)sent);
    }
    bool writing = p->out.len > 0;
    if (p->socket.fd < 0 || writing == p->writing)
        return;
    p->writing = writing;
    (void)loop_rewatch(loop_of(p), &p->socket, writing ? EPOLLIN | EPOLLOUT : EPOLLIN, NULL);
}

static int send_open(struct process *p)
{
    const struct group *g = p->group;
    const json_t *write = json_object_get(json_object_get(g->confine, "sandbox"), "write");
    json_t *open =
        json_pack("{s:s, s:O, s:s, s:b, s:s*, s:s*}", "version", TACKLE_VERSION_TEXT, "options",
                  g->options, "workspace", g->workspace, "write", json_is_true(write), "home",
                  g->runs ? g->hosts->home : NULL, "tmp", g->runs ? g->hosts->tmp : NULL);
    char *text =
        open && json_object_update(open, g->confine) == 0 ? json_dumps(open, JSON_COMPACT) : NULL;
    int status = text ? link_write(&p->out, LINK_OPEN, 0, text, strlen(text)) : -1;
    free(text);
    json_decref(open);
    toolhost_process_flush(p);
    return status;
}

static int send_call(struct process *p, struct toolhost_call *c)
{
    int64_t left = c->deadline_ms - clock_ms();
    json_t *head = json_pack("{s:s, s:s, s:I, s:I, s:b, s:s*}", "tool", c->tool->name, "key",
                             c->key, "ms", (json_int_t)(left > 1 ? left : 1), "cap",
                             (json_int_t)TOOLHOST_OUTPUT_MAX, "probe", c->probe, "note", c->note);
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
        toolhost_process_flush(p);
    return status;
}

void toolhost_process_close(struct process *p)
{
    if (p->state == ENDING || p->socket.fd < 0) { /* its close() hangs, or it is lost */
        spawn_kill(&p->spawned);
        return;
    }
    p->state = ENDING;
    (void)link_write(&p->out, LINK_CLOSE, 0, NULL, 0);
    toolhost_process_flush(p);
    (void)loop_set_timer(loop_of(p), &p->idle, clock_ms() + TOOLHOST_GRACE_MS);
}

static void on_idle(void *user)
{
    toolhost_process_close(user);
}

void toolhost_process_rest(struct process *p)
{
    p->state = IDLE;
    (void)loop_set_timer(loop_of(p), &p->idle, clock_ms() + TOOLHOST_IDLE_MS);
}

void toolhost_process_give(struct process *p, struct toolhost_call *c)
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
        toolhost_process_kill(p, "the call is too large");
}

static void on_socket(void *user, uint32_t events)
{
    struct process *p = user;
    if (events & EPOLLOUT)
        toolhost_process_flush(p);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        (void)receive(p);
}

/* ---- Starting ---- */

/* What programs may know of the person and the machine; process/1 builds the rest. */
static const char *inherit(const char *name, char *room, size_t size)
{
    const char *value = getenv(name);
    int len = value ? snprintf(room, size, "%s=%s", name, value) : -1;
    return len > 0 && (size_t)len < size ? room : NULL;
}

static int make_home(struct toolhost *hosts, struct err *err)
{
    if (!hosts->home)
        hosts->home = scratch_dir(hosts->scratch, "home", err);
    if (hosts->home && !hosts->tmp)
        hosts->tmp = scratch_dir(hosts->scratch, "tmp", err);
    return hosts->tmp ? 0 : -1;
}

static int start_program(struct process *p, int socket, int cancel_fd, int printed, int null_fd,
                         struct err *err)
{
    static const char *const names[] = {
        "USER",
        "TZ",
        "CI",
#ifdef TACKLE_MUTATE
        "TACKLE_MUTANT",
#endif
    };
    enum { NAMES = sizeof names / sizeof *names };
    char room[NAMES][256];
    const char *env[NAMES + 3] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"};
    size_t count = 2;
    for (size_t i = 0; i < NAMES; i++) {
        env[count] = inherit(names[i], room[i], sizeof room[i]);
        count += env[count] != NULL;
    }
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

int toolhost_process_start(struct group *g, struct err *err)
{
    /* 0, 1: the socket pair; 2, 3: the pipe for what it prints; 4: /dev/null */
    int fds[5] = {-1, -1, -1, -1, -1};
    if (g->runs && make_home(g->hosts, err) != 0)
        return -1;
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
        toolhost_process_kill(p, "out of memory");
    return 0;
fail:
    close_all(fds, sizeof fds / sizeof *fds);
    if (p->cancel_fd >= 0)
        (void)close(p->cancel_fd);
    free(p);
    return -1;
}
