/* Checking a value against compiled nodes. Problems are written for a model: where, what would be
 * right, what it was. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/schema_node.h"

#define PATH_MAX_BYTES 1024u
#define SHOWN_MAX      80u    /* bytes of a value or a name in a problem */
#define LISTED_MAX     12u    /* names or values listed in a problem */
#define REASON_MAX     400u   /* bytes of the reasons of alternatives */
#define MATCH_STEPS    50u    /* what a match counts for among the steps of a check */
#define MATCH_LIMIT    100000 /* steps of a pattern on one text */

struct checker {
    struct buf path;
    struct buf *problems; /* NULL: only whether it fits matters */
    unsigned named;       /* problems so far */
    unsigned long steps;
    unsigned depth;
    const char *given_up; /* the bound that was reached; NULL */
};

static bool check(struct checker *c, const struct schema_node *node, const json_t *value);

/* Names and values are anything: they must not end a line. */
static void blank_controls(char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ')
            text[i] = ' ';
}

/* Writes "path: text" as a line of its own. Returns false, so that `return problem(...)` reads. */
__attribute__((format(printf, 2, 3))) static bool problem(struct checker *c, const char *format,
                                                          ...)
{
    char text[1024];
    va_list args;
    if (!c->problems || c->named >= SCHEMA_ERRORS_MAX)
        return false;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0)
        return false;
    size_t used = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    blank_controls(text, used);
    (void)buf_format(c->problems, "%s%s%s", c->named ? "\n" : "", c->path.data,
                     c->path.len ? ": " : "");
    (void)text_fix_utf8(c->problems, text, text_edge(text, (size_t)len, used), NULL);
    c->named++;
    return false;
}

static bool give_up(struct checker *c, const char *why)
{
    if (!c->given_up)
        c->given_up = why;
    return false;
}

/* A value as it is shown: compact JSON, cut. */
struct shown {
    char text[SHOWN_MAX + 8];
};

static const char *show(struct shown *shown, const json_t *value)
{
    char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    size_t len = json ? strlen(json) : 0, edge = json ? text_edge(json, len, SHOWN_MAX) : 0;
    (void)snprintf(shown->text, sizeof shown->text, "%.*s%s", (int)edge, json ? json : "",
                   edge < len ? "..." : "");
    free(json);
    return shown->text;
}

/* Adds "name" or ".name" to the path; a path that is full stays as it is. */
static void enter_name(struct checker *c, const char *name)
{
    size_t before = c->path.len;
    (void)buf_format(&c->path, "%s%.*s", before ? "." : "",
                     (int)text_edge(name, strlen(name), SHOWN_MAX), name);
    blank_controls(c->path.data + before, c->path.len - before);
}

static bool check_item(struct checker *c, const struct schema_node *node, const json_t *array,
                       size_t i)
{
    size_t before = c->path.len;
    (void)buf_format(&c->path, "[%zu]", i);
    bool fits = check(c, node, json_array_get(array, i));
    buf_cut(&c->path, before);
    return fits;
}

static bool check_member(struct checker *c, const struct schema_node *node, const char *key,
                         const json_t *value)
{
    size_t before = c->path.len;
    enter_name(c, key);
    bool fits = check(c, node, value);
    buf_cut(&c->path, before);
    return fits;
}

/* Checks without naming problems. */
static bool fits_quietly(struct checker *c, const struct schema_node *node, const json_t *value)
{
    struct buf *problems = c->problems;
    c->problems = NULL;
    bool fits = check(c, node, value);
    c->problems = problems;
    return fits;
}

static int compare(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return x < y ? -1 : x > y;
    }
    double x = json_number_value(a), y = json_number_value(b);
    return x < y ? -1 : x > y;
}

static bool equal(struct checker *c, const json_t *a, const json_t *b, unsigned depth);

static bool equal_members(struct checker *c, const json_t *a, const json_t *b, unsigned depth)
{
    const char *key;
    json_t *item;
    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, item)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !equal(c, item, other, depth))
            return false;
    }
    return true;
}

/* JSON equality, where 1 and 1.0 are the same. */
static bool equal(struct checker *c, const json_t *a, const json_t *b, unsigned depth)
{
    size_t i;
    json_t *item;
    if (++c->steps > SCHEMA_STEPS_MAX || depth == 0)
        return give_up(c, "is too large to be checked");
    if (json_is_number(a) && json_is_number(b))
        return compare(a, b) == 0;
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return equal_members(c, a, b, depth - 1);
    if (!json_is_array(a))
        return json_equal(a, b) == 1;
    if (json_array_size(a) != json_array_size(b))
        return false;
    json_array_foreach(a, i,
                       item) if (!equal(c, item, json_array_get(b, i), depth - 1)) return false;
    return true;
}

/* A whole number that 64 bits hold; 1.0 is one. */
static bool is_whole(const json_t *value)
{
    double real = json_number_value(value);
    if (json_is_integer(value))
        return true;
    return json_is_real(value) && real >= -9.2e18 && real <= 9.2e18 && real == trunc(real);
}

static unsigned types_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return TYPE_OBJECT;
    case JSON_ARRAY:
        return TYPE_ARRAY;
    case JSON_STRING:
        return TYPE_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return TYPE_NUMBER | (is_whole(value) ? (unsigned)TYPE_INTEGER : 0);
    case JSON_TRUE:
    case JSON_FALSE:
        return TYPE_BOOLEAN;
    default:
        return TYPE_NULL;
    }
}

static bool check_type(struct checker *c, const struct schema_node *node, const json_t *value)
{
    struct shown shown;
    char names[96] = "";
    if (node->types == 0 || node->types & types_of(value))
        return true;
    for (size_t i = 0, used = 0; i < 7; i++)
        if (node->types & 1u << i)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? " or " : "",
                                     schema_type_names[i]);
    return problem(c, "must be of type %s, got %s", names, show(&shown, value));
}

/* Appends the values, comma between, as far as a problem should list them. */
static void list_values(struct buf *out, const json_t *values)
{
    size_t i;
    json_t *item;
    struct shown shown;
    json_array_foreach(values, i, item)
    {
        if (i == LISTED_MAX) {
            (void)buf_text(out, ", ...");
            return;
        }
        (void)buf_format(out, "%s%s", i ? ", " : "", show(&shown, item));
    }
}

static bool check_enum(struct checker *c, const struct schema_node *node, const json_t *value)
{
    size_t i;
    json_t *item;
    struct buf list;
    struct shown shown, wanted;
    if (node->constant && !equal(c, node->constant, value, SCHEMA_DEPTH_MAX))
        return problem(c, "must be %s, got %s", show(&wanted, node->constant), show(&shown, value));
    if (!node->enumeration)
        return true;
    json_array_foreach(node->enumeration, i,
                       item) if (equal(c, item, value, SCHEMA_DEPTH_MAX)) return true;
    buf_init(&list, 2 * REASON_MAX);
    list_values(&list, node->enumeration);
    (void)problem(c, "must be one of %s; got %s", list.data, show(&shown, value));
    buf_release(&list);
    return false;
}

static bool is_multiple(const json_t *value, const json_t *of)
{
    if (json_is_integer(value) && json_is_integer(of))
        return json_integer_value(value) % json_integer_value(of) == 0;
    double quotient = json_number_value(value) / json_number_value(of);
    double slack = 1e-9 * fmax(1, fabs(quotient));
    return isfinite(quotient) && fabs(quotient - round(quotient)) <= fmin(slack, 0.01);
}

static bool check_number(struct checker *c, const struct schema_node *node, const json_t *value)
{
    struct shown got, bound;
    if (node->minimum && compare(value, node->minimum) < 0)
        return problem(c, "must be at least %s, got %s", show(&bound, node->minimum),
                       show(&got, value));
    if (node->maximum && compare(value, node->maximum) > 0)
        return problem(c, "must be at most %s, got %s", show(&bound, node->maximum),
                       show(&got, value));
    if (node->exclusive_minimum && compare(value, node->exclusive_minimum) <= 0)
        return problem(c, "must be greater than %s, got %s", show(&bound, node->exclusive_minimum),
                       show(&got, value));
    if (node->exclusive_maximum && compare(value, node->exclusive_maximum) >= 0)
        return problem(c, "must be less than %s, got %s", show(&bound, node->exclusive_maximum),
                       show(&got, value));
    if (node->multiple_of && !is_multiple(value, node->multiple_of))
        return problem(c, "must be a multiple of %s, got %s", show(&bound, node->multiple_of),
                       show(&got, value));
    return true;
}

/* Lengths are in characters. */
static json_int_t characters(const json_t *text)
{
    const char *s = json_string_value(text);
    size_t len = json_string_length(text), count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return (json_int_t)count;
}

/* Is the pattern anywhere in the text? A pattern that would take too long counts as no. */
static bool matches(struct checker *c, const pcre2_code *pattern, const char *text, size_t len)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(pattern, NULL);
    int found = PCRE2_ERROR_NOMEMORY;
    c->steps += MATCH_STEPS;
    if (context && data) {
        (void)pcre2_set_match_limit(context, MATCH_LIMIT);
        (void)pcre2_set_depth_limit(context, MATCH_LIMIT);
        found = pcre2_match(pattern, (PCRE2_SPTR)text, len, 0, 0, data, context);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    if (found < 0 && found != PCRE2_ERROR_NOMATCH)
        return give_up(c, "is too complex to be matched with the pattern of its schema");
    return found >= 0;
}

static bool check_text(struct checker *c, const struct schema_node *node, const json_t *value)
{
    struct shown shown;
    json_int_t len = characters(value);
    if (node->min_length >= 0 && len < node->min_length)
        return problem(c, "must have at least %lld characters, has %lld",
                       (long long)node->min_length, (long long)len);
    if (node->max_length >= 0 && len > node->max_length)
        return problem(c, "must have at most %lld characters, has %lld",
                       (long long)node->max_length, (long long)len);
    if (node->pattern &&
        !matches(c, node->pattern, json_string_value(value), json_string_length(value)))
        return problem(c, "must match the pattern %.200s, got %s", node->pattern_text,
                       show(&shown, value));
    return true;
}

static bool check_unique(struct checker *c, const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value) && !c->given_up; i++)
        for (size_t j = 0; j < i && !c->given_up; j++)
            if (equal(c, json_array_get(value, i), json_array_get(value, j), SCHEMA_DEPTH_MAX))
                return problem(c, "items must differ, but items %zu and %zu are the same", j, i);
    return !c->given_up;
}

static bool check_contains(struct checker *c, const struct schema_node *node, const json_t *value)
{
    json_int_t found = 0, least = node->min_contains >= 0 ? node->min_contains : 1;
    if (!node->contains)
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        found += fits_quietly(c, node->contains, json_array_get(value, i));
    if (found < least)
        return problem(c, "must hold at least %lld items of the kind its schema names, holds %lld",
                       (long long)least, (long long)found);
    if (node->max_contains >= 0 && found > node->max_contains)
        return problem(c, "must hold at most %lld items of the kind its schema names, holds %lld",
                       (long long)node->max_contains, (long long)found);
    return true;
}

static bool check_array(struct checker *c, const struct schema_node *node, const json_t *value)
{
    bool fits = true;
    size_t count = json_array_size(value);
    if (node->min_items >= 0 && (json_int_t)count < node->min_items)
        fits =
            problem(c, "must have at least %lld items, has %zu", (long long)node->min_items, count);
    if (node->max_items >= 0 && (json_int_t)count > node->max_items)
        fits =
            problem(c, "must have at most %lld items, has %zu", (long long)node->max_items, count);
    for (size_t i = 0; i < count && !c->given_up; i++) {
        const struct schema_node *item =
            i < node->prefix.count ? node->prefix.items[i].node : node->items;
        if (item && !check_item(c, item, value, i))
            fits = false;
    }
    if (node->unique_items && !check_unique(c, value))
        fits = false;
    return check_contains(c, node, value) && fits;
}

/* "did you mean ...", or what there is. */
static bool unknown_property(struct checker *c, const struct schema_node *node, const char *key)
{
    const char *name, *best = NULL;
    json_t *ignored;
    struct buf known;
    size_t limit = strlen(key) / 3, count = 0;
    if (!c->problems)
        return false;
    buf_init(&known, 2 * REASON_MAX);
    json_object_foreach((json_t *)node->properties_json, name, ignored)
    {
        size_t distance = text_distance(key, name, limit);
        if (distance <= limit) {
            best = name;
            limit = distance > 0 ? distance - 1 : 0;
        }
        if (count++ < LISTED_MAX)
            (void)buf_format(&known, "%s%.80s", count > 1 ? ", " : "", name);
    }
    size_t before = c->path.len;
    enter_name(c, key);
    if (best)
        (void)problem(c, "unknown property; did you mean \"%.80s\"?", best);
    else if (count > 0)
        (void)problem(c, "unknown property; known are: %s%s", known.data,
                      count > LISTED_MAX ? ", ..." : "");
    else
        (void)problem(c, "unknown property; none is allowed here");
    buf_cut(&c->path, before);
    buf_release(&known);
    return false;
}

static bool check_other_property(struct checker *c, const struct schema_node *node, const char *key,
                                 const json_t *value)
{
    bool fits = true, known = json_object_get(node->properties_json, key) != NULL;
    for (size_t i = 0; i < node->pattern_properties.count; i++) {
        const struct schema_child *child = &node->pattern_properties.items[i];
        if (!matches(c, child->pattern, key, strlen(key)))
            continue;
        known = true;
        if (!check_member(c, child->node, key, value))
            fits = false;
    }
    if (known)
        return fits;
    if (node->strict || (node->additional_properties && node->additional_properties->never))
        return unknown_property(c, node, key);
    return !node->additional_properties || check_member(c, node->additional_properties, key, value);
}

static bool check_required(struct checker *c, const json_t *names, const json_t *value,
                           const char *because)
{
    size_t i;
    json_t *name;
    bool fits = true;
    json_array_foreach(names, i, name)
    {
        const char *key = json_string_value(name);
        if (json_object_get(value, key))
            continue;
        size_t before = c->path.len;
        enter_name(c, key);
        fits = because ? problem(c, "required together with \"%.80s\", but missing", because)
                       : problem(c, "required, but missing");
        buf_cut(&c->path, before);
    }
    return fits;
}

static bool check_dependents(struct checker *c, const struct schema_node *node, const json_t *value)
{
    const char *key;
    json_t *names;
    bool fits = true;
    json_object_foreach((json_t *)node->dependent_required, key,
                        names) if (json_is_array(names) && json_object_get(value, key) &&
                                   !check_required(c, names, value, key)) fits = false;
    for (size_t i = 0; i < node->dependent_schemas.count; i++) {
        const struct schema_child *child = &node->dependent_schemas.items[i];
        if (json_object_get(value, child->key) && !check(c, child->node, value))
            fits = false;
    }
    return fits;
}

static bool check_names(struct checker *c, const struct schema_node *names, const json_t *value)
{
    const char *key;
    json_t *ignored;
    bool fits = true;
    json_object_foreach((json_t *)value, key, ignored)
    {
        json_t *name = json_string(key);
        if (!name || !fits_quietly(c, names, name))
            fits = problem(c, "\"%.80s\" is not allowed as the name of a property", key);
        json_decref(name);
    }
    return fits;
}

static bool check_object(struct checker *c, const struct schema_node *node, const json_t *value)
{
    const char *key;
    json_t *item;
    size_t count = json_object_size(value);
    bool fits = check_required(c, node->required, value, NULL);
    for (size_t i = 0; i < node->properties.count && !c->given_up; i++) {
        const struct schema_child *child = &node->properties.items[i];
        const json_t *member = json_object_get(value, child->key);
        if (member && !check_member(c, child->node, child->key, member))
            fits = false;
    }
    if (node->strict || node->additional_properties || node->pattern_properties.count > 0)
        json_object_foreach((json_t *)value, key,
                            item) if (!c->given_up && !check_other_property(c, node, key, item))
            fits = false;
    if (node->min_properties >= 0 && (json_int_t)count < node->min_properties)
        fits = problem(c, "must have at least %lld properties, has %zu",
                       (long long)node->min_properties, count);
    if (node->max_properties >= 0 && (json_int_t)count > node->max_properties)
        fits = problem(c, "must have at most %lld properties, has %zu",
                       (long long)node->max_properties, count);
    if (node->property_names && !check_names(c, node->property_names, value))
        fits = false;
    return check_dependents(c, node, value) && fits;
}

/* Why each alternative does not fit: its first problem. */
static void explain(struct checker *c, const struct schema_list *list, const json_t *value,
                    struct buf *out)
{
    for (size_t i = 0; i < list->count && i < LISTED_MAX; i++) {
        struct buf reason, *problems = c->problems;
        unsigned named = c->named;
        buf_init(&reason, 4096);
        c->problems = &reason;
        c->named = SCHEMA_ERRORS_MAX - 1;
        (void)check(c, list->items[i].node, value);
        c->problems = problems;
        c->named = named;
        size_t skip = reason.len > 0 && reason.data[0] == '\n';
        (void)buf_format(out, "%s(%zu) %.*s", i ? " " : "", i + 1,
                         (int)text_edge(reason.data + skip, reason.len - skip, REASON_MAX / 4),
                         reason.data + skip);
        buf_release(&reason);
    }
}

static bool check_alternatives(struct checker *c, const struct schema_list *list,
                               const json_t *value, bool only_one)
{
    struct buf reasons;
    size_t fitting = 0;
    for (size_t i = 0; i < list->count && !c->given_up; i++) {
        fitting += fits_quietly(c, list->items[i].node, value);
        if (fitting > 0 && !only_one)
            return true;
    }
    if (list->count == 0 || fitting == 1)
        return true;
    if (fitting > 1)
        return problem(c, "must fit exactly one of %zu alternatives, fits %zu", list->count,
                       fitting);
    if (!c->problems)
        return false;
    buf_init(&reasons, 2 * REASON_MAX);
    explain(c, list, value, &reasons);
    (void)problem(c, "fits none of %zu alternatives: %s", list->count, reasons.data);
    buf_release(&reasons);
    return false;
}

static bool check_combinations(struct checker *c, const struct schema_node *node,
                               const json_t *value)
{
    struct shown shown;
    bool fits = true;
    if (node->ref && !check(c, node->ref, value))
        fits = false;
    for (size_t i = 0; i < node->all_of.count; i++)
        if (!check(c, node->all_of.items[i].node, value))
            fits = false;
    if (!check_alternatives(c, &node->any_of, value, false) ||
        !check_alternatives(c, &node->one_of, value, true))
        fits = false;
    if (node->not_node && fits_quietly(c, node->not_node, value))
        fits = problem(c, "must not be what its schema excludes, got %s", show(&shown, value));
    if (node->if_node) {
        const struct schema_node *branch =
            fits_quietly(c, node->if_node, value) ? node->then_node : node->else_node;
        if (branch && !check(c, branch, value))
            fits = false;
    }
    return fits;
}

static bool check_keywords(struct checker *c, const struct schema_node *node, const json_t *value)
{
    bool fits = true;
    if (!check_type(c, node, value) || !check_enum(c, node, value))
        return false; /* more would only confuse */
    if (json_is_number(value))
        fits = check_number(c, node, value);
    else if (json_is_string(value))
        fits = check_text(c, node, value);
    else if (json_is_array(value))
        fits = check_array(c, node, value);
    else if (json_is_object(value))
        fits = check_object(c, node, value);
    return check_combinations(c, node, value) && fits;
}

static bool check(struct checker *c, const struct schema_node *node, const json_t *value)
{
    if (c->given_up)
        return false;
    if (++c->steps > SCHEMA_STEPS_MAX)
        return give_up(c, "is too large to be checked");
    if (c->depth >= SCHEMA_DEPTH_MAX)
        return give_up(c, "is nested too deep");
    if (node->never)
        return problem(c, "is not allowed here");
    c->depth++;
    bool fits = check_keywords(c, node, value);
    c->depth--;
    return fits && !c->given_up;
}

int schema_check(const struct schema *schema, const json_t *value, struct buf *problems)
{
    struct checker c = {.problems = problems};
    buf_init(&c.path, PATH_MAX_BYTES);
    bool fits = check(&c, schema->root, value);
    if (c.given_up) {
        buf_clear(&c.path);
        c.named -= c.named == SCHEMA_ERRORS_MAX;
        (void)problem(&c, "the value %s", c.given_up);
    }
    buf_release(&c.path);
    return fits ? 0 : -1;
}
