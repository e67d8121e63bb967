/* Certificates that are not what they should be, protocols of the last century, a log of keys
 * (NET-03, NET-04). In a private network whose only certificate authority is the test's own. */
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

#include "base/clock.h"
#include "io/http.h"
#include "private_network.h"

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt" /* Debian's */
#define PORT   "8443"

static char *dir; /* keys and certificates */

/* All of them are of the authority, but for "self". */
static const char make_certificates[] =
    "set -e; cd '%s'\n"
    "request() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \"$@\"; }\n"
    "sign() { openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $2 "
    "-extfile $1.ext -out $1.pem; }\n"
    "request -x509 -keyout ca.key -out ca.pem -days 2 -subj /CN=tests "
    "-addext basicConstraints=critical,CA:TRUE\n"
    "request -x509 -keyout self.key -out self.pem -days 2 -subj /CN=tls.test "
    "-addext subjectAltName=DNS:tls.test\n"
    "for name in good expired other; do request -keyout $name.key -out $name.csr "
    "-subj /CN=tls.test; done\n"
    "echo subjectAltName=DNS:tls.test > good.ext; cp good.ext expired.ext\n"
    "echo subjectAltName=DNS:other.test > other.ext\n"
    "sign good 2; sign other 2; sign expired -1\n";

/* ---- A server ---- */

static pid_t start_server(const char *certificate, const char *protocol)
{
    char pem[256], key[256];
    (void)snprintf(pem, sizeof pem, "%s/%s.pem", dir, certificate);
    (void)snprintf(key, sizeof key, "%s/%s.key", dir, certificate);
    const char *const args[] = {
        "openssl", "s_server", "-accept", "127.0.0.1:" PORT, "-cert",           pem,      "-key",
        key,       "-www",     "-quiet",  "-cipher",         "ALL:@SECLEVEL=0", protocol, NULL};
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execvp("openssl", (char *const *)(uintptr_t)args);
        _exit(127);
    }
    struct sockaddr_in where = {
        .sin_family = AF_INET, .sin_port = htons(8443), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int64_t end = clock_ms() + 10000; clock_ms() < end; (void)usleep(10000)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int status = connect(fd, (const struct sockaddr *)&where, sizeof where);
        (void)close(fd);
        if (status == 0)
            return pid;
    }
    fail_msg("the server does not listen");
    return -1;
}

static void stop_server(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- One request ---- */

struct trip {
    bool done;
    int status;
    char error[400];
};

static void on_done(void *user, struct http_transfer *transfer, const struct http_end *end)
{
    struct trip *t = user;
    (void)transfer;
    t->done = true;
    t->status = end->status;
    (void)snprintf(t->error, sizeof t->error, "%s", end->error ? end->error : "");
}

static bool anywhere(void *user, const struct sockaddr *address, size_t len)
{
    (void)user;
    (void)address;
    (void)len;
    return true;
}

/* As an endpoint is asked, or as a tool asks. */
static void ask(struct trip *t, const char *certificate, const char *protocol, bool for_tool)
{
    struct err err;
    struct loop *loop = loop_new(&err);
    struct http *http = http_new(loop, &err);
    pid_t server = start_server(certificate, protocol);
    const struct http_request request = {.url = "https://tls.test:" PORT "/",
                                         .bearer = "CANARY-KEY",
                                         .total_ms = 20000,
                                         .may_connect = for_tool ? anywhere : NULL,
                                         .done = on_done,
                                         .user = t};
    *t = (struct trip){.done = false};
    assert_non_null(http);
    assert_non_null(http_start(http, &request, &err));
    while (!t->done)
        assert_int_equal(loop_turn(loop, 1000, &err), 0);
    http_free(http);
    loop_free(loop);
    stop_server(server);
}

static void check_refused(const char *certificate, const char *protocol)
{
    for (int for_tool = 0; for_tool < 2; for_tool++) {
        struct trip t;
        ask(&t, certificate, protocol, for_tool);
        if (t.status != 0 || !*t.error)
            fail_msg("%s is accepted", certificate);
        assert_null(strstr(t.error, "CANARY-KEY"));
    }
}

/* Without it the others would show nothing. */
static void a_good_certificate_is_accepted(void **state)
{
    (void)state;
    for (int for_tool = 0; for_tool < 2; for_tool++) {
        struct trip t;
        ask(&t, "good", NULL, for_tool);
        assert_string_equal(t.error, "");
        assert_int_equal(t.status, 200);
    }
}

static void a_certificate_of_ones_own_is_refused(void **state)
{
    (void)state;
    check_refused("self", NULL);
}

static void a_certificate_that_has_expired_is_refused(void **state)
{
    (void)state;
    check_refused("expired", NULL);
}

static void a_certificate_for_another_host_is_refused(void **state)
{
    (void)state;
    check_refused("other", NULL);
}

static void old_protocols_are_refused(void **state)
{
    struct trip t;
    (void)state;
    check_refused("good", "-tls1");
    check_refused("good", "-tls1_1");
    ask(&t, "good", "-tls1_2", false);
    assert_int_equal(t.status, 200);
}

/* What an environment can say changes none of it, and no key is written down. */
static void the_environment_has_no_say(void **state)
{
    char command[2048];
    int status;
    (void)state;
    pid_t server = start_server("good", NULL);
    (void)snprintf(command, sizeof command,
                   "cd %s && TACKLE_API_KEY=k SSLKEYLOGFILE=%s/keys CURL_CA_BUNDLE=/nowhere "
                   "HOME=%s " TEST_BUILD_DIR "/bin/tackle models "
                   "--base-url https://tls.test:" PORT "; ls keys",
                   dir, dir, dir);
    char *text = private_network_run(command, &status);
    if (!strstr(text, "answers with a page") && !strstr(text, "answered 200"))
        fail_msg("the connection was not made: %s", text);
    if (!strstr(text, "No such file"))
        fail_msg("keys were written: %s", text);
    free(text);
    stop_server(server);
}

static bool enter(void)
{
    static const char hosts[] = "127.0.0.1 tls.test other.test\n";
    static const char *const addresses[] = {NULL};
    char command[2048], path[256], bundle[256];
    int status;
    (void)snprintf(command, sizeof command, make_certificates, dir);
    char *text = private_network_run(command, &status);
    if (status != 0)
        (void)printf("skipped: no certificates can be made: %s\n", text);
    free(text);
    (void)snprintf(path, sizeof path, "%s/hosts", dir);
    (void)snprintf(bundle, sizeof bundle, "%s/ca.pem", dir);
    test_write_file(path, hosts, sizeof hosts - 1);
    return status == 0 && private_network_enter(addresses) &&
           private_network_replace("/etc/hosts", path) && private_network_replace(BUNDLE, bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_is_accepted),
        cmocka_unit_test(a_certificate_of_ones_own_is_refused),
        cmocka_unit_test(a_certificate_that_has_expired_is_refused),
        cmocka_unit_test(a_certificate_for_another_host_is_refused),
        cmocka_unit_test(old_protocols_are_refused),
        cmocka_unit_test(the_environment_has_no_say),
    };
    dir = test_temp_dir();
    bool entered = enter();
    int failed = entered ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
    test_remove_tree(dir);
    free(dir);
    return failed;
}
