/* Put in front of libc (LD_PRELOAD): the allocation with number FAIL_ALLOC fails, and with
 * FAIL_ALLOC_ON all that follow. FAIL_ALLOC_COUNT names a file that gets the number of allocations
 * at the end. A program that dies of a signal says where it was, a line "crash: FILE+0xOFFSET" a
 * frame, for addr2line. For one thread. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libc's own, under the names it keeps for this purpose. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static long number, failing = -1;
static bool from_then_on;

static void on_crash(int sig)
{
    void *frames[64];
    int count = backtrace(frames, 64);
    failing = -1;
    for (int i = 0; i < count; i++) {
        Dl_info info;
        if (dladdr(frames[i], &info) && info.dli_fname)
            (void)dprintf(STDERR_FILENO, "crash: %s+0x%zx\n", info.dli_fname,
                          (size_t)((char *)frames[i] - (char *)info.dli_fbase));
    }
    _exit(128 + sig);
}

static bool is_ours(int sig)
{
    return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGABRT;
}

/* The test library would take these for failed tests, without saying where. */
__attribute__((visibility("default"))) void (*signal(int sig, void (*handler)(int)))(int)
{
    struct sigaction new = {.sa_handler = handler}, old;
    if (is_ours(sig))
        return SIG_DFL;
    return sigaction(sig, &new, &old) == 0 ? old.sa_handler : SIG_ERR;
}

__attribute__((constructor)) static void begin(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction action = {.sa_handler = on_crash};
    void *warm[4];
    (void)backtrace(warm, 4); /* loads what it needs while there is memory */
    for (size_t i = 0; getenv("FAIL_ALLOC") && i < sizeof signals / sizeof *signals; i++)
        (void)sigaction(signals[i], &action, NULL);
    const char *which = getenv("FAIL_ALLOC");
    failing = which ? strtol(which, NULL, 10) : -1;
    from_then_on = getenv("FAIL_ALLOC_ON") != NULL;
    number = 0;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAIL_ALLOC_COUNT");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        (void)dprintf(fd, "%ld\n", number);
        (void)close(fd);
    }
}

static bool fails(void)
{
    number++;
    if (failing < 0 || number < failing || (number > failing && !from_then_on))
        return false;
    errno = ENOMEM;
    return true;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

__attribute__((visibility("default"))) void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
