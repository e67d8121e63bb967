/* Reading the arguments of a tool call. */
#include "wire/chat_args.h"

#include <string.h>

#include "base/text.h"
#include "wire/json_repair.h"

#define PARSE_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)
#define RUN_MAX     64u /* objects of a run that are looked at */

static size_t blanks(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && strchr(" \t\r\n", text[n]) && text[n])
        n++;
    return n;
}

/* Goes through the value down to `levels`: is it deeper, and does a text in it hold a NUL? */
static bool is_deeper(const json_t *value, unsigned levels, bool *nul)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
        *nul = true;
    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (levels == 0)
        return true;
    json_array_foreach(value, i, item) if (is_deeper(item, levels - 1, nul)) return true;
    json_object_foreach((json_t *)value, key,
                        item) if (is_deeper(item, levels - 1, nul)) return true;
    return false;
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string (send the object itself, not JSON text inside a string)";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

/* jansson quotes the input in its message, and may cut it inside a character. */
static int not_json(struct err *err, const json_error_t *error)
{
    struct buf clean;
    buf_init(&clean, 8 * sizeof error->text);
    const char *text = text_for_model(&clean, error->text, strlen(error->text)) ? "" : clean.data;
    (void)err_set(err, ERR_PARSE,
                  "the arguments are not valid JSON: %s, at line %d, column %d (byte %d)", text,
                  error->line, error->column, error->position);
    buf_release(&clean);
    return -1;
}

static int judge(const json_t *value, struct err *err)
{
    bool nul = false;
    if (!json_is_object(value))
        return err_set(err, ERR_PARSE, "the arguments must be a JSON object, not %s",
                       type_name(value));
    if (is_deeper(value, CHAT_ARGS_DEPTH, &nul))
        return err_set(err, ERR_LIMIT, "the arguments are nested deeper than %d levels",
                       CHAT_ARGS_DEPTH);
    if (nul)
        return err_set(err, ERR_PARSE,
                       "a text in the arguments holds a NUL character (\\u0000); leave it out");
    return 0;
}

json_t *chat_args_parse(const char *text, size_t len, bool *repaired, struct err *err)
{
    if (repaired)
        *repaired = false;
    size_t start = blanks(text, len), left = len - start;
    if (left == 0 || (left >= 4 && memcmp(text + start, "null", 4) == 0 &&
                      blanks(text + start + 4, left - 4) == left - 4))
        return json_object();
    json_error_t error;
    json_t *value = json_parse_lenient(text, len, PARSE_FLAGS, repaired, &error);
    if (!value) {
        (void)not_json(err, &error);
        return NULL;
    }
    if (judge(value, err)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

size_t chat_args_first(const char *text, size_t len)
{
    json_error_t error;
    size_t start = blanks(text, len);
    if (start == len || text[start] != '{')
        return 0;
    json_t *value = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, &error);
    if (!value)
        return 0;
    json_decref(value);
    return error.position > 0 ? (size_t)error.position : 0;
}

bool chat_args_is_run(const char *text, size_t len)
{
    size_t at = 0, count = 0;
    while (count < RUN_MAX && at + blanks(text + at, len - at) < len) {
        size_t used = chat_args_first(text + at, len - at);
        if (used == 0)
            return false;
        at += used;
        count++;
    }
    return count >= 2 && count < RUN_MAX;
}
