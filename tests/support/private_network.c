#include "private_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test_support.h"

static bool cannot(const char *what)
{
    (void)printf("skipped: no private network here: %s: %s\n", what, strerror(errno));
    (void)fflush(stdout);
    return false;
}

static bool write_proc(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0)
        (void)close(fd);
    return written;
}

static bool unshare_as_user(void)
{
    char uids[64], gids[64];
    (void)snprintf(uids, sizeof uids, "0 %u 1", (unsigned)getuid());
    (void)snprintf(gids, sizeof gids, "0 %u 1", (unsigned)getgid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           write_proc("/proc/self/setgroups", "deny") && write_proc("/proc/self/uid_map", uids) &&
           write_proc("/proc/self/gid_map", gids);
}

/* netdevice(7). An alias "lo:1" is another address of the same device. */
static bool set_up_device(int fd, const char *name, const char *address)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    struct sockaddr_in where = {.sin_family = AF_INET};
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (!address)
        return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    if (inet_pton(AF_INET, address, &where.sin_addr) != 1)
        return false;
    memcpy(&request.ifr_addr, &where, sizeof where);
    return ioctl(fd, SIOCSIFADDR, &request) == 0;
}

bool private_network_enter(const char *const *addresses)
{
    char name[16];
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 && !unshare_as_user())
        return cannot("namespaces");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return cannot("mounts");
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && set_up_device(fd, "lo", NULL);
    for (int i = 0; up && addresses[i]; i++) {
        (void)snprintf(name, sizeof name, "lo:%d", i + 1);
        up = set_up_device(fd, name, addresses[i]);
    }
    if (fd >= 0)
        (void)close(fd);
    return up || cannot("the loopback device");
}

bool private_network_replace(const char *path, const char *by)
{
    return mount(by, path, NULL, MS_BIND, NULL) == 0 || cannot(path);
}

char *private_network_run(const char *command, int *status)
{
    size_t len = 0, size = 1u << 20, n;
    char line[4096];
    assert_true(snprintf(line, sizeof line, "exec 2>&1; %s", command) < (int)sizeof line);
    FILE *pipe = popen(line, "re");
    char *text = malloc(size);
    assert_non_null(pipe);
    assert_non_null(text);
    while (len < size - 1 && (n = fread(text + len, 1, size - 1 - len, pipe)) > 0)
        len += n;
    text[len] = '\0';
    *status = pclose(pipe);
    return text;
}
