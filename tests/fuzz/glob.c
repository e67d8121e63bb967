/* plugins/file/glob: a pattern and a path, with a line "---" between them. */
#include <string.h>

#include "file/glob.h"
#include "fuzz.h"

#define PATH_MAX_BYTES 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_parts parts;
    struct glob_set set;
    const char *problem = NULL;
    fuzz_split(data, size, &parts);
    if (parts.first_len < GLOB_PATTERN_MAX && parts.second_len < PATH_MAX_BYTES) {
        bool matches = glob_match(parts.first, parts.second);
        bool plain = *parts.first && !strpbrk(parts.first, "*?[]\\");
        FUZZ_CHECK(matches || !plain || strcmp(parts.first, parts.second) != 0);
    }
    if (glob_set_init(&set, parts.first, &problem) == 0) {
        FUZZ_CHECK(set.count > 0 && set.count <= GLOB_SET_MAX);
        if (parts.second_len < PATH_MAX_BYTES)
            (void)glob_set_match(&set, parts.second);
        glob_set_release(&set);
    } else {
        FUZZ_CHECK(problem && *problem && set.count == 0);
    }
    fuzz_parts_release(&parts);
    return 0;
}
