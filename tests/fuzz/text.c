/* base/text: whatever comes in, what comes out can be shown. First byte: where texts are cut. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"

#define OUT_MAX ((size_t)4 << 20)

/* What is clean stays as it is. */
static void check_cleaner(const char *text, size_t len)
{
    struct buf once, twice;
    buf_init(&once, OUT_MAX);
    buf_init(&twice, OUT_MAX);
    FUZZ_CHECK(text_for_model(&once, text, len) == 0);
    FUZZ_CHECK(fuzz_is_clean(once.data, once.len));
    FUZZ_CHECK(text_for_model(&twice, once.data, once.len) == 0);
    FUZZ_CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    buf_release(&once);
    buf_release(&twice);
}

static void check_utf8(const char *text, size_t len)
{
    struct buf out;
    size_t replaced = 0;
    buf_init(&out, OUT_MAX);
    FUZZ_CHECK(text_fix_utf8(&out, text, len, &replaced) == 0);
    FUZZ_CHECK(text_is_utf8(out.data, out.len));
    FUZZ_CHECK((replaced == 0) == text_is_utf8(text, len));
    FUZZ_CHECK(replaced > 0 || (out.len == len && memcmp(out.data, text, len) == 0));
    buf_release(&out);
}

static void check_cut(const char *text, size_t len, size_t at)
{
    struct buf out;
    size_t edge = text_edge(text, len, at);
    bool good = text_is_utf8(text, len);
    FUZZ_CHECK(edge <= at && edge <= len);
    FUZZ_CHECK(!good || text_is_utf8(text, edge));
    buf_init(&out, OUT_MAX);
    FUZZ_CHECK(text_head_tail(&out, text, len, at, at / 2) == 0);
    FUZZ_CHECK(!good || text_is_utf8(out.data, out.len));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 64u << 10)
        return 0;
    const char *text = (const char *)data + 1;
    size_t len = size - 1;
    check_cleaner(text, len);
    check_utf8(text, len);
    check_cut(text, len, data[0]);
    (void)text_is_binary(text, len);
    char *word = fuzz_text(text, len < 64 ? len : 64);
    size_t distance = text_distance(word, "read_file", 5);
    FUZZ_CHECK(distance == text_distance("read_file", word, 5) || distance > 5);
    free(word);
    return 0;
}
