/* A recording that is played back: what the model was asked and answered, and what the tools gave
 * (docs/cassettes.md). io/recorder.h writes them. */
#ifndef IO_CASSETTE_H
#define IO_CASSETTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wire/chat_request.h"
#include "wire/volatile.h"

#define CASSETTE_VERSION   1
#define CASSETTE_MANIFEST  "manifest.json"
#define CASSETTE_REQUESTS  10000u
#define CASSETTE_FILE_MAX  (256u << 20)
#define CASSETTE_NAME_SIZE 40

/* The name of a file of the n-th request: "003.request.json". */
enum cassette_file { CASSETTE_REQUEST, CASSETTE_BODY, CASSETTE_RESPONSE, CASSETTE_CALLS };
void cassette_name(unsigned request, enum cassette_file file, char out[CASSETTE_NAME_SIZE]);

struct cassette;

/* Opens a recording; `rules` are borrowed, and become those of its manifest. Without `compare` its
 * responses are given in their order, whatever is asked, and it knows no calls. A folder of
 * response bodies alone (001.sse, 002.sse, ... in the order of their names) is one too: it knows no
 * requests and no calls, so nothing is compared. ERR_CONFIG: there is none, it is of a newer
 * format, or was never finished. */
struct cassette *cassette_open(const char *dir, struct volatile_rules *rules, bool compare,
                               struct err *err);
void cassette_free(struct cassette *cassette); /* NULL is fine */

/* The manifest; borrowed. NULL for bodies alone. */
const json_t *cassette_manifest(const struct cassette *cassette);

/* Does it compare, and know calls? */
bool cassette_compares(const struct cassette *cassette);

/* All errors below are ERR_REPLAY, with a difference for people in cassette_diff() where there is
 * one to show; or ERR_CONFIG for a file that is missing or damaged. */

/* Is this the next request that was recorded? */
int cassette_ask(struct cassette *cassette, const struct chat_body *body, struct err *err);

struct backend_end;

/* The response to that request: its bytes, and the pieces in which they came. All is borrowed until
 * the next cassette_ask(). */
struct cassette_response {
    const char *data;
    size_t len;
    const struct cassette_piece {
        int64_t wait_ms; /* since the piece before, or since the request */
        size_t len;
    } * pieces;
    size_t piece_count;
    const struct backend_end *end;
};
int cassette_response(struct cassette *cassette, struct cassette_response *out, struct err *err);

/* Is this one of the calls that followed? `place` is its step and place, "3.1". The result's texts
 * are owned by *out. */
struct cassette_result {
    int32_t code;
    char *output; /* owned; "" when there was none */
    size_t len;
    char *message; /* owned; NULL */
    uint64_t omitted;
    int64_t duration_ms;
    json_t *files; /* owned: [{"path","what"}] */
};
int cassette_call(struct cassette *cassette, const char *place, const char *name, const char *args,
                  size_t args_len, struct cassette_result *out, struct err *err);
void cassette_result_release(struct cassette_result *result);

/* The run has ended: had it when it was recorded, with all its calls made? */
int cassette_end(struct cassette *cassette, struct err *err);

/* The difference behind the last error, a unified diff; "" when there is none. */
const char *cassette_diff(const struct cassette *cassette);

#endif
