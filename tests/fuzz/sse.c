/* wire/sse: events do not depend on where the stream was cut. First byte: the pieces. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "wire/sse.h"

/* What was delivered, one after the other. */
struct seen {
    struct buf events;
    size_t count;
};

static int on_event(void *user, const struct sse_event *event)
{
    struct seen *seen = user;
    FUZZ_CHECK(event->name && !strpbrk(event->name, "\r\n"));
    FUZZ_CHECK(event->id && !strpbrk(event->id, "\r\n"));
    FUZZ_CHECK(!memchr(event->data, '\r', event->len));
    FUZZ_CHECK(buf_format(&seen->events, "%s\n%s\n%zu\n", event->name, event->id, event->len) == 0);
    FUZZ_CHECK(buf_append(&seen->events, event->data, event->len) == 0);
    seen->count++;
    return 0;
}

static void read_stream(uint8_t seed, const char *data, size_t size, struct seen *seen,
                        struct buf *unframed)
{
    struct sse sse;
    struct err err;
    struct fuzz_pieces pieces;
    char *piece;
    size_t len;
    buf_init(&seen->events, 16u << 20);
    seen->count = 0;
    sse_init(&sse, on_event, seen);
    fuzz_pieces_start(&pieces, seed, data, size);
    while ((piece = fuzz_pieces_next(&pieces, &len))) {
        FUZZ_CHECK(sse_feed(&sse, piece, len, &err) == 0);
        free(piece);
    }
    FUZZ_CHECK(sse_end(&sse, &err) == 0);
    buf_init(unframed, SSE_UNFRAMED_MAX);
    FUZZ_CHECK(buf_append(unframed, sse.unframed.data, sse.unframed.len) == 0);
    sse_release(&sse);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, cut;
    struct buf whole_rest, cut_rest;
    if (size == 0 || size > SSE_UNFRAMED_MAX / 2)
        return 0;
    const char *stream = (const char *)data + 1;
    read_stream(0, stream, size - 1, &whole, &whole_rest);
    read_stream(data[0] ? data[0] : 1, stream, size - 1, &cut, &cut_rest);
    FUZZ_CHECK(whole.count == cut.count);
    FUZZ_CHECK(same(&whole.events, &cut.events));
    FUZZ_CHECK(same(&whole_rest, &cut_rest));
    buf_release(&whole.events);
    buf_release(&cut.events);
    buf_release(&whole_rest);
    buf_release(&cut_rest);
    return 0;
}
