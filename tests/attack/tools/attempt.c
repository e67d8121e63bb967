/* attempt WHAT [ARGUMENT]...: tries things that no shell can, and prints "WHAT: done" or "WHAT:
 * refused (reason)". Exit 0 and 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define FOR(number) ((long)strtol(number, NULL, 10))

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)FOR(port)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return address;
}

static long connect_to(int type, int protocol, const char *port)
{
    struct sockaddr_in address = loopback(port);
    int fd = socket(AF_INET, type, protocol);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static long tcp(char **args)
{
    return connect_to(SOCK_STREAM, 0, args[0]);
}

static long mptcp(char **args)
{
    return connect_to(SOCK_STREAM, 262, args[0]);
}

static long fastopen(char **args)
{
    struct sockaddr_in address = loopback(args[0]);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? -1
                  : sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&address,
                           sizeof address);
}

static long udp(char **args)
{
    struct sockaddr_in address = loopback(args[0]);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    return fd < 0 ? -1 : sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof address);
}

/* family [type [protocol]] */
static long open_socket(char **args)
{
    int type = args[1] ? (int)FOR(args[1]) : SOCK_DGRAM;
    return socket((int)FOR(args[0]), type, args[1] && args[2] ? (int)FOR(args[2]) : 0);
}

static long unix_socket(char **args)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", args[0]);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static long abstract_socket(char **args)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(args[0]);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || len > sizeof address.sun_path - 1)
        return -1;
    memcpy(address.sun_path + 1, args[0], len);
    return connect(fd, (const struct sockaddr *)&address,
                   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len));
}

static long pair(char **args)
{
    int fds[2];
    (void)args;
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static long attach(char **args)
{
    return ptrace(PTRACE_ATTACH, (pid_t)FOR(args[0]), NULL, NULL);
}

/* A debugger's own program. */
static long trace_child(char **args)
{
    int status;
    (void)args;
    pid_t child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    long result = ptrace(PTRACE_ATTACH, child, NULL, NULL);
    int why = errno;
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, __WALL);
    errno = why;
    return result;
}

static long read_memory(char **args)
{
    char byte;
    struct iovec own = {&byte, 1}, other = {(void *)(uintptr_t)0x400000, 1};
    long got = process_vm_readv((pid_t)FOR(args[0]), &own, 1, &other, 1, 0);
    return got < 0 && errno == EFAULT ? 0 : got; /* it could, there is only nothing */
}

static long signal_to(char **args)
{
    return kill((pid_t)FOR(args[0]), 0);
}

/* By number, with up to three numbers: what is refused is refused before it looks at them. */
static long call(char **args)
{
    long a = args[1] ? FOR(args[1]) : 0, b = args[1] && args[2] ? FOR(args[2]) : 0;
    return syscall(FOR(args[0]), a, b, 0L, 0L, 0L, 0L);
}

static long new_namespace(char **args)
{
    long pid = syscall(SYS_clone, (unsigned long)(FOR(args[0]) | SIGCHLD), NULL, NULL, NULL, NULL);
    if (pid == 0)
        _exit(0);
    return pid;
}

static long thread_flags(char **args)
{
    struct {
        uint64_t words[11];
    } clone_args = {{0}};
    (void)args;
    clone_args.words[0] = CLONE_NEWUSER;
    clone_args.words[4] = SIGCHLD;
    long pid = syscall(SYS_clone3, &clone_args, sizeof clone_args);
    if (pid == 0)
        _exit(0);
    return pid;
}

/* Types into the terminal on the other side of a pseudo-terminal of its own. */
static long type_in(char **args)
{
    (void)args;
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0 || grantpt(fd) || unlockpt(fd))
        return 0; /* it is about the ioctl */
    int slave = open(ptsname(fd), O_RDWR | O_NOCTTY);
    /* The upper half of a request is nothing to the kernel. */
    return (long)syscall(SYS_ioctl, slave, 0xdead00000000uL | TIOCSTI, "x");
}

#ifdef __x86_64__
/* getpid() of the 32-bit table is 20, as writev() of the 64-bit one. */
static long call_32(char **args)
{
    long result;
    long number = args[0] ? FOR(args[0]) : 20;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0), "c"(0), "d"(0) : "memory");
    if (result < 0) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static long call_x32(char **args)
{
    (void)args;
    return syscall(0x40000000L | SYS_getpid);
}
#endif

static long set_attribute(char **args)
{
    struct timespec times[2] = {{1, 0}, {1, 0}};
    if (utimensat(AT_FDCWD, args[0], times, 0) == 0 || chmod(args[0], 0777) == 0)
        return 0;
    return chown(args[0], geteuid(), getegid());
}

static long make_device(char **args)
{
    return mknod(args[0], S_IFBLK | 0600, (dev_t)FOR(args[1]));
}

static long mount_tmpfs(char **args)
{
    return mount("tmpfs", args[0], "tmpfs", 0, NULL);
}

static long change_root(char **args)
{
    return chroot(args[0]);
}

/* Up to the root of whatever this descriptor is in. */
static long climb(char **args)
{
    int fd = open(args[0], O_PATH | O_DIRECTORY);
    for (int i = 0; i < 64 && fd >= 0; i++) {
        int up = openat(fd, "..", O_PATH | O_DIRECTORY);
        (void)close(fd);
        fd = up;
    }
    return fd < 0 ? -1 : openat(fd, args[1], O_RDONLY);
}

/* How many of N forks there are at once. */
static long forks(char **args)
{
    long made = 0, wanted = FOR(args[0]);
    for (; made < wanted; made++) {
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0) {
            (void)pause();
            _exit(0);
        }
    }
    (void)printf("forks made: %ld\n", made);
    return made == wanted ? 0 : -1;
}

static long grow(char **args)
{
    int fd = open(args[0], O_RDWR | O_CREAT, 0600);
    (void)signal(SIGXFSZ, SIG_IGN);
    return fd < 0 ? -1 : pwrite(fd, "x", 1, (off_t)FOR(args[1]) << 20);
}

static const struct {
    const char *name;
    long (*run)(char **args);
    int args;
} attempts[] = {
    {"tcp", tcp, 1},
    {"mptcp", mptcp, 1},
    {"fastopen", fastopen, 1},
    {"udp", udp, 1},
    {"socket", open_socket, 1},
    {"unix", unix_socket, 1},
    {"abstract", abstract_socket, 1},
    {"socketpair", pair, 0},
    {"attach", attach, 1},
    {"trace-child", trace_child, 0},
    {"memory", read_memory, 1},
    {"signal", signal_to, 1},
    {"call", call, 1},
    {"clone", new_namespace, 1},
    {"clone3", thread_flags, 0},
    {"type", type_in, 0},
#ifdef __x86_64__
    {"call-32", call_32, 0},
    {"call-x32", call_x32, 0},
#endif
    {"attributes", set_attribute, 1},
    {"device", make_device, 2},
    {"mount", mount_tmpfs, 1},
    {"chroot", change_root, 1},
    {"climb", climb, 2},
    {"forks", forks, 1},
    {"grow", grow, 2},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof attempts / sizeof *attempts; i++) {
        if (strcmp(argv[1], attempts[i].name) != 0 || argc < 2 + attempts[i].args)
            continue;
        long result = attempts[i].run(argv + 2);
        if (result >= 0)
            (void)printf("%s: done\n", argv[1]);
        else
            (void)printf("%s: refused (%s)\n", argv[1], strerrorname_np(errno));
        (void)fflush(stdout);
        _exit(result < 0); /* a leak checker at the end could not work where ptrace() is refused */
    }
    (void)fprintf(stderr, "attempt: no such attempt\n");
    return 2;
}
