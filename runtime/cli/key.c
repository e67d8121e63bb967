#include "key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define KEY_MAX 4096

static int fail(tackle_error *error, const char *number, const char *why)
{
    cli_error(error, TACKLE_EXIT_USAGE, "usage", "--api-key-fd %.20s: %s", number, why);
    return -1;
}

/* Standard output and standard error are no place to read from. */
static int parse(const char *number)
{
    char *end = NULL;
    errno = 0;
    long fd = strtol(number, &end, 10);
    return errno || *number < '0' || *number > '9' || *end || fd == 1 || fd == 2 || fd > 65535
               ? -1
               : (int)fd;
}

/* How many bytes there are, at most `size`; -1 with errno. */
static ssize_t read_all(int fd, char *room, size_t size)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, room + len, size - len);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        len += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)len;
}

static int take(tackle_runtime *rt, const char *number, char *key, ssize_t len, tackle_error *error)
{
    if (len < 0)
        return fail(error, number, strerror(errno));
    if (len > KEY_MAX)
        return fail(error, number, "over 4 KiB is no key");
    if (len > 0 && key[len - 1] == '\n')
        len--;
    if (len > 0 && key[len - 1] == '\r')
        len--;
    key[len] = '\0';
    if (len == 0 || strlen(key) != (size_t)len)
        return fail(error, number, len == 0 ? "it holds no key" : "the key has a zero byte in it");
    return tackle_set_key(rt, NULL, key, error);
}

int key_from_descriptor(tackle_runtime *rt, const char *number, tackle_error *error)
{
    char key[KEY_MAX + 2];
    int fd = parse(number);
    if (fd < 0)
        return fail(error, number, "the number of an open descriptor is wanted: 0, or 3 and more");
    int status = take(rt, number, key, read_all(fd, key, KEY_MAX + 1), error);
    explicit_bzero(key, sizeof key);
    if (fd > 0)
        (void)close(fd);
    return status;
}
