/* Words, values, numbers and durations of the lines of a script; see words.h. */
#include "words.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* One word from *at into `out`; returns false for a quotation mark without its partner. */
static bool split_one(const char **at, struct buf *out)
{
    const char *p = *at;
    char quote = '\0';
    for (; *p && (quote || !is_space(*p)); p++) {
        if (quote ? *p == quote : (*p == '\'' || *p == '"')) {
            quote = quote ? '\0' : *p;
            continue;
        }
        bool escape =
            *p == '\\' && p[1] && quote != '\'' && (quote != '"' || p[1] == '"' || p[1] == '\\');
        if (escape)
            p++;
        put(out, p, 1);
    }
    *at = p;
    return quote == '\0';
}

int words_split(const char *line, struct words *out, struct err *err)
{
    struct words words = {0};
    struct buf word;
    int status = -1;
    buf_init(&word, strlen(line) + 1);
    for (;;) {
        while (is_space(*line))
            line++;
        if (!*line)
            break;
        if (!split_one(&line, &word)) {
            (void)err_set(err, ERR_PARSE, "a quotation mark is not closed");
            goto out;
        }
        *(char **)memory_item(&words.items, words.count++, sizeof(char *)) = buf_take(&word);
        buf_init(&word, strlen(line) + 1);
    }
    status = 0;
out:
    buf_release(&word);
    (void)memory_item(&words.items, words.count, sizeof(char *));
    if (status)
        words_release(&words);
    *out = words;
    return status;
}

void words_release(struct words *words)
{
    for (size_t i = 0; i < words->count; i++)
        free(words->items[i]);
    free(words->items);
    *words = (struct words){0};
}

char *words_take(const char **line)
{
    const char *start = *line;
    while (is_space(*start))
        start++;
    const char *end = start;
    while (*end && !is_space(*end))
        end++;
    *line = end;
    while (is_space(**line))
        (*line)++;
    return memory_copy(start, (size_t)(end - start));
}

bool words_skip(const char **line, const char *word)
{
    const char *rest = *line;
    char *first = words_take(&rest);
    bool same = strcmp(first, word) == 0;
    if (same)
        *line = rest;
    free(first);
    return same;
}

int words_value(const char *rest, char **out, size_t *len, struct err *err)
{
    if (*rest != '"') {
        *out = memory_text(rest);
        if (len)
            *len = strlen(rest);
        return 0;
    }
    json_error_t why;
    json_t *value = json_loads(rest, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!value)
        return err_set(err, ERR_PARSE, "%s is no JSON string: %s", rest, why.text);
    *out = memory_copy(json_string_value(value), json_string_length(value));
    if (len)
        *len = json_string_length(value);
    json_decref(value);
    return 0;
}

int words_number(const char *text, long max, long *out, struct err *err)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end || errno || number > max)
        return err_set(err, ERR_PARSE, "\"%s\" is no number from 0 to %ld", text, max);
    *out = number;
    return 0;
}

int words_duration(const char *text, int64_t *ms, struct err *err)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (isdigit((unsigned char)*text) && !errno && number <= 1000000)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(end, units[i].unit) == 0) {
                *ms = number * units[i].ms;
                return 0;
            }
    return err_set(err, ERR_PARSE, "\"%s\" is no duration; write 200ms, 2s or 1m", text);
}
