/* A schema for Gemini. A node is first made flat ($ref and allOf put in place, alternatives that
 * are only about null taken apart), then rebuilt from the few keywords that are safe; every other
 * keyword is told in words. */
#include "wire/sanitise.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/schema_node.h"

#define NOTE_MAX        240u  /* bytes of a keyword told in words */
#define DESCRIPTION_MAX 4096u /* bytes of a description */

struct sanitiser {
    const json_t *root;
    const json_t *open[SANITISE_DEPTH_MAX]; /* targets of references that are being put in place */
    size_t open_count;
    unsigned depth;
    unsigned nodes;
    unsigned in_items; /* lists around us */
    struct buf path;
    struct buf *changes;
    struct err *err;
};

static json_t *clean(struct sanitiser *s, const json_t *schema);

static void changed(struct sanitiser *s, const char *keyword, const char *what)
{
    if (s->changes) /* full: the first changes are enough */
        (void)buf_format(s->changes, "%s: %s %s\n", s->path.len ? s->path.data : "(schema)",
                         keyword, what);
}

static void *too_large(struct sanitiser *s)
{
    (void)err_set(s->err, ERR_LIMIT,
                  "the schema is too large or too deep to be put in simple terms");
    return NULL;
}

static const char *type_of(const json_t *schema)
{
    return json_string_value(json_object_get(schema, "type"));
}

static bool is_type(const json_t *schema, const char *type)
{
    const char *own = type_of(schema);
    return own && strcmp(own, type) == 0;
}

/* Adds the members of `from`: properties and required are united, of others the later one wins. */
static int merge_into(json_t *into, const json_t *from)
{
    const char *key;
    size_t i;
    json_t *value, *name;
    json_object_foreach((json_t *)from, key, value)
    {
        json_t *own = json_object_get(into, key);
        int status = 0;
        if (strcmp(key, "$ref") == 0 || strcmp(key, "allOf") == 0) {
            continue;
        } else if (strcmp(key, "properties") == 0 && json_is_object(own) && json_is_object(value)) {
            json_t *both = json_copy(own);
            status = json_object_update(both, value) || json_object_set_new(into, key, both);
        } else if (strcmp(key, "required") == 0 && json_is_array(own)) {
            json_t *both = json_copy(own);
            json_array_foreach(value, i, name) status = status || json_array_append(both, name);
            status = status || json_object_set_new(into, key, both);
        } else {
            status = json_object_set(into, key, value);
        }
        if (status)
            return -1;
    }
    return 0;
}

static int flatten_into(struct sanitiser *s, json_t *into, const json_t *schema, unsigned depth);

/* Puts what a $ref names in place. One that leads back to where we are, or out of the schema, stays
 * an object of any form. */
static int put_ref(struct sanitiser *s, json_t *into, const char *ref, unsigned depth)
{
    const json_t *target = schema_ref_find(s->root, ref);
    bool open = false;
    for (size_t i = 0; i < s->open_count; i++)
        open = open || s->open[i] == target;
    if (!target || open || s->open_count == SANITISE_DEPTH_MAX) {
        changed(s, "$ref", target ? "leads back and became a plain object" : "leads nowhere");
        return json_object_set_new(into, "type", json_string("object"));
    }
    s->open[s->open_count++] = target;
    changed(s, "$ref", "was put in place");
    return flatten_into(s, into, target, depth - 1);
}

static int flatten_into(struct sanitiser *s, json_t *into, const json_t *schema, unsigned depth)
{
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    size_t i;
    json_t *part;
    if (depth == 0)
        return -1;
    if (ref && put_ref(s, into, ref, depth))
        return -1;
    json_array_foreach(json_object_get(schema, "allOf"), i,
                       part) if (flatten_into(s, into, part, depth - 1)) return -1;
    if (json_object_get(schema, "allOf"))
        changed(s, "allOf", "was merged");
    return merge_into(into, schema);
}

static json_t *flatten(struct sanitiser *s, const json_t *schema)
{
    json_t *flat = json_object();
    if (flat && flatten_into(s, flat, schema, SANITISE_DEPTH_MAX) == 0)
        return flat;
    json_decref(flat);
    return too_large(s);
}

/* Takes anyOf and oneOf out of the node: a new array of flat alternatives without the one for null,
 * which sets *nullable. NULL: there are none, or an error is set. */
static json_t *take_alternatives(struct sanitiser *s, json_t *node, bool *nullable)
{
    static const char *const keys[] = {"anyOf", "oneOf"};
    json_t *list = json_array(), *item;
    size_t i, j;
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_array_foreach(json_object_get(node, keys[i]), j, item)
        {
            json_t *flat = flatten(s, item);
            if (!flat || json_array_append_new(list, flat)) {
                json_decref(list);
                return NULL;
            }
            if (!is_type(flat, "null"))
                continue;
            *nullable = true;
            (void)json_array_remove(list, json_array_size(list) - 1);
        }
        (void)json_object_del(node, keys[i]);
    }
    if (json_array_size(list) > 0)
        return list;
    json_decref(list);
    return NULL;
}

/* Alternatives that are all fixed texts: one enum. */
static json_t *joined_enum(const json_t *list)
{
    json_t *texts = json_array(), *item, *text;
    size_t i, j;
    bool all = true;
    json_array_foreach(list, i, item)
    {
        const json_t *constant = json_object_get(item, "const");
        const json_t *values = json_object_get(item, "enum");
        all = all && (json_is_string(constant) || json_array_size(values) > 0);
        if (json_is_string(constant))
            all = all && json_array_append(texts, (json_t *)constant) == 0;
        json_array_foreach(values, j, text) all =
            all && json_is_string(text) && json_array_append(texts, text) == 0;
    }
    if (all)
        return texts;
    json_decref(texts);
    return NULL;
}

/* Settles the alternatives: merged into the node where that says the same or where anyOf may not
 * stand, else kept as *any. */
static int settle_alternatives(struct sanitiser *s, json_t *node, bool *nullable, json_t **any)
{
    size_t i;
    json_t *item, *texts;
    json_t *list = take_alternatives(s, node, nullable);
    if (!list)
        return s->err->code == ERR_NONE ? 0 : -1;
    int status = 0;
    if (json_array_size(list) == 1) {
        status = merge_into(node, json_array_get(list, 0));
    } else if ((texts = joined_enum(list)) != NULL) {
        status = json_object_set_new(node, "enum", texts);
    } else if (s->depth == 1) { /* the arguments themselves must be one object */
        changed(s, "anyOf", "became one object with all properties");
        json_array_foreach(list, i, item)
        {
            (void)json_object_del(item, "required");
            (void)json_object_del(item, "description");
            status = status || merge_into(node, item);
        }
    } else if (s->in_items > 1) {
        changed(s, "anyOf", "in a list of lists became its first alternative");
        status = merge_into(node, json_array_get(list, 0));
    } else {
        *any = list;
        return 0;
    }
    json_decref(list);
    return status ? -1 : 0;
}

static void note(struct buf *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds words for the description; what does not fit is left out. */
static void note(struct buf *notes, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        return;
    (void)buf_format(notes, "%s%.*s", notes->len ? "; " : "",
                     (int)text_edge(text, (size_t)len, NOTE_MAX), text);
    free(text);
}

static void note_json(struct buf *notes, const char *words, const json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text)
        note(notes, "%s%s", words, text);
    free(text);
}

static const char *type_of_value(const json_t *value)
{
    if (json_is_string(value))
        return "string";
    if (json_is_number(value))
        return json_is_integer(value) ? "integer" : "number";
    if (json_is_boolean(value))
        return "boolean";
    return json_is_object(value) ? "object" : json_is_array(value) ? "array" : NULL;
}

/* The name of a type; NULL, which is told, for one that no schema knows. */
static const char *known_type(struct sanitiser *s, const json_t *value)
{
    static const char *const names[] = {"string", "number", "integer", "boolean",
                                        "object", "array",  "null"};
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return names[i];
    changed(s, "type", "names a type that there is not");
    return NULL;
}

/* The one type of a node, from a list of types or from what else it says. */
static const char *settle_type(struct sanitiser *s, const json_t *node, bool *nullable,
                               struct buf *notes)
{
    static const struct {
        const char *keyword, *type;
    } hints[] = {{"properties", "object"}, {"additionalProperties", "object"},
                 {"items", "array"},       {"prefixItems", "array"},
                 {"minimum", "number"},    {"maximum", "number"}};
    const json_t *given = json_object_get(node, "type");
    const char *type = given && !json_is_array(given) ? known_type(s, given) : NULL;
    size_t i;
    json_t *item;
    json_array_foreach(given, i, item)
    {
        const char *name = known_type(s, item);
        if (name && strcmp(name, "null") == 0)
            *nullable = true;
        else if (name && type)
            note(notes, "may also be of type %s", name);
        else if (name)
            type = name;
    }
    if (json_is_array(given))
        changed(s, "type", "is no list any more");
    for (i = 0; !type && i < sizeof hints / sizeof hints[0]; i++)
        if (json_object_get(node, hints[i].keyword))
            type = hints[i].type;
    if (!type)
        type = type_of_value(json_object_get(node, "const"));
    if (!type)
        type = type_of_value(json_array_get(json_object_get(node, "enum"), 0));
    if (type && strcmp(type, "null") == 0) {
        *nullable = true;
        note(notes, "is always null");
        return "string";
    }
    if (!type)
        note(notes, "any JSON value");
    return type ? type : "string";
}

/* Fixed values: texts as an enum, others in words. */
static int put_enum(struct sanitiser *s, json_t *out, const json_t *node, bool *nullable,
                    struct buf *notes)
{
    const json_t *values = json_object_get(node, "enum");
    const json_t *constant = json_object_get(node, "const");
    json_t *texts = json_array(), *value;
    bool all = is_type(out, "string");
    size_t i;
    if (json_string_length(constant) > 0 && all) {
        changed(s, "const", "became an enum");
        int status = json_array_append(texts, (json_t *)constant);
        return json_object_set_new(out, "enum", texts) || status;
    }
    if (constant)
        note_json(notes, "always ", constant);
    json_array_foreach(values, i, value)
    {
        if (json_is_null(value))
            *nullable = true;
        else if (json_string_length(value) == 0)
            all = false; /* neither an empty text nor a number can be in Gemini's enums */
        else if (json_array_append(texts, value))
            all = false;
    }
    if (all && json_array_size(texts) > 0)
        return json_object_set_new(out, "enum", texts);
    json_decref(texts);
    if (json_array_size(values) > 0) {
        changed(s, "enum", "of other values than texts went into the description");
        note_json(notes, "one of ", values);
    }
    return 0;
}

static int put_member(struct sanitiser *s, json_t *into, const char *key, const char *name,
                      const json_t *schema)
{
    size_t before = s->path.len;
    (void)buf_format(&s->path, "%s%s", before ? "." : "", name);
    json_t *cleaned = clean(s, schema);
    buf_cut(&s->path, before);
    return cleaned ? json_object_set_new(into, key, cleaned) : -1;
}

static int put_object(struct sanitiser *s, json_t *out, const json_t *node)
{
    const char *key;
    size_t i;
    json_t *value, *name;
    json_t *properties = json_object(), *required = json_array();
    const json_t *declared = json_object_get(node, "properties");
    int status = 0;
    json_object_foreach((json_t *)declared, key, value) status =
        status || put_member(s, properties, key, key, value);
    /* a name that is not declared would fail the request */
    json_array_foreach(json_object_get(node, "required"), i,
                       name) if (json_is_string(name) &&
                                 json_object_get(properties, json_string_value(name))) status =
        status || json_array_append(required, name);
    if (json_object_size(properties) > 0 || s->depth == 1)
        status = status || json_object_set(out, "properties", properties);
    if (json_array_size(required) > 0)
        status = status || json_object_set(out, "required", required);
    json_decref(properties);
    json_decref(required);
    return status;
}

static int put_array(struct sanitiser *s, json_t *out, const json_t *node, struct buf *notes)
{
    const json_t *items = json_object_get(node, "items");
    const json_t *prefix = json_is_array(items) ? items : json_object_get(node, "prefixItems");
    if (json_array_size(prefix) > 0) {
        changed(s, "prefixItems", "became the first item's schema");
        note_json(notes, "items in this order: ", prefix);
        items = json_array_get(prefix, 0);
    }
    if (!json_is_object(items)) {
        changed(s, "items", "was missing and became a list of texts");
        return json_object_set_new(out, "items", json_pack("{s:s}", "type", "string"));
    }
    s->in_items++;
    int status = put_member(s, out, "items", "items", items);
    s->in_items--;
    return status;
}

/* Bounds that may stay, for their types only. */
static int put_bounds(json_t *out, const json_t *node)
{
    static const struct {
        const char *keyword;
        bool of_array;
    } bounds[] = {{"minimum", false}, {"maximum", false}, {"minItems", true}, {"maxItems", true}};
    bool number = is_type(out, "number") || is_type(out, "integer"), array = is_type(out, "array");
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        json_t *value = json_object_get(node, bounds[i].keyword);
        if (json_is_number(value) && (bounds[i].of_array ? array : number) &&
            json_object_set(out, bounds[i].keyword, value))
            return -1;
    }
    const char *format = json_string_value(json_object_get(node, "format"));
    if (format && strcmp(format, "date-time") == 0 && is_type(out, "string"))
        return json_object_set_new(out, "format", json_string(format));
    return 0;
}

/* One keyword that is not carried over, in words. */
static void tell(struct buf *notes, const char *key, const json_t *value)
{
    static const struct {
        const char *keyword, *words;
    } told[] = {
        {"default", "default: "},
        {"format", "format: "},
        {"pattern", "must match the pattern "},
        {"minLength", "least length: "},
        {"maxLength", "greatest length: "},
        {"exclusiveMinimum", "greater than "},
        {"exclusiveMaximum", "less than "},
        {"multipleOf", "a multiple of "},
        {"examples", "examples: "},
        {"minProperties", "least number of properties: "},
        {"maxProperties", "greatest number of properties: "},
        {"additionalProperties", "values of other properties: "},
    };
    char words[80];
    (void)snprintf(words, sizeof words, "%.*s: ", (int)text_edge(key, strlen(key), 64), key);
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        if (strcmp(key, told[i].keyword) == 0) {
            note_json(notes, told[i].words, value);
            return;
        }
    }
    note_json(notes, words, value);
}

/* What an argument is about, for the policy (engine/policy_subject.h): nothing for the model. */
static bool is_for_policy(const char *key, const json_t *value)
{
    static const char *const formats[] = {"path", "argv", "shell", "url"};
    const char *format = strcmp(key, "format") == 0 ? json_string_value(value) : NULL;
    for (size_t i = 0; format && i < sizeof formats / sizeof formats[0]; i++)
        if (strcmp(format, formats[i]) == 0)
            return true;
    return false;
}

/* Everything that is not carried over. */
static void tell_rest(struct sanitiser *s, const json_t *out, const json_t *node, struct buf *notes)
{
    static const char *const silent[] = {
        "type",     "description", "title",    "properties", "required",  "items", "prefixItems",
        "enum",     "const",       "nullable", "$schema",    "$id",       "$defs", "definitions",
        "$comment", "$anchor",     "readOnly", "writeOnly",  "deprecated"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)node, key, value)
    {
        bool known = json_object_get(out, key) != NULL || is_for_policy(key, value);
        for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
            known = known || strcmp(key, silent[i]) == 0;
        if (known)
            continue;
        changed(s, key, "was taken out");
        bool obvious = strcmp(key, "additionalProperties") == 0 && !json_is_object(value);
        if (strcmp(key, "uniqueItems") == 0 && json_is_true(value))
            note(notes, "items must differ");
        else if (!obvious && !json_is_false(value) && key[0] != '$' && strncmp(key, "x-", 2) != 0)
            tell(notes, key, value);
    }
}

/* The description (or the title) with the notes behind it. */
static int put_description(json_t *out, const json_t *node, const struct buf *notes)
{
    const char *text = json_string_value(json_object_get(node, "description"));
    struct buf words;
    if (!text)
        text = json_string_value(json_object_get(node, "title"));
    if (!text && notes->len == 0)
        return 0;
    buf_init(&words, 2 * DESCRIPTION_MAX);
    size_t len = text ? text_edge(text, strlen(text), DESCRIPTION_MAX) : 0;
    int status = text ? buf_append(&words, text, len) : 0;
    if (notes->len > 0)
        status = status || buf_format(&words, len ? " (%s)" : "%s", notes->data);
    status = status || json_object_set_new(out, "description", json_stringn(words.data, words.len));
    buf_release(&words);
    return status;
}

static int put_any(struct sanitiser *s, json_t *out, const json_t *any)
{
    size_t i;
    json_t *item, *list = json_array();
    int status = 0;
    json_array_foreach(any, i, item)
    {
        json_t *cleaned = status ? NULL : clean(s, item);
        status = status || !cleaned || json_array_append_new(list, cleaned);
    }
    return json_object_set_new(out, "anyOf", list) || status;
}

static int rebuild(struct sanitiser *s, json_t *out, json_t *node, struct buf *notes)
{
    bool nullable = json_is_true(json_object_get(node, "nullable"));
    json_t *any = NULL;
    int status = settle_alternatives(s, node, &nullable, &any);
    if (status == 0 && any) {
        status = put_any(s, out, any);
    } else if (status == 0) {
        const char *type = settle_type(s, node, &nullable, notes);
        status = json_object_set_new(out, "type", json_string(type)) ||
                 put_enum(s, out, node, &nullable, notes) || put_bounds(out, node) ||
                 (is_type(out, "object") && put_object(s, out, node)) ||
                 (is_type(out, "array") && put_array(s, out, node, notes));
    }
    json_decref(any);
    if (status == 0)
        tell_rest(s, out, node, notes);
    if (status == 0 && nullable)
        status = json_object_set_new(out, "nullable", json_true());
    return status || put_description(out, node, notes) ? -1 : 0;
}

static json_t *clean(struct sanitiser *s, const json_t *schema)
{
    size_t open_count = s->open_count;
    struct buf notes;
    if (s->depth >= SANITISE_DEPTH_MAX || ++s->nodes > SANITISE_NODES_MAX)
        return too_large(s);
    json_t *node = flatten(s, schema), *out = json_object();
    buf_init(&notes, DESCRIPTION_MAX);
    s->depth++;
    int status = !node || !out || rebuild(s, out, node, &notes);
    s->depth--;
    s->open_count = open_count;
    buf_release(&notes);
    json_decref(node);
    if (!status)
        return out;
    json_decref(out);
    if (s->err->code == ERR_NONE)
        (void)err_set(s->err, ERR_NOMEM, "out of memory");
    return NULL;
}

json_t *sanitise_schema(const json_t *schema, struct buf *changes, struct err *err)
{
    struct err own = {0};
    struct sanitiser s = {.root = schema, .changes = changes, .err = &own};
    buf_init(&s.path, 4096);
    json_t *out = json_is_object(schema) ? clean(&s, schema) : NULL;
    if (out && !is_type(out, "object")) {
        json_decref(out);
        out = NULL;
    }
    if (!out && own.code == ERR_NONE)
        (void)err_set(&own, ERR_CONFIG, "a tool's parameters must be the schema of an object");
    if (!out && err)
        *err = own;
    buf_release(&s.path);
    return out;
}
