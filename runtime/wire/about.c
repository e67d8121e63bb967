/* Reading lists of models and balances, in whatever form they come. */
#include "wire/about.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* ---- Models ---- */

/* The first of these members that is a text; NULL. */
static const json_t *first_text(const json_t *object, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_string_length(json_object_get(object, keys[i])) > 0)
            return json_object_get(object, keys[i]);
    return NULL;
}

static const json_t *first_number(const json_t *object, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (json_is_number(json_object_get(object, keys[i])))
            return json_object_get(object, keys[i]);
    return NULL;
}

/* A row of the list; NULL for a member that names no model. */
static json_t *model_row(const json_t *member)
{
    static const char *const names[] = {"id", "name", "model"};
    static const char *const sizes[] = {"context_length", "context_window", "max_model_len",
                                        "max_context_length", "inputTokenLimit"};
    static const char prefix[] = "models/";
    const json_t *id = json_is_string(member) ? member : first_text(member, names, COUNT_OF(names));
    const json_t *owner = json_object_get(member, "owned_by");
    const json_t *size = first_number(member, sizes, COUNT_OF(sizes));
    const char *text = json_string_value(id);
    if (!text)
        return NULL;
    if (strncmp(text, prefix, sizeof prefix - 1) == 0)
        text += sizeof prefix - 1;
    json_t *row = *text ? json_pack("{s:s}", "id", text) : NULL;
    if (row && json_is_string(owner))
        (void)json_object_set_new(row, "owned_by", json_string(json_string_value(owner)));
    if (row && json_is_integer(size) && json_integer_value(size) > 0)
        (void)json_object_set_new(row, "context", json_integer(json_integer_value(size)));
    return row;
}

static const char *row_id(const json_t *row)
{
    return json_string_value(json_object_get(row, "id"));
}

static int by_id(const void *a, const void *b)
{
    const json_t *const *left = a, *const *right = b;
    return strcmp(row_id(*left), row_id(*right));
}

static const json_t *find_list(const json_t *body)
{
    static const char *const keys[] = {"data", "models"};
    if (json_is_array(body))
        return body;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (json_is_array(json_object_get(body, keys[i])))
            return json_object_get(body, keys[i]);
    return NULL;
}

/* Ollama without a single model says {"object":"list","data":null}. */
static bool is_empty_list(const json_t *body)
{
    const char *kind = json_string_value(json_object_get(body, "object"));
    return kind && strcmp(kind, "list") == 0 && json_is_null(json_object_get(body, "data"));
}

json_t *about_models(const json_t *body)
{
    const json_t *list = find_list(body);
    if (!list)
        return is_empty_list(body) ? json_array() : NULL;
    size_t count = 0, size = json_array_size(list);
    json_t **rows = calloc(size + 1, sizeof *rows);
    json_t *out = rows ? json_array() : NULL;
    for (size_t i = 0; out && i < size; i++)
        if ((rows[count] = model_row(json_array_get(list, i))))
            count++;
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_id);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(row_id(rows[i - 1]), row_id(rows[i])) == 0)
            continue;
        if (json_array_append(out, rows[i]) != 0) {
            json_decref(out);
            out = NULL;
            break;
        }
    }
    for (size_t i = 0; i < count; i++)
        json_decref(rows[i]);
    free(rows);
    return out;
}

/* ---- Balances ---- */

static json_t *copy_number(const json_t *number)
{
    return json_is_integer(number) ? json_integer(json_integer_value(number))
                                   : json_real(json_number_value(number));
}

/* What is left when an object tells what was bought and what was used. */
static json_t *difference(const json_t *object)
{
    const json_t *total = json_object_get(object, "total_credits");
    const json_t *used = json_object_get(object, "total_usage");
    if (!json_is_number(total))
        return NULL;
    if (!json_is_number(used))
        return copy_number(total);
    return json_real(json_number_value(total) - json_number_value(used));
}

static json_t *balance_in(const json_t *object)
{
    static const char *const names[] = {
        "remaining_credits", "credits_remaining", "remaining",         "credits",      "credit",
        "balance",           "available",         "available_balance", "total_balance"};
    const json_t *found = first_number(object, names, COUNT_OF(names));
    return found ? copy_number(found) : difference(object);
}

json_t *about_credits(const json_t *body)
{
    if (json_is_number(body))
        return copy_number(body);
    json_t *found = balance_in(body), *inner;
    const char *key;
    json_object_foreach((json_t *)body, key, inner)
    {
        if (!found)
            found = balance_in(inner);
    }
    const json_t *data = json_object_get(body, "data");
    return !found && json_is_number(data) ? copy_number(data) : found;
}
