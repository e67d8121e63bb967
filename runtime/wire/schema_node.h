/* Inside schema: a compiled schema is a graph of nodes, one a subschema. */
#ifndef WIRE_SCHEMA_NODE_H
#define WIRE_SCHEMA_NODE_H

#define PCRE2_CODE_UNIT_WIDTH 8

#include <jansson.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stddef.h>

#include "wire/schema.h"

enum schema_type {
    TYPE_NULL = 1 << 0,
    TYPE_BOOLEAN = 1 << 1,
    TYPE_OBJECT = 1 << 2,
    TYPE_ARRAY = 1 << 3,
    TYPE_NUMBER = 1 << 4,
    TYPE_STRING = 1 << 5,
    TYPE_INTEGER = 1 << 6
};

/* The names in the order of the bits. */
extern const char *const schema_type_names[7];

struct schema_child {
    const char *key;     /* of the parent's JSON */
    pcre2_code *pattern; /* patternProperties only */
    struct schema_node *node;
};

struct schema_list {
    struct schema_child *items;
    size_t count;
};

/* JSON members are borrowed from the schema's own copy; NULL and -1 where the keyword is absent. */
struct schema_node {
    struct schema_node *next; /* all nodes of a schema */
    const json_t *json;
    bool never;         /* the schema `false` */
    bool strict;        /* refuse properties that are not declared */
    unsigned char mark; /* for the search for loops */
    unsigned types;     /* 0: any */
    const json_t *enumeration, *constant;
    const json_t *minimum, *maximum, *exclusive_minimum, *exclusive_maximum, *multiple_of;
    json_int_t min_length, max_length, min_items, max_items, min_properties, max_properties;
    json_int_t min_contains, max_contains;
    bool unique_items;
    pcre2_code *pattern;
    const char *pattern_text;
    struct schema_list prefix; /* prefixItems, or items as a list */
    struct schema_node *items; /* of the rest */
    struct schema_node *contains;
    const json_t *properties_json;
    struct schema_list properties, pattern_properties;
    struct schema_node *additional_properties, *property_names;
    const json_t *required;
    const json_t *dependent_required; /* object of lists; other members are schemas */
    struct schema_list dependent_schemas;
    struct schema_list all_of, any_of, one_of;
    struct schema_node *not_node, *if_node, *then_node, *else_node;
    struct schema_node *ref;
};

struct schema {
    json_t *json; /* owned; the nodes point into it */
    struct schema_node *root;
    struct schema_node *nodes; /* owned list */
};

/* The subschema that "#", "#/pointer" or "#anchor" names; NULL when there is none. */
const json_t *schema_ref_find(const json_t *root, const char *ref);

#endif
