/* Merging of opaque JSON pieces. */
#include "wire/chat_echo.h"

#include <stdbool.h>
#include <string.h>

#include "wire/chat_reply.h"

#define DEPTH_MAX 32u

static int merge(json_t *object, const char *key, const json_t *value, unsigned depth)
{
    const char *name;
    json_t *member, *target = json_object_get(object, key);
    if (depth == 0 || !json_is_object(target) || !json_is_object(value))
        return json_object_set_new(object, key, json_deep_copy(value));
    json_object_foreach((json_t *)value, name,
                        member) if (merge(target, name, member, depth - 1)) return -1;
    return 0;
}

int chat_echo_merge(json_t *object, const char *key, const json_t *value)
{
    return merge(object, key, value, DEPTH_MAX);
}

void chat_details_init(struct chat_details *details)
{
    details->list = NULL;
    buf_init(&details->text, CHAT_TEXT_MAX);
    buf_init(&details->summary, CHAT_TEXT_MAX);
}

void chat_details_release(struct chat_details *details)
{
    json_decref(details->list);
    buf_release(&details->text);
    buf_release(&details->summary);
    details->list = NULL;
}

static json_t *last_of(const struct chat_details *details)
{
    size_t count = json_array_size(details->list);
    return count ? json_array_get(details->list, count - 1) : NULL;
}

/* May `piece` go on where `last` ends? Encrypted parts are always whole. */
static bool continues(const json_t *last, const json_t *piece)
{
    static const char *const keys[] = {"type", "index", "format"};
    const char *type = json_string_value(json_object_get(piece, "type"));
    if (!last || !type ||
        (strcmp(type, "reasoning.text") != 0 && strcmp(type, "reasoning.summary") != 0))
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *a = json_object_get(last, keys[i]), *b = json_object_get(piece, keys[i]);
        if (a != b && !json_equal(a, b))
            return false;
    }
    const json_t *a = json_object_get(last, "id"), *b = json_object_get(piece, "id");
    return !json_is_string(a) || !json_is_string(b) || json_equal(a, b);
}

static int flush_member(json_t *last, const char *key, struct buf *text)
{
    int status = 0;
    if (text->len && last)
        status = json_object_set_new(last, key, json_stringn(text->data, text->len));
    buf_clear(text);
    return status;
}

/* Gives the growing texts to the last element. */
static int flush(struct chat_details *details)
{
    json_t *last = last_of(details);
    int status = flush_member(last, "text", &details->text);
    return flush_member(last, "summary", &details->summary) || status ? -1 : 0;
}

static int add(struct chat_details *details, const json_t *piece, bool may_continue)
{
    const char *key;
    json_t *value;
    json_t *last = last_of(details);
    if (!json_is_object(piece))
        return 0;
    if (!may_continue || !continues(last, piece)) {
        last = json_object();
        if (flush(details) || json_array_append_new(details->list, last))
            return -1;
    }
    json_object_foreach((json_t *)piece, key, value)
    {
        struct buf *text = strcmp(key, "text") == 0      ? &details->text
                           : strcmp(key, "summary") == 0 ? &details->summary
                                                         : NULL;
        int status = 0;
        if (text && json_is_string(value))
            status = buf_append(text, json_string_value(value), json_string_length(value));
        if (!json_object_get(last, key) || (!text && !json_is_null(value)))
            status |= json_object_set_new(last, key, json_deep_copy(value));
        if (status)
            return -1;
    }
    return 0;
}

int chat_details_add(struct chat_details *details, const json_t *pieces, bool whole)
{
    size_t i;
    json_t *piece;
    if (json_array_size(pieces) == 0)
        return 0;
    if (!details->list && !(details->list = json_array()))
        return -1;
    json_array_foreach(pieces, i, piece) if (add(details, piece, !whole)) return -1;
    return 0;
}

json_t *chat_details_list(struct chat_details *details)
{
    return details->list && flush(details) == 0 ? details->list : NULL;
}
