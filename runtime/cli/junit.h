/* A run as JUnit XML, which CI systems read: one test case for the run, one for each tool call. */
#ifndef CLI_JUNIT_H
#define CLI_JUNIT_H

#include "report.h"

/* The whole document, for a report that has its result. A call that failed is a failure, one that
 * was denied or did not end is skipped; the run itself is a failure when it ended without success,
 * an error when it could not go on. malloc'd. */
char *junit_make(const struct report *report);

#endif
