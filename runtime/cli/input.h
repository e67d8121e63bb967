/* Reading text to its end: capped, with a limit on time, and ended by a signal. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include <tackle/tackle.h>

#include "cli.h"

#define INPUT_MAX ((size_t)10 << 20)

struct input_wait {
    int64_t max_ms;  /* all of it must be there by then; negative: without limit */
    struct cli *cli; /* told once when nothing comes for a while; NULL: nobody */
};

/* Any bytes, at most `most` of them, with a zero byte behind them. `what` is "standard input" or a
 * path. malloc'd; NULL with `error`: TACKLE_EXIT_USAGE, TACKLE_EXIT_BUDGET when the time is up, or
 * that of the signal that signals_caught() tells. */
char *input_read_bytes(int fd, const char *what, size_t most, const struct input_wait *wait,
                       size_t *len, tackle_error *error);

/* The same for text of INPUT_MAX bytes: one with a zero byte is refused. */
char *input_read(int fd, const char *what, const struct input_wait *wait, tackle_error *error);

#endif
