#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct converter {
    yaml_document_t *document;
    unsigned first_line;
    unsigned nodes;
    struct err *err;
};

static unsigned line_of(const struct converter *c, const yaml_mark_t *mark)
{
    return c->first_line + (unsigned)mark->line;
}

static bool is_one_of(const char *text, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

/* A plain scalar's type by the core schema (YAML 1.2.2, section 10.3.2). */
static json_t *plain_scalar(const char *text, size_t len)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, trues))
        return json_true();
    if (is_one_of(text, falses))
        return json_false();
    size_t digits = strspn(text, "-+.0123456789eE");
    if (digits == len && strpbrk(text, "0123456789")) {
        char *end = NULL;
        errno = 0;
        if (strcspn(text, ".eE") == len) {
            long long whole = strtoll(text, &end, 10);
            if (errno == 0 && *end == '\0')
                return json_integer(whole);
        } else {
            double real = strtod(text, &end);
            if (errno == 0 && *end == '\0' && isfinite(real))
                return json_real(real);
        }
    }
    return json_stringn(text, len);
}

static json_t *convert(struct converter *c, const yaml_node_t *node, unsigned depth);

static json_t *convert_item(struct converter *c, int index, unsigned depth)
{
    const yaml_node_t *node = yaml_document_get_node(c->document, index);
    return node ? convert(c, node, depth) : json_null();
}

static json_t *convert_list(struct converter *c, const yaml_node_t *node, unsigned depth)
{
    json_t *list = json_array();
    const yaml_node_item_t *item = node->data.sequence.items.start;
    for (; list && item < node->data.sequence.items.top; item++) {
        if (json_array_append_new(list, convert_item(c, *item, depth + 1)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *convert_map(struct converter *c, const yaml_node_t *node, unsigned depth)
{
    json_t *map = json_object();
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; map && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(c->document, pair->key);
        if (!key || key->type != YAML_SCALAR_NODE) {
            err_set(c->err, ERR_PARSE, "line %u: a key must be plain text",
                    line_of(c, &node->start_mark));
            break;
        }
        const char *name = (const char *)key->data.scalar.value;
        if (json_object_get(map, name)) {
            err_set(c->err, ERR_PARSE, "line %u: '%s' is there twice", line_of(c, &key->start_mark),
                    name);
            break;
        }
        if (json_object_set_new(map, name, convert_item(c, pair->value, depth + 1)) != 0)
            break;
    }
    if (map && pair < node->data.mapping.pairs.top) {
        json_decref(map);
        return NULL;
    }
    return map;
}

static json_t *convert(struct converter *c, const yaml_node_t *node, unsigned depth)
{
    if (depth > YAML_DEPTH_MAX || ++c->nodes > YAML_NODES_MAX) {
        err_set(c->err, ERR_PARSE, "line %u: too deep or too large", line_of(c, &node->start_mark));
        return NULL;
    }
    switch (node->type) {
    case YAML_SEQUENCE_NODE:
        return convert_list(c, node, depth);
    case YAML_MAPPING_NODE:
        return convert_map(c, node, depth);
    case YAML_SCALAR_NODE: {
        const char *text = (const char *)node->data.scalar.value;
        size_t len = node->data.scalar.length;
        if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
            return plain_scalar(text, len);
        return json_stringn(text, len);
    }
    case YAML_NO_NODE:
    default:
        return json_null();
    }
}

/* The first document's nesting, looked at before it is loaded: the time that libyaml takes grows
 * with the square of the depth. What is no YAML at all is left for the loader to say. */
static int check_depth(const char *text, size_t len, unsigned first_line, struct err *err)
{
    yaml_parser_t parser;
    unsigned depth = 0, line = 0;
    bool done = false;
    if (!yaml_parser_initialize(&parser))
        return err_set(err, ERR_NOMEM, "out of memory");
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (!done) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event))
            break;
        if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
            depth++;
        else if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            depth--;
        line = first_line + (unsigned)event.start_mark.line;
        done = depth > YAML_DEPTH_MAX + 1 || event.type == YAML_DOCUMENT_END_EVENT ||
               event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (depth > YAML_DEPTH_MAX + 1)
        return err_set(err, ERR_PARSE, "line %u: too deep or too large", line);
    return 0;
}

json_t *yaml_load(const char *text, size_t len, unsigned first_line, struct err *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    json_t *value = NULL;
    if (check_depth(text, len, first_line, err) != 0)
        return NULL;
    if (!yaml_parser_initialize(&parser)) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &document)) {
        err_set(err, ERR_PARSE, "line %u: %s", first_line + (unsigned)parser.problem_mark.line,
                parser.problem ? parser.problem : "not valid YAML");
        goto out;
    }
    struct converter c = {.document = &document, .first_line = first_line, .err = err};
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    err_set(err, ERR_NONE, "%s", "");
    value = root ? convert(&c, root, 0) : json_null();
    if (!value && err && err->code == ERR_NONE)
        err_set(err, ERR_NOMEM, "out of memory");
    yaml_document_delete(&document);
out:
    yaml_parser_delete(&parser);
    return value;
}

const char *yaml_version(void)
{
    return yaml_get_version_string();
}
