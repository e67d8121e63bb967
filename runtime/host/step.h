/* The steps of closing the sandbox, and the one that failed. */
#ifndef HOST_STEP_H
#define HOST_STEP_H

struct step_failure {
    char step[64];  /* "mount proc" */
    char text[480]; /* what was wrong with it */
};

/* Names the step that failed and returns -1; the reason, from errno, stands behind the text. A
 * failure that is there already stays: the first one counts. What to do about it is the runtime's
 * to say: it knows what was asked for. */
int step_fail(struct step_failure *failure, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same without errno. */
int step_refuse(struct step_failure *failure, const char *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
