#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

#define HEAD_MAX  (64u << 10)
#define HEAD_STEP (4u << 10)   /* taken at once, as a body may follow in the same read */
#define TAIL_MAX  (160u << 10) /* of a body, enough for its last message */
#define READ_SIZE (256u << 10)
#define READY_MAX 256
#define BACKLOG   4096

struct connection {
    struct connection *next, *prev;
    int fd;
    struct buf head; /* up to and including the empty line */
    struct buf tail; /* the last bytes of the body */
    struct buf out;
    size_t sent; /* bytes of `out` */
    bool in_body;
    size_t body_len, body_got;
    long run;
    bool counts;   /* the URL has /floor/ */
    long requests; /* answered so far */
};

struct server {
    int listen_fd, epoll_fd, record_fd;
    char url[SERVER_URL_SIZE];
    struct connection *connections;
    struct server_script script;
    server_request_fn on_request;
    void *user;
    int64_t answered_ns; /* 0: nothing yet */
    char read[READ_SIZE];
};

int64_t server_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- The server ---- */

static int watch(struct server *server, int op, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};
    return epoll_ctl(server->epoll_fd, op, fd, &event);
}

static int listen_anywhere(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listen_fd < 0 ||
        bind(server->listen_fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(server->listen_fd, BACKLOG) != 0 ||
        getsockname(server->listen_fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    (void)snprintf(server->url, sizeof server->url, "http://127.0.0.1:%u", ntohs(address.sin_port));
    return 0;
}

struct server *server_new(struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    server->listen_fd = server->record_fd = -1;
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0 || listen_anywhere(server) != 0 ||
        watch(server, EPOLL_CTL_ADD, server->listen_fd, EPOLLIN, NULL) != 0) {
        err_set(err, ERR_IO, "cannot listen: %s", strerror(errno));
        server_free(server);
        return NULL;
    }
    return server;
}

static void close_connection(struct server *server, struct connection *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        server->connections = c->next;
    if (c->next)
        c->next->prev = c->prev;
    (void)close(c->fd);
    buf_release(&c->head);
    buf_release(&c->tail);
    buf_release(&c->out);
    free(c);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    while (server->connections)
        close_connection(server, server->connections);
    if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    if (server->epoll_fd >= 0)
        (void)close(server->epoll_fd);
    free(server);
}

const char *server_url(const struct server *server)
{
    return server->url;
}

void server_script(struct server *server, const struct server_script *script,
                   server_request_fn on_request, void *user)
{
    server->script = *script;
    server->on_request = on_request;
    server->user = user;
    server->answered_ns = 0;
}

void server_record(struct server *server, int fd)
{
    server->record_fd = fd;
}

int server_fd(const struct server *server)
{
    return server->epoll_fd;
}

static void accept_all(struct server *server)
{
    int fd, on = 1;
    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct connection *c = calloc(1, sizeof *c);
        if (!c || watch(server, EPOLL_CTL_ADD, fd, EPOLLIN, c) != 0) {
            free(c);
            (void)close(fd);
            return;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        buf_init(&c->head, HEAD_MAX);
        buf_init(&c->tail, 2 * TAIL_MAX);
        buf_init(&c->out, HEAD_MAX);
        c->next = server->connections;
        if (c->next)
            c->next->prev = c;
        server->connections = c;
    }
}

/* ---- Answers ---- */

/* The number in the last result's id, plus one; 0: there is none. */
static long count_results(const struct buf *tail)
{
    static const char key[] = "\"tool_call_id\":\"c";
    const size_t len = sizeof key - 1;
    for (size_t at = tail->len; at-- > 0;)
        if (tail->data[at] == '"' && tail->len - at > len && memcmp(tail->data + at, key, len) == 0)
            return strtol(tail->data + at + len, NULL, 10) + 1;
    return 0;
}

static int write_arguments(const struct server *server, long run, long step, struct buf *out)
{
    if (server->script.path)
        return buf_format(out, "{\\\"path\\\":\\\"%s\\\",\\\"limit\\\":%ld}", server->script.path,
                          500 + step);
    return buf_format(out, "{\\\"run\\\":%ld,\\\"step\\\":%ld}", run, step);
}

#define CHUNK                                                                                      \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,"    \
    "\"model\":\"bench\",\"choices\":[{\"index\":0,\"delta\":"

static int write_events(const struct server *server, long run, long step, struct buf *body)
{
    bool last = step >= server->script.steps;
    int bad = buf_text(body, CHUNK "{\"role\":\"assistant\",\"content\":\"I \"}}]}\n\n" CHUNK
                                   "{\"content\":\"read on.\"}}]}\n\n");
    if (!last) {
        bad |= buf_format(body,
                          CHUNK "{\"tool_calls\":[{\"index\":0,\"id\":\"c%ld\",\"type\":"
                                "\"function\",\"function\":{\"name\":\"%s\",\"arguments\":\"",
                          step, server->script.tool);
        bad |= write_arguments(server, run, step, body);
        bad |= buf_text(body, "\"}}]}}]}\n\n");
    }
    return bad | buf_format(body,
                            CHUNK "{},\"finish_reason\":\"%s\"}],\"usage\":{\"prompt_tokens\":100,"
                                  "\"completion_tokens\":10,\"total_tokens\":110}}\n\n"
                                  "data: [DONE]\n\n",
                            last ? "stop" : "tool_calls");
}

/* False when the connection is over. */
static bool send_out(struct server *server, struct connection *c)
{
    while (c->sent < c->out.len) {
        ssize_t sent = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return watch(server, EPOLL_CTL_MOD, c->fd, EPOLLIN | EPOLLOUT, c) == 0;
        if (sent < 0 && errno != EINTR)
            return false;
        c->sent += sent > 0 ? (size_t)sent : 0;
    }
    server->answered_ns = server_now_ns();
    return watch(server, EPOLL_CTL_MOD, c->fd, EPOLLIN, c) == 0;
}

static bool answer(struct server *server, struct connection *c)
{
    long step = c->counts ? c->requests : count_results(&c->tail);
    struct server_request request = {.run = c->run,
                                     .step = step,
                                     .body_len = c->body_len,
                                     .bytes = c->head.len + c->body_len,
                                     .at_ns = server_now_ns(),
                                     .since_ns = -1};
    struct buf body;
    if (server->answered_ns)
        request.since_ns = request.at_ns - server->answered_ns;
    if (server->on_request)
        server->on_request(server->user, &request);
    c->requests++;
    c->in_body = false;
    c->sent = 0;
    buf_init(&body, HEAD_MAX / 2);
    buf_clear(&c->head);
    buf_clear(&c->out);
    int bad = write_events(server, c->run, step, &body) ||
              buf_format(&c->out,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                         "Content-Length: %zu\r\n\r\n",
                         body.len) ||
              buf_append(&c->out, body.data, body.len);
    buf_release(&body);
    return !bad && send_out(server, c);
}

/* ---- Requests ---- */

static bool read_head(struct connection *c)
{
    const char *end = c->head.data + c->head.len;
    const char *length = strcasestr(c->head.data, "\r\ncontent-length:");
    const char *path = strchr(c->head.data, ' ');
    if (!length || length > end || !path)
        return false;
    c->body_len = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    c->body_got = 0;
    c->counts = strncmp(path, " /floor/", strlen(" /floor/")) == 0;
    c->run = strtol(path + strlen(" /"), NULL, 10);
    c->in_body = true;
    buf_clear(&c->tail);
    return true;
}

static bool keep_tail(struct server *server, struct connection *c, const char *data, size_t len)
{
    if (server->record_fd >= 0 &&
        ((c->body_got == 0 && ftruncate(server->record_fd, 0) != 0) ||
         pwrite(server->record_fd, data, len, (off_t)c->body_got) != (ssize_t)len))
        return false;
    c->body_got += len;
    size_t part = len < TAIL_MAX ? len : TAIL_MAX;
    if (c->tail.len + part > 2 * TAIL_MAX)
        buf_shift(&c->tail, c->tail.len - TAIL_MAX);
    return buf_append(&c->tail, data + len - part, part) == 0;
}

/* Takes bytes of the head, and says how many; 0: the head is too large, or none. */
static size_t take_head(struct connection *c, const char *data, size_t len)
{
    size_t before = c->head.len;
    size_t from = before < 3 ? 0 : before - 3;
    len = len < HEAD_STEP ? len : HEAD_STEP;
    if (buf_append(&c->head, data, len) != 0)
        return 0;
    const char *end = memmem(c->head.data + from, c->head.len - from, "\r\n\r\n", 4);
    if (!end)
        return len;
    buf_cut(&c->head, (size_t)(end - c->head.data) + 4);
    return read_head(c) ? c->head.len - before : 0;
}

static bool feed(struct server *server, struct connection *c, const char *data, size_t len)
{
    while (len > 0) {
        size_t left = c->body_len - c->body_got;
        size_t used = len < left ? len : left;
        if (c->in_body ? !keep_tail(server, c, data, used) : !(used = take_head(c, data, len)))
            return false;
        data += used;
        len -= used;
        if (c->in_body && c->body_got == c->body_len && !answer(server, c))
            return false;
    }
    return true;
}

static bool read_some(struct server *server, struct connection *c)
{
    ssize_t got = recv(c->fd, server->read, sizeof server->read, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR;
    return got > 0 && feed(server, c, server->read, (size_t)got);
}

void server_step(struct server *server)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(server->epoll_fd, ready, READY_MAX, 0);
    for (int i = 0; i < count; i++) {
        struct connection *c = ready[i].data.ptr;
        bool alive = true;
        if (!c) {
            accept_all(server);
            continue;
        }
        if (ready[i].events & EPOLLOUT)
            alive = send_out(server, c);
        if (alive && (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
            alive = read_some(server, c);
        if (!alive)
            close_connection(server, c);
    }
}
