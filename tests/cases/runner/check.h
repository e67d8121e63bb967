/* Checks what came of a run: the expectations of the case, and what must hold after every run. */
#ifndef CASES_CHECK_H
#define CASES_CHECK_H

#include "case.h"
#include "place.h"
#include "process.h"
#include "report.h"
#include "wire/schema.h"

/* The lines of the `expect` sections of one run. (check.c) */
void check_expectations(const struct process *process, const struct endpoints *endpoints,
                        const struct place *place, struct report *report);

/* Without being asked, after each run (invariant.c): it ended in time and by itself, no sanitizer
 * spoke, its JSON output is whole, fits `schema` and tells the exit code it had. */
void check_process(const struct process *process, const struct schema *schema,
                   struct report *report);

/* After each case (invariant.c): every request is answered by the script, is UTF-8 and JSON, and
 * has its tool messages right; no secret is in an output, a request or a file. */
void check_requests(const struct endpoints *endpoints, const struct test_case *test,
                    struct report *report);
void check_secrets(const struct process *processes, size_t count, const struct endpoints *endpoints,
                   const struct test_case *test, const struct place *place, struct report *report);

/* The lines of a JSON output as an array; lines that are no JSON are left out. */
json_t *check_lines(const struct buf *out);

/* "text", "json" or "stream-json", as the command line of the run asks for it. */
const char *check_output_format(const struct run *run);

#endif
