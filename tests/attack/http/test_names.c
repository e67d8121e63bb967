/* Names that mean another machine than they say: a name server that lies, one that changes its
 * mind, redirects to names of the local network (NET-15, NET-17, NET-18, NET-24). In a private
 * network, where 93.184.216.34 is a public address of this machine. */
#include "test_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private_network.h"
#include "raw_server.h"

#define PUBLIC   "93.184.216.34"
#define METADATA "169.254.169.254"
#define CORP     "10.9.9.9"

static char *dir; /* of the tests' files */

/* ---- A name server ---- */

static void put_answer(unsigned char *packet, size_t *len, const char *address)
{
    static const unsigned char head[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4}; /* TTL 0 */
    memcpy(packet + *len, head, sizeof head);
    assert_int_equal(inet_pton(AF_INET, address, packet + *len + sizeof head), 1);
    *len += sizeof head + 4;
    packet[7]++;
}

/* Answers a question (RFC 1035, section 4) about rebind.test with a public address the first time
 * and with a loopback address from then on, about both.test with both, about others with "no such
 * name". Only for A; there are no IPv6 addresses here. */
static void answer(unsigned char *packet, size_t *len, unsigned *asked)
{
    size_t at = 12;
    while (at < *len && packet[at])
        at += packet[at] + 1u;
    bool wants_a = at + 2 < *len && packet[at + 2] == 1;
    bool rebind = *len > 19 && memcmp(packet + 13, "rebind", 6) == 0;
    bool both = *len > 17 && memcmp(packet + 13, "both", 4) == 0;
    *len = at + 5;
    packet[2] |= 0x80;
    packet[3] = rebind || both ? 0x80 : 0x83;
    memset(packet + 6, 0, 6);
    if (wants_a && both) {
        put_answer(packet, len, "127.0.0.1");
        put_answer(packet, len, PUBLIC);
    } else if (wants_a && rebind) {
        put_answer(packet, len, (*asked)++ == 0 ? PUBLIC : "127.0.0.1");
    }
}

static pid_t start_name_server(void)
{
    struct sockaddr_in where = {
        .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&where, sizeof where), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (unsigned asked = 0;;) {
            unsigned char packet[1024];
            struct sockaddr_in from;
            socklen_t from_len = sizeof from;
            ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &from_len);
            size_t len = n < 17 ? 0 : (size_t)n;
            if (len == 0)
                continue;
            answer(packet, &len, &asked);
            (void)sendto(fd, packet, len, 0, (const struct sockaddr *)&from, from_len);
        }
    }
    (void)close(fd);
    return pid;
}

/* ---- One call of http_get ---- */

static char *get(const char *url, const char *flags, int *status)
{
    char command[2048];
    (void)snprintf(command, sizeof command,
                   "cd %s && exec env -i PATH=$PATH HOME=%s " TEST_BUILD_DIR
                   "/bin/tackle tools call --sandbox-tier external --plugin http %s http_get "
                   "'{\"url\":\"%s\"}'",
                   dir, dir, flags, url);
    return private_network_run(command, status);
}

static void check_says(const char *url, const char *flags, const char *part)
{
    int status;
    char *text = get(url, flags, &status);
    if (!strstr(text, part))
        fail_msg("%s: \"%s\" is missing in: %s", url, part, text);
    assert_null(strstr(text, "CANARY-PRIVATE"));
    free(text);
}

static void say_public(int fd, unsigned number, const void *user)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                             "Content-Length: 9\r\n\r\nCANARY-OK";
    (void)number;
    (void)raw_text(fd, user ? user : ok);
}

static void say_private(int fd, unsigned number, const void *user)
{
    (void)number;
    (void)user;
    (void)raw_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\nCANARY-PRIVATE");
}

static void check_unasked(struct raw_server *s)
{
    char *heads = raw_server_stop(s);
    assert_string_equal(heads, "");
    free(heads);
}

#define ALL "--allow-host 'http://*'"

static void a_name_that_changes_its_mind(void **state)
{
    struct raw_server public, private;
    (void)state;
    raw_server_start(&public, PUBLIC, 8080, say_public, NULL);
    raw_server_start(&private, "127.0.0.1", 8080, say_private, NULL);
    check_says("http://rebind.test:8080/", ALL, "CANARY-OK");
    check_says("http://rebind.test:8080/", ALL,
               "rebind.test stands for 127.0.0.1, a loopback address");
    check_unasked(&private);
    char *heads = raw_server_stop(&public);
    assert_non_null(strstr(heads, "Host: rebind.test:8080"));
    free(heads);
}

static void a_name_with_two_addresses(void **state)
{
    struct raw_server public, private;
    (void)state;
    raw_server_start(&private, "127.0.0.1", 8081, say_private, NULL);
    check_says("http://both.test:8081/", ALL, "both.test:8081"); /* the public one is closed */
    raw_server_start(&public, PUBLIC, 8081, say_public, NULL);
    check_says("http://both.test:8081/", ALL, "CANARY-OK");
    free(raw_server_stop(&public));
    check_unasked(&private);
}

static void names_of_the_local_network(void **state)
{
    struct raw_server metadata, corp;
    (void)state;
    raw_server_start(&metadata, METADATA, 80, say_private, NULL);
    raw_server_start(&corp, CORP, 80, say_private, NULL);
    check_says("http://metadata.google.internal/computeMetadata/v1/", ALL,
               "a cloud's metadata address");
    check_says("http://metadata.google.internal/",
               ALL " --allow-private-host metadata.google.internal", "a cloud's metadata address");
    check_says("http://wiki.corp.test/", ALL, "--allow-private-host wiki.corp.test");
    check_unasked(&metadata);
    check_unasked(&corp);
}

static void a_private_name_that_is_allowed(void **state)
{
    struct raw_server corp;
    (void)state;
    raw_server_start(&corp, CORP, 80, say_public, NULL);
    check_says("http://wiki.corp.test/", ALL " --allow-private-host '*.corp.test'", "CANARY-OK");
    free(raw_server_stop(&corp));
}

/* Each hop is judged like the first: by its name, by its address. */
static void redirects_to_places_nearby(void **state)
{
    static const struct {
        const char *answer, *says;
    } hops[] = {
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:8082/\r\nContent-Length: 0\r\n\r\n",
         "a loopback address"},
        {"HTTP/1.1 301 Moved\r\nLocation: http://metadata.google.internal/\r\nContent-Length: 0\r\n"
         "\r\n",
         "a cloud's metadata address"},
        {"HTTP/1.1 307 Moved\r\nLocation: //wiki.corp.test/\r\nContent-Length: 0\r\n\r\n",
         "a private address"},
        {"HTTP/1.1 308 Moved\r\nLocation: file:///etc/hosts\r\nContent-Length: 0\r\n\r\n", "error"},
    };
    struct raw_server private;
    (void)state;
    raw_server_start(&private, "127.0.0.1", 8082, say_private, NULL);
    for (size_t i = 0; i < sizeof hops / sizeof *hops; i++) {
        struct raw_server public;
        int status;
        raw_server_start(&public, PUBLIC, 8082, say_public, hops[i].answer);
        char *text = get("http://allowed.test:8082/", ALL, &status);
        free(raw_server_stop(&public));
        assert_true(status != 0);
        if (strcmp(hops[i].says, "error") != 0 && !strstr(text, hops[i].says))
            fail_msg("hop %zu: %s", i, text);
        assert_null(strstr(text, METADATA "\tmetadata"));
        free(text);
    }
    check_unasked(&private);
}

static void a_redirect_to_a_host_that_is_not_listed(void **state)
{
    struct raw_server public, other;
    (void)state;
    raw_server_start(&public, PUBLIC, 8083, say_public,
                     "HTTP/1.1 302 Found\r\nLocation: http://other.test:8084/\r\n"
                     "Content-Length: 0\r\n\r\n");
    raw_server_start(&other, PUBLIC, 8084, say_private, NULL);
    check_says("http://allowed.test:8083/", "--allow-host http://allowed.test", "other.test");
    free(raw_server_stop(&public));
    check_unasked(&other);
}

/* Three ways not to arrive are three messages; what needs no network works. */
static void offline(void **state)
{
    int status;
    (void)state;
    check_says("http://nosuch.test/", ALL, "nosuch.test: Could not resolve host");
    char *refused = get("http://" PUBLIC ":9/", "--allow-host http://" PUBLIC, &status);
    char *unreachable = get("http://1.1.1.1/", "--allow-host http://1.1.1.1", &status);
    if (!strstr(refused, "onnect") || !strstr(unreachable, "onnect") ||
        !strstr(unreachable, "1.1.1.1"))
        fail_msg("%s\n%s", refused, unreachable);
    assert_string_not_equal(strchr(refused, ':'), strchr(unreachable, ':'));
    free(refused);
    free(unreachable);
    char command[1024];
    (void)snprintf(command, sizeof command,
                   "cd %s && echo a line > notes && exec env -i PATH=$PATH HOME=%s " TEST_BUILD_DIR
                   "/bin/tackle tools call --sandbox-tier external read_file "
                   "'{\"path\":\"notes\"}'",
                   dir, dir);
    char *text = private_network_run(command, &status);
    assert_non_null(strstr(text, "a line"));
    assert_int_equal(status, 0);
    free(text);
}

static bool enter(void)
{
    static const char hosts[] = PUBLIC " allowed.test other.test\n" METADATA
                                       "\tmetadata.google.internal\n" CORP " wiki.corp.test\n";
    static const char resolv[] = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
    static const char *const addresses[] = {PUBLIC, METADATA, CORP, NULL};
    char path[256], other[256];
    (void)snprintf(path, sizeof path, "%s/hosts", dir);
    (void)snprintf(other, sizeof other, "%s/resolv.conf", dir);
    test_write_file(path, hosts, sizeof hosts - 1);
    test_write_file(other, resolv, sizeof resolv - 1);
    return private_network_enter(addresses) && private_network_replace("/etc/hosts", path) &&
           private_network_replace("/etc/resolv.conf", other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_changes_its_mind),
        cmocka_unit_test(a_name_with_two_addresses),
        cmocka_unit_test(names_of_the_local_network),
        cmocka_unit_test(a_private_name_that_is_allowed),
        cmocka_unit_test(redirects_to_places_nearby),
        cmocka_unit_test(a_redirect_to_a_host_that_is_not_listed),
        cmocka_unit_test(offline),
    };
    dir = test_temp_dir();
    if (!enter())
        return 77;
    pid_t name_server = start_name_server();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)kill(name_server, SIGKILL);
    (void)waitpid(name_server, NULL, 0);
    test_remove_tree(dir);
    free(dir);
    return failed;
}
