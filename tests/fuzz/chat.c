/* wire/chat_reply: a response reads the same wherever it was cut, and no call is run with arguments
 * that are none. First byte: the pieces; second: the status of the response. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "wire/chat_reply.h"

static const int statuses[] = {200, 200, 200, 200, 201, 400, 401,
                               402, 403, 404, 429, 500, 503, 302};

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    size_t *total = user;
    FUZZ_CHECK(kind == CHAT_DELTA_TEXT || kind == CHAT_DELTA_REASONING);
    FUZZ_CHECK(len > 0 && text_is_utf8(text, len));
    *total += len;
}

static void check_error(const struct chat_error *e)
{
    struct buf line;
    buf_init(&line, 64u << 10);
    FUZZ_CHECK(e->message && text_is_utf8(e->message, strlen(e->message)));
    FUZZ_CHECK(e->retry_ms >= -1);
    FUZZ_CHECK(chat_error_text(e, "endpoint", &line) == 0);
    FUZZ_CHECK(fuzz_is_clean(line.data, line.len) && !strchr(line.data, '\n'));
    (void)chat_error_may_retry(e, NULL);
    FUZZ_CHECK(chat_error_wait_ms(e, NULL, 0) >= -1);
    buf_release(&line);
}

static void check_turn(const struct chat_turn *turn)
{
    FUZZ_CHECK(text_is_utf8(turn->text.data, turn->text.len));
    FUZZ_CHECK(text_is_utf8(turn->reasoning.data, turn->reasoning.len));
    FUZZ_CHECK(turn->call_count <= CHAT_CALLS_MAX);
    FUZZ_CHECK((turn->stop == CHAT_STOP_ERROR) == (turn->error.class != CHAT_ERROR_NONE));
    FUZZ_CHECK(turn->stop != CHAT_STOP_TOOL_CALLS || turn->call_count > 0);
    for (size_t i = 0; i < turn->call_count; i++) {
        const struct chat_call *call = &turn->calls[i];
        FUZZ_CHECK(call->name && call->text);
        FUZZ_CHECK((call->args == NULL) == (call->problem != NULL));
        FUZZ_CHECK(!call->args || json_is_object(call->args));
    }
    if (turn->stop == CHAT_STOP_ERROR)
        check_error(&turn->error);
}

/* Reads a response; returns all that was understood as text. */
static char *read_response(uint8_t seed, int status, const char *data, size_t size)
{
    struct fuzz_pieces pieces;
    struct chat_turn turn;
    char *piece;
    size_t len, deltas = 0;
    unsigned long next = 0;
    struct chat_reply *reply = chat_reply_new(status, on_delta, &deltas);
    FUZZ_CHECK(reply);
    fuzz_pieces_start(&pieces, seed, data, size);
    while ((piece = fuzz_pieces_next(&pieces, &len))) {
        int fed = chat_reply_feed(reply, piece, len);
        free(piece);
        if (fed != 0)
            break;
    }
    chat_reply_end(reply, NULL, &turn);
    chat_reply_free(reply);
    check_turn(&turn);
    json_t *json = chat_turn_json(&turn);
    FUZZ_CHECK(json);
    char *text = json_dumps(json, JSON_SORT_KEYS | JSON_INDENT(1));
    FUZZ_CHECK(text);
    json_decref(json);
    FUZZ_CHECK(chat_turn_complete_ids(&turn, &next) == 0);
    for (size_t i = 0; i < turn.call_count; i++)
        FUZZ_CHECK(turn.calls[i].id && *turn.calls[i].id);
    chat_turn_release(&turn);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 64u << 10)
        return 0;
    int status = statuses[data[1] % (sizeof statuses / sizeof *statuses)];
    const char *body = (const char *)data + 2;
    char *whole = read_response(0, status, body, size - 2);
    char *cut = read_response(data[0] ? data[0] : 1, status, body, size - 2);
    if (strcmp(whole, cut) != 0)
        (void)fprintf(stderr, "in one piece: %s\nin several: %s\n", whole, cut);
    FUZZ_CHECK(strcmp(whole, cut) == 0);
    free(whole);
    free(cut);
    return 0;
}
