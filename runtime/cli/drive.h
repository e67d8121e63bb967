/* One run from its start to its result: events go to the output format, signals to the run. */
#ifndef CLI_DRIVE_H
#define CLI_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <tackle/tackle.h>

#include "approve.h"
#include "cli.h"
#include "render_text.h"

struct drive {
    struct cli *cli;
    tackle_runtime *rt;
    struct render_text text;
    struct approve approve;
    uint64_t seq; /* of the last event */
    char *run;    /* its name; owned; NULL: not known yet */
    bool unread;  /* nobody reads standard output any more: the run is being ended */
    char *result; /* the last event; owned; NULL: not there yet */
};

void drive_init(struct drive *d, struct cli *cli, tackle_runtime *rt);
void drive_release(struct drive *d);

/* To be given to tackle_run_options, with `d` as user. */
void drive_event(void *user, tackle_run *run, const tackle_event *event);

/* Steps until the run is done, tells what went wrong, and returns the exit code. */
int drive_run(struct drive *d, tackle_run *run);

/* Tells why a run could not begin, with the ways to go when there is no key. Returns the exit
 * code. */
int drive_refused(struct drive *d, const tackle_error *error);

#endif
