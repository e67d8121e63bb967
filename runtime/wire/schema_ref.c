/* Finding what a local $ref names: by JSON pointer, or by anchor. */
#include <stdlib.h>
#include <string.h>

#include "wire/schema_node.h"

static bool is_hex(char c)
{
    return c && strchr("0123456789abcdefABCDEF", c);
}

/* Undoes %XX and then ~1 and ~0 (RFC 6901, section 6) in one token of a pointer. */
static char *pointer_token(const char *text, size_t len)
{
    char *token = malloc(len + 1);
    size_t n = 0;
    for (size_t i = 0; token && i < len; i++) {
        char hex[3] = {0};
        token[n] = text[i];
        if (text[i] == '%' && len - i > 2 && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
            memcpy(hex, text + i + 1, 2);
            token[n] = (char)strtol(hex, NULL, 16);
            i += 2;
        }
        n++;
    }
    if (!token)
        return NULL;
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        bool escape = token[i] == '~' && i + 1 < n && (token[i + 1] == '0' || token[i + 1] == '1');
        token[out++] = (char)(escape ? (token[++i] == '0' ? '~' : '/') : token[i]);
    }
    token[out] = '\0';
    return token;
}

static const json_t *at_pointer(const json_t *json, const char *pointer)
{
    while (json && *pointer == '/') {
        size_t len = strcspn(pointer + 1, "/");
        char *token = pointer_token(pointer + 1, len), *end = NULL;
        if (!token)
            return NULL;
        unsigned long index = json_is_array(json) ? strtoul(token, &end, 10) : 0;
        if (json_is_array(json))
            json = *token && !*end ? json_array_get(json, index) : NULL;
        else
            json = json_object_get(json, token);
        free(token);
        pointer += 1 + len;
    }
    return json;
}

/* The subschema with this $anchor, or with draft-07's $id: "#name". */
static const json_t *with_anchor(const json_t *json, const char *name, unsigned depth)
{
    const char *key;
    size_t i;
    json_t *item;
    const json_t *found = NULL;
    const char *anchor = json_string_value(json_object_get(json, "$anchor"));
    const char *id = json_string_value(json_object_get(json, "$id"));
    if (depth == 0)
        return NULL;
    if ((anchor && strcmp(anchor, name) == 0) || (id && *id == '#' && strcmp(id + 1, name) == 0))
        return json;
    json_object_foreach((json_t *)json, key, item)
    {
        if (strcmp(key, "enum") != 0 && strcmp(key, "const") != 0)
            found = with_anchor(item, name, depth - 1);
        if (found)
            return found;
    }
    json_array_foreach(json, i,
                       item) if ((found = with_anchor(item, name, depth - 1)) != NULL) return found;
    return NULL;
}

const json_t *schema_ref_find(const json_t *root, const char *ref)
{
    if (*ref != '#')
        return NULL;
    if (ref[1] == '\0' || ref[1] == '/')
        return at_pointer(root, ref + 1);
    return with_anchor(root, ref + 1, SCHEMA_DEPTH_MAX);
}
