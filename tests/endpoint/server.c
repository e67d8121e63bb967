/* The endpoint: a listening socket, connections and their timers in one epoll set; endpoint.h. */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "connection.h"
#include "memory.h"

#define REQUESTS_MAX 100000

struct endpoint {
    int listen_fd;
    int epoll_fd;
    int timer_fd;
    int record_fd; /* borrowed; -1: none */
    char url[ENDPOINT_URL_SIZE];
    struct script script;
    struct request *requests;
    size_t request_count;
    struct connection *connections[ENDPOINT_CONNECTIONS_MAX]; /* NULL: free place */
    unsigned connection_count;                                /* ever accepted */
};

static int fail(struct err *err, const char *what)
{
    return err_set(err, ERR_IO, "endpoint: %s: %s", what, strerror(errno));
}

static int bind_loopback(struct endpoint *endpoint, unsigned port, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof address;
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    endpoint->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (endpoint->listen_fd < 0)
        return fail(err, "socket");
    if (port && setsockopt(endpoint->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
        return fail(err, "SO_REUSEADDR");
    if (bind(endpoint->listen_fd, (struct sockaddr *)&address, len) != 0)
        return fail(err, "bind");
    if (getsockname(endpoint->listen_fd, (struct sockaddr *)&address, &len) != 0)
        return fail(err, "getsockname");
    (void)snprintf(endpoint->url, sizeof endpoint->url, "http://127.0.0.1:%u/v1",
                   (unsigned)ntohs(address.sin_port));
    return 0;
}

static int watch(struct endpoint *endpoint, int fd, uint32_t events, void *key, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = key};
    return epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? fail(err, "epoll_ctl") : 0;
}

static struct endpoint *new_endpoint(unsigned port, bool listens, struct err *err)
{
    struct endpoint *endpoint = memory_new(sizeof *endpoint);
    endpoint->listen_fd = endpoint->record_fd = -1;
    endpoint->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    endpoint->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (endpoint->epoll_fd < 0 || endpoint->timer_fd < 0) {
        (void)fail(err, "epoll or timerfd");
        goto failed;
    }
    if (bind_loopback(endpoint, port, err))
        goto failed;
    if (listens && listen(endpoint->listen_fd, 128) != 0) {
        (void)fail(err, "listen");
        goto failed;
    }
    if ((listens && watch(endpoint, endpoint->listen_fd, EPOLLIN, &endpoint->listen_fd, err)) ||
        watch(endpoint, endpoint->timer_fd, EPOLLIN, &endpoint->timer_fd, err))
        goto failed;
    return endpoint;
failed:
    endpoint_free(endpoint);
    return NULL;
}

struct endpoint *endpoint_new(unsigned port, struct err *err)
{
    return new_endpoint(port, true, err);
}

struct endpoint *endpoint_new_refusing(struct err *err)
{
    return new_endpoint(0, false, err);
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

static void end_connection(struct connection **place)
{
    connection_release(*place);
    free(*place);
    *place = NULL;
}

void endpoint_free(struct endpoint *endpoint)
{
    if (!endpoint)
        return;
    for (size_t i = 0; i < ENDPOINT_CONNECTIONS_MAX; i++)
        if (endpoint->connections[i])
            end_connection(&endpoint->connections[i]);
    for (size_t i = 0; i < endpoint->request_count; i++)
        request_release(&endpoint->requests[i]);
    free(endpoint->requests);
    script_release(&endpoint->script);
    close_fd(endpoint->listen_fd);
    close_fd(endpoint->timer_fd);
    close_fd(endpoint->epoll_fd);
    free(endpoint);
}

const char *endpoint_url(const struct endpoint *endpoint)
{
    return endpoint->url;
}

unsigned endpoint_port(const struct endpoint *endpoint)
{
    return (unsigned)strtoul(endpoint->url + sizeof "http://127.0.0.1:" - 1, NULL, 10);
}

struct script *endpoint_script(struct endpoint *endpoint)
{
    return &endpoint->script;
}

static int load_sections(struct endpoint *endpoint, const struct sections *sections,
                         const char *path, const char *dir, struct err *err)
{
    for (size_t i = 0; i < sections->count; i++) {
        const struct section *section = &sections->items[i];
        int status = script_add(&endpoint->script, section, path, dir, err);
        if (status > 0)
            return err_set(err, ERR_PARSE, "%s:%d: a script has sections reply and body, not %s",
                           path, section->line, section->name);
        if (status < 0)
            return -1;
    }
    return 0;
}

int endpoint_load(struct endpoint *endpoint, const char *path, struct err *err)
{
    struct sections sections;
    if (sections_read(path, &sections, err))
        return -1;
    const char *slash = strrchr(path, '/');
    char *dir = slash ? memory_copy(path, (size_t)(slash - path)) : memory_text(".");
    int status = load_sections(endpoint, &sections, path, dir, err);
    free(dir);
    sections_release(&sections);
    return status;
}

int endpoint_load_text(struct endpoint *endpoint, const char *text, struct err *err)
{
    struct sections sections;
    if (sections_parse("script", text, strlen(text), &sections, err))
        return -1;
    int status = load_sections(endpoint, &sections, "script", ".", err);
    sections_release(&sections);
    return status;
}

void endpoint_record(struct endpoint *endpoint, int fd)
{
    endpoint->record_fd = fd;
}

int endpoint_fd(const struct endpoint *endpoint)
{
    return endpoint->epoll_fd;
}

const struct request *endpoint_requests(const struct endpoint *endpoint, size_t *count)
{
    *count = endpoint->request_count;
    return endpoint->requests;
}

/* A line that is lost would make a test lie, so the machinery gives up instead. */
static void record(const struct endpoint *endpoint, const struct request *request)
{
    json_t *object = request_to_json(request);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    struct buf out;
    buf_init(&out, 2 * REQUEST_BODY_MAX);
    put_format(&out, "%s\n", line ? line : "{}");
    size_t done = 0;
    while (done < out.len) {
        ssize_t wrote = write(endpoint->record_fd, out.data + done, out.len - done);
        if (wrote < 0 && errno != EINTR) {
            perror("endpoint: the record cannot be written");
            abort();
        }
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    buf_release(&out);
    free(line);
    json_decref(object);
}

static const struct reply *answer(void *user, struct request *request, const struct request **kept)
{
    struct endpoint *endpoint = user;
    if (endpoint->request_count == REQUESTS_MAX) {
        (void)fprintf(stderr, "endpoint: over %d requests\n", REQUESTS_MAX);
        abort();
    }
    request->number = (unsigned)endpoint->request_count + 1;
    request->at_ms = clock_ms();
    const struct reply *reply = script_choose(&endpoint->script, request);
    request->reply = reply ? reply->line : 0;
    struct request *place =
        memory_item(&endpoint->requests, endpoint->request_count++, sizeof *endpoint->requests);
    *place = *request;
    if (endpoint->record_fd >= 0)
        record(endpoint, place);
    *kept = place;
    return reply;
}

static void step_connection(struct endpoint *endpoint, struct connection **place, bool readable)
{
    bool wrote = (*place)->wants_write;
    if (!connection_step(*place, readable, answer, endpoint)) {
        end_connection(place);
        return;
    }
    if ((*place)->wants_write == wrote)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wrote ? 0 : EPOLLOUT), .data.ptr = place};
    if (epoll_ctl(endpoint->epoll_fd, EPOLL_CTL_MOD, (*place)->fd, &event) != 0)
        end_connection(place);
}

static void accept_all(struct endpoint *endpoint)
{
    for (size_t i = 0; i < ENDPOINT_CONNECTIONS_MAX; i++) {
        struct connection **place = &endpoint->connections[i];
        if (*place)
            continue;
        int fd = accept4(endpoint->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        *place = memory_new(sizeof **place);
        connection_init(*place, fd, ++endpoint->connection_count);
        if (watch(endpoint, fd, EPOLLIN, place, NULL))
            end_connection(place);
    }
}

/* Goes on with connections whose pause is over, and sets the timer for the next one. */
static int run_timers(struct endpoint *endpoint, struct err *err)
{
    struct itimerspec timer = {0};
    int64_t now = clock_ms(), next = INT64_MAX;
    uint64_t ticks;
    if (read(endpoint->timer_fd, &ticks, sizeof ticks) < 0 && errno != EAGAIN)
        return fail(err, "timer");
    for (size_t i = 0; i < ENDPOINT_CONNECTIONS_MAX; i++) {
        struct connection **place = &endpoint->connections[i];
        if (*place && (*place)->wake_ms && (*place)->wake_ms <= now)
            step_connection(endpoint, place, false);
        if (*place && (*place)->wake_ms && (*place)->wake_ms < next)
            next = (*place)->wake_ms;
    }
    if (next != INT64_MAX) {
        int64_t left = next > now ? next - now : 0;
        timer.it_value.tv_sec = left / 1000;
        timer.it_value.tv_nsec = left % 1000 * 1000000 + 1;
    }
    return timerfd_settime(endpoint->timer_fd, 0, &timer, NULL) ? fail(err, "timerfd") : 0;
}

int endpoint_step(struct endpoint *endpoint, int timeout_ms, struct err *err)
{
    struct epoll_event events[64];
    int count = epoll_wait(endpoint->epoll_fd, events, 64, timeout_ms);
    if (count < 0 && errno != EINTR)
        return fail(err, "epoll_wait");
    for (int i = 0; i < count; i++) {
        void *key = events[i].data.ptr;
        if (key == &endpoint->listen_fd) {
            accept_all(endpoint);
        } else if (key != &endpoint->timer_fd) {
            struct connection **place = key;
            bool readable = (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
            if (*place)
                step_connection(endpoint, place, readable);
        }
    }
    return run_timers(endpoint, err);
}
