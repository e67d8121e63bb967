/* Starting, feeding, watching and ending programs; see process.h. */
#include "process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "endpoint/match.h"
#include "endpoint/memory.h"

/* How often is looked for what no descriptor tells: files, orphans, triggers on time. */
#define LOOK_MS 10

int process_adopt_orphans(struct err *err)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return err_set(err, ERR_IO, "prctl or signal: %s", strerror(errno));
    return 0;
}

/* ---- Starting ---- */

/* What the program gets as one of its standard descriptors, and the runner's end of it. */
struct stream {
    int theirs; /* -1: closed */
    int ours;   /* -1: none */
};

/* All that a program begins with. */
struct start {
    const char *const *argv;
    char *dir;
    char *const *environment;
    const struct build *build;
    int fds[3];    /* -1: closed */
    bool terminal; /* the first of them is one */
};

static int open_pipe(struct stream *stream, bool we_write)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    stream->theirs = fds[we_write ? 0 : 1];
    stream->ours = fds[we_write ? 1 : 0];
    return fcntl(stream->ours, F_SETFL, O_NONBLOCK);
}

static int copy_fd(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 10);
}

static int open_input(const struct run *run, struct stream *stream)
{
    if (run->input == INPUT_CLOSED)
        return 0;
    if (run->input != INPUT_NULL)
        return open_pipe(stream, true);
    stream->theirs = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return stream->theirs < 0 ? -1 : 0;
}

static int open_output(enum output_kind kind, struct stream *stream)
{
    if (kind == OUTPUT_CLOSED)
        return 0;
    if (kind != OUTPUT_FULL)
        return open_pipe(stream, false);
    stream->theirs = open("/dev/full", O_WRONLY | O_CLOEXEC);
    return stream->theirs < 0 ? -1 : 0;
}

/* The ends that this process keeps are one terminal: what is typed, and what it shows. */
static int open_terminal(struct stream *in, struct stream *error, struct err *err)
{
    if (terminal_open(&error->ours, &in->theirs, err) != 0)
        return -1;
    in->ours = copy_fd(error->ours);
    error->theirs = copy_fd(in->theirs);
    if (in->ours < 0 || error->theirs < 0 || fcntl(error->ours, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(in->theirs, F_SETFD, FD_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "terminal: %s", strerror(errno));
    return 0;
}

static int open_streams(const struct run *run, struct stream streams[3], struct err *err)
{
    if (run->terminal && open_terminal(&streams[0], &streams[2], err))
        return -1;
    if (open_output(run->out_kind, &streams[1]) ||
        (!run->terminal &&
         (open_input(run, &streams[0]) || open_output(run->err_kind, &streams[2]))))
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    return 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static _Noreturn void become(const struct start *start, pid_t parent)
{
    int moved[3];
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    /* Out of the way first: an end of a pipe may itself have the number 0, 1 or 2. */
    for (int i = 0; i < 3; i++)
        moved[i] = start->fds[i] >= 0 ? copy_fd(start->fds[i]) : -1;
    for (int i = 0; i < 3; i++)
        if (moved[i] < 0)
            (void)close(i);
        else if (dup2(moved[i], i) < 0)
            _exit(126);
    /* The signal at the runner's death is forgotten when the user changes. */
    if (setsid() < 0 || (start->terminal && ioctl(0, TIOCSCTTY, 0) != 0) ||
        build_become_user(start->build) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ||
        getppid() != parent || chdir(start->dir) != 0)
        _exit(126);
    environ = (char **)start->environment;
    (void)execvp(start->argv[0], (char *const *)start->argv);
    (void)dprintf(2, "case-runner: %s: %s\n", start->argv[0], strerror(errno));
    _exit(127);
}

static pid_t start_program(const struct start *start, struct err *err)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become(start, parent);
    if (pid < 0)
        (void)err_set(err, ERR_IO, "fork: %s", strerror(errno));
    return pid;
}

/* Programs beside the run read nothing; what they say goes where the runner's errors go. */
static int start_besides(struct process *process, struct start start, struct err *err)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int status = null < 0 ? err_set(err, ERR_IO, "/dev/null: %s", strerror(errno)) : 0;
    start.terminal = false;
    start.fds[0] = start.fds[1] = null;
    start.fds[2] = STDERR_FILENO;
    for (size_t i = 0; i < process->run->beside_count && status == 0; i++) {
        start.argv = (const char *const *)process->run->besides[i].items;
        pid_t pid = start_program(&start, err);
        if (pid < 0)
            status = -1;
        else
            process->besides[process->beside_count++] = pid;
    }
    close_fd(&null);
    return status;
}

int process_start(struct process *process, const struct run *run, const struct place *place,
                  const struct endpoints *endpoints, const struct build *build,
                  char *const *environment, struct err *err)
{
    struct stream streams[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
    struct start start = {.argv = (const char *const *)run->words.items,
                          .environment = environment,
                          .build = build,
                          .terminal = run->terminal};
    *process = (struct process){.run = run, .pid = -1, .in_fd = -1, .out_fd = -1, .err_fd = -1};
    buf_init(&process->out, PROCESS_OUTPUT_MAX);
    buf_init(&process->err, PROCESS_OUTPUT_MAX);
    start.dir = place_path(place, run->cwd);
    int status = open_streams(run, streams, err);
    for (int i = 0; i < 3; i++)
        start.fds[i] = streams[i].theirs;
    if (status == 0)
        status = start_besides(process, start, err);
    if (status == 0) {
        process->started_ms = clock_ms();
        process->pid = start_program(&start, err);
        status = process->pid < 0 ? -1 : 0;
        (void)endpoint_requests(endpoints->items[0], &process->requests_seen);
    }
    for (int i = 0; i < 3; i++)
        close_fd(&streams[i].theirs);
    process->in_fd = streams[0].ours;
    process->out_fd = streams[1].ours;
    process->err_fd = streams[2].ours;
    free(start.dir);
    return status;
}

int process_prepare(const char *script, const struct place *place, const struct build *build,
                    char *const *environment, struct err *err)
{
    const char *const argv[] = {"sh", "-ec", script, NULL};
    char *dir = place_path(place, "");
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), ended = -1;
    struct start start = {.argv = argv,
                          .dir = dir,
                          .environment = environment,
                          .build = build,
                          .fds = {null, STDERR_FILENO, STDERR_FILENO}};
    pid_t pid = null < 0 ? -1 : start_program(&start, err);
    while (pid > 0 && waitpid(pid, &ended, 0) < 0 && errno == EINTR)
        continue;
    close_fd(&null);
    free(dir);
    return ended == 0 ? 0 : err_set(err, ERR_IO, "the script of === prepare failed");
}

void process_release(struct process *process)
{
    close_fd(&process->in_fd);
    close_fd(&process->out_fd);
    close_fd(&process->err_fd);
    buf_release(&process->out);
    buf_release(&process->err);
}

/* ---- Input and output ---- */

static void read_output(struct process *process, int *fd, struct buf *out, enum output_kind kind)
{
    char block[16384];
    ssize_t got = read(*fd, block, sizeof block);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close_fd(fd);
        return;
    }
    if ((size_t)got > PROCESS_OUTPUT_MAX - out->len)
        process->flooded = true;
    else
        put(out, block, (size_t)got);
    if (kind == OUTPUT_HEAD && memchr(out->data, '\n', out->len))
        close_fd(fd);
}

static void write_input(struct process *process)
{
    const struct run *run = process->run;
    ssize_t sent = write(process->in_fd, run->input_text + process->written,
                         run->input_len - process->written);
    if (sent >= 0)
        process->written += (size_t)sent;
    bool broken = sent < 0 && errno != EAGAIN && errno != EINTR;
    if (broken || (process->written == run->input_len && run->input == INPUT_TEXT))
        close_fd(&process->in_fd);
}

static bool wants_input(const struct process *process)
{
    return process->in_fd >= 0 && !process->run->terminal &&
           (process->run->input == INPUT_TEXT || process->written < process->run->input_len);
}

/* ---- Signals and limits ---- */

static bool is_due(const struct trigger *trigger, const struct process *process,
                   const struct endpoints *endpoints, const struct place *place)
{
    size_t count;
    const struct buf *seen = trigger->after == AFTER_STDOUT ? &process->out : &process->err;
    switch (trigger->after) {
    case AFTER_TIME:
        return clock_ms() >= process->started_ms + trigger->ms;
    case AFTER_REQUEST:
        (void)endpoint_requests(endpoints->items[0], &count);
        return count >= (size_t)trigger->request;
    case AFTER_STDOUT:
    case AFTER_STDERR:
        return match_has(seen->data, seen->len, trigger->text, strlen(trigger->text));
    case AFTER_FILE:
        break;
    }
    char *path = place_path(place, trigger->text);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* A trigger waits for those before it, so that "INT, then INT again" can be written. */
static void pull_triggers(struct process *process, const struct endpoints *endpoints,
                          const struct place *place)
{
    for (size_t i = 0; i < process->run->trigger_count && i < 32; i++) {
        const struct trigger *trigger = &process->run->triggers[i];
        if (process->fired & (1u << i))
            continue;
        if (!is_due(trigger, process, endpoints, place))
            return;
        process->fired |= 1u << i;
        (void)kill(process->pid, trigger->signal);
    }
}

static void reap(struct process *processes, size_t count)
{
    int status;
    pid_t pid;
    struct rusage usage;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
        for (size_t i = 0; i < count; i++)
            if (processes[i].pid == pid) {
                processes[i].ended = true;
                processes[i].status = status;
                processes[i].peak_kib = usage.ru_maxrss;
            }
}

/* What the programs hold at each request of theirs: G7. */
static void watch_requests(struct process *processes, size_t count,
                           const struct endpoints *endpoints)
{
    size_t requests;
    (void)endpoint_requests(endpoints->items[0], &requests);
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        if (process->ended || process->requests_seen == requests)
            continue;
        process->at_last = watch_process(process->pid);
        if (process->at_last.children > process->children_max)
            process->children_max = process->at_last.children;
        if (process->at_first.descriptors == 0)
            process->at_first = process->at_last;
        process->requests_seen = requests;
    }
}

/* What runs beside a program ends with it, and is no survivor. */
static void end_besides(struct process *processes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (processes[i].beside_count > 0) {
            pid_t pid = processes[i].besides[--processes[i].beside_count];
            (void)kill(-pid, SIGKILL); /* it leads a session of its own, unless that is yet to be */
            (void)kill(pid, SIGKILL);
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        }
}

static void enforce_limits(struct process *processes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        if (process->ended || process->over_limit ||
            clock_ms() < process->started_ms + process->run->limit_ms)
            continue;
        process->over_limit = true;
        (void)kill(process->pid, SIGKILL);
    }
}

/* ---- Waiting ---- */

/* Serves whatever is ready within LOOK_MS. */
static int serve(struct process *processes, size_t count, const struct endpoints *endpoints,
                 struct err *err)
{
    struct pollfd fds[CASE_ENDPOINTS_MAX + 3 * PROCESS_TOGETHER_MAX];
    size_t base = (size_t)endpoints->count;
    for (size_t i = 0; i < base; i++)
        fds[i] = (struct pollfd){.fd = endpoint_fd(endpoints->items[i]), .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        struct pollfd *three = &fds[base + 3 * i];
        three[0] = (struct pollfd){.fd = wants_input(&processes[i]) ? processes[i].in_fd : -1,
                                   .events = POLLOUT};
        three[1] = (struct pollfd){.fd = processes[i].out_fd, .events = POLLIN};
        three[2] = (struct pollfd){.fd = processes[i].err_fd, .events = POLLIN};
    }
    if (poll(fds, base + 3 * count, LOOK_MS) < 0 && errno != EINTR)
        return err_set(err, ERR_IO, "poll: %s", strerror(errno));
    for (size_t i = 0; i < base; i++)
        if (fds[i].revents && endpoint_step(endpoints->items[i], 0, err))
            return -1;
    for (size_t i = 0; i < count; i++) {
        struct process *process = &processes[i];
        const struct pollfd *three = &fds[base + 3 * i];
        if (three[0].revents)
            write_input(process);
        if (three[1].revents)
            read_output(process, &process->out_fd, &process->out, process->run->out_kind);
        if (three[2].revents)
            read_output(process, &process->err_fd, &process->err, process->run->err_kind);
        if (process->run->terminal && process->err_fd >= 0)
            terminal_play(&process->typist, process->run, process->in_fd, &process->err);
    }
    return 0;
}

/* Children of this process that have not been waited for. Kills them if told to. */
static size_t look_for_children(struct buf *out, bool end_them)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        char command[64];
        if (!isdigit((unsigned char)*entry->d_name) ||
            watch_parent(entry->d_name, command, sizeof command) != getpid())
            continue;
        count++;
        if (out)
            put_format(out, "%s (process %s)\n", command, entry->d_name);
        if (end_them)
            (void)kill((pid_t)strtol(entry->d_name, NULL, 10), SIGKILL);
    }
    if (proc)
        (void)closedir(proc);
    return count;
}

/* Ends what is left; the death of one makes its children ours. */
static void end_survivors(struct process *processes, size_t count, struct buf *survivors)
{
    for (int tries = 0; tries < 200; tries++) {
        reap(processes, count);
        if (look_for_children(tries == 0 ? survivors : NULL, true) == 0)
            return;
        (void)poll(NULL, 0, 5);
    }
}

static bool all_ended(const struct process *processes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!processes[i].ended)
            return false;
    return true;
}

static bool all_read(const struct process *processes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (processes[i].out_fd >= 0 || processes[i].err_fd >= 0)
            return false;
    return true;
}

int process_wait(struct process *processes, size_t count, const struct endpoints *endpoints,
                 const struct place *place, struct buf *survivors, struct err *err)
{
    int status = 0;
    int64_t ended_ms = 0;
    while (status == 0) {
        status = serve(processes, count, endpoints, err);
        for (size_t i = 0; i < count; i++)
            if (!processes[i].ended)
                pull_triggers(&processes[i], endpoints, place);
        watch_requests(processes, count, endpoints);
        enforce_limits(processes, count);
        reap(processes, count);
        if (!all_ended(processes, count))
            continue;
        end_besides(processes, count);
        ended_ms = ended_ms ? ended_ms : clock_ms();
        if (clock_ms() > ended_ms + PROCESS_GRACE_MS ||
            (all_read(processes, count) && look_for_children(NULL, false) == 0))
            break;
    }
    end_besides(processes, count);
    end_survivors(processes, count, survivors);
    /* What they wrote before they were ended. */
    for (int i = 0; i < 100 && status == 0 && !all_read(processes, count); i++)
        status = serve(processes, count, endpoints, err);
    return status;
}

void process_exit_text(const struct process *process, char out[32])
{
    if (WIFSIGNALED(process->status))
        (void)snprintf(out, 32, "signal %d", WTERMSIG(process->status));
    else
        (void)snprintf(out, 32, "%d", WEXITSTATUS(process->status));
}
