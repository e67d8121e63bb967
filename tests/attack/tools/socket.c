/* socket PATH...: makes Unix sockets that nobody listens at. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[i]);
        if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
            perror(argv[i]);
            return 1;
        }
    }
    return 0;
}
