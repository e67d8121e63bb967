/* Sockets: nothing that listens outside hears anything. */
#include "test_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "host_peer.h"

#define ATTEMPT TEST_BUILD_DIR "/tests/tools/attempt"

/* What listens outside. */
struct ears {
    int tcp, udp, path, abstract;
    unsigned port; /* of both */
    char name[64]; /* of the abstract one */
};

static int listen_unix(const struct sockaddr_un *address, socklen_t len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void open_ears(struct ears *ears, const struct host_box *box)
{
    struct sockaddr_in ip = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    socklen_t len = sizeof ip;
    ears->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ears->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(ears->tcp >= 0 && ears->udp >= 0);
    assert_int_equal(bind(ears->tcp, (const struct sockaddr *)&ip, sizeof ip), 0);
    assert_int_equal(listen(ears->tcp, 4), 0);
    assert_int_equal(getsockname(ears->tcp, (struct sockaddr *)&ip, &len), 0);
    assert_int_equal(bind(ears->udp, (const struct sockaddr *)&ip, sizeof ip), 0);
    ears->port = ntohs(ip.sin_port);

    (void)snprintf(local.sun_path, sizeof local.sun_path, "%s/sock", box->outside);
    ears->path = listen_unix(&local, sizeof local);
    assert_int_equal(chmod(local.sun_path, 0777), 0);
    (void)snprintf(ears->name, sizeof ears->name, "tackle-test-%d", (int)getpid());
    memset(local.sun_path, 0, sizeof local.sun_path);
    memcpy(local.sun_path + 1, ears->name, strlen(ears->name));
    ears->abstract = listen_unix(
        &local, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(ears->name)));
}

/* Nothing came. */
static void close_ears(struct ears *ears)
{
    char byte;
    assert_int_equal(accept(ears->tcp, NULL, NULL), -1);
    assert_int_equal(recv(ears->udp, &byte, 1, 0), -1);
    assert_int_equal(accept(ears->path, NULL, NULL), -1);
    assert_int_equal(accept(ears->abstract, NULL, NULL), -1);
    (void)close(ears->tcp);
    (void)close(ears->udp);
    (void)close(ears->path);
    (void)close(ears->abstract);
}

static void refused(struct host_peer *p, const char *what, const char *argument)
{
    char command[512], expected[64];
    (void)snprintf(command, sizeof command, ATTEMPT " %s %s", what, argument);
    (void)snprintf(expected, sizeof expected, "%s: refused", what);
    host_peer_says(p, command, expected);
}

/* SBX-04 to SBX-07, SBX-09, SBX-10 */
static void reach_outside(struct host_inside *in, const struct ears *ears)
{
    char port[16], path[200];
    (void)snprintf(port, sizeof port, "%u", ears->port);
    (void)snprintf(path, sizeof path, "%s/sock", in->box.outside);
    refused(&in->peer, "tcp", port);
    refused(&in->peer, "mptcp", port);
    refused(&in->peer, "fastopen", port);
    refused(&in->peer, "unix", path);
    refused(&in->peer, "abstract", ears->name);
    /* A datagram to a port of its own loopback is sent, and heard by nobody. */
    (void)snprintf(path, sizeof path, ATTEMPT " udp %u; getent hosts canary.example; echo end",
                   ears->port);
    host_peer_says(&in->peer, path, "end");
}

static void each(const char *tier, const char *more,
                 void (*attack)(struct host_inside *in, const struct ears *ears))
{
    uid_t users[2];
    size_t count = host_users(users);
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        struct ears ears;
        host_inside_start(&in, users[i], tier, more);
        open_ears(&ears, &in.box);
        attack(&in, &ears);
        close_ears(&ears);
        host_inside_end(&in);
    }
}

static void sbx_04_to_10_t3(void **state)
{
    (void)state;
    each("t3", NULL, reach_outside);
}

static void sbx_04_to_10_t2(void **state)
{
    (void)state;
    each("t2", NULL, reach_outside);
}

/* SBX-08: raw, packet, vsock and others; Unix and IP sockets are there, on a network of its own. */
static void odd_families(struct host_inside *in, const struct ears *ears)
{
    (void)ears;
    refused(&in->peer, "socket", "17 3");   /* AF_PACKET */
    refused(&in->peer, "socket", "40 1");   /* AF_VSOCK */
    refused(&in->peer, "socket", "38 5");   /* AF_ALG */
    refused(&in->peer, "socket", "2 3 1");  /* raw ICMP */
    refused(&in->peer, "socket", "15 3 2"); /* AF_KEY */
    host_peer_says(&in->peer, ATTEMPT " socket 1 1", "socket: done");
    host_peer_says(&in->peer, ATTEMPT " socket 10 1", "socket: done");
    host_peer_says(&in->peer, ATTEMPT " socket 16 3 0", "socket: done"); /* of its own namespace */
    host_peer_says(&in->peer, "grep -c : /proc/net/dev", "\n1");
}

static void sbx_08_t3(void **state)
{
    (void)state;
    each("t3", NULL, odd_families);
}

static void no_family(struct host_inside *in, const struct ears *ears)
{
    (void)ears;
    refused(&in->peer, "socket", "17 3");
    refused(&in->peer, "socket", "40 1");
    refused(&in->peer, "socket", "16 3 0");
    refused(&in->peer, "socket", "1 1");
    refused(&in->peer, "socket", "2 2");
    host_peer_says(&in->peer, ATTEMPT " socketpair", "socketpair: done");
}

static void sbx_08_t2(void **state)
{
    (void)state;
    each("t2", NULL, no_family);
}

/* The network of the machine, when that is asked for: but no socket of the machine's files. */
static void reach_the_machine(struct host_inside *in, const struct ears *ears)
{
    char text[256];
    (void)snprintf(text, sizeof text, ATTEMPT " tcp %u", ears->port);
    host_peer_says(&in->peer, text, "tcp: done");
    int fd = accept(ears->tcp, NULL, NULL);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(text, sizeof text, "%s/sock", in->box.outside);
    refused(&in->peer, "unix", text);
    if (json_integer_value(json_object_get(in->peer.answer, "landlock")) >= 6)
        refused(&in->peer, "abstract", ears->name);
}

static void the_machines_network(void **state)
{
    (void)state;
    each("t3", "{\"network\":\"host\"}", reach_the_machine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sbx_04_to_10_t3),
        cmocka_unit_test(sbx_04_to_10_t2),
        cmocka_unit_test(sbx_08_t3),
        cmocka_unit_test(sbx_08_t2),
        cmocka_unit_test(the_machines_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
