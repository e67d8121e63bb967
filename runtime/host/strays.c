#include "host/strays.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/enforce.h"

/* One that hangs in the kernel never goes. */
#define WAIT_MS 5000

/* True when a child is left. */
static bool reap(void)
{
    pid_t pid;
    do
        pid = waitpid(-1, NULL, WNOHANG);
    while (pid > 0 || (pid < 0 && errno == EINTR));
    return pid == 0;
}

/* Children are not reaped in between, so none of these numbers can be a stranger's. */
static void kill_children(void)
{
    char list[16384];
    int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, list, sizeof list - 1);
    if (fd >= 0)
        (void)close(fd);
    list[len > 0 ? len : 0] = '\0';
    char *end = list;
    for (long pid; (pid = strtol(end, &end, 10)) > 1;)
        (void)kill((pid_t)pid, SIGKILL);
}

void strays_end(const struct sandbox_report *sandbox)
{
    if (sandbox->tier < TIER_T2 || !ENFORCED(sandbox_strays))
        return;
    bool all = sandbox->own_pids;
    int64_t until_ms = clock_ms() + WAIT_MS;
    for (;;) {
        bool some = all && kill(-1, SIGKILL) == 0;
        if (!reap() && !some)
            return;
        if (!all)
            kill_children();
        if (clock_ms() >= until_ms)
            return;
        (void)poll(NULL, 0, 1);
    }
}
