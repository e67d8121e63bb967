#include "io/ask_host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "io/spawn.h"

#define HOST_ENV "PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"

static int spawn_host(const char *const argv[], const struct spawn_fd *fds, size_t count,
                      struct spawned *process, struct err *err)
{
#ifdef TACKLE_MUTATE
    char point[128];
    const char *off = getenv("TACKLE_MUTANT");
    (void)snprintf(point, sizeof point, "TACKLE_MUTANT=%s", off ? off : "");
    const char *const env[] = {HOST_ENV, point, NULL};
#else
    static const char *const env[] = {HOST_ENV, NULL};
#endif
    return spawn_start(argv, env, fds, count, process, err);
}

/* 0 when fd is readable, -1 when the time is up. */
static int wait_readable(int fd, int64_t until_ms, struct err *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = until_ms - clock_ms();
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready > 0)
            return 0;
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "cannot wait for tackle-host: %s", strerror(errno));
        if (left <= 0)
            return err_set(err, ERR_LIMIT, "did not finish within %d s", ASK_HOST_MS / 1000);
    }
}

/* Reads until the process has closed its output. */
static int read_within(int fd, struct buf *out, int64_t until_ms, struct err *err)
{
    for (;;) {
        if (buf_reserve(out, 4096) != 0)
            return err_set(err, ERR_LIMIT, "says more than %u MiB", ASK_HOST_MAX >> 20);
        if (wait_readable(fd, until_ms, err) != 0)
            return -1;
        ssize_t got = read(fd, out->data + out->len, 4096);
        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "cannot read from tackle-host: %s", strerror(errno));
        if (got == 0)
            return 0;
        if (got > 0) {
            out->len += (size_t)got;
            out->data[out->len] = '\0';
        }
    }
}

static int start(const char *const argv[], int *out_fd, struct spawned *process, struct err *err)
{
    int pipe_fds[2];
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return err_set(err, ERR_IO, "cannot open /dev/null: %s", strerror(errno));
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        (void)close(null_fd);
        return err_set(err, ERR_IO, "cannot make a pipe: %s", strerror(errno));
    }
    const struct spawn_fd fds[] = {{null_fd, 0}, {pipe_fds[1], 1}, {null_fd, 2}};
    int status = spawn_host(argv, fds, 3, process, err);
    (void)close(null_fd);
    (void)close(pipe_fds[1]);
    if (status != 0)
        (void)close(pipe_fds[0]);
    *out_fd = pipe_fds[0];
    return status;
}

int ask_host(const char *program, const char *verb, const char *argument, json_t **answer,
             char how[ASK_HOST_HOW], struct err *err)
{
    const char *const argv[] = {program, verb, argument, NULL};
    struct buf text;
    struct spawned process;
    int fd = -1;
    *answer = NULL;
    buf_init(&text, ASK_HOST_MAX);
    if (start(argv, &fd, &process, err) != 0)
        return -1;
    int64_t until_ms = clock_ms() + ASK_HOST_MS;
    int status = read_within(fd, &text, until_ms, err);
    (void)close(fd);
    /* It may have closed its output and go on all the same. */
    if (status == 0)
        status = wait_readable(process.pidfd, until_ms, err);
    if (status != 0)
        spawn_kill(&process);
    spawn_reap(&process, how, ASK_HOST_HOW);
    json_t *value = status == 0 ? json_loadb(text.data, text.len, 0, NULL) : NULL;
    if (json_is_object(value))
        *answer = value;
    else
        json_decref(value);
    buf_release(&text);
    return status;
}
