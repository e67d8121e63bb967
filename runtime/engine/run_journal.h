/* What a run writes into its journal. With these records run_restore.h makes the same run again. */
#ifndef ENGINE_RUN_JOURNAL_H
#define ENGINE_RUN_JOURNAL_H

#include "engine/run_state.h"

/*
 * The records of engine/run; "run_started" is the owner's, who knows the settings.
 *
 * - state {"state":{...}}: where the run stands, its counts among it. Calls are counted as of the
 *   message before them
 * - conversation {"state","messages":[...]}: all of it, byte for byte as it is sent; at the
 *   beginning, and when it was made shorter
 * - messages {"state","messages":[...]}: what it has got since; but results, which come from the
 *   calls. "unreadable":[n] in front: the arguments of these calls were
 * - answered {"text"}: the results of the last message's calls went into the conversation, in their
 *   order; those that had none as `text`
 * - asked {"call","name","why","rule","write"}: somebody has to say whether it may run; a yes gives
 *   it the right to write
 * - decision {"call","name","decision","verdict","by","rule","reason","for_run","write"}
 * - tool_started {"call","id","name","effect","args"}: it may have taken effect from here on
 * - remember {"call","note"}: what a tool noted for its probe()
 * - file_changed {"call","path","what"}
 * - tool_finished {"call","name","ok","code","duration_ms","result"}: as the model reads it
 * - run_finished {"result":{...}}
 *
 * All return 0, or -1 when a record could not be written; the run has ended then, unless it had
 * before. Without a journal they do nothing.
 */
int journal_progress(struct run *run); /* state and messages */
int journal_answered(struct run *run, const char *text);
int journal_asked(struct run *run, const struct run_call *call);
int journal_decision(struct run *run, const struct run_call *call,
                     const struct call_ruling *ruling);
int journal_tool_started(struct run *run, const struct run_call *call);
int journal_file_changed(struct run *run, const struct run_call *call, const char *path,
                         const char *what);
int journal_tool_finished(struct run *run, const struct run_call *call, const char *code,
                          int64_t duration_ms);
int journal_run_finished(struct run *run, const char *result);

#endif
