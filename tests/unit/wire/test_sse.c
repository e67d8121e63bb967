/* The event stream parser: the framing cases of ../shared/wire_cases, and what bounds it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire/sse.h"

#define FRAMING TEST_SOURCE_DIR "/../shared/wire_cases/sse_framing.json"

/* Events as JSON, as the framing file writes them. */
static int keep(void *user, const struct sse_event *event)
{
    json_t *item = json_pack("{s:s, s:s%, s:s}", "event", event->name, "data", event->data,
                             event->len, "id", event->id);
    assert_non_null(item);
    return json_array_append_new(user, item);
}

static void check(const char *name, const char *data, size_t len, size_t piece, bool lenient,
                  const json_t *expected)
{
    struct sse sse;
    json_t *events = json_array();
    sse_init(&sse, keep, events);
    for (size_t at = 0, n; at < len; at += n) {
        n = piece < len - at ? piece : len - at;
        char *copy = malloc(n); /* a pointer kept past the call is found out */
        assert_non_null(copy);
        memcpy(copy, data + at, n);
        assert_int_equal(sse_feed(&sse, copy, n, NULL), 0);
        free(copy);
    }
    if (lenient)
        assert_int_equal(sse_end(&sse, NULL), 0);
    if (!json_equal(events, expected)) {
        char *got = json_dumps(events, 0), *want = json_dumps(expected, 0);
        print_error("%s, pieces of %zu: got %s, want %s\n", name, piece, got, want);
        free(got);
        free(want);
        fail();
    }
    json_decref(events);
    sse_release(&sse);
}

/* RFC 4648; the file is our own, so that bad input cannot be. */
static void decode_base64(struct buf *out, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, count = 0;
    for (; *text && *text != '='; text++) {
        const char *digit = strchr(digits, *text);
        assert_non_null(digit);
        bits = bits << 6 | (unsigned)(digit - digits);
        count += 6;
        if (count >= 8) {
            count -= 8;
            assert_int_equal(buf_byte(out, (char)(bits >> count & 0xff)), 0);
        }
    }
}

static void check_framing_case(const json_t *item)
{
    struct buf body;
    size_t i;
    json_t *chunk;
    const char *name = json_string_value(json_object_get(item, "name"));
    const json_t *strict = json_object_get(item, "events");
    const json_t *lenient = json_object_get(item, "events_lenient_eof");
    buf_init(&body, 1 << 20);
    json_array_foreach(json_object_get(item, "chunks_b64"), i, chunk)
        decode_base64(&body, json_string_value(chunk));
    const size_t pieces[] = {body.len + 1, 1, 2, 3, 7};
    for (i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        check(name, body.data, body.len, pieces[i], false, strict);
        check(name, body.data, body.len, pieces[i], true, lenient ? lenient : strict);
    }
    buf_release(&body);
}

static void test_framing_cases(void **state)
{
    (void)state;
    size_t i;
    json_t *item;
    json_error_t error;
    json_t *file = json_load_file(FRAMING, JSON_ALLOW_NUL, &error);
    if (!file)
        test_skip("the recorded cases are not there: " FRAMING);
    const json_t *list = json_object_get(file, "cases");
    assert_true(json_array_size(list) >= 31);
    json_array_foreach(list, i, item) check_framing_case(item);
    json_decref(file);
}

static void check_text(const char *text, const char *expected)
{
    json_error_t error;
    json_t *events = json_loads(expected, 0, &error);
    assert_non_null(events);
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++)
        check(text, text, strlen(text), piece, true, events);
    json_decref(events);
}

static void test_events(void **state)
{
    (void)state;
    check_text("", "[]");
    check_text("\n\n\n", "[]");
    check_text("data: a\n\ndata: b\n\n", "[{\"event\":\"message\",\"data\":\"a\",\"id\":\"\"},"
                                         "{\"event\":\"message\",\"data\":\"b\",\"id\":\"\"}]");
    check_text("data: a\r\ndata:  b\r\n\r\n",
               "[{\"event\":\"message\",\"data\":\"a\\n b\",\"id\":\"\"}]");
    check_text("id: 1\ndata: a\n\nid\ndata: b\n\n",
               "[{\"event\":\"message\",\"data\":\"a\",\"id\":\"1\"},"
               "{\"event\":\"message\",\"data\":\"b\",\"id\":\"\"}]");
}

static void test_error_field_is_an_event(void **state)
{
    (void)state;
    check_text("data: a\n\nerror: {\"code\":500}\n\n",
               "[{\"event\":\"message\",\"data\":\"a\",\"id\":\"\"},"
               "{\"event\":\"error\",\"data\":\"{\\\"code\\\":500}\",\"id\":\"\"}]");
}

static void test_unframed_lines_are_kept(void **state)
{
    (void)state;
    static const char text[] = "data: a\n\n{\n  \"error\": {\"code\": 503}\n}\n";
    struct sse sse;
    json_t *events = json_array();
    sse_init(&sse, keep, events);
    assert_int_equal(sse_feed(&sse, text, strlen(text), NULL), 0);
    assert_int_equal(sse_end(&sse, NULL), 0);
    assert_int_equal(json_array_size(events), 1);
    assert_string_equal(sse.unframed.data, "{\n  \"error\": {\"code\": 503}\n}\n");
    json_decref(events);
    sse_release(&sse);
}

static int refuse(void *user, const struct sse_event *event)
{
    (void)event;
    ++*(int *)user;
    return 1;
}

static void test_callback_stops(void **state)
{
    (void)state;
    struct sse sse;
    int calls = 0;
    sse_init(&sse, refuse, &calls);
    assert_int_equal(sse_feed(&sse, "data: a\n\ndata: b\n\n", 18, NULL), -1);
    assert_int_equal(calls, 1);
    sse_release(&sse);
}

static void test_caps(void **state)
{
    (void)state;
    struct sse sse;
    struct err err = {0};
    int calls = 0;
    size_t size = 1 << 20;
    char *block = malloc(size);
    assert_non_null(block);

    memset(block, 'x', size);
    sse_init(&sse, refuse, &calls);
    assert_int_equal(sse_feed(&sse, "data: ", 6, &err), 0);
    for (int i = 0; i < 15; i++)
        assert_int_equal(sse_feed(&sse, block, size, &err), 0);
    assert_int_equal(sse_feed(&sse, block, size, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    sse_release(&sse);

    /* many data lines of one event */
    err = (struct err){0};
    block[size - 1] = '\n';
    memcpy(block, "data: ", 6);
    sse_init(&sse, refuse, &calls);
    int status = 0, fed = 0;
    while (status == 0 && fed++ < 20)
        status = sse_feed(&sse, block, size, &err);
    assert_int_equal(status, -1);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(fed > 15);
    sse_release(&sse);

    /* bytes that are no event stream */
    err = (struct err){0};
    memset(block, 'x', size);
    block[SSE_UNFRAMED_MAX] = '\n';
    sse_init(&sse, refuse, &calls);
    assert_int_equal(sse_feed(&sse, block, size, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    sse_release(&sse);
    assert_int_equal(calls, 0);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_cases),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_error_field_is_an_event),
        cmocka_unit_test(test_unframed_lines_are_kept),
        cmocka_unit_test(test_callback_stops),
        cmocka_unit_test(test_caps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
