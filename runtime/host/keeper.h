/* The process that stands between process_run() and the program it runs: it starts the program,
 * adopts all that the program leaves behind, and ends only when nothing of it is left. */
#ifndef HOST_KEEPER_H
#define HOST_KEEPER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "host/process.h"

/* What became of the program. A program that could not be started sends the first that went wrong,
 * then KEEPER_ENDED follows as for any other. */
enum keeper_event {
    KEEPER_NO_SETUP = 1, /* value: errno */
    KEEPER_NO_CWD,       /* value: errno of fchdir() */
    KEEPER_NO_EXEC,      /* value: errno of execve() */
    KEEPER_ENDED         /* value: wait status; all that it started is gone */
};

struct keeper_report {
    int32_t event; /* enum keeper_event */
    int32_t value;
    int64_t at_ms; /* KEEPER_ENDED: clock_ms() when the program itself ended */
};

struct keeper {
    pid_t pid;     /* the keeper, a child of the caller */
    int hold_fd;   /* closing it, as the death of the caller does, ends the program */
    int report_fd; /* reports, one a read(); at end of file the keeper is gone */
    int output_fd; /* the program's output; does not block */
};

/* Starts the keeper, which starts the program. 0 or -1; a program that cannot be run is a report,
 * not an error. The descriptors are the caller's to close, and keeper.pid to wait for. */
int keeper_start(const struct process_spec *spec, struct keeper *keeper, struct err *err);

#endif
