/* wire/about: a list of models that is sorted and has each id once; a balance that is a number. */
#include <string.h>

#include "fuzz.h"
#include "wire/about.h"
#include "wire/json_repair.h"

static void check_models(const json_t *models)
{
    size_t i;
    json_t *model;
    const char *last = "";
    json_array_foreach((json_t *)models, i, model)
    {
        const char *id = json_string_value(json_object_get(model, "id"));
        FUZZ_CHECK(id && strcmp(last, id) < 0);
        last = id;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t ignored;
    json_t *body = json_parse_lenient((const char *)data, size, JSON_DECODE_ANY, NULL, &ignored);
    json_t *models = about_models(body), *credits = about_credits(body);
    FUZZ_CHECK(!models || json_is_array(models));
    FUZZ_CHECK(!credits || json_is_number(credits));
    check_models(models);
    json_decref(credits);
    json_decref(models);
    json_decref(body);
    return 0;
}
