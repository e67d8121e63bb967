/* A run again from the records of its journal, which engine/run_journal.h describes. */
#ifndef ENGINE_RUN_RESTORE_H
#define ENGINE_RUN_RESTORE_H

#include "engine/run.h"

/* Of a run that is new: takes its id, and then its records one after the other, without the first,
 * which is the owner's. `body` is zero-terminated. Nothing is emitted and nothing recorded.
 * ERR_SESSION: a record that makes no sense. */
int run_restore_begin(struct run *run, const char *id, struct err *err);
int run_restore(struct run *run, const char *kind, const char *body, size_t len, struct err *err);

/*
 * After the last record: the run goes on where it stopped, or run_prompt() goes on with something
 * new. Results that were recorded are kept. A call that was started and has none is treated by its
 * effect when the run goes on:
 *     safe, keyed   it is run again, with the same key
 *     probe         its tool is asked whether it was done: RUN_CALL with call->probe
 *     never         it is not run; the model is told that its outcome is unknown
 * ERR_USAGE: there is nothing to go on with, the answer is there; or a limit is used up.
 */
int run_resume(struct run *run, struct err *err);

#endif
