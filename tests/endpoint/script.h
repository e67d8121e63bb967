/* What the endpoint answers: replies as a person writes them, and the choice of one for a request.
 * tests/README.md lists the directives. */
#ifndef ENDPOINT_SCRIPT_H
#define ENDPOINT_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "request.h"
#include "sections.h"

#define SCRIPT_BODY_MAX (64u << 20)
#define REPLY_FOREVER   (-1)

struct reply_call {
    char *id;
    char *name;
    char *arguments; /* as written: need not be JSON */
};

struct reply_usage {
    bool absent;
    long input;
    long output;
    long reasoning; /* -1: not told */
    long cached;    /* -1: not told */
};

/* Where a reply is cut or falls silent. */
enum reply_place { PLACE_NONE, PLACE_START, PLACE_HEADERS, PLACE_HALF, PLACE_BYTES };
enum reply_break { BREAK_CUT, BREAK_RESET, BREAK_STALL };

enum reply_form { FORM_AS_ASKED, FORM_SSE, FORM_JSON }; /* of a chat reply */
enum reply_framing { FRAMING_DEFAULT, FRAMING_CHUNKED, FRAMING_LENGTH, FRAMING_CLOSE };

struct reply {
    int line; /* of its heading */
    struct condition **when;
    size_t when_count;
    long times; /* how often it may be used, or REPLY_FOREVER */
    long used;

    long status;
    char **headers; /* "Name: value" */
    size_t header_count;
    char *type; /* Content-Type; NULL: what fits the body */

    /* The model's answer, rendered as the request asks for it. */
    enum reply_form form;
    struct buf text;
    bool has_text;
    struct buf reasoning;
    char *reasoning_field;
    struct reply_call *calls;
    size_t call_count;
    char *finish; /* NULL: by what it holds; "none": left out */
    char *model;
    struct reply_usage usage;
    long pieces; /* deltas that a text or the arguments of a call are sent in */
    bool done;   /* [DONE] at the end of a stream */

    /* A body as it stands, instead of all that. */
    bool is_raw;
    struct buf raw;
    size_t *raw_ends; /* where each `sse` event ends */
    size_t raw_end_count;

    /* How it travels. */
    int64_t wait_ms;       /* before the headers */
    int64_t wait_body_ms;  /* between headers and body */
    int64_t wait_chunk_ms; /* between pieces of the body */
    long chunk_bytes;      /* size of a piece; 0: an event each */
    enum reply_framing framing;
    enum reply_place place;
    enum reply_break how;
    size_t place_bytes;
    bool endless; /* the body's deltas again and again */
};

struct script {
    struct reply *replies;
    size_t count;
};

/* Adds what a section "reply" or "body" says; `dir` is where file names in it start. `path` is for
 * messages. 1: it was neither; 0; -1. */
int script_add(struct script *script, const struct section *section, const char *path,
               const char *dir, struct err *err);
void script_release(struct script *script);

/* The first reply that is not used up and whose conditions all hold, NULL when there is none. The
 * reply counts as used. */
struct reply *script_choose(struct script *script, const struct request *request);

#endif
