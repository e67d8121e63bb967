#include "host/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/enforce.h"
#include "host/bwrap.h"
#include "host/describe.h"
#include "host/load.h"
#include "host/sandbox.h"
#include "host/session.h"
#include "host/strays.h"
#include "wire/link.h"

#define READ_SIZE    65536u
#define PENDING_MAX  65536u /* of the result, gathered into one OUTPUT frame */
#define LEAK_ALLOWED 64     /* descriptors more than at the start, before a new process is due */

struct server {
    struct buf in;
    size_t taken;       /* bytes of `in` that the frame in hand uses */
    struct buf out;     /* frames on their way */
    struct buf pending; /* result that has no frame yet */
    uint32_t call;      /* number of the running call, 0: none */
    struct session *session;
    int lowest_fd; /* the lowest free descriptor when the plugin had been opened */
    struct sandbox_report sandbox;
};

/* ---- The ends that leave no way on ---- */

static _Noreturn void protest(const char *format, ...) __attribute__((format(printf, 1, 2)));
static _Noreturn void protest(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("tackle-host: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    _exit(SERVE_EXIT_PROTOCOL);
}

static _Noreturn void leave_with_the_runtime(void)
{
    _exit(0);
}

/* ---- Frames ---- */

static void wait_for(short events, int other_fd, bool *other)
{
    struct pollfd fds[2] = {{.fd = LINK_SOCKET_FD, .events = events},
                            {.fd = other_fd, .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            protest("cannot wait for the link: %s", strerror(errno));
    }
    *other = !fds[0].revents;
}

static void send_out(struct server *server)
{
    size_t done = 0;
    bool other;
    while (done < server->out.len) {
        ssize_t sent =
            send(LINK_SOCKET_FD, server->out.data + done, server->out.len - done, MSG_NOSIGNAL);
        if (sent >= 0)
            done += (size_t)sent;
        else if (errno == EAGAIN)
            wait_for(POLLOUT, -1, &other);
        else if (errno == EPIPE || errno == ECONNRESET)
            leave_with_the_runtime();
        else if (errno != EINTR)
            protest("cannot write to the link: %s", strerror(errno));
    }
    buf_clear(&server->out);
}

static void flush_pending(struct server *server)
{
    if (server->pending.len == 0)
        return;
    if (link_write(&server->out, LINK_OUTPUT, server->call, server->pending.data,
                   server->pending.len))
        protest("out of memory");
    buf_clear(&server->pending);
}

static void post(struct server *server, uint16_t type, const char *payload, size_t len)
{
    flush_pending(server);
    if (link_write(&server->out, type, server->call, payload, len))
        protest("out of memory");
    send_out(server);
}

/* Takes over the JSON value. */
static void post_json(struct server *server, uint16_t type, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
    if (!text)
        protest("out of memory");
    post(server, type, text, strlen(text));
    free(text);
    json_decref(value);
}

/* Reads more of the link. False when `other_fd` is readable first. */
static bool read_more(struct server *server, int other_fd)
{
    bool other;
    wait_for(POLLIN, other_fd, &other);
    if (other)
        return false;
    if (buf_reserve(&server->in, READ_SIZE))
        protest("out of memory");
    ssize_t got = recv(LINK_SOCKET_FD, server->in.data + server->in.len, READ_SIZE, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno == ECONNRESET))
        leave_with_the_runtime();
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        protest("cannot read from the link: %s", strerror(errno));
    if (got > 0) {
        server->in.len += (size_t)got;
        server->in.data[server->in.len] = '\0';
    }
    return true;
}

/* The next frame, valid until the next call of this. False when `other_fd` (-1: none) is readable
 * first. */
static bool next_frame(struct server *server, int other_fd, struct link_frame *frame)
{
    struct err err;
    buf_shift(&server->in, server->taken);
    server->taken = 0;
    for (;;) {
        long size = link_read(server->in.data, server->in.len, frame, &err);
        if (size < 0)
            protest("the runtime sends %s", err.text);
        if (size > 0) {
            server->taken = (size_t)size;
            return true;
        }
        if (!read_more(server, other_fd))
            return false;
    }
}

/* The answer that the running call waits for. False when `other_fd` is readable first. */
static bool await(struct server *server, uint16_t type, int other_fd, struct link_frame *frame)
{
    while (next_frame(server, other_fd, frame)) {
        if (frame->type == type && frame->call == server->call)
            return true;
        if (frame->type != LINK_FETCHED) /* FETCHED may come late, to one that was given up */
            protest("the runtime sends a frame of type %u out of turn", frame->type);
    }
    return false;
}

static json_t *read_json(const char *text, size_t len)
{
    json_t *value = json_loadb(text, len, 0, NULL);
    if (!json_is_object(value))
        protest("the runtime sends a frame without its JSON object");
    return value;
}

/* ---- What the plugin says ---- */

static void on_output(void *user, const char *data, size_t len)
{
    struct server *server = user;
    while (len > 0) {
        size_t room = PENDING_MAX - server->pending.len;
        size_t piece = len < room ? len : room;
        if (buf_append(&server->pending, data, piece))
            protest("out of memory");
        data += piece;
        len -= piece;
        if (server->pending.len == PENDING_MAX) {
            flush_pending(server);
            send_out(server);
        }
    }
}

static void on_progress(void *user, const char *text, size_t len)
{
    post(user, LINK_PROGRESS, text, len);
}

static void on_log(void *user, int32_t level, const char *text)
{
    static const char *const words[] = {"debug", "info", "warn", "error"};
    post_json(user, LINK_LOG,
              json_pack("{s:s, s:o}", "level", words[level], "text", describe_text(text)));
}

static void on_changed(void *user, uint32_t what, const char *path)
{
    static const char *const words[] = {"", "created", "modified", "deleted"};
    post_json(user, LINK_CHANGED,
              json_pack("{s:o, s:s}", "path", describe_text(path), "what", words[what]));
}

static int on_remember(void *user, const char *note, size_t len, struct err *err)
{
    struct server *server = user;
    struct link_frame frame;
    post(server, LINK_REMEMBER, note, len);
    (void)await(server, LINK_REMEMBERED, -1, &frame); /* with no other descriptor always true */
    if (frame.len == 0)
        return 0;
    return err_set(err, ERR_IO, "%.*s", (int)(frame.len < 512 ? frame.len : 512), frame.payload);
}

static void post_fetch(struct server *server, const tackle_http_request *request)
{
    json_t *headers = json_array();
    for (size_t i = 0; headers && request->headers && request->headers[i]; i++)
        (void)json_array_append_new(headers, json_string(request->headers[i]));
    json_t *head = json_pack("{s:s, s:s, s:o}", "method", request->method, "url", request->url,
                             "headers", headers);
    char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    flush_pending(server);
    if (!text || link_write_parts(&server->out, LINK_FETCH, server->call, text, strlen(text),
                                  request->body, request->body_len))
        protest("out of memory");
    send_out(server);
    free(text);
    json_decref(head);
}

static int32_t take_answer(const struct link_frame *frame, struct fetch_reply *reply)
{
    const char *text, *body;
    size_t text_len, body_len;
    if (link_read_parts(frame, &text, &text_len, &body, &body_len))
        protest("the runtime sends a broken FETCHED");
    json_t *head = read_json(text, text_len);
    const char *type = json_string_value(json_object_get(head, "content_type"));
    const char *location = json_string_value(json_object_get(head, "location"));
    const char *message = json_string_value(json_object_get(head, "message"));
    json_int_t code = json_integer_value(json_object_get(head, "code"));
    reply->status = (int32_t)json_integer_value(json_object_get(head, "status"));
    if (buf_append(&reply->body, body, body_len) ||
        buf_text(&reply->content_type, type ? type : "") ||
        buf_text(&reply->location, location ? location : "")) {
        code = TACKLE_E_LIMIT;
        message = "the answer is too large";
    }
    if (code < 0 && message)
        (void)buf_text(&reply->message, message); /* without it the code speaks */
    json_decref(head);
    return code < 0 && code > INT32_MIN ? (int32_t)code : TACKLE_OK;
}

static int32_t on_fetch(void *user, const tackle_http_request *request, struct fetch_reply *reply)
{
    struct server *server = user;
    struct link_frame frame;
    post_fetch(server, request);
    if (await(server, LINK_FETCHED, session_end_fd(server->session), &frame))
        return take_answer(&frame, reply);
    return TACKLE_E_CANCELLED; /* or past its deadline: http/1 looks which */
}

/* ---- Opening ---- */

struct opening {
    struct buf text; /* the payload of OPEN */
    json_t *json;
    uint64_t outer_pids; /* inside bubblewrap: the process namespace around; else 0 */
    const char *cgroup;  /* and its controllers */
};

static int refuse(struct server *server, const char *problem)
{
    post_json(server, LINK_REFUSED, json_pack("{s:o}", "problem", describe_text(problem)));
    return -1;
}

static int refuse_problem(struct server *server, const struct problems *problems)
{
    const struct problem *problem = &problems->items[0];
    char text[sizeof problem->what + sizeof problem->fix + 8];
    (void)snprintf(text, sizeof text, "%s; %s", problem->what, problem->fix);
    return refuse(server, text);
}

static int refuse_sandbox(struct server *server, const struct step_failure *failure)
{
    post_json(server, LINK_REFUSED,
              json_pack("{s:o, s:b, s:s}", "problem", describe_text(failure->text), "sandbox", 1,
                        "step", failure->step));
    return -1;
}

static void post_opened(struct server *server, const struct stat *file)
{
    const struct sandbox_report *sandbox = &server->sandbox;
    if (sandbox->cut)
        on_log(server, TACKLE_LOG_WARN,
               "the workspace is too large to be looked through: files that the rules hide, or a "
               "repository deep inside, may be within reach of commands");
    post_json(server, LINK_OPENED,
              json_pack("{s:o, s:s, s:i, s:s, s:s}", "file", describe_file(file), "tier",
                        sandbox_tier_name(sandbox->tier), "landlock", sandbox->landlock, "cgroup",
                        sandbox->cgroup, "via", sandbox->bwrap ? "bwrap" : "self"));
}

/* The plugin's file, which is looked at outside: inside there is no way to tell who could replace
 * it. */
static int open_plugin(struct sandbox_spec *sandbox, struct stat *file, struct problems *problems)
{
    if (sandbox->inside) {
        sandbox->plugin_fd = BWRAP_PLUGIN_FD;
        if (fcntl(BWRAP_PLUGIN_FD, F_SETFD, FD_CLOEXEC) || fstat(BWRAP_PLUGIN_FD, file))
            protest("\"inside\" is for tackle-host itself");
        return 0;
    }
    sandbox->plugin_fd = load_open(sandbox->plugin, file, problems);
    return sandbox->plugin_fd < 0 ? -1 : 0;
}

/* Closes the sandbox between looking at the plugin's file and loading it. */
static int load(struct server *server, struct sandbox_spec *sandbox, struct manifest *manifest,
                struct stat *file)
{
    struct problems problems = {.count = 0};
    struct step_failure failure;
    char real[PATH_MAX];
    const char *const again[] = {"serve", real, NULL};
    if (open_plugin(sandbox, file, &problems))
        return refuse_problem(server, &problems);
    if (!realpath(sandbox->plugin, real))
        return refuse(server, "the plugin's file is gone");
    sandbox->plugin = real;
    sandbox->again = again;
    if (sandbox_enter(sandbox, &server->sandbox, &failure) && ENFORCED(sandbox_refused))
        return refuse_sandbox(server, &failure);
    if (load_object(sandbox->plugin_fd, manifest, &problems))
        return refuse_problem(server, &problems);
    return 0;
}

static int open_session(struct server *server, const char *path, const struct opening *opening,
                        struct manifest *manifest)
{
    struct stat file;
    struct err err;
    struct sandbox_spec sandbox;
    const json_t *open = opening->json;
    const char *version = json_string_value(json_object_get(open, "version"));
    if (sandbox_spec_read(open, &sandbox, &err))
        protest("the runtime sends an OPEN in which %s", err.text);
    if (!version || !sandbox.workspace)
        protest("the runtime sends an OPEN without version or workspace");
    if (strcmp(version, TACKLE_VERSION_TEXT) != 0)
        return refuse(server, "tackle and tackle-host (" TACKLE_VERSION_TEXT
                              ") are of different versions; install both from one release");
    sandbox.workspace_fd = LINK_WORKSPACE_FD;
    sandbox.plugin = path;
    sandbox.open = opening->text.data;
    sandbox.open_len = opening->text.len;
    sandbox.inside = opening->outer_pids != 0;
    sandbox.outer_pids = opening->outer_pids;
    sandbox.cgroup = opening->cgroup;
    struct session_spec spec = {
        .manifest = manifest,
        .options = json_object_get(open, "options"),
        .workspace = sandbox.workspace,
        .workspace_fd = LINK_WORKSPACE_FD,
        .write = json_is_true(json_object_get(open, "write")),
        .mounts = json_is_true(json_object_get(open, "mounts")),
        .cancel_fd = LINK_CANCEL_FD,
        .deny_read = json_object_get(open, "deny_read"),
        .deny_write = json_object_get(open, "deny_write"),
        .home = sandbox.home,
        .tmp = sandbox.tmp,
        .sink = {server, on_output, on_progress, on_log, on_changed, on_remember, on_fetch},
    };
    if (load(server, &sandbox, manifest, &file))
        return -1;
    server->session = session_new(&spec, &err);
    if (!server->session)
        return refuse(server, err.text);
    post_opened(server, &file);
    return 0;
}

/* ---- Calls ---- */

static int lowest_free_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    return fd;
}

static bool leaks(const struct server *server)
{
    int fd = lowest_free_fd();
    return fd < 0 ? errno == EMFILE : fd > server->lowest_fd + LEAK_ALLOWED;
}

static void post_done(struct server *server, const struct session_outcome *outcome)
{
    post_json(server, LINK_DONE,
              json_pack("{s:i, s:o, s:I, s:b}", "code", outcome->code, "message",
                        json_stringn(outcome->message.data, outcome->message.len), "omitted",
                        (json_int_t)outcome->omitted, "recycle", leaks(server)));
}

/* The bytes of a frame go when the next one is read, and a call may read some. */
static char *copy_args(const char *args, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        protest("out of memory");
    memcpy(copy, args, len);
    copy[len] = '\0';
    return copy;
}

static void run_call(struct server *server, const struct link_frame *frame)
{
    const char *text, *args;
    size_t text_len, args_len;
    struct session_outcome outcome;
    if (link_read_parts(frame, &text, &text_len, &args, &args_len))
        protest("the runtime sends a broken CALL");
    json_t *head = read_json(text, text_len);
    json_int_t cap = json_integer_value(json_object_get(head, "cap"));
    const json_t *note = json_object_get(head, "note");
    char *own_args = copy_args(args, args_len);
    struct session_call call = {
        .tool = json_string_value(json_object_get(head, "tool")),
        .args = own_args,
        .args_len = args_len,
        .key = json_string_value(json_object_get(head, "key")),
        .ms = json_integer_value(json_object_get(head, "ms")),
        .cap = cap > 0 ? (size_t)cap : 0,
        .probe = json_is_true(json_object_get(head, "probe")),
        .note = json_string_value(note),
        .note_len = json_string_length(note),
    };
    if (!call.tool || !call.key || frame->call == 0)
        protest("the runtime sends a CALL without number, tool or key");
    server->call = frame->call;
    buf_init(&outcome.message, SESSION_TEXT_MAX);
    session_run(server->session, &call, &outcome);
    strays_end(&server->sandbox);
    post_done(server, &outcome);
    server->call = 0;
    buf_release(&outcome.message);
    free(own_args);
    json_decref(head);
}

static void serve_calls(struct server *server)
{
    struct link_frame frame;
    while (next_frame(server, -1, &frame) && frame.type != LINK_CLOSE) {
        if (frame.type == LINK_CALL)
            run_call(server, &frame);
        else if (frame.type != LINK_FETCHED)
            protest("the runtime sends a frame of type %u between calls", frame.type);
    }
}

/* OPEN as the runtime sends it. */
static void receive_open(struct server *server, struct opening *opening)
{
    struct link_frame frame;
    (void)next_frame(server, -1, &frame);
    if (frame.type != LINK_OPEN)
        protest("the runtime does not begin with OPEN");
    if (buf_append(&opening->text, frame.payload, frame.len))
        protest("out of memory");
}

/* OPEN as this program left it for itself. */
static void recall_open(struct opening *opening)
{
    ssize_t got;
    do {
        if (buf_reserve(&opening->text, READ_SIZE))
            protest("out of memory");
        got = read(BWRAP_OPEN_FD, opening->text.data + opening->text.len, READ_SIZE);
        if (got < 0)
            protest("\"inside\" is for tackle-host itself");
        opening->text.len += (size_t)got;
        opening->text.data[opening->text.len] = '\0';
    } while (got > 0);
    (void)close(BWRAP_OPEN_FD);
}

static int serve(const char *path, uint64_t outer_pids, const char *cgroup)
{
    struct server server = {.taken = 0};
    struct manifest manifest = {.tool_count = 0};
    struct opening opening = {.outer_pids = outer_pids, .cgroup = cgroup};
    for (int fd = LINK_SOCKET_FD; fd <= LINK_CANCEL_FD; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC))
            protest("\"serve\" is for tackle itself: descriptors 3 to 5 are not open");
    }
    buf_init(&server.in, LINK_HEADER_SIZE + LINK_PAYLOAD_MAX + READ_SIZE);
    buf_init(&server.out, 2 * (LINK_HEADER_SIZE + LINK_PAYLOAD_MAX));
    buf_init(&server.pending, PENDING_MAX);
    buf_init(&opening.text, LINK_PAYLOAD_MAX + READ_SIZE);
    if (outer_pids)
        recall_open(&opening);
    else
        receive_open(&server, &opening);
    opening.json = read_json(opening.text.data, opening.text.len);
    int status = open_session(&server, path, &opening, &manifest);
    json_decref(opening.json);
    buf_release(&opening.text);
    if (status == 0) {
        server.lowest_fd = lowest_free_fd();
        serve_calls(&server);
    }
    session_free(server.session);
    manifest_release(&manifest);
    buf_release(&server.in);
    buf_release(&server.out);
    buf_release(&server.pending);
    return status == 0 ? 0 : SERVE_EXIT_REFUSED;
}

int serve_plugin(const char *path)
{
    return serve(path, 0, NULL);
}

int serve_inside(const char *path, uint64_t outer_pids, const char *cgroup)
{
    return serve(path, outer_pids, cgroup);
}
