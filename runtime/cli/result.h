/* The result object of a run: reading it, and making one when no run came to be. */
#ifndef CLI_RESULT_H
#define CLI_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <tackle/tackle.h>

#include "stream.h"

/* The result of a run that could not begin, or lost its runtime. `seq` is its number among the
 * events; `run` its run, NULL when there was none. A new reference. */
json_t *result_of_error(const tackle_error *error, uint64_t seq, const char *run);

/* The same, printed as one line of JSON. */
void result_print_error(struct stream *to, const tackle_error *error, uint64_t seq,
                        const char *run);

/* One JSON value and a newline, with nothing hidden when a person looks at it. */
void result_print_json(struct stream *to, const char *json, size_t len);

/* Why the run ended without success, in a line that says what to do; malloc'd. NULL when it ended
 * well. */
char *result_problem(const json_t *result);

/* What an event budget.warning says: "80 % of the limit on tokens is used". malloc'd. */
char *result_budget_line(const json_t *event);

/* "3 steps · 2 tool calls · 1.2k in + 80 out tokens · $0.0012 · 3.1 s". `replayed`: the tokens and
 * their cost were those of the recording. */
void result_print_summary(struct stream *to, const json_t *result, bool replayed);

/* Members of events; "" and 0 when absent. */
const char *json_text(const json_t *object, const char *key);
int64_t json_number(const json_t *object, const char *key);

#endif
