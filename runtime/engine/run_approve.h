/* May a call run? The policy decides; where it says "ask", a person does, or nobody. */
#ifndef ENGINE_RUN_APPROVE_H
#define ENGINE_RUN_APPROVE_H

#include "engine/run_state.h"

/* Decides on a call whose arguments fit. True: it may run now. Else it has its result, waits for an
 * answer (CALL_ASKED), or the run has ended. */
bool run_permit_call(struct run *run, struct run_call *call, const json_t *args);

/* May it be begun as far as the limit on calls goes? Counts it; else answers it. */
bool run_use_call(struct run *run, struct run_call *call);

/* Does a call wait for an answer? */
bool run_is_asking(const struct run *run);

/* Nothing goes on but what waits for answers that nobody will give: the run pauses. */
void run_pause(struct run *run);

/* The options `--approve CALL` of all calls that wait for an answer. */
int run_put_approvals(const struct run *run, struct buf *out);

/* [{"call","name","arguments","why","rule"}]: the calls that wait. A new reference. */
json_t *run_approvals_json(const struct run *run);

/* From the journal: that somebody was asked, and what was decided. */
int approve_restore_asked(struct run_call *call, const json_t *record);
int approve_restore_decision(struct run *run, struct run_call *call, const json_t *record);

#endif
