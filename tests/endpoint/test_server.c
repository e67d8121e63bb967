/* The endpoint over real sockets: what a script says is what arrives, byte for byte. */
#include "test_support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint/endpoint.h"

#define POST_HEAD "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"

struct client {
    struct endpoint_child endpoint;
    int fd;
    char answer[1 << 16]; /* all that has arrived */
    size_t len;
};

static void dial(struct client *client)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    unsigned port;
    assert_int_equal(sscanf(client->endpoint.url, "http://127.0.0.1:%u/v1", &port), 1);
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof address), 0);
    client->len = 0;
    client->answer[0] = '\0';
}

static void start(struct client *client, const char *script)
{
    struct err err;
    if (endpoint_child_start(script, &client->endpoint, &err))
        fail_msg("%s", err.text);
    dial(client);
}

static json_t *stop(struct client *client)
{
    (void)close(client->fd);
    return endpoint_child_stop(&client->endpoint);
}

static void say(struct client *client, const char *text)
{
    assert_int_equal(send(client->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void ask(struct client *client, const char *body)
{
    char head[200];
    (void)snprintf(head, sizeof head, POST_HEAD "Content-Length: %zu\r\n\r\n", strlen(body));
    say(client, head);
    say(client, body);
}

/* Reads until `text` is there; fails the test when the connection ends first. */
static void read_until(struct client *client, const char *text)
{
    while (!strstr(client->answer, text)) {
        ssize_t got = recv(client->fd, client->answer + client->len,
                           sizeof client->answer - client->len - 1, 0);
        if (got <= 0)
            fail_msg("no \"%s\" in: %s", text, client->answer);
        client->len += (size_t)got;
        client->answer[client->len] = '\0';
    }
}

/* Reads to the end; returns what the last recv() said: 0, or -1 for a reset. */
static int read_all(struct client *client)
{
    ssize_t got;
    while ((got = recv(client->fd, client->answer + client->len,
                       sizeof client->answer - client->len - 1, 0)) > 0)
        client->len += (size_t)got;
    client->answer[client->len] = '\0';
    return got < 0 ? -1 : 0;
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)); text += strlen(what))
        count++;
    return count;
}

static void answers_with_json_or_events_as_asked(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\ntext Hello there.\n=== reply\ntext Hello there.\n");
    ask(&c, "{\"stream\":false}");
    read_until(&c, "\"total_tokens\":120}}");
    assert_non_null(strstr(c.answer, "HTTP/1.1 200"));
    assert_non_null(strstr(c.answer, "\"content\":\"Hello there.\""));
    assert_non_null(strstr(c.answer, "\"finish_reason\":\"stop\""));
    c.len = 0;
    ask(&c, "{}");
    read_until(&c, "0\r\n\r\n");
    assert_non_null(strstr(c.answer, "Content-Type: text/event-stream"));
    assert_non_null(strstr(c.answer, "{\"content\":\"Hell\"}"));
    assert_non_null(strstr(c.answer, "\"choices\":[],\"usage\""));
    assert_non_null(strstr(c.answer, "data: [DONE]\n\n"));
    json_t *requests = stop(&c);
    assert_int_equal(json_array_size(requests), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(requests, 1), "connection")),
                     1);
    json_decref(requests);
}

static void splits_the_arguments_of_calls(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nreasoning Hm.\ncall read_file {\"path\":\"a\"}\n"
              "call id=zz list_dir {}\npieces 2\nframe close\n");
    ask(&c, "{}");
    assert_int_equal(read_all(&c), 0);
    assert_non_null(strstr(c.answer, "\"reasoning_content\":\"m.\""));
    assert_non_null(strstr(c.answer, "\"id\":\"call_1_1\""));
    assert_non_null(strstr(c.answer, "\"arguments\":\"{\\\"path\""));
    assert_non_null(strstr(c.answer, "\"arguments\":\"\\\":\\\"a\\\"}\""));
    assert_non_null(strstr(c.answer, "\"index\":1,\"id\":\"zz\""));
    assert_non_null(strstr(c.answer, "\"finish_reason\":\"tool_calls\""));
    json_decref(stop(&c));
}

static void chooses_the_first_reply_that_fits(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nwhen /messages/-1/role is tool\njson \"after a tool\"\n"
              "=== reply\nwhen path contains /models\njson \"models\"\ntimes forever\n"
              "=== reply\njson \"in order\"\n");
    ask(&c, "{}");
    read_until(&c, "\"in order\"");
    say(&c, "GET /v1/models HTTP/1.1\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n");
    read_until(&c, "\"models\"");
    ask(&c, "{\"messages\":[{\"role\":\"user\"},{\"role\":\"tool\"}]}");
    read_until(&c, "\"after a tool\"");
    assert_int_equal(count_of(c.answer, "\"models\""), 2);
    ask(&c, "{}");
    read_until(&c, "script exhausted: no reply is left for request 5");
    assert_non_null(strstr(c.answer, "HTTP/1.1 500"));
    assert_non_null(strstr(c.answer, "x-should-retry: false"));
    json_t *requests = stop(&c);
    assert_int_equal(json_array_size(requests), 5);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(requests, 4), "reply")), 0);
    json_decref(requests);
}

static void records_what_was_asked(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\njson 1\n=== reply\njson 2\n");
    say(&c, POST_HEAD "Authorization: Bearer k\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n");
    read_until(&c, "\r\n\r\n1");
    say(&c, POST_HEAD "Content-Length: 2\r\n\r\n\xff\xfe");
    read_until(&c, "\r\n\r\n2");
    json_t *requests = stop(&c);
    const json_t *first = json_array_get(requests, 0);
    assert_string_equal(json_string_value(json_object_get(first, "method")), "POST");
    assert_string_equal(json_string_value(json_object_get(first, "path")), "/v1/chat/completions");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(first, "json"), "a")), 1);
    const json_t *header = json_array_get(json_object_get(first, "headers"), 1);
    assert_string_equal(json_string_value(json_array_get(header, 0)), "Authorization");
    assert_string_equal(json_string_value(json_array_get(header, 1)), "Bearer k");
    const json_t *second = json_array_get(requests, 1);
    assert_string_equal(json_string_value(json_object_get(second, "body_hex")), "fffe");
    json_decref(requests);
}

static void lets_a_client_wait_for_continue(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\njson \"ok\"\n");
    say(&c, POST_HEAD "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    read_until(&c, "100 Continue\r\n\r\n");
    say(&c, "{}");
    read_until(&c, "\"ok\"");
    json_decref(stop(&c));
}

static void sends_status_headers_and_body_as_written(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nstatus 502\nheader Retry-After: 7\ntype text/html\nframe close\n"
              "=== body\n<html>\n\\=== no heading\n</html>\n");
    ask(&c, "{}");
    assert_int_equal(read_all(&c), 0);
    assert_non_null(strstr(c.answer, "HTTP/1.1 502 "));
    assert_non_null(strstr(c.answer, "\r\nRetry-After: 7\r\n"));
    assert_non_null(strstr(c.answer, "\r\nContent-Type: text/html\r\n"));
    assert_non_null(strstr(c.answer, "\r\n\r\n<html>\n=== no heading\n</html>\n"));
    json_decref(stop(&c));
}

static void gives_documented_errors_their_status(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nerror insufficient_credits Balance too low\n");
    ask(&c, "{}");
    read_until(&c, "billing_error");
    assert_non_null(strstr(c.answer, "HTTP/1.1 402"));
    assert_non_null(strstr(c.answer, "\"message\":\"Balance too low\""));
    json_decref(stop(&c));
}

static void cuts_after_so_many_bytes(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nbody 0123456789\ncut 4\n=== reply\nbody 0123456789\ncut start\n"
              "=== reply\nbody 0123456789\ncut headers\n=== reply\nbody 0123456789\nreset half\n");
    ask(&c, "{}");
    assert_int_equal(read_all(&c), 0);
    assert_non_null(strstr(c.answer, "Content-Length: 10\r\n"));
    assert_string_equal(strstr(c.answer, "\r\n\r\n"), "\r\n\r\n0123");
    (void)close(c.fd);
    dial(&c);
    ask(&c, "{}");
    assert_int_equal(read_all(&c), 0);
    assert_int_equal(c.len, 0);
    (void)close(c.fd);
    dial(&c);
    ask(&c, "{}");
    assert_int_equal(read_all(&c), 0);
    assert_string_equal(strstr(c.answer, "\r\n\r\n"), "\r\n\r\n");
    (void)close(c.fd);
    dial(&c);
    ask(&c, "{}");
    assert_int_equal(read_all(&c), -1);
    json_decref(stop(&c));
}

/* Half an event, then silence; another connection is answered meanwhile. */
static void stalls_without_stopping_the_others(void **state)
{
    struct client stalled, other;
    (void)state;
    start(&stalled,
          "=== reply\nsse {\"a\":1}\nsse {\"b\":2}\nstall half\n=== reply\njson \"ok\"\n");
    ask(&stalled, "{}");
    read_until(&stalled, "data: {\"a\":1}\n");
    other.endpoint = stalled.endpoint;
    dial(&other);
    ask(&other, "{}");
    read_until(&other, "\"ok\"");
    struct pollfd quiet = {.fd = stalled.fd, .events = POLLIN};
    (void)recv(stalled.fd, stalled.answer, sizeof stalled.answer, MSG_DONTWAIT);
    assert_int_equal(poll(&quiet, 1, 50), 0);
    assert_null(strstr(stalled.answer, "\"b\":2"));
    (void)close(other.fd);
    json_decref(stop(&stalled));
}

static void goes_on_for_ever_when_endless(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\ntext again and again\npieces 1\nendless\n");
    ask(&c, "{}");
    while (count_of(c.answer, "again and again") < 20) {
        ssize_t got = recv(c.fd, c.answer + c.len, sizeof c.answer - c.len - 1, 0);
        assert_true(got > 0);
        c.len += (size_t)got;
        c.answer[c.len] = '\0';
    }
    assert_null(strstr(c.answer, "[DONE]"));
    json_decref(stop(&c));
}

static void sends_chunks_of_the_size_asked(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\nbody abcdefg\nchunk 3\nframe chunked\nwait 10ms\nwait-body 10ms\n"
              "wait-chunk 10ms\n");
    ask(&c, "{}");
    read_until(&c, "\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n1\r\ng\r\n0\r\n\r\n");
    json_decref(stop(&c));
}

static void refuses_what_is_no_http(void **state)
{
    struct client c;
    (void)state;
    start(&c, "=== reply\njson 1\n");
    say(&c, "hello\r\n\r\n");
    assert_int_equal(read_all(&c), 0);
    assert_int_equal(c.len, 0);
    json_t *requests = stop(&c);
    assert_int_equal(json_array_size(requests), 0);
    json_decref(requests);
}

/* The same server, stepped by the test itself. */
static void runs_in_the_callers_loop(void **state)
{
    struct err err;
    struct client c = {.fd = -1};
    size_t count = 0;
    (void)state;
    struct endpoint *endpoint = endpoint_new(0, &err);
    assert_non_null(endpoint);
    assert_int_equal(endpoint_load_text(endpoint, "=== reply\njson \"ok\"\nwait 5ms\n", &err), 0);
    (void)snprintf(c.endpoint.url, sizeof c.endpoint.url, "%s", endpoint_url(endpoint));
    dial(&c);
    ask(&c, "{}");
    struct pollfd fds[2] = {{.fd = endpoint_fd(endpoint), .events = POLLIN},
                            {.fd = c.fd, .events = POLLIN}};
    while (poll(fds, 2, 10000) > 0 && !(fds[1].revents & POLLIN))
        assert_int_equal(endpoint_step(endpoint, 0, &err), 0);
    read_until(&c, "\"ok\"");
    const struct request *requests = endpoint_requests(endpoint, &count);
    assert_int_equal(count, 1);
    assert_string_equal(requests[0].body, "{}");
    (void)close(c.fd);
    endpoint_free(endpoint);
}

static void refuses_connections_when_told_to(void **state)
{
    struct err err;
    unsigned port;
    (void)state;
    struct endpoint *endpoint = endpoint_new_refusing(&err);
    assert_non_null(endpoint);
    struct sockaddr_in address = {.sin_family = AF_INET};
    assert_int_equal(sscanf(endpoint_url(endpoint), "http://127.0.0.1:%u/v1", &port), 1);
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, ECONNREFUSED);
    (void)close(fd);
    endpoint_free(endpoint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_with_json_or_events_as_asked),
        cmocka_unit_test(splits_the_arguments_of_calls),
        cmocka_unit_test(chooses_the_first_reply_that_fits),
        cmocka_unit_test(records_what_was_asked),
        cmocka_unit_test(lets_a_client_wait_for_continue),
        cmocka_unit_test(sends_status_headers_and_body_as_written),
        cmocka_unit_test(gives_documented_errors_their_status),
        cmocka_unit_test(cuts_after_so_many_bytes),
        cmocka_unit_test(stalls_without_stopping_the_others),
        cmocka_unit_test(goes_on_for_ever_when_endless),
        cmocka_unit_test(sends_chunks_of_the_size_asked),
        cmocka_unit_test(refuses_what_is_no_http),
        cmocka_unit_test(runs_in_the_callers_loop),
        cmocka_unit_test(refuses_connections_when_told_to),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
