/* wire/link: frames of a stream; each is written back as it was. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/link.h"

static void check_parts(const struct link_frame *frame)
{
    const char *head, *body;
    size_t head_len, body_len;
    struct buf again;
    if (link_read_parts(frame, &head, &head_len, &body, &body_len) != 0)
        return;
    FUZZ_CHECK(head_len + body_len + 4 == frame->len);
    FUZZ_CHECK(head == frame->payload + 4 && body == head + head_len);
    buf_init(&again, LINK_HEADER_SIZE + LINK_PAYLOAD_MAX);
    FUZZ_CHECK(link_write_parts(&again, frame->type, frame->call, head, head_len, body, body_len) ==
               0);
    FUZZ_CHECK(again.len == LINK_HEADER_SIZE + frame->len);
    FUZZ_CHECK(memcmp(again.data + LINK_HEADER_SIZE, frame->payload, frame->len) == 0);
    buf_release(&again);
}

/* Fewer bytes than the frame has are never taken for one. */
static void check_prefixes(const char *data, size_t used)
{
    struct link_frame frame;
    struct err err;
    for (size_t len = 0; len < used && len < 64; len++)
        FUZZ_CHECK(link_read(data, len, &frame, &err) == 0);
    FUZZ_CHECK(link_read(data, used - 1, &frame, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    size_t left = size;
    struct link_frame frame;
    struct err err;
    for (;;) {
        err = (struct err){0};
        long used = link_read(at, left, &frame, &err);
        FUZZ_CHECK(used >= -1 && used <= (long)left);
        FUZZ_CHECK((used == -1) == (*err.text != '\0'));
        if (used <= 0)
            return 0;
        struct buf again;
        buf_init(&again, LINK_HEADER_SIZE + LINK_PAYLOAD_MAX);
        FUZZ_CHECK(link_write(&again, frame.type, frame.call, frame.payload, frame.len) == 0);
        FUZZ_CHECK(again.len == (size_t)used && memcmp(again.data, at, again.len) == 0);
        buf_release(&again);
        check_parts(&frame);
        check_prefixes(at, (size_t)used);
        at += used;
        left -= (size_t)used;
    }
}
