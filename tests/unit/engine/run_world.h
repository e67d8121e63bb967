/* A run without a world: a few tools, turns made of response bodies, and a sink that checks each
 * event as it comes. Shared by the tests of engine/run. */
#ifndef TESTS_UNIT_ENGINE_RUN_WORLD_H
#define TESTS_UNIT_ENGINE_RUN_WORLD_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/run.h"

struct world {
    struct provider provider;
    struct tool tools[4];
    const struct tool *list[4];
    struct run_config config;
    struct policy *policy;
    struct run *run;
    json_t *events;     /* all of them, parsed */
    uint64_t cancel_at; /* seq of the event whose receipt stops the run; 0: none */
    uint64_t cancelled_in;
};

/* Tools: look(path) and peek(path) may run side by side, note(text) may not, change() writes. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* From here on the run may write. */
void world_may_write(struct world *w);

/* From here on somebody is asked before it writes, and has to answer. */
void world_asks(struct world *w);

/* Makes the run of w->config, and gives it a prompt. */
void world_start(struct world *w);
int world_prompt(struct world *w, const char *text, struct err *err);

/* A response body as JSON: a final text, or calls: id, name, arguments, ... NULL. */
json_t *reply_text(const char *text);
json_t *reply_calls(const char *id, ...) __attribute__((sentinel));

/* Answers the request in flight: with a body, which is taken, under a status. */
void world_reply(struct world *w, json_t *body);
void world_fail(struct world *w, int status, const char *body, const char *retry_after);
/* The same with a body as it stands: an event stream, or nothing. */
void world_reply_bytes(struct world *w, const char *body, const char *transfer_error);

/* What is next, which must be of this kind. */
struct run_action world_next(struct world *w, enum run_action_kind kind);

/* RUN_CALL, for this tool. */
struct run_call *world_next_call(struct world *w, const char *tool);
void world_call_done(struct world *w, struct run_call *call, const char *output);

/* RUN_ENDED, for this reason; the result is parsed, and checked against the events. */
json_t *world_end(struct world *w, const char *reason, int exit_code);

/* The body of a request as it would be sent; its conversation is checked: each call has one result,
 * in order, right after its message. */
json_t *world_body(struct world *w);
const json_t *body_message(const json_t *body, long index); /* negative: from the end */
const char *message_text(const json_t *message);

/* The last event of a type; NULL when there is none. */
const json_t *world_event(const struct world *w, const char *type);
size_t world_count(const struct world *w, const char *type);
const char *text_at(const json_t *object, const char *key);
long long number_at(const json_t *object, const char *key);

#endif
