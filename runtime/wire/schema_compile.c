/* From JSON to nodes: every keyword is checked for its type here, so that a check later need not.
 */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "wire/schema_node.h"

#define PATTERN_FLAGS                                                                              \
    (PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_MATCH_UNSET_BACKREF |               \
     PCRE2_NEVER_BACKSLASH_C)

const char *const schema_type_names[7] = {"null",   "boolean", "object", "array",
                                          "number", "string",  "integer"};

struct compiler {
    struct schema *schema;
    void *known;           /* tree of nodes by the address of their JSON */
    struct buf path;       /* where we are, for messages */
    bool refs_stand_alone; /* draft-07 and before: $ref hides its siblings */
    unsigned depth;
    struct err *err;
};

static int bad(struct compiler *c, const char *keyword, const char *want)
{
    return err_set(c->err, ERR_CONFIG, "schema%s%s: %s %s", c->path.len ? " at " : "", c->path.data,
                   keyword, want);
}

static int no_memory(struct compiler *c)
{
    return err_set(c->err, ERR_NOMEM, "out of memory");
}

static int by_json(const void *a, const void *b)
{
    const json_t *x = ((const struct schema_node *)a)->json;
    const json_t *y = ((const struct schema_node *)b)->json;
    return x < y ? -1 : x > y;
}

static struct schema_node *compile(struct compiler *c, const json_t *json, bool strict);

/* Compiles the subschema under a keyword, with the path to it. `key` may be NULL. */
static struct schema_node *compile_at(struct compiler *c, const char *keyword, const char *key,
                                      const json_t *json, bool strict)
{
    size_t before = c->path.len;
    struct schema_node *node = NULL;
    if (buf_format(&c->path, "/%s%s%s", keyword, key ? "/" : "", key ? key : ""))
        (void)err_set(c->err, ERR_LIMIT, "the schema is nested too deep");
    else
        node = compile(c, json, strict);
    buf_cut(&c->path, before);
    return node;
}

static int one(struct compiler *c, struct schema_node **into, const json_t *json,
               const char *keyword, bool strict)
{
    const json_t *value = json_object_get(json, keyword);
    if (!value)
        return 0;
    *into = compile_at(c, keyword, NULL, value, strict);
    return *into ? 0 : -1;
}

static int list_reserve(struct compiler *c, struct schema_list *list, size_t count)
{
    list->items = calloc(count ? count : 1, sizeof *list->items);
    return list->items ? 0 : no_memory(c);
}

/* allOf, anyOf, oneOf, prefixItems, items: an array of schemas. */
static int array_of(struct compiler *c, struct schema_list *list, const json_t *json,
                    const char *keyword, bool may_be_empty, bool strict)
{
    size_t i;
    json_t *item;
    const json_t *value = json_object_get(json, keyword);
    if (!value)
        return 0;
    if (!json_is_array(value) || (!may_be_empty && json_array_size(value) == 0))
        return bad(c, keyword, "must be an array of schemas");
    if (list_reserve(c, list, json_array_size(value)))
        return -1;
    json_array_foreach(value, i, item)
    {
        list->items[i].node = compile_at(c, keyword, NULL, item, strict);
        if (!list->items[i].node)
            return -1;
        list->count++;
    }
    return 0;
}

static pcre2_code *compile_pattern(struct compiler *c, const char *keyword, const char *text)
{
    int number;
    PCRE2_SIZE offset;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context) {
        (void)no_memory(c);
        return NULL;
    }
    (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
    (void)pcre2_set_parens_nest_limit(context, 100);
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, PATTERN_FLAGS,
                                     &number, &offset, context);
    pcre2_compile_context_free(context);
    if (!code) {
        PCRE2_UCHAR message[128] = "";
        (void)pcre2_get_error_message(number, message, sizeof message);
        (void)err_set(c->err, ERR_CONFIG, "schema%s%s: %s \"%s\" is no regular expression: %s",
                      c->path.len ? " at " : "", c->path.data, keyword, text,
                      (const char *)message);
    }
    return code;
}

/* properties, patternProperties, and the schemas of dependencies: an object of schemas. */
static int object_of(struct compiler *c, struct schema_list *list, const json_t *json,
                     const char *keyword, bool patterns, bool lists_too, bool strict)
{
    const char *key;
    json_t *item;
    const json_t *value = json_object_get(json, keyword);
    if (!value)
        return 0;
    if (!json_is_object(value))
        return bad(c, keyword, "must be an object");
    if (list_reserve(c, list, json_object_size(value)))
        return -1;
    json_object_foreach((json_t *)value, key, item)
    {
        struct schema_child *child = &list->items[list->count];
        if (lists_too && json_is_array(item))
            continue;
        child->key = key;
        child->node = compile_at(c, keyword, key, item, strict);
        if (!child->node)
            return -1;
        list->count++;
        if (patterns && !(child->pattern = compile_pattern(c, keyword, key)))
            return -1;
    }
    return 0;
}

static bool is_list_of_texts(const json_t *value)
{
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) if (!json_is_string(item)) return false;
    return json_is_array(value);
}

static int type_bit(struct compiler *c, const json_t *name, unsigned *types)
{
    const char *text = json_string_value(name);
    for (unsigned i = 0; text && i < 7; i++) {
        if (strcmp(text, schema_type_names[i]) == 0) {
            *types |= 1u << i;
            return 0;
        }
    }
    return bad(c, "type",
               "must be null, boolean, object, array, number, string, integer, or an "
               "array of these");
}

static int compile_type(struct compiler *c, struct schema_node *node)
{
    size_t i;
    json_t *item;
    const json_t *type = json_object_get(node->json, "type");
    if (!type)
        return 0;
    if (!json_is_array(type))
        return type_bit(c, type, &node->types);
    json_array_foreach(type, i, item) if (type_bit(c, item, &node->types)) return -1;
    return node->types ? 0 : bad(c, "type", "must not be an empty array");
}

static int number(struct compiler *c, const json_t **into, const json_t *json, const char *keyword)
{
    const json_t *value = json_object_get(json, keyword);
    if (!value)
        return 0;
    if (!json_is_number(value))
        return bad(c, keyword, "must be a number");
    *into = value;
    return 0;
}

static int count(struct compiler *c, json_int_t *into, const json_t *json, const char *keyword)
{
    const json_t *value = json_object_get(json, keyword);
    *into = -1;
    if (!value)
        return 0;
    double number_value = json_number_value(value);
    if (!json_is_number(value) || number_value < 0 || number_value > 1e15 ||
        (double)(json_int_t)number_value != number_value)
        return bad(c, keyword, "must be a whole number of 0 or more");
    *into = (json_int_t)number_value;
    return 0;
}

static int compile_numbers(struct compiler *c, struct schema_node *node)
{
    const json_t *json = node->json;
    if (number(c, &node->minimum, json, "minimum") || number(c, &node->maximum, json, "maximum") ||
        number(c, &node->multiple_of, json, "multipleOf") ||
        count(c, &node->min_length, json, "minLength") ||
        count(c, &node->max_length, json, "maxLength") ||
        count(c, &node->min_items, json, "minItems") ||
        count(c, &node->max_items, json, "maxItems") ||
        count(c, &node->min_properties, json, "minProperties") ||
        count(c, &node->max_properties, json, "maxProperties") ||
        count(c, &node->min_contains, json, "minContains") ||
        count(c, &node->max_contains, json, "maxContains"))
        return -1;
    if (node->multiple_of && !(json_number_value(node->multiple_of) > 0))
        return bad(c, "multipleOf", "must be greater than 0");
    /* draft-04 had booleans here, which make the bounds themselves exclusive */
    const json_t *low = json_object_get(json, "exclusiveMinimum");
    const json_t *high = json_object_get(json, "exclusiveMaximum");
    if (json_is_true(low))
        node->exclusive_minimum = node->minimum;
    if (json_is_true(high))
        node->exclusive_maximum = node->maximum;
    if (!json_is_boolean(low) && number(c, &node->exclusive_minimum, json, "exclusiveMinimum"))
        return -1;
    return json_is_boolean(high) ? 0
                                 : number(c, &node->exclusive_maximum, json, "exclusiveMaximum");
}

static int compile_texts(struct compiler *c, struct schema_node *node)
{
    const json_t *pattern = json_object_get(node->json, "pattern");
    if (!pattern)
        return 0;
    if (!json_is_string(pattern))
        return bad(c, "pattern", "must be a string");
    node->pattern_text = json_string_value(pattern);
    node->pattern = compile_pattern(c, "pattern", node->pattern_text);
    return node->pattern ? 0 : -1;
}

static int compile_arrays(struct compiler *c, struct schema_node *node, bool strict)
{
    const json_t *json = node->json, *items = json_object_get(json, "items");
    const json_t *unique = json_object_get(json, "uniqueItems");
    if (unique && !json_is_boolean(unique))
        return bad(c, "uniqueItems", "must be true or false");
    node->unique_items = json_is_true(unique);
    if (json_is_array(items)) { /* before 2020-12 */
        if (array_of(c, &node->prefix, json, "items", true, strict) ||
            one(c, &node->items, json, "additionalItems", strict))
            return -1;
    } else if (array_of(c, &node->prefix, json, "prefixItems", true, strict) ||
               one(c, &node->items, json, "items", strict)) {
        return -1;
    }
    return one(c, &node->contains, json, "contains", false);
}

/* dependentRequired, and the lists among draft-07's dependencies. */
static int check_dependent_lists(struct compiler *c, const json_t *object, const char *keyword,
                                 bool schemas_too)
{
    const char *key;
    json_t *item;
    if (object && !json_is_object(object))
        return bad(c, keyword, "must be an object");
    json_object_foreach(
        (json_t *)object, key,
        item) if (!is_list_of_texts(item) &&
                  !(schemas_too &&
                    !json_is_array(item))) return bad(c, keyword,
                                                      "must hold arrays of property names");
    return 0;
}

static int compile_objects(struct compiler *c, struct schema_node *node, bool strict)
{
    const json_t *json = node->json;
    const json_t *dependencies = json_object_get(json, "dependencies");
    node->required = json_object_get(json, "required");
    node->properties_json = json_object_get(json, "properties");
    node->dependent_required = json_object_get(json, "dependentRequired");
    if (node->required && json_is_boolean(node->required))
        node->required = NULL; /* draft-03, still found on properties: no harm */
    if (node->required && !is_list_of_texts(node->required))
        return bad(c, "required", "must be an array of property names");
    if (check_dependent_lists(c, node->dependent_required, "dependentRequired", false) ||
        check_dependent_lists(c, dependencies, "dependencies", true))
        return -1;
    bool modern = json_object_get(json, "dependentSchemas") != NULL;
    if (!node->dependent_required)
        node->dependent_required = dependencies;
    return object_of(c, &node->properties, json, "properties", false, false, strict) ||
                   object_of(c, &node->pattern_properties, json, "patternProperties", true, false,
                             strict) ||
                   one(c, &node->additional_properties, json, "additionalProperties", strict) ||
                   one(c, &node->property_names, json, "propertyNames", false) ||
                   object_of(c, &node->dependent_schemas, json,
                             modern ? "dependentSchemas" : "dependencies", false, true, false)
               ? -1
               : 0;
}

static int compile_combinations(struct compiler *c, struct schema_node *node)
{
    const json_t *json = node->json;
    return array_of(c, &node->all_of, json, "allOf", false, false) ||
                   array_of(c, &node->any_of, json, "anyOf", false, false) ||
                   array_of(c, &node->one_of, json, "oneOf", false, false) ||
                   one(c, &node->not_node, json, "not", false) ||
                   one(c, &node->if_node, json, "if", false) ||
                   one(c, &node->then_node, json, "then", false) ||
                   one(c, &node->else_node, json, "else", false)
               ? -1
               : 0;
}

static int refuse_unsupported(struct compiler *c, const json_t *json)
{
    static const char *const keywords[] = {"$dynamicRef", "$recursiveRef", "unevaluatedProperties",
                                           "unevaluatedItems"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (json_object_get(json, keywords[i]))
            return bad(c, keywords[i], "is not supported");
    return 0;
}

static bool is_strict(const struct schema_node *node)
{
    static const char *const others[] = {
        "additionalProperties", "patternProperties", "allOf", "anyOf", "oneOf", "$ref", "if",
        "dependentSchemas",     "dependencies"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (json_object_get(node->json, others[i]))
            return false;
    return node->properties_json != NULL;
}

static int compile_keywords(struct compiler *c, struct schema_node *node, bool strict)
{
    const json_t *ref = json_object_get(node->json, "$ref");
    if (ref && !json_is_string(ref))
        return bad(c, "$ref", "must be a string");
    if (ref && c->refs_stand_alone)
        return 0;
    node->enumeration = json_object_get(node->json, "enum");
    node->constant = json_object_get(node->json, "const");
    if (node->enumeration && !json_is_array(node->enumeration))
        return bad(c, "enum", "must be an array");
    if (refuse_unsupported(c, node->json) || compile_type(c, node) || compile_numbers(c, node) ||
        compile_texts(c, node) || compile_arrays(c, node, strict) ||
        compile_objects(c, node, strict) || compile_combinations(c, node))
        return -1;
    node->strict = strict && is_strict(node);
    return 0;
}

static struct schema_node *compile(struct compiler *c, const json_t *json, bool strict)
{
    if (!json_is_object(json) && !json_is_boolean(json)) {
        (void)bad(c, "a schema", "must be an object, true or false");
        return NULL;
    }
    if (c->depth >= SCHEMA_DEPTH_MAX) {
        (void)err_set(c->err, ERR_LIMIT, "the schema is nested deeper than %d levels",
                      SCHEMA_DEPTH_MAX);
        return NULL;
    }
    struct schema_node *node = calloc(1, sizeof *node);
    if (!node) {
        (void)no_memory(c);
        return NULL;
    }
    *node = (struct schema_node){.next = c->schema->nodes,
                                 .json = json,
                                 .never = json_is_false(json),
                                 .min_length = -1,
                                 .max_length = -1,
                                 .min_items = -1,
                                 .max_items = -1,
                                 .min_properties = -1,
                                 .max_properties = -1,
                                 .min_contains = -1,
                                 .max_contains = -1};
    c->schema->nodes = node;
    if (json_is_boolean(json)) /* jansson's true and false are the same two values everywhere */
        return node;
    if (!tsearch(node, &c->known, by_json)) {
        (void)no_memory(c);
        return NULL;
    }
    c->depth++;
    int status = compile_keywords(c, node, strict);
    c->depth--;
    return status ? NULL : node;
}

static int resolve(struct compiler *c, struct schema_node *node, const char *ref)
{
    if (*ref != '#')
        return err_set(c->err, ERR_CONFIG,
                       "schema: $ref \"%.200s\" leads out of the schema, which is not supported",
                       ref);
    const json_t *target = schema_ref_find(c->schema->json, ref);
    if (!target)
        return err_set(c->err, ERR_CONFIG, "schema: $ref \"%.200s\" leads nowhere", ref);
    const struct schema_node key = {.json = target};
    struct schema_node *const *known = tfind(&key, &c->known, by_json);
    buf_clear(&c->path);
    node->ref = known ? *known : compile_at(c, ref, NULL, target, false);
    return node->ref ? 0 : -1;
}

/* New nodes are put in front, so that those which a $ref adds are seen in another round. */
static int resolve_all(struct compiler *c)
{
    const struct schema_node *done = NULL;
    while (c->schema->nodes != done) {
        struct schema_node *first = c->schema->nodes;
        for (struct schema_node *node = first; node != done; node = node->next) {
            const char *ref = json_string_value(json_object_get(node->json, "$ref"));
            if (ref && resolve(c, node, ref))
                return -1;
        }
        done = first;
    }
    return 0;
}

static int find_loop(struct compiler *c, struct schema_node *node, unsigned depth);

static int find_loop_in(struct compiler *c, const struct schema_list *list, unsigned depth)
{
    for (size_t i = 0; i < list->count; i++)
        if (find_loop(c, list->items[i].node, depth))
            return -1;
    return 0;
}

/* A schema that refers to itself for the same value would never come to an end. */
static int find_loop(struct compiler *c, struct schema_node *node, unsigned depth)
{
    enum { NEW, OPEN, CLOSED };
    if (!node || node->mark == CLOSED)
        return 0;
    if (node->mark == OPEN || depth == 0)
        return err_set(c->err, ERR_CONFIG, "schema: a $ref leads back to itself");
    node->mark = OPEN;
    if (find_loop(c, node->ref, depth - 1) || find_loop(c, node->not_node, depth - 1) ||
        find_loop(c, node->if_node, depth - 1) || find_loop(c, node->then_node, depth - 1) ||
        find_loop(c, node->else_node, depth - 1) || find_loop_in(c, &node->all_of, depth - 1) ||
        find_loop_in(c, &node->any_of, depth - 1) || find_loop_in(c, &node->one_of, depth - 1) ||
        find_loop_in(c, &node->dependent_schemas, depth - 1))
        return -1;
    node->mark = CLOSED;
    return 0;
}

static int compile_all(struct compiler *c, unsigned flags)
{
    const char *dialect = json_string_value(json_object_get(c->schema->json, "$schema"));
    c->refs_stand_alone = dialect && (strstr(dialect, "draft-07") || strstr(dialect, "draft-06") ||
                                      strstr(dialect, "draft-04"));
    c->schema->root = compile(c, c->schema->json, (flags & SCHEMA_STRICT_PROPERTIES) != 0);
    if (!c->schema->root || resolve_all(c))
        return -1;
    for (struct schema_node *node = c->schema->nodes; node; node = node->next)
        if (find_loop(c, node, 4 * SCHEMA_DEPTH_MAX))
            return -1;
    return 0;
}

static void keep(void *node)
{
    (void)node; /* the tree of known nodes does not own them */
}

static struct schema *compile_owned(json_t *json, unsigned flags, struct err *err)
{
    struct schema *schema = calloc(1, sizeof *schema);
    struct compiler c = {.schema = schema, .err = err};
    if (!schema) {
        json_decref(json);
        (void)err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    schema->json = json;
    buf_init(&c.path, 4096);
    int status = compile_all(&c, flags);
    tdestroy(c.known, keep);
    buf_release(&c.path);
    if (status) {
        schema_free(schema);
        return NULL;
    }
    return schema;
}

struct schema *schema_compile_json(const json_t *value, unsigned flags, struct err *err)
{
    json_t *copy = json_deep_copy(value);
    if (!copy) {
        (void)err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    return compile_owned(copy, flags, err);
}

struct schema *schema_compile(const char *text, size_t len, unsigned flags, struct err *err)
{
    json_error_t error;
    if (len > SCHEMA_TEXT_MAX) {
        (void)err_set(err, ERR_LIMIT, "the schema is larger than %u MiB", SCHEMA_TEXT_MAX >> 20);
        return NULL;
    }
    json_t *json = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (!json) {
        (void)err_set(err, ERR_PARSE, "the schema is not valid JSON: %s, at line %d, column %d",
                      error.text, error.line, error.column);
        return NULL;
    }
    return compile_owned(json, flags, err);
}

static void list_release(struct schema_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        pcre2_code_free(list->items[i].pattern);
    free(list->items);
}

void schema_free(struct schema *schema)
{
    if (!schema)
        return;
    for (struct schema_node *node = schema->nodes, *next; node; node = next) {
        next = node->next;
        pcre2_code_free(node->pattern);
        list_release(&node->prefix);
        list_release(&node->properties);
        list_release(&node->pattern_properties);
        list_release(&node->dependent_schemas);
        list_release(&node->all_of);
        list_release(&node->any_of);
        list_release(&node->one_of);
        free(node);
    }
    json_decref(schema->json);
    free(schema);
}

void schema_regex_version(char out[SCHEMA_REGEX_VERSION_SIZE])
{
    *out = '\0';
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) < SCHEMA_REGEX_VERSION_SIZE)
        (void)pcre2_config(PCRE2_CONFIG_VERSION, out);
}
