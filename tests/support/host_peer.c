#include "host_peer.h"

#include "test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* ---- Folders ---- */

static char *make_folder(const char *root, const char *name)
{
    char *path = test_join(root, name);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static void put(const char *folder, const char *name, const char *text)
{
    char *path = test_join(folder, name);
    test_write_file(path, text, strlen(text));
    free(path);
}

void host_box_init(struct host_box *box, uid_t uid)
{
    box->uid = uid;
    box->root = test_temp_dir();
    assert_int_equal(chmod(box->root, 0755), 0);
    box->work = make_folder(box->root, "work");
    box->outside = make_folder(box->root, "outside");
    box->person = make_folder(box->root, "person");
    box->home = make_folder(box->root, "home");
    box->tmp = make_folder(box->root, "tmp");
    put(box->outside, "secret.txt", "CANARY-OUT\n");
    put(box->person, ".ssh/id_ed25519", "CANARY-SSH\n");
    put(box->work, "file.txt", "in the workspace\n");
}

/* nftw() hands nothing to its callback. */
static uid_t given_to;

static int give(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return lchown(path, given_to, given_to);
}

static void give_box(const struct host_box *box)
{
    if (box->uid == geteuid())
        return;
    given_to = box->uid;
    assert_int_equal(nftw(box->root, give, 16, FTW_PHYS), 0);
}

void host_box_release(struct host_box *box)
{
    test_remove_tree(box->root);
    char *paths[] = {box->root, box->work, box->outside, box->person, box->home, box->tmp};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        free(paths[i]);
}

/* An ordinary user must reach the build, which may lie in a private folder. */
static bool can_reach(uid_t uid, const char *path)
{
    int status = 1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(setgroups(0, NULL) || setgid(uid) || setuid(uid) || access(path, R_OK | X_OK));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0;
}

size_t host_users(uid_t out[2])
{
    out[0] = geteuid();
    out[1] = NOBODY;
    if (geteuid() != 0)
        return 1;
    if (can_reach(NOBODY, TEST_BUILD_DIR "/bin/tackle-host"))
        return 2;
    print_message("an ordinary user cannot reach %s: tried as root only\n", TEST_BUILD_DIR);
    return 1;
}

/* ---- The process ---- */

json_t *host_sandbox(const char *tier, const char *more)
{
    json_t *box = json_pack("{s:s, s:b, s:b, s:s, s:s, s:[s], s:[], s:i, s:i, s:i}", "tier", tier,
                            "write", 1, "runs", 1, "git", "read", "network", "none", "read",
                            TEST_BUILD_DIR "/tests/tools", "hide", "memory_mib", 4096, "processes",
                            256, "file_mib", 1024);
    json_t *members = json_loads(more ? more : "{}", 0, NULL);
    assert_non_null(box);
    assert_non_null(members);
    assert_int_equal(json_object_update(box, members), 0);
    json_decref(members);
    return box;
}

static _Noreturn void become_host(const struct host_peer *p, int socket, const struct host_box *box,
                                  const struct host_setup *setup)
{
    const char *plugin = setup->plugin ? setup->plugin : TEST_BUILD_DIR "/plugins/shell.so";
    const char *host = setup->bin ? setup->bin : TEST_BUILD_DIR "/bin/tackle-host";
    const char *argv[32];
    size_t count = 0;
    /* Up first, so that no dup2() closes one that is still needed. */
    int high[] = {fcntl(socket, F_DUPFD, 64), fcntl(p->workspace, F_DUPFD, 64),
                  fcntl(p->cancel, F_DUPFD, 64)};
    for (int fd = 0; fd < 3; fd++)
        (void)dup2(high[fd], LINK_SOCKET_FD + fd);
    (void)close_range(LINK_CANCEL_FD + 1, ~0u, 0);
    if (setsid() < 0 ||
        (box->uid != geteuid() && (setgroups(0, NULL) || setgid(box->uid) || setuid(box->uid))))
        _exit(126);
    for (; setup->before && setup->before[count] && count < 28; count++)
        argv[count] = setup->before[count];
    argv[count++] = host;
    argv[count++] = "serve";
    argv[count++] = plugin;
    argv[count] = NULL;
    (void)execv(argv[0], (char *const *)argv);
    _exit(127);
}

static void send_out(struct host_peer *p)
{
    size_t done = 0;
    while (done < p->out.len) {
        ssize_t sent = send(p->socket, p->out.data + done, p->out.len - done, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            break;
        assert_true(sent > 0);
        done += (size_t)sent;
    }
    buf_clear(&p->out);
}

/* False at the end of the link. */
static bool next_frame(struct host_peer *p, struct link_frame *frame)
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

static void post_open(struct host_peer *p, const struct host_box *box, json_t *sandbox)
{
    json_t *open = json_pack("{s:s, s:{}, s:s, s:b, s:s, s:s, s:o*}", "version",
                             TACKLE_VERSION_TEXT, "options", "workspace", box->work, "write", 1,
                             "home", box->home, "tmp", box->tmp, "sandbox", sandbox);
    char *text = json_dumps(open, JSON_COMPACT);
    assert_non_null(text);
    assert_int_equal(link_write(&p->out, LINK_OPEN, 0, text, strlen(text)), 0);
    send_out(p);
    free(text);
    json_decref(open);
}

void host_peer_start(struct host_peer *p, const struct host_box *box,
                     const struct host_setup *setup)
{
    int sockets[2];
    struct link_frame frame = {.type = 0};
    *p = (struct host_peer){.pid = -1};
    give_box(box);
    buf_init(&p->in, 2 * LINK_PAYLOAD_MAX);
    buf_init(&p->out, 2 * LINK_PAYLOAD_MAX);
    p->workspace = open(box->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
    p->cancel = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(p->workspace >= 0 && p->cancel >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    p->pid = fork();
    assert_true(p->pid >= 0);
    if (p->pid == 0)
        become_host(p, sockets[1], box, setup);
    (void)close(sockets[1]);
    p->socket = sockets[0];
    post_open(p, box, setup->sandbox);
    do {
        if (!next_frame(p, &frame))
            fail_msg("tackle-host ended without an answer to OPEN");
    } while (frame.type == LINK_LOG);
    p->opened = frame.type == LINK_OPENED;
    assert_true(p->opened || frame.type == LINK_REFUSED);
    p->answer = json_loadb(frame.payload, frame.len, 0, NULL);
    assert_non_null(p->answer);
}

char *host_peer_call(struct host_peer *p, const char *tool, json_t *args, int *code)
{
    struct link_frame frame;
    struct buf text;
    json_t *head = json_pack("{s:s, s:s, s:i, s:i, s:b}", "tool", tool, "key", "k", "ms", 60000,
                             "cap", 1 << 20, "probe", 0);
    char *head_text = json_dumps(head, JSON_COMPACT), *args_text = json_dumps(args, JSON_COMPACT);
    assert_true(head_text && args_text);
    assert_int_equal(link_write_parts(&p->out, LINK_CALL, ++p->calls, head_text, strlen(head_text),
                                      args_text, strlen(args_text)),
                     0);
    send_out(p);
    free(head_text);
    free(args_text);
    json_decref(head);
    json_decref(args);
    buf_init(&text, 4u << 20);
    bool alive;
    while ((alive = next_frame(p, &frame)) && frame.type != LINK_DONE)
        if (frame.type == LINK_OUTPUT)
            assert_int_equal(buf_append(&text, frame.payload, frame.len), 0);
    if (!alive) {
        buf_release(&text);
        return NULL;
    }
    json_t *done = json_loadb(frame.payload, frame.len, 0, NULL);
    assert_non_null(done);
    assert_int_equal(buf_text(&text, json_string_value(json_object_get(done, "message"))), 0);
    if (code)
        *code = (int)json_integer_value(json_object_get(done, "code"));
    json_decref(done);
    return buf_take(&text);
}

char *host_peer_shell(struct host_peer *p, const char *command)
{
    return host_peer_call(p, "run_command", json_pack("{s:s}", "command", command), NULL);
}

static void check_output(struct host_peer *p, const char *command, const char *text, bool wanted)
{
    char *output = host_peer_shell(p, command);
    if (!output)
        fail_msg("%s: tackle-host ended", command);
    if ((strstr(output, text) != NULL) != wanted)
        fail_msg("%s: %s'%s' in: %s", command, wanted ? "no " : "", text, output);
    free(output);
}

void host_peer_says(struct host_peer *p, const char *command, const char *text)
{
    check_output(p, command, text, true);
}

void host_peer_hides(struct host_peer *p, const char *command, const char *text)
{
    check_output(p, command, text, false);
}

/* The kernel, or the container around, may not have what a tier needs: nothing to try then. */
static void skip_without(const char *tier, const json_t *refusal)
{
    const char *step = json_string_value(json_object_get(refusal, "step"));
    int status = 1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(strcmp(tier, "t3") == 0 ? unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) != 0
                                      : syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        test_skip(tier[1] == '3' ? "there are no user namespaces" : "there is no Landlock");
    fail_msg("refused at %s: %s", step ? step : "no step",
             json_string_value(json_object_get(refusal, "problem")));
}

void host_inside_start(struct host_inside *inside, uid_t uid, const char *tier, const char *more)
{
    struct host_setup setup = {.sandbox = host_sandbox(tier, more)};
    host_box_init(&inside->box, uid);
    host_peer_start(&inside->peer, &inside->box, &setup);
    if (!inside->peer.opened)
        skip_without(tier, inside->peer.answer);
}

void host_inside_end(struct host_inside *inside)
{
    (void)host_peer_end(&inside->peer);
    host_box_release(&inside->box);
}

int host_peer_end(struct host_peer *p)
{
    int status = -1;
    (void)close(p->socket);
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    (void)close(p->cancel);
    (void)close(p->workspace);
    buf_release(&p->in);
    buf_release(&p->out);
    json_decref(p->answer);
    return status;
}
