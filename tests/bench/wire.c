/* How fast responses are read. usage: bench-wire [MEGABYTES]
 * Prints one JSON object: megabytes (10^6 bytes) a second, the best of five rounds. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "wire/chat_reply.h"
#include "wire/sse.h"

#define PIECE  (16u << 10)
#define ROUNDS 5

static double now_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int on_event(void *user, const struct sse_event *event)
{
    *(size_t *)user += event->len;
    return 0;
}

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    (void)kind;
    (void)text;
    *(size_t *)user += len;
}

static bool read_events(const struct buf *body)
{
    struct sse sse;
    struct err err;
    size_t total = 0;
    int status = 0;
    sse_init(&sse, on_event, &total);
    for (size_t at = 0; at < body->len && status == 0; at += PIECE)
        status =
            sse_feed(&sse, body->data + at, body->len - at < PIECE ? body->len - at : PIECE, &err);
    sse_release(&sse);
    return status == 0 && total > 0;
}

static bool read_chat(const struct buf *body)
{
    struct chat_turn turn;
    size_t total = 0;
    struct chat_reply *reply = chat_reply_new(200, on_delta, &total);
    int status = reply ? 0 : -1;
    for (size_t at = 0; at < body->len && status == 0; at += PIECE)
        status = chat_reply_feed(reply, body->data + at,
                                 body->len - at < PIECE ? body->len - at : PIECE);
    if (!reply)
        return false;
    chat_reply_end(reply, NULL, &turn);
    chat_turn_release(&turn);
    chat_reply_free(reply);
    return status == 0 && total > 0;
}

static double measure(const struct buf *body, bool (*read)(const struct buf *))
{
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double began = now_s();
        if (!read(body))
            return 0;
        double speed = (double)body->len / 1e6 / (now_s() - began);
        best = speed > best ? speed : best;
    }
    return best;
}

/* A streamed answer as endpoints send it: some forty bytes of text a chunk. */
static int write_stream(struct buf *body, size_t size)
{
    int bad = 0;
    for (unsigned i = 0; body->len < size && !bad; i++)
        bad = buf_format(body,
                         "data: {\"id\":\"chatcmpl-9f2c\",\"object\":\"chat.completion.chunk\","
                         "\"created\":1790000000,\"model\":\"gemini-2.5-pro\",\"choices\":[{"
                         "\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"The %u "
                         "functions of this file are called\\nfrom one place. \"},"
                         "\"finish_reason\":null}]}\n\n",
                         i);
    return bad || buf_text(body, "data: {\"id\":\"chatcmpl-9f2c\",\"choices\":[{\"index\":0,"
                                 "\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
}

/* One JSON document with a long text. */
static int write_document(struct buf *body, size_t size)
{
    int bad = buf_text(body, "{\"id\":\"chatcmpl-9f2c\",\"object\":\"chat.completion\",\"choices\":"
                             "[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
    while (body->len < size && !bad)
        bad = buf_text(body, "The functions of this file are called\\nfrom one place. ");
    return bad || buf_text(body, "\"},\"finish_reason\":\"stop\"}]}");
}

int main(int argc, char **argv)
{
    unsigned long megabytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 16;
    struct buf stream, document;
    size_t size = (megabytes ? megabytes : 1) * 1000000;
    int status = 1;
    buf_init(&stream, 1u << 30);
    buf_init(&document, 1u << 30);
    if (write_stream(&stream, size) == 0 && write_document(&document, size) == 0) {
        double sse = measure(&stream, read_events), chat = measure(&stream, read_chat);
        double whole = measure(&document, read_chat);
        (void)printf("{\"sse\":%.0f,\"chat_stream\":%.0f,\"chat_document\":%.0f}\n", sse, chat,
                     whole);
        status = sse > 0 && chat > 0 && whole > 0 ? 0 : 1;
    }
    buf_release(&stream);
    buf_release(&document);
    return status;
}
