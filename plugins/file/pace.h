/* Keeps long work within the call's deadline: says "stop" a little before it, so that there is time
 * to hand over what has been found. */
#ifndef FILE_PACE_H
#define FILE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include <tackle/plugin.h>

struct pace {
    tackle_call *call; /* borrowed; NULL: never over */
    int64_t reserve_ms;
    unsigned ticks;
    bool over;
};

void pace_start(struct pace *p, tackle_call *call);

/* Should the work stop? Stays true. Asks the host. */
bool pace_over(struct pace *p);

/* The same for tight loops: asks the host once in 256 times. */
bool pace_tick(struct pace *p);

#endif
