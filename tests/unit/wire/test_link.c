/* Frames of the link between the runtime and tackle-host, whole, in pieces and broken. */
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/link.h"

#define ROOM (2 * LINK_PAYLOAD_MAX)

static void a_frame_is_twelve_bytes_and_a_payload(void **state)
{
    static const unsigned char expected[] = {5, 0, 0, 0,   2,   0,   0,   0,  4,
                                             3, 2, 1, 'h', 'e', 'l', 'l', 'o'};
    struct buf out;
    (void)state;
    buf_init(&out, ROOM);
    assert_int_equal(link_write(&out, LINK_CALL, 0x01020304, "hello", 5), 0);
    assert_int_equal(out.len, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    buf_release(&out);
}

static void frames_are_read_one_by_one(void **state)
{
    struct buf out;
    struct link_frame frame;
    (void)state;
    buf_init(&out, ROOM);
    assert_int_equal(link_write(&out, LINK_OUTPUT, 7, "a\0b", 3), 0);
    assert_int_equal(link_write(&out, LINK_CLOSE, 0, NULL, 0), 0);
    long used = link_read(out.data, out.len, &frame, NULL);
    assert_int_equal(used, LINK_HEADER_SIZE + 3);
    assert_int_equal(frame.type, LINK_OUTPUT);
    assert_int_equal(frame.call, 7);
    assert_int_equal(frame.len, 3);
    assert_memory_equal(frame.payload, "a\0b", 3);
    assert_int_equal(link_read(out.data + used, out.len - (size_t)used, &frame, NULL),
                     LINK_HEADER_SIZE);
    assert_int_equal(frame.type, LINK_CLOSE);
    assert_int_equal(frame.len, 0);
    buf_release(&out);
}

static void a_frame_cut_anywhere_waits_for_more(void **state)
{
    struct buf out;
    struct link_frame frame;
    (void)state;
    buf_init(&out, ROOM);
    assert_int_equal(link_write(&out, LINK_LOG, 1, "{\"text\":\"x\"}", 12), 0);
    for (size_t len = 0; len < out.len; len++) {
        char *part = malloc(len ? len : 1); /* so that reading past it shows */
        assert_non_null(part);
        memcpy(part, out.data, len);
        assert_int_equal(link_read(part, len, &frame, NULL), 0);
        free(part);
    }
    buf_release(&out);
}

static void two_parts_come_back(void **state)
{
    struct buf out;
    struct link_frame frame;
    const char *head, *body;
    size_t head_len, body_len;
    (void)state;
    buf_init(&out, ROOM);
    assert_int_equal(link_write_parts(&out, LINK_FETCH, 9, "{}", 2, "body", 4), 0);
    assert_int_equal(link_read(out.data, out.len, &frame, NULL), out.len);
    assert_int_equal(link_read_parts(&frame, &head, &head_len, &body, &body_len), 0);
    assert_int_equal(head_len, 2);
    assert_memory_equal(head, "{}", 2);
    assert_int_equal(body_len, 4);
    assert_memory_equal(body, "body", 4);

    buf_clear(&out);
    assert_int_equal(link_write_parts(&out, LINK_FETCH, 9, "", 0, NULL, 0), 0);
    assert_int_equal(link_read(out.data, out.len, &frame, NULL), out.len);
    assert_int_equal(link_read_parts(&frame, &head, &head_len, &body, &body_len), 0);
    assert_int_equal(head_len, 0);
    assert_int_equal(body_len, 0);
    buf_release(&out);
}

static void broken_parts_are_refused(void **state)
{
    const char *head, *body;
    size_t head_len, body_len;
    static const struct {
        const char *payload;
        size_t len;
    } broken[] = {{"", 0}, {"\1\0\0", 3}, {"\1\0\0\0", 4}, {"\xff\xff\xff\xff{}", 6}};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct link_frame frame = {
            .type = LINK_CALL, .payload = broken[i].payload, .len = broken[i].len};
        assert_int_equal(link_read_parts(&frame, &head, &head_len, &body, &body_len), -1);
    }
}

static void broken_headers_are_refused(void **state)
{
    static const struct {
        unsigned char header[LINK_HEADER_SIZE];
        enum err_code code;
        const char *text;
    } broken[] = {
        {{1, 0, 0, 2, 1}, ERR_LIMIT, "a frame of 33554433 bytes, over the limit of 33554432"},
        {{255, 255, 255, 255, 1},
         ERR_LIMIT,
         "a frame of 4294967295 bytes, over the limit of 33554432"},
        {{0}, ERR_PARSE, "a frame of the unknown type 0"},
        {{0, 0, 0, 0, 6}, ERR_PARSE, "a frame of the unknown type 6"},
        {{0, 0, 0, 0, 25}, ERR_PARSE, "a frame of the unknown type 25"},
        {{0, 0, 0, 0, 1, 1}, ERR_PARSE, "a frame of the unknown type 257"},
        {{0, 0, 0, 0, 1, 0, 1}, ERR_PARSE, "a frame whose header does not end in zeros"},
        {{0, 0, 0, 0, 1, 0, 0, 9}, ERR_PARSE, "a frame whose header does not end in zeros"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct link_frame frame;
        struct err err = {0};
        assert_int_equal(link_read((const char *)broken[i].header, LINK_HEADER_SIZE, &frame, &err),
                         -1);
        assert_string_equal(err.text, broken[i].text);
        assert_int_equal(err.code, broken[i].code);
    }
}

static void what_is_too_large_is_not_written(void **state)
{
    struct buf out, small;
    static char data[LINK_PAYLOAD_MAX + 1];
    (void)state;
    buf_init(&out, 2 * ROOM);
    buf_init(&small, LINK_HEADER_SIZE + 3);
    assert_int_equal(link_write(&out, LINK_OUTPUT, 1, data, sizeof data), -1);
    assert_int_equal(link_write_parts(&out, LINK_FETCH, 1, data, 8, data, LINK_PAYLOAD_MAX - 8),
                     -1);
    assert_int_equal(link_write_parts(&out, LINK_FETCH, 1, data, sizeof data, data, 0), -1);
    assert_int_equal(out.len, 0);
    assert_int_equal(link_write(&out, LINK_OUTPUT, 1, data, LINK_PAYLOAD_MAX), 0);
    assert_int_equal(link_write(&small, LINK_OUTPUT, 1, "four", 4), -1);
    assert_int_equal(small.len, 0);
    assert_int_equal(link_write(&small, LINK_OUTPUT, 1, "one", 3), 0);
    buf_release(&out);
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_twelve_bytes_and_a_payload),
        cmocka_unit_test(frames_are_read_one_by_one),
        cmocka_unit_test(a_frame_cut_anywhere_waits_for_more),
        cmocka_unit_test(two_parts_come_back),
        cmocka_unit_test(broken_parts_are_refused),
        cmocka_unit_test(broken_headers_are_refused),
        cmocka_unit_test(what_is_too_large_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
