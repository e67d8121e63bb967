/* wire/json_long: the same values and the same refusals as jansson's own, however short the strings
 * are that are set aside. */
#include <string.h>

#include "fuzz.h"
#include "wire/json_long.h"

static void compare(const char *text, size_t size, size_t flags, size_t least)
{
    json_error_t error = {.position = -1}, expected = {.position = -1};
    json_t *value = json_load_long(text, size, flags, least, &error);
    json_t *plain = json_loadb(text, size, flags, &expected);
    FUZZ_CHECK(!value == !plain);
    if (value)
        FUZZ_CHECK(json_equal(value, plain));
    else
        FUZZ_CHECK(error.position == expected.position && strcmp(error.text, expected.text) == 0);
    json_decref(value);
    json_decref(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    compare(text, size, 0, 0);
    compare(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, 1);
    compare(text, size, JSON_ALLOW_NUL, 4);
    return 0;
}
