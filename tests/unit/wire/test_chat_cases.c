/* Recorded responses, each whole, in pieces, and bent in the ways that networks and servers bend
 * them: the turn that comes out must be the same. */
#include "wire/chat_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_support.h"
#include "wire_cases.h"

static struct wire_cases cases;

struct shown {
    struct buf text, reasoning;
};

static void on_delta(void *user, enum chat_delta kind, const char *text, size_t len)
{
    struct shown *shown = user;
    struct buf *into = kind == CHAT_DELTA_TEXT ? &shown->text : &shown->reasoning;
    assert_int_equal(buf_append(into, text, len), 0);
}

/* Feeds the body in pieces of `piece` bytes; 0: in random ones. */
static void read_body(const char *body, size_t len, int status, size_t piece, const char *broken,
                      struct chat_turn *turn)
{
    struct shown shown;
    unsigned seed = 12345;
    buf_init(&shown.text, CHAT_TEXT_MAX);
    buf_init(&shown.reasoning, CHAT_TEXT_MAX);
    struct chat_reply *reply = chat_reply_new(status, on_delta, &shown);
    assert_non_null(reply);
    for (size_t at = 0, n; at < len; at += n) {
        seed = seed * 1103515245u + 12345u;
        n = piece ? piece : 1 + (seed >> 16) % 97;
        if (n > len - at)
            n = len - at;
        char *copy = malloc(n); /* so that a pointer kept past the call is found out */
        assert_non_null(copy);
        memcpy(copy, body + at, n);
        assert_int_equal(chat_reply_feed(reply, copy, n), 0);
        free(copy);
    }
    chat_reply_end(reply, broken, turn);
    chat_reply_free(reply);
    assert_int_equal(shown.text.len, turn->text.len);
    assert_memory_equal(shown.text.data, turn->text.data, shown.text.len);
    assert_int_equal(shown.reasoning.len, turn->reasoning.len);
    buf_release(&shown.text);
    buf_release(&shown.reasoning);
}

static void check(const struct wire_case *item, const char *how, const char *body, size_t len,
                  size_t piece, bool done_too)
{
    struct chat_turn turn;
    read_body(body, len, item->status, piece, NULL, &turn);
    json_t *got = chat_turn_json(&turn);
    assert_non_null(got);
    if (!wire_case_fits(item, got, done_too)) {
        char *text = json_dumps(got, JSON_INDENT(1));
        char *want = json_dumps(item->expected, JSON_INDENT(1));
        print_error("%s (%s): got %s\nwant %s\n", item->name, how, text, want);
        free(text);
        free(want);
        fail();
    }
    json_decref(got);
    chat_turn_release(&turn);
}

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        check(item, "whole", item->body, item->len, item->len + 1, true);
    }
}

static void test_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        check(item, "a byte at a time", item->body, item->len, 1, true);
        check(item, "random pieces", item->body, item->len, 0, true);
    }
}

static void check_replaced(const struct wire_case *item, const char *how, const char *from,
                           const char *to, size_t piece)
{
    size_t len;
    char *body = wire_replaced(item->body, item->len, from, to, &len);
    check(item, how, body, len, piece, true);
    free(body);
}

static void test_line_ends_and_comments(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        if (!wire_case_is_stream(item) || memchr(item->body, '\r', item->len))
            continue;
        check_replaced(item, "CRLF", "\n", "\r\n", 4096);
        check_replaced(item, "CRLF, a byte at a time", "\n", "\r\n", 1);
        check_replaced(item, "CRLF, random pieces", "\n", "\r\n", 0);
        check_replaced(item, "CR", "\n", "\r", 4096);
        check_replaced(item, "CR, a byte at a time", "\n", "\r", 1);
        check_replaced(item, "comments", "\n\n", "\n\n: keep-alive\n\n", 0);
        check_replaced(item, "no blank after the colon", "data: ", "data:", 0);
        check_replaced(item, "event fields", "\ndata: ", "\nevent: message\nid: 7\ndata: ", 0);
    }
}

static void test_start_and_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        char *body = malloc(item->len + 3);
        assert_non_null(body);
        memcpy(body, "\xef\xbb\xbf", 3);
        memcpy(body + 3, item->body, item->len);
        check(item, "BOM", body, item->len + 3, 0, true);
        check(item, "BOM, a byte at a time", body, item->len + 3, 1, true);
        free(body);
        size_t len = item->len;
        while (len > 0 && item->body[len - 1] == '\n')
            len--;
        check(item, "final newlines cut", item->body, len, 0, true);
        const char *done = memmem(item->body, item->len, "data: [DONE]", 12);
        if (done && json_is_string(json_object_get(item->expected, "finish_reason")))
            check(item, "[DONE] cut", item->body, (size_t)(done - item->body), 0, false);
    }
}

static const json_t *expected_call(const struct wire_case *item, size_t i)
{
    return json_array_get(json_object_get(item->expected, "tool_calls"), i);
}

/* A cut body may be an answer that was whole by then, or no answer; its calls may run only when
 * they are those of the whole body. */
static void check_cut(const struct wire_case *item, size_t len, const char *broken)
{
    struct chat_turn turn;
    read_body(item->body, len, item->status, 8192, broken, &turn);
    if (turn.stop == CHAT_STOP_TOOL_CALLS) {
        assert_string_equal(json_string_value(json_object_get(item->expected, "stop")),
                            "tool_calls");
        for (size_t i = 0; i < turn.call_count; i++) {
            const json_t *call = expected_call(item, i);
            assert_string_equal(turn.calls[i].name,
                                json_string_value(json_object_get(call, "name")));
            assert_true(wire_same(turn.calls[i].args, json_object_get(call, "arguments")));
        }
        assert_int_equal(turn.call_count,
                         json_array_size(json_object_get(item->expected, "tool_calls")));
    } else if (turn.stop == CHAT_STOP_STOP) {
        const json_t *text = json_object_get(item->expected, "text");
        assert_int_equal(turn.text.len, json_string_length(text));
    } else if (item->status == 200 && json_is_null(json_object_get(item->expected, "error"))) {
        if (turn.stop == CHAT_STOP_ERROR) {
            print_error("%s, cut at %zu: %s\n", item->name, len, turn.error.message);
            fail();
        }
    }
    chat_turn_release(&turn);
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        /* each byte of a short body, and of the last part of a long one */
        size_t step = item->len / (test_under_valgrind() ? 10 : 40) + 1;
        size_t last = test_under_valgrind() ? 20 : 120;
        size_t fine = item->len > 5 * last ? item->len - last : 0;
        for (size_t len = 0; len < item->len; len += len < fine ? step : 1)
            check_cut(item, len, len % 2 ? "connection reset" : NULL);
    }
}

static void test_same_body_under_other_status(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        static const int statuses[] = {400, 401, 429, 500, 503, 524};
        if (!json_is_object(json_object_get(item->expected, "error")) || wire_case_is_stream(item))
            continue;
        for (size_t j = 0; j < sizeof statuses / sizeof statuses[0]; j++) {
            struct chat_turn turn;
            read_body(item->body, item->len, statuses[j], 64, NULL, &turn);
            assert_int_equal(turn.stop, CHAT_STOP_ERROR);
            assert_int_equal(turn.error.http_status, statuses[j]);
            assert_int_not_equal(turn.error.class, CHAT_ERROR_NONE);
            chat_turn_release(&turn);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_in_pieces),
        cmocka_unit_test(test_line_ends_and_comments),
        cmocka_unit_test(test_start_and_end),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_same_body_under_other_status),
    };
    wire_cases_load(&cases, WIRE_CASES_FIXTURES);
    wire_cases_load(&cases, WIRE_CASES_SHARED "/cases");
    print_message("%zu recorded responses\n", cases.count);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wire_cases_release(&cases);
    return failed;
}
