/* wire/sanitise: whatever the schema, what comes out is in the safe subset, and a schema itself. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "wire/sanitise.h"
#include "wire/schema.h"

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

static void check_safe(const json_t *schema, unsigned depth);

static void check_properties(const json_t *schema, unsigned depth)
{
    const char *name;
    json_t *item;
    size_t i;
    json_t *properties = json_object_get(schema, "properties");
    json_object_foreach(properties, name, item)
    {
        check_safe(item, depth - 1);
    }
    json_array_foreach(json_object_get(schema, "required"), i, item)
    {
        FUZZ_CHECK(json_is_string(item));
        FUZZ_CHECK(json_object_get(properties, json_string_value(item)));
    }
}

static void check_safe(const json_t *schema, unsigned depth)
{
    static const char *const keywords[] = {
        "type",  "description", "properties", "required", "items",    "enum",     "nullable",
        "anyOf", "format",      "minimum",    "maximum",  "minItems", "maxItems", NULL};
    static const char *const types[] = {"string", "number", "integer", "boolean",
                                        "array",  "object", NULL};
    const char *key;
    json_t *item;
    size_t i;
    const char *type = json_string_value(json_object_get(schema, "type"));
    const json_t *format = json_object_get(schema, "format");
    FUZZ_CHECK(depth > 0 && json_is_object(schema));
    FUZZ_CHECK(type ? is_one_of(type, types) : json_object_get(schema, "anyOf") != NULL);
    json_object_foreach((json_t *)schema, key, item)
    {
        FUZZ_CHECK(is_one_of(key, keywords));
    }
    json_array_foreach(json_object_get(schema, "anyOf"), i, item)
    {
        check_safe(item, depth - 1);
    }
    json_array_foreach(json_object_get(schema, "enum"), i, item)
    {
        FUZZ_CHECK(json_string_length(item) > 0);
    }
    FUZZ_CHECK(!format || strcmp(json_string_value(format), "date-time") == 0);
    check_properties(schema, depth);
    const json_t *items = json_object_get(schema, "items");
    FUZZ_CHECK((items != NULL) == (type && strcmp(type, "array") == 0));
    if (items)
        check_safe(items, depth - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct buf changes;
    json_error_t ignored;
    json_t *schema = json_loadb((const char *)data, size, JSON_DECODE_ANY, &ignored);
    if (!schema)
        return 0;
    buf_init(&changes, 64u << 10);
    json_t *safe = sanitise_schema(schema, &changes, &err);
    if (safe) {
        check_safe(safe, 4 * SANITISE_DEPTH_MAX);
        struct schema *compiled = schema_compile_json(safe, 0, &err);
        FUZZ_CHECK(compiled);
        schema_free(compiled);
    } else {
        FUZZ_CHECK(err.code == ERR_CONFIG || err.code == ERR_LIMIT);
        FUZZ_CHECK(*err.text && text_is_utf8(err.text, strlen(err.text)));
    }
    FUZZ_CHECK(text_is_utf8(changes.data, changes.len));
    json_decref(safe);
    buf_release(&changes);
    json_decref(schema);
    return 0;
}
