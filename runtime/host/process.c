/* The caller's side of running a program: its output, its time, and what became of it. */
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/keeper.h"

/* The keeper ends by itself; this is for one that was stopped from outside. */
#define KEEPER_MAX_MS (PROCESS_KILL_GRACE_MS + 10000)

#define CHUNK_BYTES 65536

struct run {
    const struct process_spec *spec;
    struct process_outcome *out;
    struct keeper keeper;
    int64_t deadline_ms;
    int64_t stopped_ms; /* when it was told to end; 0: it was not */
    uint64_t total;     /* bytes read */
    bool failed;        /* failure holds why the program did not start */
    bool ended;         /* end holds what became of it */
    struct keeper_report failure;
    struct keeper_report end;
};

/* ---- Output ---- */

/* The tail may grow to twice its size before its front is dropped, so that each byte is moved once
 * at most. Both buffers were reserved: appending cannot fail. */
static void keep_output(struct run *r, const char *data, size_t len)
{
    struct buf *head = &r->out->head, *tail = &r->out->tail;
    size_t room = r->spec->head_bytes - head->len, max = r->spec->tail_bytes;
    size_t first = len < room ? len : room;
    r->total += len;
    (void)buf_append(head, data, first);
    data += first;
    len -= first;
    if (len > max) {
        data += len - max;
        len = max;
    }
    if (tail->len + len > 2 * max)
        buf_shift(tail, tail->len + len - max);
    (void)buf_append(tail, data, len);
}

static void close_output(struct run *r)
{
    if (r->keeper.output_fd >= 0)
        (void)close(r->keeper.output_fd);
    r->keeper.output_fd = -1;
}

/* Reads what is there, one chunk at most. False when there is nothing to read now. */
static bool read_output(struct run *r)
{
    char chunk[CHUNK_BYTES];
    ssize_t got = read(r->keeper.output_fd, chunk, sizeof chunk);
    if (got > 0) {
        keep_output(r, chunk, (size_t)got);
        return true;
    }
    if (got < 0 && errno == EINTR)
        return true;
    if (got == 0 || errno != EAGAIN)
        close_output(r);
    return false;
}

static void finish_output(struct run *r)
{
    while (r->keeper.output_fd >= 0 && r->total < PROCESS_READ_MAX && read_output(r))
        ;
    close_output(r);
    if (r->out->tail.len > r->spec->tail_bytes)
        buf_shift(&r->out->tail, r->out->tail.len - r->spec->tail_bytes);
    r->out->omitted = r->total - r->out->head.len - r->out->tail.len;
}

/* ---- Watching ---- */

/* Closing hold_fd tells the keeper to end it. The first reason counts. */
static void stop(struct run *r, bool *reason)
{
    if (r->stopped_ms)
        return;
    *reason = true;
    r->stopped_ms = clock_ms();
    r->deadline_ms = r->stopped_ms + KEEPER_MAX_MS;
    (void)close(r->keeper.hold_fd);
    r->keeper.hold_fd = -1;
}

/* False at the end of the reports, which is the end of the keeper. */
static bool read_report(struct run *r)
{
    struct keeper_report report;
    ssize_t got = read(r->keeper.report_fd, &report, sizeof report);
    if (got < 0)
        return errno == EINTR;
    if (got != (ssize_t)sizeof report)
        return false;
    if (report.event == KEEPER_ENDED) {
        r->end = report;
        r->ended = true;
    } else if (!r->failed) {
        r->failure = report;
        r->failed = true;
    }
    return true;
}

static int poll_timeout(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_ms();
    if (left <= 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Until the keeper is gone, and with it everything. */
static void watch(struct run *r)
{
    for (;;) {
        struct pollfd fds[] = {{.fd = r->keeper.report_fd, .events = POLLIN},
                               {.fd = r->keeper.output_fd, .events = POLLIN},
                               {.fd = r->stopped_ms ? -1 : r->spec->cancel_fd, .events = POLLIN}};
        int ready = poll(fds, sizeof fds / sizeof *fds, poll_timeout(r->deadline_ms));
        if (ready <= 0 && clock_ms() >= r->deadline_ms) {
            if (r->stopped_ms)
                return;
            stop(r, &r->out->timed_out);
        }
        if (ready <= 0)
            continue;
        if (fds[1].revents) {
            (void)read_output(r);
            if (r->total >= PROCESS_READ_MAX) {
                stop(r, &r->out->flooded); /* first: closing ends it by SIGPIPE */
                close_output(r);
            }
        }
        if (fds[2].revents)
            stop(r, &r->out->cancelled);
        if (fds[0].revents && !read_report(r))
            return;
        if (clock_ms() >= r->deadline_ms)
            stop(r, &r->out->timed_out);
    }
}

static void end_keeper(struct run *r)
{
    if (r->keeper.hold_fd >= 0)
        (void)close(r->keeper.hold_fd);
    (void)close(r->keeper.report_fd);
    if (!r->ended)
        (void)kill(r->keeper.pid, SIGKILL); /* no child of ours is reaped elsewhere */
    while (waitpid(r->keeper.pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* ---- What became of it ---- */

/* A program by path could not be run: the errno alone would not help to set it right. */
static int explain_file(const struct process_spec *spec, int why, struct err *err)
{
    const char *name = spec->argv[0];
    struct stat st;
    if (fstatat(spec->cwd_fd, name, &st, 0) != 0)
        return err_set(err, errno == EACCES ? ERR_DENIED : ERR_NOT_FOUND,
                       "\"%.200s\" cannot be run: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_DENIED, "\"%.200s\" is a directory, not a program", name);
    if (why == EACCES && !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
        return err_set(err, ERR_DENIED,
                       "\"%.200s\" is not executable: chmod +x it, or run it with its interpreter",
                       name);
    if (why == ENOENT)
        return err_set(err, ERR_NOT_FOUND,
                       "\"%.200s\" needs an interpreter that does not exist: see its first line",
                       name);
    return err_set(err, why == EACCES ? ERR_DENIED : ERR_IO, "\"%.200s\" cannot be run: %s", name,
                   strerror(why));
}

static int explain(const struct process_spec *spec, const struct keeper_report *failure,
                   struct err *err)
{
    const char *name = spec->argv[0];
    int why = failure->value;
    if (failure->event == KEEPER_NO_SETUP)
        return err_set(err, why == EAGAIN ? ERR_LIMIT : ERR_IO,
                       "\"%.200s\" could not be started: %s", name, strerror(why));
    if (failure->event == KEEPER_NO_CWD)
        return err_set(err, ERR_IO, "the directory to run \"%.200s\" in cannot be entered: %s",
                       name, strerror(why));
    if (why == E2BIG)
        return err_set(err, ERR_LIMIT, "the arguments of \"%.200s\" are too long", name);
    if (why == ENOEXEC)
        return err_set(err, ERR_DENIED,
                       "\"%.200s\" is neither a program for this machine nor a script that starts "
                       "with #!",
                       name);
    if (strchr(name, '/'))
        return explain_file(spec, why, err);
    if (why == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "there is no program \"%.200s\" in the PATH", name);
    return err_set(err, why == EACCES ? ERR_DENIED : ERR_IO, "\"%.200s\" cannot be run: %s", name,
                   strerror(why));
}

static int conclude(struct run *r, int64_t start_ms, struct err *err)
{
    struct process_outcome *out = r->out;
    if (r->failed)
        return explain(r->spec, &r->failure, err);
    if (!r->ended)
        return err_set(err, ERR_IO,
                       "what \"%.200s\" came to is unknown: the process that watched it was killed",
                       r->spec->argv[0]);
    out->exit_status = WIFEXITED(r->end.value) ? WEXITSTATUS(r->end.value) : -1;
    out->signal = WIFSIGNALED(r->end.value) ? WTERMSIG(r->end.value) : 0;
    out->duration_ms = r->end.at_ms - start_ms;
    if (r->end.at_ms < r->stopped_ms) /* it was over; only what it left behind was ended */
        out->timed_out = out->cancelled = out->flooded = false;
    return 0;
}

static int64_t deadline(int64_t start_ms, int64_t timeout_ms)
{
    if (timeout_ms <= 0)
        return start_ms;
    return timeout_ms < INT64_MAX - start_ms ? start_ms + timeout_ms : INT64_MAX;
}

static int check(const struct process_spec *spec, struct err *err)
{
    if (!spec->argv || !spec->argv[0] || !*spec->argv[0])
        return err_set(err, ERR_USAGE, "no program is named to be run");
    if (spec->cwd_fd < 3)
        return err_set(err, ERR_USAGE, "no directory is given to run a program in");
    if (spec->head_bytes > PROCESS_KEEP_MAX || spec->tail_bytes > PROCESS_KEEP_MAX)
        return err_set(err, ERR_USAGE, "at most %u bytes of output can be kept at either end",
                       PROCESS_KEEP_MAX);
    return 0;
}

int process_run(const struct process_spec *spec, struct process_outcome *out, struct err *err)
{
    *out = (struct process_outcome){.exit_status = -1};
    buf_init(&out->head, 0);
    buf_init(&out->tail, 0);
    if (check(spec, err))
        return -1;
    buf_init(&out->head, spec->head_bytes);
    buf_init(&out->tail, 2 * spec->tail_bytes);
    if (buf_reserve(&out->head, spec->head_bytes) ||
        buf_reserve(&out->tail, 2 * spec->tail_bytes)) {
        process_outcome_release(out);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    int64_t start_ms = clock_ms();
    struct run r = {.spec = spec, .out = out};
    r.deadline_ms = deadline(start_ms, spec->timeout_ms);
    int status = keeper_start(spec, &r.keeper, err);
    if (status == 0) {
        watch(&r);
        end_keeper(&r);
        finish_output(&r);
        status = conclude(&r, start_ms, err);
    }
    if (status)
        process_outcome_release(out);
    return status;
}

void process_outcome_release(struct process_outcome *out)
{
    buf_release(&out->head);
    buf_release(&out->tail);
}
