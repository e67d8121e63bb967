#include "measure.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REQUESTS_MAX 4096 /* whose figures are kept */

struct measuring {
    struct measured *out;
    long steps;
    pid_t pid;
    clockid_t cpu;
    int64_t began_ns;
};

/* ---- Memory of the process tree ---- */

static long read_pss_kib(const char *pid)
{
    char path[300], line[128];
    long kib = 0;
    (void)snprintf(path, sizeof path, "/proc/%.200s/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "Pss:", 4) == 0)
            kib = strtol(line + 4, NULL, 10);
    if (file)
        (void)fclose(file);
    return kib;
}

static long read_parent(const char *pid)
{
    char path[300], text[512];
    (void)snprintf(path, sizeof path, "/proc/%.200s/stat", pid);
    FILE *file = fopen(path, "re");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    if (file)
        (void)fclose(file);
    text[len] = '\0';
    const char *behind = strrchr(text, ')'); /* of the name: ") S PPID" */
    return behind && strlen(behind) > 4 ? strtol(behind + 4, NULL, 10) : 0;
}

/* Children have no children of their own while a tool of the file plugin runs. */
static void read_tree(struct measuring *m)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    m->out->tree_pss_kib = m->out->child_pss_kib = 0;
    while (proc && (entry = readdir(proc))) {
        long pid = strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || (pid != m->pid && read_parent(entry->d_name) != m->pid))
            continue;
        long kib = read_pss_kib(entry->d_name);
        m->out->tree_pss_kib += kib;
        if (pid != m->pid && kib > m->out->child_pss_kib)
            m->out->child_pss_kib = kib;
    }
    if (proc)
        (void)closedir(proc);
}

/* ---- Requests ---- */

static void on_request(void *user, const struct server_request *request)
{
    struct measuring *m = user;
    struct measured *out = m->out;
    struct timespec cpu = {0};
    if (out->count == 0)
        out->start_ms = (double)(request->at_ns - m->began_ns) / 1e6;
    out->bytes += request->bytes;
    if (out->count < REQUESTS_MAX) {
        (void)clock_gettime(m->cpu, &cpu);
        out->body_len[out->count] = request->body_len;
        out->gap_ms[out->count] = out->count ? (double)request->since_ns / 1e6 : 0;
        out->cpu_at_ms[out->count] = (double)cpu.tv_sec * 1e3 + (double)cpu.tv_nsec / 1e6;
    }
    out->count++;
    if (request->step == m->steps && request->run == 0)
        read_tree(m);
}

/* ---- The process ---- */

static int start(const char *const argv[], const char *const env[], int output, pid_t *pid,
                 struct err *err)
{
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    int status =
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) ||
                posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) ||
                posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
            ? ENOMEM
            : posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv, (char *const *)env);
    (void)posix_spawn_file_actions_destroy(&actions);
    return status == 0 ? 0 : err_set(err, ERR_IO, "cannot start %s: %s", argv[0], strerror(status));
}

static void serve_until_it_ends(struct server *server, pid_t pid)
{
    int pidfd = pidfd_open(pid, 0);
    struct pollfd fds[2] = {{.fd = server_fd(server), .events = POLLIN},
                            {.fd = pidfd, .events = POLLIN}};
    while (pidfd >= 0 && !fds[1].revents) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            break;
        server_step(server);
    }
    if (pidfd >= 0)
        (void)close(pidfd);
}

static double timeval_ms(struct timeval time)
{
    return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static int end(struct measuring *m, const char *name, int output, struct err *err)
{
    struct measured *out = m->out;
    struct rusage usage = {0};
    int status = 0;
    pid_t got;
    do
        got = wait4(m->pid, &status, 0, &usage);
    while (got < 0 && errno == EINTR);
    out->total_ms = (double)(server_now_ns() - m->began_ns) / 1e6;
    out->cpu_ms = timeval_ms(usage.ru_utime) + timeval_ms(usage.ru_stime);
    out->peak_kib = usage.ru_maxrss;
    ssize_t len = pread(output, out->output, sizeof out->output - 1, 0);
    out->output[len > 0 ? len : 0] = '\0';
    if (got == m->pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return err_set(err, ERR_INTERNAL, "%s ended with status %d and said: %s", name,
                   WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), out->output);
}

int measure(struct server *server, const struct server_script *script, const char *const argv[],
            const char *const env[], struct measured *out, struct err *err)
{
    struct measuring m = {.out = out, .steps = script->steps};
    *out = (struct measured){0};
    out->body_len = calloc(REQUESTS_MAX, sizeof *out->body_len);
    out->gap_ms = calloc(REQUESTS_MAX, sizeof *out->gap_ms);
    out->cpu_at_ms = calloc(REQUESTS_MAX, sizeof *out->cpu_at_ms);
    int output = memfd_create("output", MFD_CLOEXEC);
    if (!out->body_len || !out->gap_ms || !out->cpu_at_ms || output < 0) {
        if (output >= 0)
            (void)close(output);
        return err_set(err, ERR_NOMEM, "out of memory");
    }
    server_script(server, script, on_request, &m);
    m.began_ns = server_now_ns();
    int status = start(argv, env, output, &m.pid, err);
    if (status == 0) {
        if (clock_getcpuclockid(m.pid, &m.cpu) != 0)
            m.cpu = CLOCK_MONOTONIC; /* it has ended already */
        serve_until_it_ends(server, m.pid);
        status = end(&m, argv[0], output, err);
    }
    (void)close(output);
    return status;
}

void measured_release(struct measured *m)
{
    free(m->body_len);
    free(m->gap_ms);
    free(m->cpu_at_ms);
    *m = (struct measured){0};
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
