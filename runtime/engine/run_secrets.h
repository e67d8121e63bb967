/* Secrets are taken out of what enters the conversation, the journal and the events; see
 * base/redact.h. Everything that a run lets out passes one of these, or event.c. */
#ifndef ENGINE_RUN_SECRETS_H
#define ENGINE_RUN_SECRETS_H

#include "engine/run.h"

/* The messages that were added since the last time, before they are recorded or sent: each is
 * looked at once. 0; -1 when the conversation became too large by it, and the run has ended. */
int secrets_from_messages(struct run *run);

/* What the model has written, piece by piece, as events. */
void secrets_from_delta(struct run *run, enum chat_delta kind, const char *text, size_t len);
/* The rest of it; `whole` false: the reply is asked for again, and the rest forgotten. */
void secrets_from_deltas_end(struct run *run, bool whole);

/* The text of an answer, which becomes the result. */
int secrets_from_text(struct run *run);

/* A tool's whole output. How many there were; -1: they cannot be taken out, and it is empty now. */
long secrets_from_output(const struct run *run, struct buf *text);

/* A piece of what a tool shows while it runs. NULL ends it. What can be told is appended to `out`.
 */
void secrets_from_progress(const struct run *run, struct run_call *call, const char *text,
                           size_t len, struct buf *out);

#endif
