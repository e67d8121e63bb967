/* What is wrong after a run, in the words of the case. */
#ifndef CASES_REPORT_H
#define CASES_REPORT_H

#include "base/buf.h"

#define REPORT_SHOWN_MAX 4000 /* bytes of one text in a failure; -v shows all */

struct report {
    const char *path; /* of the case; borrowed */
    struct buf text;
    unsigned failures;
};

/* One failure: the line of the case (0: a check made after every case), what was expected, what
 * came. Long texts are cut in the middle. */
void report_failure(struct report *report, int line, const char *expected, const char *came);
void report_failuref(struct report *report, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends a text with "| " before each line, cut to REPORT_SHOWN_MAX unless `whole`. */
void report_quote(struct buf *out, const char *text, size_t len, int whole);

#endif
