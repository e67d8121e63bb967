/* What a run came to, gathered from its events: for those who are told afterwards (JUnit, CI). All
 * text but the answer is one line that is safe to show. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <tackle/tackle.h>

#define REPORT_CALLS_MAX    10000 /* of more, only the number is kept */
#define REPORT_WARNINGS_MAX 100

enum report_outcome { CALL_OPEN, CALL_OK, CALL_FAILED, CALL_DENIED };

struct report_call {
    char *id, *name, *arguments; /* owned */
    enum report_outcome outcome; /* CALL_OPEN: the run ended before it did */
    int64_t duration_ms;
    char *why; /* it failed or was denied; owned; NULL */
};

struct report {
    char *run, *agent, *model, *started; /* owned; NULL when no run came to be; started: RFC 3339 */
    struct report_call *calls;           /* owned, in the order asked */
    size_t call_count, calls_more;
    char **warnings; /* owned */
    size_t warning_count, warnings_more;
    json_t *result; /* owned; NULL: not there yet */
};

void report_init(struct report *r);
void report_release(struct report *r);
void report_event(struct report *r, const tackle_event *event);

/* No run came to be, or it lost its runtime: there is a result all the same. */
void report_error(struct report *r, const tackle_error *error);

/* The run ended well, but what it said was lost: this is what the program ends with. */
void report_lost(struct report *r, int exit_code, const char *message);

/* How many calls ended so. */
size_t report_count(const struct report *r, enum report_outcome outcome);

#endif
