/* The short way through a chunk must read what the long way reads, for every chunk of the recorded
 * streams and for damaged ones. */
#include <stdbool.h>
#include <string.h>

#include "wire/chat_fast.h"
#include "test_support.h"
#include "wire_cases.h"

static struct wire_cases cases;

static bool same_bytes(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Returns whether the short way took the chunk. */
static bool check(const char *chunk, size_t len)
{
    struct chat_build fast, full;
    int status = 0;
    json_error_t error;
    char *copy = malloc(len + 1); /* so that a byte read past the end is found out */
    assert_non_null(copy);
    memcpy(copy, chunk, len);
    copy = realloc(copy, len ? len : 1);
    assert_non_null(copy);
    chat_build_init(&fast, 200, NULL, NULL);
    chat_build_init(&full, 200, NULL, NULL);
    bool taken = chat_fast_take(&fast, copy, len, &status);
    if (taken) {
        json_t *value = json_loadb(copy, len, 0, &error);
        bool same = json_is_object(value) && chat_build_take(&full, value) == status &&
                    same_bytes(&fast.turn.text, &full.turn.text) &&
                    same_bytes(&fast.turn.reasoning, &full.turn.reasoning) &&
                    fast.chunks == full.chunks && !full.turn.finish_reason &&
                    !full.turn.has_usage && !full.turn.echo && full.calls.count == 0 &&
                    full.calls.function_call.name.len == 0 && !full.details.list &&
                    full.turn.error.class == CHAT_ERROR_NONE && !full.refused &&
                    !full.native_malformed && !full.in_thought && full.turn.warnings.len == 0;
        if (!same)
            print_error("read in another way: %.*s\n", (int)len, chunk);
        assert_true(same);
        json_decref(value);
    } else {
        assert_int_equal(fast.chunks, 0);
        assert_int_equal(fast.turn.text.len, 0);
    }
    chat_build_release(&fast);
    chat_build_release(&full);
    free(copy);
    return taken;
}

static bool takes(const char *chunk)
{
    return check(chunk, strlen(chunk));
}

static void test_what_is_taken(void **state)
{
    (void)state;
    assert_true(takes("{\"id\":\"x\",\"choices\":[{\"delta\":{\"content\":\"a\"},\"index\":0}]}"));
    assert_true(
        takes("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
              "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,\"created\":17}"));
    assert_true(
        takes(" { \"choices\" : [ { \"delta\" : { \"content\" : \"\\n\\t\\\"\\\\\\/\" } } ] } "));
    assert_true(takes("{\"choices\":[{\"delta\":{\"reasoning_content\":\"\xe9\x87\x8f\","
                      "\"content\":null}}]}"));
    assert_true(takes("{\"choices\":[{}]}"));
}

static void test_what_is_left_alone(void **state)
{
    (void)state;
    static const char *const chunks[] = {
        "",
        "[]",
        "{}",
        "{\"choices\":[]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"\\u00e9\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\xff\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\x01\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\",\"content\":\"b\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"index\":1}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}},{\"delta\":{\"content\":\"b\"}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\",\"extra_content\":{}}}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{}}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":null}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"created\":01}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}x",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"},}]}",
    };
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++)
        assert_false(takes(chunks[i]));
}

static void test_in_a_thought_nothing_is_taken(void **state)
{
    (void)state;
    static const char chunk[] = "{\"choices\":[{\"delta\":{\"content\":\"</thought>a\"}}]}";
    struct chat_build build;
    int status;
    chat_build_init(&build, 200, NULL, NULL);
    build.in_thought = true;
    assert_false(chat_fast_take(&build, chunk, strlen(chunk), &status));
    chat_build_release(&build);
}

/* Damages a chunk in a few places, with bytes that mean something to JSON. */
static size_t damage(char *chunk, size_t len, unsigned *seed)
{
    static const char bytes[] = "{}[]:,\"\\ 019-.eutnf\n\x80\xc3";
    for (unsigned n = 1 + *seed % 3; n > 0 && len > 2; n--) {
        *seed = *seed * 1103515245u + 12345u;
        size_t at = (*seed >> 8) % len;
        *seed = *seed * 1103515245u + 12345u;
        if ((*seed >> 16) % 4 == 0) {
            memmove(chunk + at, chunk + at + 1, len - at - 1);
            len--;
        } else {
            chunk[at] = bytes[(*seed >> 16) % (sizeof bytes - 1)];
        }
    }
    return len;
}

static void test_recorded_chunks(void **state)
{
    (void)state;
    unsigned seed = 7, taken = 0, total = 0, damaged = 0;
    for (size_t i = 0; i < cases.count; i++) {
        const char *p = cases.items[i].body, *end = p + cases.items[i].len;
        for (unsigned line = 0; p < end; line++) {
            const char *eol = memchr(p, '\n', (size_t)(end - p));
            size_t len = (size_t)((eol ? eol : end) - p);
            if (len > 6 && memcmp(p, "data: {", 7) == 0) {
                total++;
                taken += check(p + 6, len - 6);
                for (int j = 0; j < 8 && line < 400 && len < 4096; j++) {
                    char copy[4096];
                    memcpy(copy, p + 6, len - 6);
                    damaged += check(copy, damage(copy, len - 6, &seed));
                }
            }
            p += len + 1;
        }
    }
    print_message("%u of %u chunks taken, %u damaged ones\n", taken, total, damaged);
    assert_true(taken > 0);
    assert_true(damaged > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken),
        cmocka_unit_test(test_what_is_left_alone),
        cmocka_unit_test(test_in_a_thought_nothing_is_taken),
        cmocka_unit_test(test_recorded_chunks),
    };
    wire_cases_load(&cases, WIRE_CASES_FIXTURES);
    wire_cases_load(&cases, WIRE_CASES_SHARED "/cases");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wire_cases_release(&cases);
    return failed;
}
