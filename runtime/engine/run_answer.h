/* Answers that must be JSON of a given form, and requests that an endpoint does not take as they
 * are. */
#ifndef ENGINE_RUN_ANSWER_H
#define ENGINE_RUN_ANSWER_H

#include "engine/run.h"

/* Compiles config.answer_schema and makes the response_format for it. 0 or -1. */
int answer_prepare(struct run *run, struct err *err);

/* Is response_format part of the next request? */
bool answer_wants_format(const struct run *run);

/* A final answer is in run->text: takes it when it fits, else asks for it once more. False when no
 * schema is wanted. */
bool answer_take(struct run *run);

/* The endpoint refused a field that it can do without: leaves it out from now on. False when it
 * named none. */
bool answer_leave_out(struct run *run, const struct chat_error *error);

#endif
