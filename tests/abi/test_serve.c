/* tackle-host serve, spoken to over the link as the runtime does it, with a plugin that behaves in
 * every way there is. */
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tackle/plugin.h>

#include "test_support.h"
#include "wire/link.h"

/* ---- The runtime's side ---- */

struct peer {
    pid_t pid;
    int socket, cancel, printed, workspace;
    char *root;
    struct buf in, out;
    size_t taken;
};

static _Noreturn void become_host(int socket, int workspace, int cancel, int printed,
                                  const char *plugin)
{
    /* Up first, so that no dup2() closes one that is still needed. */
    int high[] = {fcntl(socket, F_DUPFD, 64), fcntl(workspace, F_DUPFD, 64),
                  fcntl(cancel, F_DUPFD, 64), fcntl(printed, F_DUPFD, 64)};
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(high[fd], LINK_SOCKET_FD + fd);
    (void)dup2(high[3], STDOUT_FILENO);
    (void)dup2(high[3], STDERR_FILENO);
    for (size_t i = 0; i < sizeof high / sizeof high[0]; i++)
        (void)close(high[i]);
    (void)execl(HOST_PROGRAM, HOST_PROGRAM, "serve", plugin, (char *)NULL);
    _exit(127);
}

static void start(struct peer *p, const char *plugin)
{
    int sockets[2], pipes[2];
    char *path = test_join(ABI_PLUGINS, plugin);
    p->root = test_temp_dir();
    p->workspace = open(p->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    p->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->taken = 0;
    buf_init(&p->in, 2 * LINK_PAYLOAD_MAX);
    buf_init(&p->out, 2 * LINK_PAYLOAD_MAX);
    assert_true(p->workspace >= 0 && p->cancel >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0)
        become_host(sockets[1], p->workspace, p->cancel, pipes[1], path);
    (void)close(sockets[1]);
    (void)close(pipes[1]);
    p->socket = sockets[0];
    p->printed = pipes[0];
    free(path);
}

static void send_out(struct peer *p)
{
    size_t done = 0;
    while (done < p->out.len) {
        ssize_t sent = send(p->socket, p->out.data + done, p->out.len - done, MSG_NOSIGNAL);
        assert_true(sent > 0);
        done += (size_t)sent;
    }
    buf_clear(&p->out);
}

static void post(struct peer *p, uint16_t type, uint32_t call, const char *text)
{
    assert_int_equal(link_write(&p->out, type, call, text, strlen(text)), 0);
    send_out(p);
}

static void post_parts(struct peer *p, uint16_t type, uint32_t call, const char *head,
                       const char *body)
{
    assert_int_equal(link_write_parts(&p->out, type, call, head, strlen(head), body, strlen(body)),
                     0);
    send_out(p);
}

/* False at the end of the link. */
static bool next_frame(struct peer *p, struct link_frame *frame)
{
    struct err err;
    buf_shift(&p->in, p->taken);
    p->taken = 0;
    for (;;) {
        long size = link_read(p->in.data, p->in.len, frame, &err);
        assert_true(size >= 0);
        p->taken = (size_t)size;
        if (size > 0)
            return true;
        assert_int_equal(buf_reserve(&p->in, 65536), 0);
        ssize_t got = recv(p->socket, p->in.data + p->in.len, 65536, 0);
        if (got <= 0)
            return false;
        p->in.len += (size_t)got;
    }
}

/* The next frame must be this one; its payload as malloc'd text. */
static char *expect(struct peer *p, uint16_t type, uint32_t call)
{
    struct link_frame frame;
    assert_true(next_frame(p, &frame));
    if (frame.type != type)
        fail_msg("a frame of type %u, not %u: %.*s", frame.type, type, (int)frame.len,
                 frame.payload);
    assert_int_equal(frame.call, call);
    char *text = strndup(frame.payload, frame.len);
    assert_non_null(text);
    return text;
}

static void expect_text(struct peer *p, uint16_t type, uint32_t call, const char *expected)
{
    char *text = expect(p, type, call);
    assert_string_equal(text, expected);
    free(text);
}

static void expect_end_of_link(struct peer *p)
{
    struct link_frame frame;
    assert_false(next_frame(p, &frame));
}

/* What it printed, and how it ended (as of waitpid()). */
static char *finish(struct peer *p, int *status)
{
    struct buf text;
    char piece[4096];
    ssize_t got;
    buf_init(&text, 1 << 20);
    (void)close(p->socket);
    while ((got = read(p->printed, piece, sizeof piece)) > 0)
        assert_int_equal(buf_append(&text, piece, (size_t)got), 0);
    assert_int_equal(waitpid(p->pid, status, 0), p->pid);
    (void)close(p->printed);
    (void)close(p->cancel);
    (void)close(p->workspace);
    test_remove_tree(p->root);
    free(p->root);
    buf_release(&p->in);
    buf_release(&p->out);
    char *printed = buf_take(&text);
    assert_non_null(printed);
    return printed;
}

static void post_open_as(struct peer *p, const char *options, const char *write)
{
    char open[512];
    (void)snprintf(open, sizeof open,
                   "{\"version\":\"%s\",\"options\":%s,\"workspace\":\"%s\",\"write\":%s}",
                   TACKLE_VERSION_TEXT, options, p->root, write);
    post(p, LINK_OPEN, 0, open);
}

static void post_open(struct peer *p, const char *options)
{
    post_open_as(p, options, "true");
}

/* A host that has opened the plugin acts.so. */
static void start_acts(struct peer *p)
{
    start(p, "acts.so");
    post_open(p, "{}");
    expect_text(p, LINK_LOG, 0, "{\"level\":\"debug\",\"text\":\"opening\"}");
    free(expect(p, LINK_OPENED, 0));
}

static void call_with(struct peer *p, uint32_t number, const char *more, const char *args)
{
    char head[512];
    (void)snprintf(head, sizeof head, "{\"tool\":\"act\",\"key\":\"k\"%s}", more);
    post_parts(p, LINK_CALL, number, head, args);
}

#define MS ",\"ms\":20000,\"cap\":1000000"

static void call(struct peer *p, uint32_t number, const char *args)
{
    call_with(p, number, MS, args);
}

static void expect_done(struct peer *p, uint32_t number, int code, const char *message)
{
    char done[512];
    (void)snprintf(done, sizeof done,
                   "{\"code\":%d,\"message\":\"%s\",\"omitted\":0,\"recycle\":false}", code,
                   message);
    expect_text(p, LINK_DONE, number, done);
}

static void close_well(struct peer *p)
{
    int status;
    post(p, LINK_CLOSE, 0, "");
    expect_end_of_link(p);
    char *printed = finish(p, &status);
    assert_string_equal(printed, "closed\n");
    assert_int_equal(status, 0);
    free(printed);
}

/* ---- The tests ---- */

static void calls_come_and_go(void **state)
{
    struct peer p;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"echo\",\"text\":\"hello\"}");
    expect_text(&p, LINK_OUTPUT, 1, "hello");
    expect_done(&p, 1, TACKLE_OK, "");
    call(&p, 2, "{\"do\":\"echo\",\"text\":\"\"}");
    expect_done(&p, 2, TACKLE_OK, "");
    call(&p, 3, "{\"do\":\"dance\"}");
    expect_done(&p, 3, TACKLE_E_ARGS, "caf\xef\xbf\xbd: cannot do that");
    call(&p, 4, "{\"do\"");
    char *done = expect(&p, LINK_DONE, 4);
    assert_non_null(strstr(done, "the arguments of 'act' are no JSON object"));
    free(done);
    post_parts(&p, LINK_CALL, 5, "{\"tool\":\"sing\",\"key\":\"k\",\"ms\":1000}", "{}");
    expect_done(&p, 5, TACKLE_E_NOT_FOUND, "plugin 'acts' has no tool 'sing'");
    close_well(&p);
}

static void frames_arrive_in_any_pieces(void **state)
{
    struct peer p;
    (void)state;
    start_acts(&p);
    static const char args[] = "{\"do\":\"echo\",\"text\":\"piece by piece\"}";
    static const char head[] = "{\"tool\":\"act\",\"key\":\"k\",\"ms\":20000}";
    assert_int_equal(link_write_parts(&p.out, LINK_CALL, 1, head, strlen(head), args, strlen(args)),
                     0);
    for (size_t i = 0; i < p.out.len; i++)
        assert_int_equal(send(p.socket, p.out.data + i, 1, MSG_NOSIGNAL), 1);
    buf_clear(&p.out);
    expect_text(&p, LINK_OUTPUT, 1, "piece by piece");
    expect_done(&p, 1, TACKLE_OK, "");
    close_well(&p);
}

static void the_plugin_may_refuse(void **state)
{
    struct peer p;
    int status;
    (void)state;
    start(&p, "acts.so");
    post_open(&p, "{\"mood\":\"bad\"}");
    free(expect(&p, LINK_LOG, 0));
    expect_text(&p, LINK_REFUSED, 0, "{\"problem\":\"in no mood for this\"}");
    expect_end_of_link(&p);
    free(finish(&p, &status));
    assert_int_equal(WEXITSTATUS(status), 3);

    start(&p, "acts.so");
    post_open(&p, "{\"mood\":\"sullen\"}");
    free(expect(&p, LINK_LOG, 0));
    expect_text(&p, LINK_REFUSED, 0,
                "{\"problem\":\"open() of plugin 'acts' fails with code -1 and says no reason\"}");
    free(finish(&p, &status));

    start(&p, "acts.so");
    post_open(&p, "{\"food\":\"good\"}");
    expect_text(&p, LINK_REFUSED, 0,
                "{\"problem\":\"plugin 'acts': has no option 'food'; it has mood\"}");
    free(finish(&p, &status));

    start(&p, "bad_tool_call_null.so");
    post_open(&p, "{}");
    expect_text(&p, LINK_REFUSED, 0, "{\"problem\":\"tool 'nothing': call is NULL; set .call\"}");
    free(finish(&p, &status));

    start(&p, "acts.so");
    post(&p, LINK_OPEN, 0, "{\"version\":\"0.0.1\",\"workspace\":\"/\"}");
    expect_text(&p, LINK_REFUSED, 0,
                "{\"problem\":\"tackle and tackle-host (" TACKLE_VERSION_TEXT
                ") are of different versions; install both from one release\"}");
    free(finish(&p, &status));
}

static void a_call_can_be_cancelled(void **state)
{
    struct peer p;
    eventfd_t count;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"wait\"}");
    expect_text(&p, LINK_PROGRESS, 1, "waiting");
    assert_int_equal(eventfd_write(p.cancel, 1), 0);
    expect_done(&p, 1, TACKLE_E_CANCELLED, "the call was cancelled");
    assert_int_equal(eventfd_read(p.cancel, &count), 0);
    call_with(&p, 2, ",\"ms\":20", "{\"do\":\"wait\"}");
    expect_text(&p, LINK_PROGRESS, 2, "waiting");
    expect_done(&p, 2, TACKLE_E_TIMEOUT, "the call ran past its deadline of 20 ms");
    close_well(&p);
}

static void notes_are_kept_before_the_effect(void **state)
{
    struct peer p;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"remember\"}");
    expect_text(&p, LINK_REMEMBER, 1, "before");
    post(&p, LINK_REMEMBERED, 1, "");
    expect_text(&p, LINK_OUTPUT, 1, "noted");
    expect_done(&p, 1, TACKLE_OK, "");
    call(&p, 2, "{\"do\":\"remember\"}");
    expect_text(&p, LINK_REMEMBER, 2, "before");
    post(&p, LINK_REMEMBERED, 2, "the disk is full");
    expect_done(&p, 2, TACKLE_E_FAILED, "the disk is full");

    call_with(&p, 3, MS ",\"probe\":true,\"note\":\"before\"", "{\"do\":\"remember\"}");
    expect_text(&p, LINK_OUTPUT, 3, "before");
    expect_done(&p, 3, TACKLE_PROBE_DONE, "");
    call_with(&p, 4, MS ",\"probe\":true", "{\"do\":\"remember\"}");
    expect_done(&p, 4, TACKLE_PROBE_UNKNOWN, "");
    close_well(&p);
}

static void expect_fetch(struct peer *p, uint32_t number)
{
    struct link_frame frame;
    const char *head, *body;
    size_t head_len, body_len;
    static const char expected[] = "{\"method\":\"POST\",\"url\":\"https://example.org/x\","
                                   "\"headers\":[\"Accept: text/plain\"]}";
    assert_true(next_frame(p, &frame));
    assert_int_equal(frame.type, LINK_FETCH);
    assert_int_equal(frame.call, number);
    assert_int_equal(link_read_parts(&frame, &head, &head_len, &body, &body_len), 0);
    assert_int_equal(head_len, strlen(expected));
    assert_memory_equal(head, expected, head_len);
    assert_int_equal(body_len, 3);
    assert_memory_equal(body, "ask", 3);
}

static void fetches_are_answered(void **state)
{
    struct peer p;
    eventfd_t count;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"fetch\"}");
    expect_fetch(&p, 1);
    post_parts(&p, LINK_FETCHED, 1, "{\"status\":404,\"content_type\":\"text/plain\"}", "nothing");
    expect_text(&p, LINK_OUTPUT, 1, "404 text/plain nothing");
    expect_done(&p, 1, TACKLE_OK, "");

    call(&p, 2, "{\"do\":\"fetch\"}");
    expect_fetch(&p, 2);
    post_parts(&p, LINK_FETCHED, 2, "{\"code\":-3,\"message\":\"not that host\"}", "");
    expect_done(&p, 2, TACKLE_E_DENIED, "not that host");

    /* Cancelled in the middle of it; the answer comes too late and harms nobody. */
    call(&p, 3, "{\"do\":\"fetch\"}");
    expect_fetch(&p, 3);
    assert_int_equal(eventfd_write(p.cancel, 1), 0);
    expect_done(&p, 3, TACKLE_E_CANCELLED, "the call was cancelled");
    assert_int_equal(eventfd_read(p.cancel, &count), 0);
    post_parts(&p, LINK_FETCHED, 3, "{\"status\":200,\"content_type\":\"\"}", "late");
    call_with(&p, 4, ",\"ms\":20", "{\"do\":\"fetch\"}");
    expect_fetch(&p, 4);
    expect_done(&p, 4, TACKLE_E_TIMEOUT, "the call ran past its deadline of 20 ms");
    call(&p, 5, "{\"do\":\"fetch\"}");
    expect_fetch(&p, 5);
    post_parts(&p, LINK_FETCHED, 4, "{\"status\":200,\"content_type\":\"\"}", "later still");
    post_parts(&p, LINK_FETCHED, 5, "{\"status\":200,\"content_type\":\"\"}", "in time");
    expect_text(&p, LINK_OUTPUT, 5, "200  in time");
    expect_done(&p, 5, TACKLE_OK, "");
    close_well(&p);
}

static void a_flood_is_cut(void **state)
{
    struct peer p;
    size_t total = 0;
    struct link_frame frame;
    (void)state;
    start_acts(&p);
    call_with(&p, 1, ",\"ms\":20000,\"cap\":200000", "{\"do\":\"flood\"}");
    while (next_frame(&p, &frame) && frame.type == LINK_OUTPUT)
        total += frame.len;
    static const char expected[] = "{\"code\":-6,\"message\":\"the last write returned -6\","
                                   "\"omitted\":107200,\"recycle\":false}";
    assert_int_equal(total, 200000);
    assert_int_equal(frame.type, LINK_DONE);
    assert_int_equal(frame.len, strlen(expected));
    assert_memory_equal(frame.payload, expected, frame.len);
    close_well(&p);
}

static void leaks_ask_for_a_new_process(void **state)
{
    struct peer p;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"leak\"}");
    expect_text(&p, LINK_DONE, 1, "{\"code\":0,\"message\":\"\",\"omitted\":0,\"recycle\":true}");
    for (uint32_t i = 2; i < 7; i++) { /* until no descriptor is left */
        call(&p, i, "{\"do\":\"leak\"}");
        char *done = expect(&p, LINK_DONE, i);
        assert_non_null(strstr(done, "\"recycle\":true"));
        free(done);
    }
    close_well(&p);
}

static void all_that_is_said_is_utf8(void **state)
{
    struct peer p;
    int status;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"talk\"}");
    expect_text(&p, LINK_LOG, 1, "{\"level\":\"warn\",\"text\":\"caf\xef\xbf\xbd\"}");
    expect_text(&p, LINK_CHANGED, 1, "{\"path\":\"a\xef\xbf\xbd\",\"what\":\"deleted\"}");
    expect_text(&p, LINK_OUTPUT, 1, "caf\xe9"); /* the result comes as it is */
    expect_done(&p, 1, TACKLE_OK, "");
    post(&p, LINK_CLOSE, 0, "");
    char *printed = finish(&p, &status);
    assert_string_equal(printed, "printed\nclosed\n");
    free(printed);
}

static void a_run_may_be_read_only(void **state)
{
    struct peer p;
    (void)state;
    start_acts(&p);
    call(&p, 1, "{\"do\":\"replace\"}");
    expect_text(&p, LINK_CHANGED, 1, "{\"path\":\"a.txt\",\"what\":\"created\"}");
    expect_done(&p, 1, TACKLE_OK, "");
    close_well(&p);

    start(&p, "acts.so");
    post_open_as(&p, "{}", "false");
    free(expect(&p, LINK_LOG, 0));
    free(expect(&p, LINK_OPENED, 0));
    call(&p, 1, "{\"do\":\"replace\"}");
    expect_done(&p, 1, TACKLE_E_DENIED,
                "this run may only read files; to let it write: --sandbox workspace-write");
    assert_int_equal(faccessat(p.workspace, "a.txt", F_OK, 0), -1);
    close_well(&p);
}

static void a_plugin_that_goes_takes_the_link_along(void **state)
{
    static const struct {
        const char *args;
        int signal; /* 0: none */
        int exit;
    } ends[] = {{"{\"do\":\"crash\"}", SIGSEGV, 0},
                {"{\"do\":\"exit\"}", 0, 0},
                {"{\"do\":\"close link\"}", 0, 70},
                {"{\"do\":\"close all\"}", 0, 70}};
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct peer p;
        int status;
        start_acts(&p);
        call(&p, 1, ends[i].args);
        expect_end_of_link(&p);
        free(finish(&p, &status));
        if (WIFEXITED(status)) /* a sanitizer turns the signal into an exit of its own */
            assert_true(ends[i].signal || WEXITSTATUS(status) == ends[i].exit);
        else
            assert_int_equal(WTERMSIG(status), ends[i].signal);
    }
}

static void the_end_of_the_runtime_ends_the_host(void **state)
{
    struct peer p;
    int status;
    (void)state;
    start_acts(&p);
    free(finish(&p, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void broken_frames_end_the_host(void **state)
{
    static const struct {
        uint16_t type;
        const char *payload; /* NULL: twelve bytes of rubbish */
        const char *said;
    } broken[] = {
        {0, NULL,
         "tackle-host: the runtime sends a frame of 4294967295 bytes, over the limit of "
         "33554432\n"},
        {LINK_OPEN, "{}", "tackle-host: the runtime sends a frame of type 1 between calls\n"},
        {LINK_REMEMBERED, "", "tackle-host: the runtime sends a frame of type 3 between calls\n"},
        {LINK_CALL, "", "tackle-host: the runtime sends a broken CALL\n"},
        {LINK_CALL, "\2\0\0\0[]",
         "tackle-host: the runtime sends a frame without its JSON object\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct peer p;
        int status;
        start_acts(&p);
        if (broken[i].payload && broken[i].type == LINK_CALL && broken[i].payload[0]) {
            post_parts(&p, LINK_CALL, 1, "[]", "");
        } else if (broken[i].payload) {
            post(&p, broken[i].type, 1, broken[i].payload);
        } else {
            assert_int_equal(
                buf_append(&p.out, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12), 0);
            send_out(&p);
        }
        expect_end_of_link(&p);
        char *printed = finish(&p, &status);
        assert_string_equal(printed, broken[i].said);
        assert_int_equal(WEXITSTATUS(status), 70);
        free(printed);
    }
}

static void a_plugin_of_1_0_works(void **state)
{
    struct peer p;
    int status;
    struct link_frame frame;
    (void)state;
    start(&p, "good_1_0.so");
    post_open(&p, "{\"flag\":\"true\"}");
    free(expect(&p, LINK_OPENED, 0));
    post_parts(&p, LINK_CALL, 1, "{\"tool\":\"all_of_1_0\",\"key\":\"run:1\",\"ms\":20000}",
               "{\"text\":\"t\",\"int\":1,\"real\":0.5,\"bool\":true,\"list\":[\"a\",\"b\"]}");
    expect_text(&p, LINK_PROGRESS, 1, "half way");
    expect_text(&p, LINK_REMEMBER, 1, "note");
    post(&p, LINK_REMEMBERED, 1, "");
    expect_text(&p, LINK_OUTPUT, 1, "t 1 0.5 1 2 b key=run:1 cancelled=0 fd=1 left=1 json=60");
    expect_done(&p, 1, TACKLE_OK, "");

    post_parts(&p, LINK_CALL, 2, "{\"tool\":\"services\",\"key\":\"run:2\",\"ms\":20000}", "{}");
    char *log = expect(&p, LINK_LOG, 2);
    assert_non_null(strstr(log, p.root));
    free(log);
    expect_text(&p, LINK_CHANGED, 2, "{\"path\":\"new.txt\",\"what\":\"created\"}");
    expect_text(&p, LINK_CHANGED, 2, "{\"path\":\"gone.txt\",\"what\":\"deleted\"}");
    assert_true(next_frame(&p, &frame));
    assert_int_equal(frame.type, LINK_FETCH);
    post_parts(&p, LINK_FETCHED, 2, "{\"status\":200,\"content_type\":\"text/plain\"}", "body");
    expect_text(&p, LINK_OUTPUT, 2, "3 1 200 text/plain body 0 ran\n");
    expect_done(&p, 2, TACKLE_OK, "");
    post(&p, LINK_CLOSE, 0, "");
    char *printed = finish(&p, &status);
    assert_string_equal(printed, "");
    assert_int_equal(status, 0);
    free(printed);
}

static void a_newer_plugin_works(void **state)
{
    struct peer p;
    int status;
    (void)state;
    start(&p, "newer.so");
    post_open(&p, "{}");
    free(expect(&p, LINK_OPENED, 0));
    post_parts(&p, LINK_CALL, 1, "{\"tool\":\"second\",\"key\":\"k\",\"ms\":20000}", "{}");
    expect_text(&p, LINK_OUTPUT, 1, "newer");
    expect_done(&p, 1, TACKLE_OK, "");
    free(finish(&p, &status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_come_and_go),
        cmocka_unit_test(frames_arrive_in_any_pieces),
        cmocka_unit_test(the_plugin_may_refuse),
        cmocka_unit_test(a_call_can_be_cancelled),
        cmocka_unit_test(notes_are_kept_before_the_effect),
        cmocka_unit_test(fetches_are_answered),
        cmocka_unit_test(a_flood_is_cut),
        cmocka_unit_test(leaks_ask_for_a_new_process),
        cmocka_unit_test(all_that_is_said_is_utf8),
        cmocka_unit_test(a_run_may_be_read_only),
        cmocka_unit_test(a_plugin_that_goes_takes_the_link_along),
        cmocka_unit_test(the_end_of_the_runtime_ends_the_host),
        cmocka_unit_test(broken_frames_end_the_host),
        cmocka_unit_test(a_plugin_of_1_0_works),
        cmocka_unit_test(a_newer_plugin_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
