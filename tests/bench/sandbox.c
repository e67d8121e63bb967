/* What the sandbox costs: tackle-host by itself, spoken to over its link.
 * usage: bench-sandbox BUILD_DIR WORKSPACE ROUNDS
 *
 * Prints one JSON object of medians: the start of a host that reads in t3, of one that
 * runs commands, and of one without a sandbox; a command
 * run in t3, the same program by posix_spawn() alone, and a call that does nothing. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "measure.h"
#include "wire/link.h"

#define ROUNDS_MAX 1000
#define HIGH_FD    64

#define BOX(write, runs)                                                                           \
    ",\"sandbox\":{\"tier\":\"t3\",\"write\":" write ",\"runs\":" runs                             \
    ",\"git\":\"read\",\"network\":\"none\",\"read\":[],\"hide\":[],"                              \
    "\"memory_mib\":4096,\"processes\":512,\"file_mib\":4096}"
#define READING BOX("false", "false")
#define RUNNING BOX("true", "true")

struct host {
    pid_t pid;
    int socket;
    struct buf in, out;
    uint32_t calls;
};

struct place {
    char program[PATH_MAX], plugin[PATH_MAX];
    const char *work;
};

static double now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static _Noreturn void give_up(const char *what)
{
    (void)fprintf(stderr, "bench-sandbox: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void send_out(struct host *h)
{
    size_t done = 0;
    while (done < h->out.len) {
        ssize_t sent = send(h->socket, h->out.data + done, h->out.len - done, MSG_NOSIGNAL);
        if (sent <= 0)
            give_up("link");
        done += (size_t)sent;
    }
    buf_clear(&h->out);
}

/* Waits for a frame of this type; others are passed over. */
static void await(struct host *h, uint16_t type)
{
    for (;;) {
        struct link_frame frame;
        struct err err;
        long size = link_read(h->in.data, h->in.len, &frame, &err);
        if (size > 0) {
            bool found = frame.type == type;
            if (!found && frame.type == LINK_REFUSED) {
                (void)fprintf(stderr, "bench-sandbox: %.*s\n", (int)frame.len, frame.payload);
                exit(EXIT_FAILURE);
            }
            buf_shift(&h->in, (size_t)size);
            if (found)
                return;
            continue;
        }
        ssize_t got = -1;
        if (size == 0 && buf_reserve(&h->in, 65536) == 0)
            got = recv(h->socket, h->in.data + h->in.len, 65536, 0);
        if (got <= 0)
            give_up("frame");
        h->in.len += (size_t)got;
    }
}

static _Noreturn void become_host(const struct place *place, const int fds[3])
{
    int high[3];
    for (int i = 0; i < 3; i++)
        high[i] = fcntl(fds[i], F_DUPFD, HIGH_FD);
    for (int i = 0; i < 3; i++)
        (void)dup2(high[i], LINK_SOCKET_FD + i);
    (void)close_range(LINK_CANCEL_FD + 1, ~0u, 0);
    (void)execl(place->program, place->program, "serve", place->plugin, (char *)NULL);
    _exit(127);
}

static void start(struct host *h, const struct place *place, const char *sandbox)
{
    char open_text[PATH_MAX + 1024];
    int sockets[2];
    *h = (struct host){.pid = -1};
    buf_init(&h->in, 1u << 20);
    buf_init(&h->out, 1u << 20);
    int work = open(place->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (work < 0 || cancel < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
        give_up("descriptors");
    int len = snprintf(open_text, sizeof open_text,
                       "{\"version\":\"%s\",\"options\":{},\"workspace\":\"%s\",\"write\":true%s}",
                       TACKLE_VERSION_TEXT, place->work, sandbox);
    h->pid = fork();
    if (h->pid < 0)
        give_up("fork");
    if (h->pid == 0)
        become_host(place, (const int[]){sockets[1], work, cancel});
    (void)close(sockets[1]);
    (void)close(work);
    (void)close(cancel);
    h->socket = sockets[0];
    if (link_write(&h->out, LINK_OPEN, 0, open_text, (size_t)len))
        give_up("OPEN");
    send_out(h);
    await(h, LINK_OPENED);
}

static void call(struct host *h, const char *args)
{
    static const char head[] = "{\"tool\":\"run_command\",\"key\":\"k\",\"ms\":60000,"
                               "\"cap\":65536,\"probe\":false}";
    if (link_write_parts(&h->out, LINK_CALL, ++h->calls, head, sizeof head - 1, args, strlen(args)))
        give_up("CALL");
    send_out(h);
    await(h, LINK_DONE);
}

static void end(struct host *h)
{
    (void)close(h->socket);
    (void)waitpid(h->pid, NULL, 0);
    buf_release(&h->in);
    buf_release(&h->out);
}

/* ---- What is measured ---- */

static double time_start(const struct place *place, const char *sandbox, size_t rounds)
{
    double each[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        struct host h;
        double began = now_ms();
        start(&h, place, sandbox);
        each[i] = now_ms() - began;
        end(&h);
    }
    return median(each, rounds);
}

static double time_calls(const struct place *place, const char *args, size_t rounds)
{
    double each[ROUNDS_MAX];
    struct host h;
    start(&h, place, RUNNING);
    call(&h, args); /* the first finds nothing in any cache */
    for (size_t i = 0; i < rounds; i++) {
        double began = now_ms();
        call(&h, args);
        each[i] = now_ms() - began;
    }
    end(&h);
    return median(each, rounds);
}

static double time_bare(size_t rounds)
{
    static const char *const argv[] = {"/bin/true", NULL};
    static const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    double each[ROUNDS_MAX];
    for (size_t i = 0; i < rounds; i++) {
        double began = now_ms();
        pid_t pid;
        if (posix_spawn(&pid, argv[0], NULL, NULL, (char *const *)argv, (char *const *)env) ||
            waitpid(pid, NULL, 0) != pid)
            give_up(argv[0]);
        each[i] = now_ms() - began;
    }
    return median(each, rounds);
}

int main(int argc, char **argv)
{
    struct place place;
    unsigned long rounds = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (rounds < 1 || rounds > ROUNDS_MAX) {
        (void)fputs("usage: bench-sandbox BUILD_DIR WORKSPACE ROUNDS\n", stderr);
        return 2;
    }
    (void)snprintf(place.program, sizeof place.program, "%s/bin/tackle-host", argv[1]);
    (void)snprintf(place.plugin, sizeof place.plugin, "%s/plugins/shell.so", argv[1]);
    place.work = argv[2];
    double t3 = time_start(&place, READING, rounds);
    double runs = time_start(&place, RUNNING, rounds), off = time_start(&place, "", rounds);
    double command = time_calls(&place, "{\"argv\":[\"/bin/true\"]}", rounds);
    /* Refused for its arguments, by the plugin: the way there and back, and no program. */
    double nothing = time_calls(&place, "{}", rounds);
    double bare = time_bare(rounds);
    json_t *all = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "start_ms", t3, "start_runs_ms", runs,
                            "start_off_ms", off, "command_ms", command, "bare_ms", bare, "call_us",
                            nothing * 1e3);
    int status = all && json_dumpf(all, stdout, JSON_COMPACT) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
    json_decref(all);
    return status;
}
