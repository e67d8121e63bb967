/* swap A B: exchanges two names without a pause until it is killed, so that whoever looks first and
 * opens then opens the other one. */
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    while (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
        continue;
    perror("swap");
    return 1;
}
