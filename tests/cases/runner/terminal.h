/* A pseudo-terminal for a program of a case, and the person who types at it. */
#ifndef CASES_TERMINAL_H
#define CASES_TERMINAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "case.h"

/* Opens one of 100 columns on which lines end with a bare newline. 0 with both ends, or -1. */
int terminal_open(int *ours, int *theirs, struct err *err);

/* Reads `wait TEXT`, `type TEXT` and `press TEXT` lines into the acts of a run. 0 or -1. */
int terminal_read(struct run *run, const char *path, const struct section *section,
                  struct err *err);
void terminal_release(struct run *run);

/* What the person has done so far. Begins as {0}. */
struct typist {
    size_t done; /* acts */
    size_t seen; /* bytes of what was shown, up to the end of the last text waited for */
};

/* Goes on as far as what was shown so far allows. */
void terminal_play(struct typist *typist, const struct run *run, int fd, const struct buf *shown);

#endif
