/* plugins/file/ignore: the rules of an ignore file and a path, with a line "---" between them. */
#include <string.h>

#include "file/ignore.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_parts parts;
    struct ignore ig;
    fuzz_split(data, size, &parts);
    ignore_init(&ig);
    FUZZ_CHECK(ignore_add(&ig, 0, parts.first, parts.first_len) == 0);
    FUZZ_CHECK(ig.count <= IGNORE_RULES_MAX);
    if (parts.second_len > 0 && parts.second_len < 1024) {
        /* what is ignored as a file is ignored as a directory, unless a rule says otherwise */
        bool file = ignore_match(&ig, parts.second, false);
        bool dir = ignore_match(&ig, parts.second, true);
        FUZZ_CHECK(!file || dir || memchr(parts.first, '!', parts.first_len));
        size_t count = ig.count, base = strcspn(parts.second, "/");
        base += parts.second[base] == '/';
        FUZZ_CHECK(ignore_add(&ig, base, parts.first, parts.first_len) == 0);
        (void)ignore_match(&ig, parts.second, true);
        ignore_drop(&ig, count);
        FUZZ_CHECK(ignore_match(&ig, parts.second, false) == file);
    }
    ignore_release(&ig);
    fuzz_parts_release(&parts);
    return 0;
}
