/* The response body: what kind it is, its documents one after the other, its end. */
#include "wire/chat_reply.h"

#include <stdlib.h>
#include <string.h>

#include "wire/chat_build.h"
#include "wire/chat_fast.h"
#include "wire/json_repair.h"
#include "wire/sse.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

enum body_kind {
    BODY_UNKNOWN, /* only blanks so far */
    BODY_EVENTS,
    BODY_JSON,
    BODY_MARKUP,
    BODY_PACKED /* gzip that the headers said nothing of */
};

struct chat_reply {
    struct chat_build build;
    struct sse sse;
    struct buf body; /* a body that is no event stream */
    enum body_kind kind;
    size_t bom;  /* bytes of a byte order mark seen at the start */
    bool failed; /* a cap is reached: nothing more is read */
};

#define WORDS_MAX 1024u /* of a body that is no answer */

static int on_event(void *user, const struct sse_event *event);

struct chat_reply *chat_reply_new(int http_status, chat_delta_fn on_delta, void *user)
{
    struct chat_reply *reply = calloc(1, sizeof *reply);
    if (!reply)
        return NULL;
    chat_build_init(&reply->build, http_status, on_delta, user);
    sse_init(&reply->sse, on_event, reply);
    buf_init(&reply->body, CHAT_BODY_MAX);
    return reply;
}

void chat_reply_free(struct chat_reply *reply)
{
    if (!reply)
        return;
    chat_build_release(&reply->build);
    sse_release(&reply->sse);
    buf_release(&reply->body);
    free(reply);
}

static bool is_failure(const struct chat_reply *reply)
{
    int status = reply->build.http_status;
    return status != 0 && (status < 200 || status > 299);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && is_blank(**text)) {
        ++*text;
        --*len;
    }
    while (*len > 0 && is_blank((*text)[*len - 1]))
        --*len;
}

static int take_value(struct chat_reply *reply, const json_t *value)
{
    size_t i;
    json_t *item;
    if (json_is_object(value))
        return chat_build_take(&reply->build, value);
    json_array_foreach(value, i, item) if (json_is_object(item) &&
                                           chat_build_take(&reply->build, item)) return -1;
    return 0;
}

/* One document: [DONE], or JSON. 1: taken, 0: it is neither, -1: a cap is reached. */
static int take_document(struct chat_reply *reply, const char *text, size_t len)
{
    json_error_t error;
    bool repaired;
    trim(&text, &len);
    if (len == 0)
        return 1;
    if (len == 6 && memcmp(text, "[DONE]", 6) == 0) {
        reply->build.turn.done_marker = true;
        return 1;
    }
    int status;
    if (chat_fast_take(&reply->build, text, len, &status))
        return status ? -1 : 1;
    json_t *value = json_parse_lenient(text, len, 0, &repaired, &error);
    if (!value)
        return 0;
    if (repaired)
        chat_build_warn(&reply->build, "a chunk was no valid JSON and was mended");
    status = take_value(reply, value);
    json_decref(value);
    return status ? -1 : 1;
}

/* The data of an event. Servers that put one newline between events send several documents in
 * it, a line each. */
static int take_data(struct chat_reply *reply, const char *data, size_t len)
{
    int taken = take_document(reply, data, len);
    if (taken != 0)
        return taken < 0 ? -1 : 0;
    const char *end = data + len;
    bool several = memchr(data, '\n', len) != NULL;
    unsigned long bad = several ? 0 : 1;
    while (several && data < end && !reply->build.turn.done_marker) {
        const char *eol = memchr(data, '\n', (size_t)(end - data));
        size_t n = (size_t)((eol ? eol : end) - data);
        taken = take_document(reply, data, n);
        if (taken < 0)
            return -1;
        bad += taken == 0;
        data += n + (eol != NULL);
    }
    reply->build.bad_chunks += bad;
    if (bad > 0)
        chat_build_warn(&reply->build, "a chunk was no JSON and was skipped");
    return 0;
}

/* An event that says it is an error: JSON of any form, or words. */
static int take_error_event(struct chat_reply *reply, const char *data, size_t len)
{
    struct chat_error *error = &reply->build.turn.error;
    int status = reply->build.http_status;
    json_error_t ignored;
    trim(&data, &len);
    if (error->class != CHAT_ERROR_NONE)
        return 0;
    json_t *value = json_parse_lenient(data, len, 0, NULL, &ignored);
    if (!value || !chat_error_from_json(error, value, status))
        chat_error_from_text(error, data, len, status);
    json_decref(value);
    return 0;
}

static int on_event(void *user, const struct sse_event *event)
{
    struct chat_reply *reply = user;
    if (reply->build.turn.done_marker)
        return 0; /* nothing counts behind [DONE] */
    reply->build.turn.stream = true;
    if (strcmp(event->name, "error") == 0)
        return take_error_event(reply, event->data, event->len);
    return take_data(reply, event->data, event->len);
}

/* Looks at the first byte that is no blank. A byte order mark in front is skipped. Returns how many
 * bytes come before it. */
static size_t sniff(struct chat_reply *reply, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (reply->bom < 3 && data[i] == byte_order_mark[reply->bom])
            reply->bom++;
        else if (data[i] == '{' || data[i] == '[')
            reply->kind = BODY_JSON;
        else if (data[i] == '<')
            reply->kind = BODY_MARKUP;
        else if (data[i] == '\x1f')
            reply->kind = BODY_PACKED;
        else if (!is_blank(data[i]))
            reply->kind = BODY_EVENTS;
        if (reply->kind != BODY_UNKNOWN)
            return i;
    }
    return len;
}

static int give_up(struct chat_reply *reply, const char *reason)
{
    struct chat_error *error = &reply->build.turn.error;
    reply->failed = true;
    if (error->class == CHAT_ERROR_NONE)
        chat_error_set(error, CHAT_ERROR_TRANSIENT, "%s", reason);
    return -1;
}

static int feed_events(struct chat_reply *reply, const char *data, size_t len)
{
    struct err err = {0};
    if (sse_feed(&reply->sse, data, len, &err) == 0 || chat_reply_done(reply))
        return 0;
    return give_up(reply, err.text);
}

/* Words of a proxy under a status that says it failed may look like events: "data: not found". */
static int keep_words(struct chat_reply *reply, const char *data, size_t len)
{
    if (!is_failure(reply) || reply->body.len >= WORDS_MAX)
        return 0;
    size_t room = WORDS_MAX - reply->body.len;
    return buf_append(&reply->body, data, len < room ? len : room) ? give_up(reply, "out of memory")
                                                                   : 0;
}

/* The blanks and the byte order mark that came before it was known that these are events. */
static int feed_kept(struct chat_reply *reply)
{
    int status = feed_events(reply, reply->body.data, reply->body.len);
    buf_clear(&reply->body);
    return status;
}

int chat_reply_feed(struct chat_reply *reply, const char *data, size_t len)
{
    if (reply->failed)
        return -1;
    if (chat_reply_done(reply))
        return keep_words(reply, data, len); /* nothing behind [DONE] is an event */
    size_t start = 0;
    if (reply->kind == BODY_UNKNOWN) {
        start = sniff(reply, data, len);
        if (reply->kind == BODY_EVENTS && feed_kept(reply))
            return -1;
    }
    if (reply->kind == BODY_EVENTS)
        return keep_words(reply, data + start, len - start) ? -1 : feed_events(reply, data, len);
    if (buf_append(&reply->body, data, len))
        return give_up(reply, "the response is larger than any answer should be");
    return 0;
}

bool chat_reply_done(const struct chat_reply *reply)
{
    return reply->build.turn.done_marker;
}

enum body_result { BODY_NOTHING, BODY_CUT, BODY_ONE, BODY_SEVERAL };

/* Documents one after the other, without the frame of an event stream. */
static enum body_result take_documents(struct chat_reply *reply, const char *text, size_t len)
{
    enum body_result result = BODY_NOTHING;
    int status = 0;
    while (len > 0 && status == 0) {
        json_error_t error;
        json_t *value = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, &error);
        if (!value || error.position <= 0) {
            json_decref(value);
            break;
        }
        status = take_value(reply, value);
        json_decref(value);
        result = BODY_SEVERAL;
        text += error.position;
        len -= (size_t)error.position;
        trim(&text, &len);
    }
    if (len > 0)
        reply->build.bad_chunks++;
    return result;
}

/* A body that starts like JSON: as a rule one document, which may be cut. */
static enum body_result take_body(struct chat_reply *reply, const char *text, size_t len)
{
    json_error_t error;
    bool repaired;
    trim(&text, &len);
    if (len >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
        text += 3;
        len -= 3;
    }
    json_t *value = json_parse_lenient(text, len, 0, &repaired, &error);
    if (value) {
        reply->build.whole = !reply->build.turn.stream && json_array_size(value) < 2;
        (void)take_value(reply, value); /* a cap that was reached is the turn's error */
        json_decref(value);
        return BODY_ONE;
    }
    if (take_documents(reply, text, len) == BODY_SEVERAL)
        return BODY_SEVERAL;
    return json_is_cut(text, len) ? BODY_CUT : BODY_NOTHING;
}

/* The whole body is something else: a page of a website, words. Under a status that says all is
 * well the address is wrong, as a rule. */
static void take_other(struct chat_reply *reply, const char *text, size_t len)
{
    struct chat_error *error = &reply->build.turn.error;
    int status = reply->build.http_status;
    if (error->class != CHAT_ERROR_NONE)
        return;
    if (reply->kind == BODY_PACKED) {
        text = "the response is compressed, and its headers do not say so";
        len = strlen(text);
    }
    chat_error_from_text(error, text, len, status);
    if (status >= 200 && status <= 299) {
        error->class = CHAT_ERROR_FATAL;
        error->detail = strdup("the response is no chat completion: is the base URL right?");
    }
}

/* Lines between the events that were no events: a bare JSON error, as a rule. Returns whether they
 * are one JSON document and all that came. */
static bool take_unframed(struct chat_reply *reply)
{
    struct chat_build *build = &reply->build;
    const char *text = reply->sse.unframed.data;
    size_t len = reply->sse.unframed.len;
    trim(&text, &len);
    if (len == 0)
        return false;
    if (*text == '{' || *text == '[') {
        bool one = take_body(reply, text, len) == BODY_ONE;
        build->bad_chunks += !one;
        return one && !build->turn.stream;
    }
    if (!build->turn.stream) {
        take_other(reply, text, len);
    } else if (*text == '<' && !build->turn.finish_reason &&
               build->turn.error.class == CHAT_ERROR_NONE) {
        chat_error_from_text(&build->turn.error, text, len, build->http_status);
    }
    return false;
}

/* The body is there: read what was not read as it came. Returns whether it was one JSON document
 * that is a chat completion. */
static bool take_rest(struct chat_reply *reply)
{
    struct chat_build *build = &reply->build;
    struct err err = {0};
    if (reply->kind == BODY_JSON) {
        enum body_result result = take_body(reply, reply->body.data, reply->body.len);
        if (build->chunks > 0)
            return result == BODY_ONE;
        if (result != BODY_CUT)
            take_other(reply, reply->body.data, reply->body.len);
        return false;
    }
    if (reply->kind == BODY_MARKUP || reply->kind == BODY_PACKED) {
        take_other(reply, reply->body.data, reply->body.len);
        return false;
    }
    if (chat_reply_done(reply))
        return false;
    if (sse_end(&reply->sse, &err) && err.code != ERR_NONE)
        (void)give_up(reply, err.text);
    return take_unframed(reply);
}

void chat_reply_end(struct chat_reply *reply, const char *transfer_error, struct chat_turn *turn)
{
    struct chat_build *build = &reply->build;
    struct chat_error *error = &build->turn.error;
    bool whole = !reply->failed && take_rest(reply);
    if (is_failure(reply) && error->class == CHAT_ERROR_NONE)
        chat_error_from_text(error, reply->body.data, reply->body.len, build->http_status);
    chat_build_finish(build, whole, transfer_error == NULL);
    if (transfer_error && build->turn.stop != CHAT_STOP_INCOMPLETE)
        chat_build_warn(build, "the connection broke after the answer was whole");
    *turn = build->turn;
    chat_turn_init(&build->turn);
}
