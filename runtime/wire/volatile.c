#include "wire/volatile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* As in schema_node.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/enforce.h"

#define LITERALS_MAX 32
#define PATTERNS_MAX 64
#define PATTERN_MAX  1024
#define MATCH_LIMIT  100000

/* The placeholders. A path ends where a name ends, so /tmp is not in /tmpfiles or /var/tmp. */
static const struct kind {
    const char *name, *what;
    size_t min; /* bytes; a shorter value would be found everywhere */
} kinds[] = {
    {"workspace", "the folder that the run works in", 2},
    {"home", "the user's home folder", 2},
    {"tmp", "the folder for temporary files", 2},
    {"run", "the id of the run", 8},
    {"host", "the name of the machine", 3},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static const struct {
    const char *name, *in, *pattern;
} builtin_patterns[] = {
    {"time", "messages",
     "(?<!\\d)\\d{4}-\\d\\d-\\d\\d[T _]\\d\\d:\\d\\d(?::\\d\\d(?:[.,]\\d+)?)?"
     "(?: ?(?:Z|[+-]\\d\\d:?\\d\\d))?(?!\\d)"},
    {"date", "messages", "(?<!\\d)\\d{4}-\\d\\d-\\d\\d(?!\\d)"},
    {"date", "messages",
     "\\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? (?:\\d{1,2} )?"
     "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\\.? (?:\\d{1,2},? )?"
     "(?:\\d\\d:\\d\\d(?::\\d\\d)? )?(?:\\d{4})?(?: ?\\d\\d:\\d\\d(?::\\d\\d)?)?(?: [+-]\\d{4})?"},
    {"clock", "results", "(?<!\\d)\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d+)?(?!\\d)"},
    {"duration", "results", "\\b\\d+(?:\\.\\d+)? ?(?:ms|s|sec|seconds|milliseconds)\\b"},
    {"temporary", "results", "(?:\\$\\{tmp\\}|/tmp|/var/tmp)/[^\\s\"'`,:;)\\]}]+"},
    {"hash", "results", "\\b[0-9a-f]{7,64}\\b"},
};

struct literal {
    const struct kind *kind;
    char *value; /* owned */
    size_t len;
    bool was;    /* of the recording, not of now */
    bool spoken; /* the model wrote it */
};

struct pattern {
    char *name, *text; /* owned */
    bool results_only;
    pcre2_code *code; /* owned */
};

struct volatile_rules {
    const struct redact *secrets;          /* borrowed; NULL: none */
    struct literal literals[LITERALS_MAX]; /* the longest first */
    size_t literal_count;
    bool begins[256]; /* with this byte */
    bool wanted[KINDS];
    struct pattern patterns[PATTERNS_MAX];
    size_t pattern_count;
    pcre2_match_context *limits;
};

/* ---- Making ---- */

static void drop_patterns(struct volatile_rules *v)
{
    for (size_t i = 0; i < v->pattern_count; i++) {
        free(v->patterns[i].name);
        free(v->patterns[i].text);
        pcre2_code_free(v->patterns[i].code);
    }
    v->pattern_count = 0;
}

static int add_pattern(struct volatile_rules *v, const char *name, const char *text,
                       bool results_only, struct err *err)
{
    int number;
    PCRE2_SIZE offset;
    if (v->pattern_count == PATTERNS_MAX || strlen(text) > PATTERN_MAX)
        return err_set(err, ERR_CONFIG, "rule '%.40s': more than %d patterns, or one is too long",
                       name, PATTERNS_MAX);
    struct pattern *p = &v->patterns[v->pattern_count];
    *p = (struct pattern){.name = strdup(name), .text = strdup(text), .results_only = results_only};
    p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &number, &offset, NULL);
    v->pattern_count++; /* so that its parts are freed */
    if (!p->name || !p->text)
        return err_set(err, ERR_NOMEM, "out of memory");
    if (!p->code) {
        PCRE2_UCHAR message[128] = "";
        (void)pcre2_get_error_message(number, message, sizeof message);
        return err_set(err, ERR_CONFIG, "rule '%.40s': \"%.80s\" is no regular expression: %s",
                       name, text, (const char *)message);
    }
    return 0;
}

struct volatile_rules *volatile_new(void)
{
    struct volatile_rules *v = calloc(1, sizeof *v);
    struct err ignored;
    int status = v && (v->limits = pcre2_match_context_create(NULL)) ? 0 : -1;
    if (status == 0) {
        (void)pcre2_set_match_limit(v->limits, MATCH_LIMIT);
        (void)pcre2_set_depth_limit(v->limits, MATCH_LIMIT);
    }
    for (size_t i = 0; v && i < KINDS; i++)
        v->wanted[i] = true;
    for (size_t i = 0; status == 0 && i < sizeof builtin_patterns / sizeof *builtin_patterns; i++)
        status = add_pattern(v, builtin_patterns[i].name, builtin_patterns[i].pattern,
                             strcmp(builtin_patterns[i].in, "results") == 0, &ignored);
    if (status == 0)
        return v;
    volatile_free(v);
    return NULL;
}

void volatile_free(struct volatile_rules *rules)
{
    if (!rules)
        return;
    for (size_t i = 0; i < rules->literal_count; i++)
        free(rules->literals[i].value);
    drop_patterns(rules);
    pcre2_match_context_free(rules->limits);
    free(rules);
}

/* ---- Literals ---- */

static int add_literal(struct volatile_rules *v, const struct kind *kind, const char *value,
                       bool was)
{
    size_t len = strlen(value), at = v->literal_count;
    for (size_t i = 0; i < v->literal_count; i++)
        if (strcmp(v->literals[i].value, value) == 0)
            return 0; /* the first name for it */
    if (at == LITERALS_MAX)
        return 0;
    char *copy = strdup(value);
    if (!copy)
        return -1;
    for (; at > 0 && v->literals[at - 1].len < len; at--)
        v->literals[at] = v->literals[at - 1];
    v->literals[at] = (struct literal){.kind = kind, .value = copy, .len = len, .was = was};
    v->literal_count++;
    v->begins[(unsigned char)*value] = true;
    return 0;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int volatile_set(struct volatile_rules *rules, const char *name, const char *value)
{
    const struct kind *kind = find_kind(name);
    if (!kind || !value || strlen(value) < kind->min || strcmp(value, "localhost") == 0)
        return 0;
    return add_literal(rules, kind, value, false);
}

void volatile_hide(struct volatile_rules *rules, const struct redact *secrets)
{
    rules->secrets = secrets;
}

static bool in_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* What stands behind it goes on with a longer word or path: "./tmp", "${dir}/tmp". */
static bool goes_on(char before)
{
    return in_name(before) || strchr(".})~*?", before);
}

/* The literal that stands at text[at]; NULL: none. */
static const struct literal *literal_at(const struct volatile_rules *v, const char *text,
                                        size_t len, size_t at)
{
    if (!v->begins[(unsigned char)text[at]])
        return NULL;
    for (size_t i = 0; i < v->literal_count; i++) {
        const struct literal *l = &v->literals[i];
        size_t end = at + l->len;
        if (end > len || memcmp(text + at, l->value, l->len) != 0)
            continue;
        if (v->wanted[l->kind - kinds] && (at == 0 || !goes_on(text[at - 1])) &&
            (end == len || !in_name(text[end])))
            return l;
    }
    return NULL;
}

static int mask_places(struct volatile_rules *v, const char *text, size_t len, bool by_model,
                       struct buf *out)
{
    size_t done = 0;
    for (size_t at = 0; at < len;) {
        const struct literal *l = literal_at(v, text, len, at);
        if (!l) {
            at++;
            continue;
        }
        if (by_model)
            v->literals[l - v->literals].spoken = true;
        if (buf_append(out, text + done, at - done) || buf_format(out, "${%s}", l->kind->name))
            return -1;
        at += l->len;
        done = at;
    }
    return buf_append(out, text + done, len - done);
}

int volatile_mask(struct volatile_rules *rules, const char *text, size_t len, bool by_model,
                  struct buf *out)
{
    struct buf clean;
    buf_init(&clean, out->max);
    int status = volatile_redact(rules, text, len, &clean) == 0
                     ? mask_places(rules, clean.data, clean.len, by_model, out)
                     : -1;
    buf_release(&clean);
    return status;
}

int volatile_redact(const struct volatile_rules *rules, const char *text, size_t len,
                    struct buf *out)
{
    long found =
        ENFORCED(recording_redacts) ? redact_copy(rules->secrets, REDACT_TEXT, text, len, out) : 0;
    if (found < 0)
        return -1;
    return found > 0 ? 0 : buf_append(out, text, len);
}

/* The value of now of the placeholder at `text`, and how long that is; NULL: there is none. */
static const struct literal *placeholder_at(const struct volatile_rules *v, const char *text,
                                            size_t len, size_t *bytes)
{
    for (size_t i = 0; i < v->literal_count; i++) {
        const struct literal *l = &v->literals[i];
        size_t name = !l->was ? strlen(l->kind->name) : 0;
        *bytes = name + 3;
        if (name > 0 && len >= *bytes && memcmp(text + 2, l->kind->name, name) == 0 &&
            text[name + 2] == '}')
            return l;
    }
    return NULL;
}

int volatile_unmask(const struct volatile_rules *rules, const char *text, size_t len,
                    struct buf *out)
{
    size_t done = 0, bytes;
    for (size_t at = 0; at + 3 < len; at++) {
        if (text[at] != '$' || text[at + 1] != '{')
            continue;
        const struct literal *l = placeholder_at(rules, text + at, len - at, &bytes);
        if (!l)
            continue;
        if (buf_append(out, text + done, at - done) || buf_append(out, l->value, l->len))
            return -1;
        done = at + bytes;
        at = done - 1;
    }
    return buf_append(out, text + done, len - done);
}

/* The value of now that a place has; NULL: none. */
static const struct literal *value_now(const struct volatile_rules *v, const struct kind *kind)
{
    for (size_t i = 0; i < v->literal_count; i++)
        if (v->literals[i].kind == kind && !v->literals[i].was)
            return &v->literals[i];
    return NULL;
}

int volatile_move(const struct volatile_rules *rules, const char *text, size_t len, struct buf *out)
{
    size_t done = 0;
    for (size_t at = 0; at < len;) {
        const struct literal *l = literal_at(rules, text, len, at);
        const struct literal *now = l && l->was ? value_now(rules, l->kind) : NULL;
        if (now) {
            if (buf_append(out, text + done, at - done) || buf_append(out, now->value, now->len))
                return -1;
            done = at + l->len;
        }
        at += l ? l->len : 1;
    }
    return buf_append(out, text + done, len - done);
}

/* ---- Patterns ---- */

static int smooth_one(const struct volatile_rules *v, const struct pattern *p, const char *text,
                      size_t len, struct buf *out)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    size_t at = 0;
    int status = data ? 0 : -1;
    while (status == 0 && at < len) {
        if (pcre2_match(p->code, (PCRE2_SPTR)text, len, at, PCRE2_NO_UTF_CHECK, data, v->limits) <
            0)
            break;
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
        if (found[1] <= found[0]) /* an empty match, or one by \K: of no use */
            break;
        status = buf_append(out, text + at, found[0] - at) || buf_format(out, "<%s>", p->name);
        at = found[1];
    }
    pcre2_match_data_free(data);
    return status == 0 ? buf_append(out, text + at, len - at) : -1;
}

int volatile_smooth(const struct volatile_rules *rules, enum volatile_place place, const char *text,
                    size_t len, struct buf *out)
{
    struct buf before, after;
    buf_init(&before, out->max);
    buf_init(&after, out->max);
    int status = buf_append(&before, text, len);
    for (size_t i = 0; status == 0 && i < rules->pattern_count; i++) {
        const struct pattern *p = &rules->patterns[i];
        if (p->results_only && place != VOLATILE_RESULT)
            continue;
        buf_clear(&after);
        status = smooth_one(rules, p, before.data, before.len, &after);
        struct buf swap = before;
        before = after;
        after = swap;
    }
    if (status == 0)
        status = buf_append(out, before.data, before.len);
    buf_release(&before);
    buf_release(&after);
    return status;
}

/* ---- The list of a manifest ---- */

static json_t *literal_json(const struct volatile_rules *v, const struct kind *kind)
{
    json_t *rule = json_pack("{s:s, s:s}", "name", kind->name, "what", kind->what);
    for (size_t i = 0; rule && i < v->literal_count; i++)
        if (v->literals[i].kind == kind && v->literals[i].spoken)
            (void)json_object_set_new(rule, "was", json_string(v->literals[i].value));
    return rule;
}

json_t *volatile_json(const struct volatile_rules *rules)
{
    json_t *list = json_array();
    int bad = list ? 0 : -1;
    for (size_t i = 0; bad == 0 && i < KINDS; i++)
        if (rules->wanted[i])
            bad = json_array_append_new(list, literal_json(rules, &kinds[i]));
    for (size_t i = 0; bad == 0 && i < rules->pattern_count; i++) {
        const struct pattern *p = &rules->patterns[i];
        bad = json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", p->name, "pattern",
                                                    p->text, "in",
                                                    p->results_only ? "results" : "messages"));
    }
    if (bad == 0)
        return list;
    json_decref(list);
    return NULL;
}

static int read_rule(struct volatile_rules *v, const json_t *rule, struct err *err)
{
    const char *name = json_string_value(json_object_get(rule, "name"));
    const char *pattern = json_string_value(json_object_get(rule, "pattern"));
    const char *in = json_string_value(json_object_get(rule, "in"));
    const char *was = json_string_value(json_object_get(rule, "was"));
    if (!name || !*name || strlen(name) > 40)
        return err_set(err, ERR_CONFIG, "a rule has no \"name\", or a long one");
    if (pattern) {
        bool results = in && strcmp(in, "results") == 0;
        if (in && !results && strcmp(in, "messages") != 0)
            return err_set(err, ERR_CONFIG, "rule '%s': \"in\" is \"messages\" or \"results\"",
                           name);
        return add_pattern(v, name, pattern, results, err);
    }
    const struct kind *kind = find_kind(name);
    if (!kind)
        return err_set(err, ERR_CONFIG,
                       "rule '%s': a rule has a \"pattern\", or is one of workspace, home, tmp, "
                       "run, host",
                       name);
    v->wanted[kind - kinds] = true;
    if (was && strlen(was) >= kind->min && add_literal(v, kind, was, true) != 0)
        return err_set(err, ERR_NOMEM, "out of memory");
    return 0;
}

int volatile_read(struct volatile_rules *rules, const json_t *list, struct err *err)
{
    size_t i;
    json_t *rule;
    drop_patterns(rules);
    memset(rules->wanted, 0, sizeof rules->wanted);
    if (!json_is_array(list))
        return err_set(err, ERR_CONFIG, "\"rules\" is no list");
    json_array_foreach(list, i, rule)
    {
        if (read_rule(rules, rule, err) != 0)
            return -1;
    }
    return 0;
}
