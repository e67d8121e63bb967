#include "raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_support.h"

#define HEAD_MAX 16384

int raw_write(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

int raw_text(int fd, const char *text)
{
    return raw_write(fd, text, strlen(text));
}

/* Up to the empty line. */
static size_t read_head(int fd, char head[HEAD_MAX])
{
    size_t len = 0;
    ssize_t n;
    while (len < HEAD_MAX - 1 && (n = read(fd, head + len, HEAD_MAX - 1 - len)) > 0) {
        len += (size_t)n;
        head[len] = '\0';
        if (strstr(head, "\r\n\r\n"))
            break;
    }
    return len;
}

static _Noreturn void serve(int listen_fd, int record_fd, raw_say say, const void *user)
{
    for (unsigned number = 1;; number++) {
        char head[HEAD_MAX];
        int fd = accept(listen_fd, NULL, NULL);
        if (fd < 0)
            _exit(1);
        size_t len = read_head(fd, head);
        if (len > 0 && write(record_fd, head, len) != (ssize_t)len)
            _exit(1);
        say(fd, number, user);
        (void)shutdown(fd, SHUT_WR);
        (void)close(fd);
    }
}

void raw_server_start(struct raw_server *s, const char *address, unsigned port, raw_say say,
                      const void *user)
{
    int record[2], one = 1;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof where;
    assert_int_equal(inet_pton(AF_INET, address, &where.sin_addr), 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &len), 0);
    assert_int_equal(pipe(record), 0);
    s->port = ntohs(where.sin_port);
    s->record_fd = record[0];
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(record[0]);
        serve(fd, record[1], say, user);
    }
    (void)close(record[1]);
    (void)close(fd);
}

char *raw_server_stop(struct raw_server *s)
{
    size_t len = 0, size = 1u << 20;
    ssize_t n;
    char *heads = malloc(size);
    assert_non_null(heads);
    (void)kill(s->pid, SIGKILL);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    while (len < size - 1 && (n = read(s->record_fd, heads + len, size - 1 - len)) > 0)
        len += (size_t)n;
    heads[len] = '\0';
    (void)close(s->record_fd);
    *s = (struct raw_server){.pid = 0};
    return heads;
}
