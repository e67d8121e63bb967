/* Servers that want to exhaust whoever asks them: headers without end, answers that never come,
 * bodies that grow when they are unpacked (NET-06, NET-09, NET-10). */
#include "test_support.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/http.h"
#include "raw_server.h"

#define CAP (8u << 20)

struct world {
    struct loop *loop;
    struct http *http;
    struct raw_server server;
    size_t received;
    bool done, worth_retrying;
    int status;
    char error[400];
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct err err;
    assert_non_null(w);
    w->loop = loop_new(&err);
    w->http = http_new(w->loop, &err);
    assert_non_null(w->http);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    if (w->server.pid > 0)
        free(raw_server_stop(&w->server));
    http_free(w->http);
    loop_free(w->loop);
    free(w);
    return 0;
}

static int on_data(void *user, struct http_transfer *transfer, const char *data, size_t len)
{
    struct world *w = user;
    (void)transfer;
    (void)data;
    w->received += len;
    return 0;
}

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct world *w = user;
    (void)transfer;
    w->done = true;
    w->status = end->status;
    w->worth_retrying = end->worth_retrying;
    (void)snprintf(w->error, sizeof w->error, "%s", end->error ? end->error : "");
}

static void ask_port(struct world *w, unsigned port, struct http_request request)
{
    char url[64];
    struct err err;
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
    request.url = url;
    request.data = on_data;
    request.done = on_done;
    request.user = w;
    if (!request.total_ms)
        request.total_ms = 60000;
    assert_non_null(http_start(w->http, &request, &err));
    while (!w->done)
        assert_int_equal(loop_turn(w->loop, 1000, &err), 0);
}

static void ask(struct world *w, raw_say say, struct http_request request)
{
    raw_server_start(&w->server, "127.0.0.1", 0, say, NULL);
    ask_port(w, w->server.port, request);
}

static void says(const struct world *w, const char *part)
{
    if (!strstr(w->error, part))
        fail_msg("\"%s\" is missing in: %s", part, w->error);
}

/* ---- Headers: NET-09 ---- */

static void say_many_headers(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    if (raw_text(fd, "HTTP/1.1 200 OK\r\n") != 0)
        return;
    for (int i = 0; i < 100000; i++)
        if (raw_text(fd, "X: y\r\n") != 0)
            return;
    (void)raw_text(fd, "Content-Length: 2\r\n\r\nok");
}

static void say_long_header(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    char *line = malloc(1u << 20);
    memset(line, 'x', 1u << 20);
    (void)raw_text(fd, "HTTP/1.1 200 OK\r\nX: ");
    (void)raw_write(fd, line, 1u << 20);
    (void)raw_text(fd, "\r\nContent-Length: 2\r\n\r\nok");
    free(line);
}

static void say_large_headers(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    char line[8193];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    (void)raw_text(fd, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 40; i++)
        if (raw_text(fd, "X: ") != 0 || raw_text(fd, line) != 0 || raw_text(fd, "\r\n") != 0)
            return;
    (void)raw_text(fd, "Content-Length: 2\r\n\r\nok");
}

static void say_interim_for_ever(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    while (raw_text(fd, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") == 0)
        ;
}

static void header_lines_are_counted(void **state)
{
    struct world *w = *state;
    ask(w, say_many_headers, (struct http_request){0});
    says(w, "over 1000 header lines");
    assert_false(w->worth_retrying);
    assert_int_equal(w->received, 0);
}

static void header_bytes_are_counted(void **state)
{
    struct world *w = *state;
    ask(w, say_large_headers, (struct http_request){0});
    says(w, "header lines, or over 256 KiB of them");
}

static void a_header_of_a_megabyte_is_an_error(void **state)
{
    struct world *w = *state;
    ask(w, say_long_header, (struct http_request){0});
    assert_true(*w->error != '\0');
    assert_int_equal(w->received, 0);
}

static void answers_before_the_answer_end(void **state)
{
    struct world *w = *state;
    ask(w, say_interim_for_ever, (struct http_request){0});
    says(w, "header lines");
}

/* ---- Time: NET-06 ---- */

static void say_nothing(int fd, unsigned number, const void *user)
{
    char byte;
    (void)number;
    (void)user;
    while (read(fd, &byte, 1) > 0)
        ;
}

static void say_ten_bytes(int fd, unsigned number, const void *user)
{
    if (raw_text(fd, "HTTP/1.1 200 OK\r\n\r\n0123456789") == 0)
        say_nothing(fd, number, user);
}

static void say_drops(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    if (raw_text(fd, "HTTP/1.1 200 OK\r\n\r\n") != 0)
        return;
    while (raw_text(fd, "x") == 0)
        (void)usleep(20000);
}

static void an_answer_that_never_starts(void **state)
{
    struct world *w = *state;
    ask(w, say_nothing, (struct http_request){.first_byte_ms = 100, .idle_ms = 20000});
    says(w, "the answer did not begin");
    assert_true(w->worth_retrying);
}

static void an_answer_that_stops(void **state)
{
    struct world *w = *state;
    ask(w, say_ten_bytes, (struct http_request){.first_byte_ms = 20000, .idle_ms = 100});
    says(w, "in the middle of the answer");
    assert_int_equal(w->received, 10);
}

static void an_answer_in_drops(void **state)
{
    struct world *w = *state;
    ask(w, say_drops,
        (struct http_request){.first_byte_ms = 20000, .idle_ms = 10000, .total_ms = 500});
    says(w, "not done within 0.5 s");
}

/* Nobody accepts, and the queue of those that wait is full: no answer to a SYN. */
static void nobody_opens_the_door(void **state)
{
    struct world *w = *state;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof where;
    int waiting[8], fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &len), 0);
    for (size_t i = 0; i < 8; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(waiting[i] >= 0);
        (void)connect(waiting[i], (const struct sockaddr *)&where, sizeof where);
    }
    ask_port(w, ntohs(where.sin_port),
             (struct http_request){.connect_ms = 300, .first_byte_ms = 20000});
    says(w, "no connection within 0.3 s");
    assert_true(w->worth_retrying);
    for (size_t i = 0; i < 8; i++)
        (void)close(waiting[i]);
    (void)close(fd);
}

/* ---- Size: NET-10 ---- */

/* Deflate's fixed code (RFC 1951, section 3.2.6), least significant bit first. */
struct bits {
    unsigned char *out;
    size_t len;
    unsigned hold, count;
};

static void put(struct bits *b, unsigned bit)
{
    b->hold |= bit << b->count;
    if (++b->count == 8) {
        b->out[b->len++] = (unsigned char)b->hold;
        b->hold = b->count = 0;
    }
}

static void put_code(struct bits *b, unsigned code, unsigned len)
{
    while (len-- > 0)
        put(b, code >> len & 1);
}

/* gzip of one letter, `copies` times 258 bytes: 13 bits for each. */
static size_t make_bomb(unsigned char *out, size_t copies)
{
    static const unsigned char head[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    struct bits b = {.out = out};
    memcpy(out, head, sizeof head);
    b.len = sizeof head;
    put(&b, 0);         /* not the last block */
    put_code(&b, 2, 2); /* fixed codes: 01, its low bit first */
    put_code(&b, 0x30 + 'a', 8);
    for (size_t i = 0; i < copies; i++) {
        put_code(&b, 0xc5, 8); /* a copy of 258 bytes */
        put_code(&b, 0, 5);    /* from one byte before */
    }
    return b.len;
}

#define COPIES 775000 /* 200 MB */

static void say_bomb(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    unsigned char *bomb = malloc(COPIES * 2);
    size_t len = make_bomb(bomb, COPIES);
    if (raw_text(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Encoding: gzip\r\n\r\n") == 0)
        (void)raw_write(fd, bomb, len);
    free(bomb);
}

static void say_two_layers(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    unsigned char *bomb = malloc(COPIES * 2);
    size_t len = make_bomb(bomb, COPIES);
    if (raw_text(fd, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip, "
                     "gzip\r\n\r\n") == 0)
        (void)raw_write(fd, bomb, len);
    free(bomb);
}

static void say_unknown_encoding(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    (void)raw_text(fd,
                   "HTTP/1.1 200 OK\r\nContent-Encoding: mystery\r\nContent-Length: 2\r\n\r\nok");
}

static void what_is_unpacked_is_counted(void **state)
{
    struct world *w = *state;
    ask(w, say_bomb, (struct http_request){.max_bytes = CAP});
    says(w, "the body is over 8388608 bytes");
    assert_false(w->worth_retrying);
    assert_true(w->received > 0 && w->received <= CAP);
}

static void layers_are_not_unpacked_for_ever(void **state)
{
    struct world *w = *state;
    ask(w, say_two_layers, (struct http_request){.max_bytes = CAP});
    assert_true(*w->error != '\0');
    assert_true(w->received <= CAP);
}

static void an_unknown_encoding_is_an_error(void **state)
{
    struct world *w = *state;
    ask(w, say_unknown_encoding, (struct http_request){.max_bytes = CAP});
    assert_true(*w->error != '\0');
    assert_int_equal(w->received, 0);
}

static bool anywhere(void *user, const struct sockaddr *address, size_t len)
{
    (void)user;
    (void)address;
    (void)len;
    return true;
}

/* For tools nothing is unpacked at all. */
static void a_tools_answer_stays_packed(void **state)
{
    struct world *w = *state;
    ask(w, say_bomb, (struct http_request){.max_bytes = CAP, .may_connect = anywhere});
    assert_string_equal(w->error, "");
    assert_true(w->received < 2 * COPIES);
    char *heads = raw_server_stop(&w->server);
    assert_null(strstr(heads, "Accept-Encoding"));
    free(heads);
}

/* The whole program at such an endpoint: an error, and no memory for 200 MB. */
static void a_run_survives_a_bomb(void **state)
{
    struct world *w = *state;
    struct rusage usage;
    char url[64];
    int status = 0;
    raw_server_start(&w->server, "127.0.0.1", 0, say_bomb, NULL);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", w->server.port);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const char *const args[] = {"tackle",    "run", "--ephemeral", "--bare",
                                    "--retries", "0",   "--no-tools",  "--base-url",
                                    url,         "-q",  "Go",          NULL};
        execv(TEST_BUILD_DIR "/bin/tackle", (char *const *)(uintptr_t)args);
        _exit(127);
    }
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 5 || WEXITSTATUS(status) == 10);
    assert_true(usage.ru_maxrss < 512 * 1024); /* KiB; the sanitizers double it */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(header_lines_are_counted),
        TEST(header_bytes_are_counted),
        TEST(a_header_of_a_megabyte_is_an_error),
        TEST(answers_before_the_answer_end),
        TEST(an_answer_that_never_starts),
        TEST(an_answer_that_stops),
        TEST(an_answer_in_drops),
        TEST(nobody_opens_the_door),
        TEST(what_is_unpacked_is_counted),
        TEST(layers_are_not_unpacked_for_ever),
        TEST(an_unknown_encoding_is_an_error),
        TEST(a_tools_answer_stays_packed),
        TEST(a_run_survives_a_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
