/* base/redact: a seed, then a text. Cut in any pieces it gives the same as at once; no value is
 * left in what comes out; JSON stays JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/redact.h"
#include "fuzz.h"

static const char *const values[] = {"hunter2+/hunter2", "a\"b\\c\nd-value", "aaaaaaaaaaaa",
                                     "123456789012"};

static struct redact *make(void)
{
    struct redact *set = redact_new();
    for (size_t i = 0; set && i < sizeof values / sizeof *values; i++)
        FUZZ_CHECK(redact_add(set, "V", values[i]) == 0);
    FUZZ_CHECK(set);
    return set;
}

static void check_pieces(const struct redact *set, uint8_t seed, const char *text, size_t len,
                         const struct buf *whole)
{
    struct redact_stream stream;
    struct fuzz_pieces pieces;
    struct buf out;
    size_t size = 0;
    buf_init(&out, 1u << 24);
    redact_stream_init(&stream, set);
    fuzz_pieces_start(&pieces, seed, text, len);
    for (char *piece; (piece = fuzz_pieces_next(&pieces, &size)); free(piece))
        FUZZ_CHECK(redact_stream_feed(&stream, piece, size, &out) == 0);
    FUZZ_CHECK(redact_stream_end(&stream, &out) == 0);
    FUZZ_CHECK(out.len == whole->len && memcmp(out.data, whole->data, out.len) == 0);
    redact_stream_release(&stream);
    buf_release(&out);
}

static void check_json(const struct redact *set, const char *text, size_t len)
{
    struct buf out;
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    buf_init(&out, 1u << 24);
    if (value && redact_copy(set, REDACT_JSON, text, len, &out) > 0) {
        json_t *clean = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        FUZZ_CHECK(clean);
        if (json_is_string(clean))
            FUZZ_CHECK(!strstr(json_string_value(clean), values[0]));
        json_decref(clean);
    }
    json_decref(value);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1u << 20)
        return 0;
    struct redact *set = make();
    struct buf whole;
    char *text = fuzz_text((const char *)data + 1, size - 1);
    buf_init(&whole, 1u << 24);
    long count = redact_copy(set, REDACT_TEXT, text, size - 1, &whole);
    FUZZ_CHECK(count >= 0 && (count > 0 || whole.len == 0));
    if (count == 0)
        FUZZ_CHECK(buf_append(&whole, text, size - 1) == 0);
    FUZZ_CHECK(!redact_find(set, whole.data, whole.len));
    check_pieces(set, data[0], text, size - 1, &whole);
    check_json(set, text, size - 1);
    buf_release(&whole);
    free(text);
    redact_free(set);
    return 0;
}
