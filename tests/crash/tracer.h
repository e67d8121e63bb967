/* A process that is killed at an exact place: before or after its Nth write to a journal. */
#ifndef TESTS_CRASH_TRACER_H
#define TESTS_CRASH_TRACER_H

#include <stdbool.h>

struct kill_point {
    long write;    /* the Nth write, cut or sync of a journal; 0: none */
    bool after;    /* it has been done; else it has not */
    long after_us; /* without `write`: killed after this time; 0: not at all */
    long alloc; /* not killed: its Nth allocation fails; 0: none does. Of it alone, not of hosts */
    bool all;   /* and all that follow */
    const char *preload; /* what makes them fail; NULL: none */
};

/* Runs argv with its output in the file `log`, and kills it there. Returns its exit code; -1 when
 * it was killed (by whatever signal), -2 when it could not be run. *writes counts what the journal
 * saw. */
int tracer_run(const char *const *argv, const char *log, const struct kill_point *point,
               long *writes);

#endif
