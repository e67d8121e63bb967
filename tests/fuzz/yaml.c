/* base/yaml: a value that can be written as JSON, or an error with its line. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    json_t *value = yaml_load((const char *)data, size, 1, &err);
    if (value) {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        FUZZ_CHECK(text && text_is_utf8(text, strlen(text)));
        free(text);
    } else {
        FUZZ_CHECK(err.code == ERR_PARSE);
        FUZZ_CHECK(strncmp(err.text, "line ", 5) == 0);
        FUZZ_CHECK(text_is_utf8(err.text, strlen(err.text)));
    }
    json_decref(value);
    return 0;
}
