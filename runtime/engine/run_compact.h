/* A conversation that has become too long for the model: made shorter, once. */
#ifndef ENGINE_RUN_COMPACT_H
#define ENGINE_RUN_COMPACT_H

#include "engine/run.h"

/* Replaces the results of older tool calls by a line that says so; prompts, answers and the newest
 * results stay. Emits context.compacted. False when there is nothing to gain, or it was done for
 * this request already. */
bool run_compact(struct run *run);

#endif
