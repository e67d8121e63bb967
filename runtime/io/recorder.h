/* Writes a recording of a run into a folder of its own (docs/cassettes.md); io/cassette.h plays it.
 * Nothing that the rules know as a secret is ever in it. */
#ifndef IO_RECORDER_H
#define IO_RECORDER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/run.h"
#include "io/backend.h"
#include "wire/volatile.h"

struct recorder;

/* A new recording in `dir`, which is made; one that holds a recording is refused, unless `refresh`
 * says to record over it: its files go, the rules that its user added stay. `manifest` (borrowed)
 * is what is known of the run; `rules` are borrowed. Errors are ERR_USAGE, ERR_SESSION when
 * something cannot be written. */
struct recorder *recorder_new(const char *dir, bool refresh, const json_t *manifest,
                              struct volatile_rules *rules, struct err *err);

/* NULL is fine. A recording that was not finished stays as one that is not. */
void recorder_free(struct recorder *recorder);

/* In the order in which things happen. */
int recorder_request(struct recorder *recorder, const struct chat_body *body, struct err *err);
void recorder_received(struct recorder *recorder, const char *data, size_t len);
int recorder_response(struct recorder *recorder, const struct backend_end *end, struct err *err);

/* A call that has ended; `place` is its step and place, "3.1"; `files`, which may be NULL, what it
 * changed: [{"path","what"}]. */
int recorder_call(struct recorder *recorder, const char *place, const char *name, const char *args,
                  size_t args_len, const struct run_result_of_call *result, const json_t *files,
                  struct err *err);

/* The run has ended so; the recording is whole now. It may go on after that. */
int recorder_end(struct recorder *recorder, const char *stop_reason, int exit_code,
                 struct err *err);

#endif
