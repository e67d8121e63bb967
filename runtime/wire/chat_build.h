/* Inside chat_reply: a turn while its chunks arrive. */
#ifndef WIRE_CHAT_BUILD_H
#define WIRE_CHAT_BUILD_H

#include <jansson.h>
#include <stdbool.h>

#include "wire/chat_calls.h"
#include "wire/chat_echo.h"
#include "wire/chat_reply.h"

struct chat_build {
    struct chat_turn turn;
    struct chat_calls calls;
    struct chat_details details;
    chat_delta_fn on_delta;
    void *user;
    int http_status;
    bool whole;               /* a message in one piece, not deltas */
    bool in_thought;          /* between <thought> and </thought> in the text */
    bool refused;             /* a refusal came */
    bool after_finish;        /* text or calls came after a finish_reason */
    bool native_malformed;    /* the model's own reason: a malformed call */
    unsigned long chunks;     /* that had something of a chat completion in them */
    unsigned long bad_chunks; /* that could not be read */
};

void chat_build_init(struct chat_build *build, int http_status, chat_delta_fn on_delta, void *user);
void chat_build_release(struct chat_build *build);

/* Takes one chunk, or a whole chat completion. 0, or -1 when a cap is reached (the turn's error is
 * then set). */
int chat_build_take(struct chat_build *build, const json_t *chunk);

/* Appends text of the answer or of the reasoning. As above. */
int chat_build_text(struct chat_build *build, enum chat_delta kind, const char *text, size_t len);

/* Notes something that was mended, one line. */
void chat_build_warn(struct chat_build *build, const char *line);

/* Settles how the turn ended. `whole_body`: it came as one JSON document. */
void chat_build_finish(struct chat_build *build, bool whole_body, bool transfer_ok);

#endif
