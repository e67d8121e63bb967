/* Builds request bodies. The conversation only grows and each message is serialised once: the
 * messages live in one struct buf, JSON objects with commas between, and a request puts a small
 * head in front of them and "]}" behind. Nothing is built again from step to step.
 *
 * All texts may be any bytes; what is written is valid UTF-8 (bad sequences become U+FFFD). All
 * functions that append return 0, or -1 when the buffer is full or memory is out; the buffer is
 * then as it was. */
#ifndef WIRE_CHAT_REQUEST_H
#define WIRE_CHAT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "wire/chat_turn.h"

int chat_add_system(struct buf *messages, const char *text, size_t len);
int chat_add_user(struct buf *messages, const char *text, size_t len);

struct chat_part {
    const char *text; /* text of the part; NULL for media */
    const char *url;  /* image, audio, video or document: https: or data: URL */
    size_t len;       /* bytes of whichever is set */
};

int chat_add_user_parts(struct buf *messages, const struct chat_part *parts, size_t count);

/* The assistant's turn as it has to go back: text, calls with their arguments as valid JSON (those
 * that could not be read as {}), and what the server wants to see again. Every call must have an
 * id (chat_turn_complete_ids). A turn without text and calls appends nothing. */
int chat_add_assistant(struct buf *messages, const struct chat_turn *turn);

/* The answer to one call; all calls of a turn are answered, in their order, right after it, under
 * the call's own id and name. Empty content becomes "(no output)". */
int chat_add_tool(struct buf *messages, const char *call_id, const char *name, const char *text,
                  size_t len);

/* One function of the `tools` array; params is its JSON Schema as text, NULL for none. -1 also when
 * params is no JSON object. */
int chat_add_function(struct buf *tools, const char *name, const char *description,
                      const char *params);

/* The default endpoint's own search; alone in `tools`, as it excludes functions. */
int chat_add_google_search(struct buf *tools);

enum chat_choice { CHAT_CHOICE_UNSET = 0, CHAT_CHOICE_FALSE, CHAT_CHOICE_TRUE };

/* Everything that is unset (NULL, 0) is left out of the body. */
struct chat_request {
    const char *model;
    bool stream;        /* always written: servers differ in their default */
    bool want_usage;    /* stream_options.include_usage; only with stream */
    const char *effort; /* reasoning_effort: "low", "high" */
    enum chat_choice include_thoughts;
    long max_tokens;
    const char *tool_choice;     /* "auto", "none", "required"; only with tools */
    const char *response_format; /* JSON text of an object */
    const char *extra; /* JSON text of an object whose members go into the body and win over ours */
    const struct buf *tools; /* chat_add_function(); NULL or empty: none */
    const struct buf *messages;
};

struct chat_slice {
    const char *data;
    size_t len;
};

#define CHAT_BODY_SLICES 5

/* The body as slices to be sent one after the other. The head is owned; tools and messages are
 * borrowed from the request's buffers, which must not change while the slices are in use. */
struct chat_body {
    struct buf head;
    struct chat_slice slices[CHAT_BODY_SLICES];
    size_t count;
    size_t len; /* of all slices: the Content-Length */
};

/* Whether tools and response_format go together is the caller's to know: Gemini's endpoints refuse
 * both in one request. Errors: ERR_USAGE (no model, no message, extra or response_format is not
 * what it has to be), ERR_NOMEM. *body needs no release after an error. */
int chat_body_init(struct chat_body *body, const struct chat_request *request, struct err *err);
void chat_body_release(struct chat_body *body);

#endif
