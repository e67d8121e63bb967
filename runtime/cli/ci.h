/* What is told of a run besides its output: to the CI system it runs under, and as JUnit XML. */
#ifndef CLI_CI_H
#define CLI_CI_H

#include <stdbool.h>

#include <tackle/tackle.h>

#include "cli.h"
#include "report.h"

struct ci {
    struct cli *cli;
    enum ci_choice kind; /* never CI_AUTO */
    struct report report;
    bool in_section; /* of a GitLab log */
};

/* Finds out where this runs (--ci), and has output cleaned for it. */
void ci_init(struct ci *ci, struct cli *cli);
void ci_release(struct ci *ci);

/* For each event, before it is shown. */
void ci_event(struct ci *ci, const tackle_event *event);

/* The run could not begin. */
void ci_refused(struct ci *ci, const tackle_error *error);

/* After the end: writes what is to be written. Returns the exit code: `code`, unless it is 0 and
 * the file of --junit cannot be written. */
int ci_finish(struct ci *ci, int code);

#endif
