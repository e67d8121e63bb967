/* What a run tells about its steps and its end. */
#ifndef ENGINE_RUN_RESULT_H
#define ENGINE_RUN_RESULT_H

#include "engine/run.h"

void emit_step_completed(struct run *run);
void emit_warnings(struct run *run, const struct chat_turn *turn);

/* Puts a path into the result's list of files; no event. */
void run_note_file(struct run *run, const char *path, const char *what);

#endif
