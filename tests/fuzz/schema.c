/* wire/schema: a schema and a value, with a line "---" between them. What fits when unknown
 * properties are refused fits when they are not. */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "wire/schema.h"

static int check(const struct schema *schema, const json_t *value)
{
    struct buf problems;
    buf_init(&problems, 8192);
    int status = schema_check(schema, value, &problems);
    size_t lines = problems.len > 0;
    for (size_t i = 0; i < problems.len; i++)
        lines += problems.data[i] == '\n';
    FUZZ_CHECK((status == 0) == (problems.len == 0));
    FUZZ_CHECK(lines <= SCHEMA_ERRORS_MAX);
    FUZZ_CHECK(text_is_utf8(problems.data, problems.len));
    FUZZ_CHECK(schema_check(schema, value, NULL) == status);
    buf_release(&problems);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_parts parts;
    struct err err = {0}, strict_err;
    json_error_t ignored;
    fuzz_split(data, size, &parts);
    struct schema *loose = schema_compile(parts.first, parts.first_len, 0, &err);
    struct schema *strict =
        schema_compile(parts.first, parts.first_len, SCHEMA_STRICT_PROPERTIES, &strict_err);
    json_t *value = json_loadb(parts.second, parts.second_len, JSON_DECODE_ANY, &ignored);
    FUZZ_CHECK((loose == NULL) == (strict == NULL));
    if (!loose)
        FUZZ_CHECK(*err.text && text_is_utf8(err.text, strlen(err.text)));
    else if (value && check(strict, value) == 0)
        FUZZ_CHECK(check(loose, value) == 0);
    json_decref(value);
    schema_free(loose);
    schema_free(strict);
    fuzz_parts_release(&parts);
    return 0;
}
