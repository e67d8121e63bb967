/* What GitHub Actions is told of a run: a step summary, and annotations of the job. */
#ifndef CLI_GITHUB_H
#define CLI_GITHUB_H

#include <stddef.h>
#include <stdio.h>

#include "report.h"

#define GITHUB_SUMMARY_MAX     ((size_t)1 << 20) /* of a step; GitHub drops a longer one whole */
#define GITHUB_ANNOTATIONS_MAX 10                /* of each kind in a step; more are not shown */

/* The summary as Markdown of at most `room` bytes, "" when not even its head fits. Nothing that a
 * model or a tool said can be Markdown or HTML in it. malloc'd. */
char *github_summary(const struct report *report, size_t room);

/* ::error and ::warning commands, and a ::notice that says how many more there were. */
void github_annotate(const struct report *report, FILE *to);

/* Appends the summary to a file that earlier commands of the step may have written to. 0, or -1
 * with errno. */
int github_append_summary(const struct report *report, const char *path);

#endif
