/* base/beneath: a path becomes one that is relative and plain. First byte: the root. */
#include <stdlib.h>
#include <string.h>

#include "base/beneath.h"
#include "base/text.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const roots[] = {"/w/s", "/", "/w/s/deeper"};
    char out[BENEATH_PATH_MAX], again[BENEATH_PATH_MAX];
    struct err err = {0};
    if (size == 0)
        return 0;
    const char *root = roots[data[0] % 3];
    char *path = fuzz_text((const char *)data + 1, size - 1);
    if (beneath_relative(root, path, out, &err) == 0) {
        size_t len = strlen(out);
        FUZZ_CHECK(len > 0 && len < BENEATH_PATH_MAX && *out != '/');
        FUZZ_CHECK(len == 1 || out[len - 1] != '/');
        FUZZ_CHECK(!strstr(out, "//") && !strstr(out, "/./"));
        for (size_t i = 0; i < len; i++)
            FUZZ_CHECK((unsigned char)out[i] >= ' ' && out[i] != 0x7f);
        FUZZ_CHECK(beneath_relative(root, out, again, &err) == 0 && strcmp(out, again) == 0);
        (void)beneath_is_protected(out);
    } else {
        FUZZ_CHECK(err.code == ERR_DENIED || err.code == ERR_LIMIT || err.code == ERR_USAGE);
        FUZZ_CHECK(*err.text);
    }
    free(path);
    return 0;
}
