#include "tracer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void take_memory(const struct kill_point *point)
{
    char number[24];
    (void)snprintf(number, sizeof number, "%ld", point->alloc);
    if (setenv("LD_PRELOAD", point->preload, 1) != 0 || setenv("FAIL_ALLOC", number, 1) != 0 ||
        (point->all && setenv("FAIL_ALLOC_ON", "1", 1) != 0))
        _exit(126);
}

static _Noreturn void become(const char *const *argv, const char *log,
                             const struct kill_point *point)
{
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    if (point->preload)
        take_memory(point);
    if (point->write > 0 && ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(126);
    (void)execv(argv[0], (char *const *)(void *)argv);
    _exit(127);
}

static bool is_journal(pid_t pid, unsigned long long fd)
{
    char path[64], target[4096];
    (void)snprintf(path, sizeof path, "/proc/%d/fd/%llu", (int)pid, fd);
    ssize_t len = readlink(path, target, sizeof target - 1);
    if (len < 0)
        return false;
    target[len] = '\0';
    const char *name = strrchr(target, '/');
    return name && strcmp(name, "/journal.jsonl") == 0;
}

static bool changes_file(unsigned long long number)
{
    return number == SYS_write || number == SYS_ftruncate || number == SYS_fdatasync;
}

static int finish(pid_t pid, int status)
{
    while (!WIFEXITED(status) && !WIFSIGNALED(status))
        if (waitpid(pid, &status, 0) != pid)
            return -2;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int follow(pid_t pid, const struct kill_point *point, long *writes)
{
    int status;
    bool inside = false; /* a call that changes the journal */
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        return -2;
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0)
        return -2;
    for (int pass = 0;;) {
        struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
        if (ptrace(PTRACE_SYSCALL, pid, NULL, pass) != 0 || waitpid(pid, &status, 0) != pid)
            return -2;
        if (!WIFSTOPPED(status))
            return finish(pid, status);
        pass = 0;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            pass = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
            continue;
        }
        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0)
            return -2;
        bool entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
        if (entry)
            inside = changes_file(info.entry.nr) && is_journal(pid, info.entry.args[0]);
        if (!inside)
            continue;
        *writes += entry;
        if (point->write == *writes && entry != point->after) {
            (void)kill(pid, SIGKILL);
            return finish(pid, status);
        }
    }
}

static void wait_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    (void)nanosleep(&time, NULL);
}

int tracer_run(const char *const *argv, const char *log, const struct kill_point *point,
               long *writes)
{
    bool traced = point->write > 0;
    pid_t pid = fork();
    *writes = 0;
    if (pid < 0)
        return -2;
    if (pid == 0)
        become(argv, log, point);
    if (traced)
        return follow(pid, point, writes);
    if (point->after_us > 0) {
        wait_us(point->after_us);
        (void)kill(pid, SIGKILL);
    }
    int status;
    return waitpid(pid, &status, 0) == pid ? finish(pid, status) : -2;
}
