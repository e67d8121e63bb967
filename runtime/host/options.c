#include "host/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int option_integer(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || text[strspn(text, "+-0123456789")])
        return -1;
    *out = value;
    return 0;
}

int option_boolean(const char *text, int32_t *out)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int32_t value = 0; value <= 1; value++) {
            if (strcmp(text, words[i][value]) == 0) {
                *out = value;
                return 0;
            }
        }
    }
    return -1;
}

static bool is_url(const char *text)
{
    size_t scheme = strncasecmp(text, "http://", 7) == 0    ? 7
                    : strncasecmp(text, "https://", 8) == 0 ? 8
                                                            : 0;
    if (scheme == 0 || !text[scheme] || strchr("/?#:@", text[scheme]))
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c <= ' ' || *c == 0x7f)
            return false;
    }
    return true;
}

int option_check(const tackle_option *option, const char *value, struct err *err)
{
    int64_t integer;
    int32_t boolean;
    const char *wanted = NULL;
    if (option->type == TACKLE_OPTION_INT && option_integer(value, &integer))
        wanted = "a whole number";
    else if (option->type == TACKLE_OPTION_BOOL && option_boolean(value, &boolean))
        wanted = "true or false";
    else if (option->type == TACKLE_OPTION_URL && !is_url(value))
        wanted = "an http:// or https:// URL";
    if (!wanted)
        return 0;
    if (option->flags & TACKLE_OPTION_SECRET)
        return err_set(err, ERR_CONFIG, "option '%s' must be %s", option->name, wanted);
    return err_set(err, ERR_CONFIG, "option '%s' must be %s, not '%s'", option->name, wanted,
                   value);
}
