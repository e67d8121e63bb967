/* Starting a process: own session, clean signals, only the descriptors that are named. */
#ifndef IO_SPAWN_H
#define IO_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct spawn_fd {
    int from; /* ours */
    int to;   /* its number in the child */
};

#define SPAWN_FDS_MAX 8

struct spawned {
    pid_t pid;
    int pidfd; /* readable when it has ended; the caller closes it */
};

/* Starts argv[0] (a path) with exactly `env` and the descriptors that are named, which should have
 * all numbers from 0 to the highest of them. 0 or -1. */
int spawn_start(const char *const argv[], const char *const env[], const struct spawn_fd *fds,
                size_t count, struct spawned *out, struct err *err);

/* How it ended, after pidfd became readable: "was killed by SIGSEGV", "ended with exit status 3".
 * Reaps it and closes pidfd. `size` bytes of text. */
void spawn_reap(struct spawned *process, char *text, size_t size);

/* SIGKILL to the process and its group. */
void spawn_kill(const struct spawned *process);

#endif
