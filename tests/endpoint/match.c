/* Conditions on texts and JSON values; see match.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "match.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "words.h"

enum relation { IS, CONTAINS, LACKS, MATCHES, PRESENT, ABSENT, EMPTY, AT_LEAST, AT_MOST, COUNT };

struct match {
    enum relation relation;
    char *text;
    size_t len;
    json_t *json;      /* the value as JSON, NULL when it is none */
    double number;     /* of AT_LEAST, AT_MOST, COUNT */
    pcre2_code *regex; /* of MATCHES */
};

enum argument { NO_ARGUMENT, ANY_TEXT, A_NUMBER, A_REGEX };

static const struct {
    const char *word;
    enum relation relation;
    enum argument argument;
} relations[] = {
    {"is", IS, ANY_TEXT},
    {"contains", CONTAINS, ANY_TEXT},
    {"lacks", LACKS, ANY_TEXT},
    {"matches", MATCHES, A_REGEX},
    {"present", PRESENT, NO_ARGUMENT},
    {"absent", ABSENT, NO_ARGUMENT},
    {"empty", EMPTY, NO_ARGUMENT},
    {"at least", AT_LEAST, A_NUMBER},
    {"at most", AT_MOST, A_NUMBER},
    {"count", COUNT, A_NUMBER},
};

static int read_number(struct match *match, struct err *err)
{
    char *end;
    errno = 0;
    match->number = strtod(match->text, &end);
    if (end == match->text || *end || errno)
        return err_set(err, ERR_PARSE, "\"%s\" is no number", match->text);
    return 0;
}

static int read_regex(struct match *match, struct err *err)
{
    int code;
    PCRE2_SIZE offset;
    match->regex =
        pcre2_compile((PCRE2_SPTR)match->text, match->len,
                      PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_MULTILINE, &code, &offset, NULL);
    if (match->regex)
        return 0;
    PCRE2_UCHAR why[200] = "";
    (void)pcre2_get_error_message(code, why, sizeof why);
    return err_set(err, ERR_PARSE, "the regular expression %s is wrong at %zu: %s", match->text,
                   (size_t)offset, (const char *)why);
}

static int read_argument(struct match *match, enum argument argument, const char *rest,
                         struct err *err)
{
    if (argument == NO_ARGUMENT)
        return *rest ? err_set(err, ERR_PARSE, "nothing may follow, but there is \"%s\"", rest) : 0;
    if (!*rest)
        return err_set(err, ERR_PARSE, "a value must follow; an empty text is \"\"");
    match->json = json_loads(rest, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    if (words_value(rest, &match->text, &match->len, err))
        return -1;
    if (argument == A_NUMBER)
        return read_number(match, err);
    return argument == A_REGEX ? read_regex(match, err) : 0;
}

struct match *match_new(const char *text, struct err *err)
{
    for (size_t i = 0; i < sizeof relations / sizeof *relations; i++) {
        size_t len = strlen(relations[i].word);
        if (strncmp(text, relations[i].word, len) != 0 || (text[len] && text[len] != ' '))
            continue;
        struct match *match = memory_new(sizeof *match);
        match->relation = relations[i].relation;
        const char *rest = text + len + strspn(text + len, " ");
        if (read_argument(match, relations[i].argument, rest, err) == 0)
            return match;
        match_free(match);
        return NULL;
    }
    (void)err_set(err, ERR_PARSE,
                  "\"%s\" is no condition: is, contains, lacks, matches, present, absent, empty, "
                  "at least, at most, count",
                  text);
    return NULL;
}

void match_free(struct match *match)
{
    if (!match)
        return;
    free(match->text);
    json_decref(match->json);
    pcre2_code_free(match->regex);
    free(match);
}

bool match_has(const char *data, size_t len, const char *needle, size_t needle_len)
{
    return memmem(data, len, needle, needle_len) != NULL;
}

static bool fits_regex(const struct match *match, const char *data, size_t len)
{
    pcre2_match_data *result = pcre2_match_data_create_from_pattern(match->regex, NULL);
    int found = result ? pcre2_match(match->regex, (PCRE2_SPTR)data, len, 0, 0, result, NULL) : -1;
    pcre2_match_data_free(result);
    return found >= 0;
}

static bool fits_number(const struct match *match, double number)
{
    return match->relation == AT_LEAST ? number >= match->number : number <= match->number;
}

static bool equal_text(const struct match *match, const char *data, size_t len)
{
    if (len == match->len + 1 && data[len - 1] == '\n')
        len--;
    return len == match->len && memcmp(data, match->text, len) == 0;
}

bool match_text(const struct match *match, const char *data, size_t len)
{
    if (!data)
        return match->relation == ABSENT || match->relation == LACKS;
    switch (match->relation) {
    case IS:
        return equal_text(match, data, len);
    case CONTAINS:
        return match_has(data, len, match->text, match->len);
    case LACKS:
        return !match_has(data, len, match->text, match->len);
    case MATCHES:
        return fits_regex(match, data, len);
    case EMPTY:
        return len == 0;
    case AT_LEAST:
    case AT_MOST: {
        char *end;
        double number = strtod(data, &end);
        return end != data && (*end == '\0' || *end == '\n') && fits_number(match, number);
    }
    case ABSENT:
        return false;
    case PRESENT:
        return true;
    case COUNT:
        break;
    }
    return match->number >= 1 && match->number <= 1;
}

/* Does one value fit? Strings are texts; others are compared as JSON, or looked at as its text. */
static bool fits_value(const struct match *match, const json_t *value)
{
    if (match->relation == IS && match->json && json_equal(match->json, value))
        return true;
    if (json_is_string(value))
        return match_text(match, json_string_value(value), json_string_length(value));
    if (match->relation == AT_LEAST || match->relation == AT_MOST)
        return json_is_number(value) && fits_number(match, json_number_value(value));
    if (match->relation == IS)
        return false;
    if (match->relation == EMPTY)
        return (json_is_array(value) && json_array_size(value) == 0) ||
               (json_is_object(value) && json_object_size(value) == 0);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    bool fits = text && match_text(match, text, strlen(text));
    free(text);
    return fits;
}

/* The values a pointer leads to; borrowed. */
struct found {
    const json_t **items;
    size_t count;
};

/* One part of a pointer, with ~1 and ~0 decoded. */
static char *pointer_part(const char **pointer)
{
    const char *p = *pointer + 1;
    size_t len = strcspn(p, "/");
    char *part = memory_new(len + 1);
    size_t used = 0;
    for (const char *end = p + len; p < end; p++) {
        bool escaped = *p == '~' && p + 1 < end && (p[1] == '0' || p[1] == '1');
        part[used++] = escaped ? (p[1] == '1' ? '/' : '~') : *p;
        p += escaped;
    }
    *pointer = p;
    return part;
}

static const json_t *array_item(const json_t *array, const char *part)
{
    long index;
    size_t size = json_array_size(array);
    bool from_end = *part == '-';
    if (words_number(part + from_end, 1000000, &index, NULL))
        return NULL;
    if (from_end)
        index = (long)size - index;
    return index >= 0 ? json_array_get(array, (size_t)index) : NULL;
}

static void find(const json_t *value, const char *pointer, struct found *found)
{
    if (!value || (*pointer && *pointer != '/'))
        return;
    if (!*pointer) {
        *(const json_t **)memory_item(&found->items, found->count++, sizeof(json_t *)) = value;
        return;
    }
    char *part = pointer_part(&pointer);
    bool each = strcmp(part, "*") == 0;
    if (each && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            find(json_array_get(value, i), pointer, found);
    } else if (each && json_is_object(value)) {
        const char *key;
        json_t *member;
        json_object_foreach((json_t *)value, key, member) find(member, pointer, found);
    } else {
        find(json_is_array(value) ? array_item(value, part) : json_object_get(value, part), pointer,
             found);
    }
    free(part);
}

bool match_json(const struct match *match, const json_t *root, const char *pointer)
{
    struct found found = {0};
    find(root, pointer, &found);
    bool holds;
    if (match->relation == COUNT) {
        holds = !((double)found.count < match->number || (double)found.count > match->number);
    } else if (match->relation == LACKS || match->relation == ABSENT) {
        holds = true;
        for (size_t i = 0; i < found.count; i++)
            holds = holds && fits_value(match, found.items[i]);
    } else {
        holds = false;
        for (size_t i = 0; i < found.count; i++)
            holds = holds || fits_value(match, found.items[i]);
    }
    free(found.items);
    return holds;
}

void match_show(struct buf *out, const json_t *root, const char *pointer)
{
    struct found found = {0};
    find(root, pointer, &found);
    if (found.count == 0)
        put_text(out, "(nothing)");
    for (size_t i = 0; i < found.count; i++) {
        char *text = json_dumps(found.items[i], JSON_ENCODE_ANY | JSON_COMPACT);
        put_format(out, "%s%s", i ? "\n" : "", text ? text : "(cannot be shown)");
        free(text);
    }
    free(found.items);
}
