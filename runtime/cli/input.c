#include "input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "signals.h"
#include "status.h"

#define SILENCE_MS 3000 /* then somebody may wonder */

/* Waits until there is something to read. 0, or -1 with `error`. */
static int wait_for_input(int fd, const char *what, const struct input_wait *wait,
                          int64_t started_ms, bool *told, tackle_error *error)
{
    for (;;) {
        int64_t gone = status_now_ms() - started_ms;
        int64_t left = wait->max_ms < 0 ? INT64_MAX : wait->max_ms - gone;
        int64_t quiet = wait->cli && !*told ? SILENCE_MS - gone : INT64_MAX;
        int64_t next = left < quiet ? left : quiet;
        int caught = signals_caught();
        if (caught) {
            cli_error(error, TACKLE_EXIT_SIGNALLED + caught, "interrupted", "interrupted");
            return -1;
        }
        if (left <= 0) {
            cli_error(error, TACKLE_EXIT_BUDGET, "max_time",
                      "%s had no end when the time was up (--max-time)", what);
            return -1;
        }
        if (quiet <= 0 && !*told) {
            *told = true;
            cli_complain(wait->cli, "still reading the prompt from standard input");
            (void)stream_flush(&wait->cli->err);
            continue;
        }
        /* A signal that comes right before poll() is seen a second later. */
        int timeout = next < 1000 ? (int)next : 1000;
        int ready = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, timeout);
        if (ready > 0 || (ready < 0 && errno != EINTR))
            return 0; /* read() tells what is wrong */
    }
}

char *input_read_bytes(int fd, const char *what, size_t most, const struct input_wait *wait,
                       size_t *len, tackle_error *error)
{
    char *bytes = NULL;
    size_t size = 0;
    bool told = false;
    int64_t started_ms = status_now_ms();
    *len = 0;
    for (;;) {
        if (size - *len < 2) {
            size = size ? size * 2 : (size_t)64 << 10;
            bytes = must(realloc(bytes, size));
        }
        if (wait_for_input(fd, what, wait, started_ms, &told, error) != 0)
            goto fail;
        ssize_t n = read(fd, bytes + *len, size - *len - 1);
        if (n == 0)
            break;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0) {
            cli_error(error, TACKLE_EXIT_USAGE, "usage", "cannot read %s: %s", what,
                      strerror(errno));
            goto fail;
        }
        *len += (size_t)n;
        if (*len > most) {
            cli_error(error, TACKLE_EXIT_USAGE, "usage", "%s holds more than %zu MiB", what,
                      most >> 20);
            goto fail;
        }
    }
    bytes[*len] = '\0';
    return bytes;
fail:
    free(bytes);
    return NULL;
}

char *input_read(int fd, const char *what, const struct input_wait *wait, tackle_error *error)
{
    size_t len;
    char *text = input_read_bytes(fd, what, INPUT_MAX, wait, &len, error);
    if (!text || !memchr(text, '\0', len))
        return text;
    cli_error(error, TACKLE_EXIT_USAGE, "usage", "%s holds a zero byte: it must be text", what);
    free(text);
    return NULL;
}
