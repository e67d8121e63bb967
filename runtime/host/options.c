#include "host/options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/url.h"

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
    bool is_true = strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0)
        return -1;
    *out = is_true;
    return 0;
}

int option_check(const tackle_option *option, const char *value, struct err *err)
{
    int64_t integer;
    int32_t boolean;
    struct url_parts parts;
    const char *wanted = NULL;
    if (option->type == TACKLE_OPTION_INT && option_integer(value, &integer))
        wanted = "a whole number";
    else if (option->type == TACKLE_OPTION_BOOL && option_boolean(value, &boolean))
        wanted = "true or false";
    else if (option->type == TACKLE_OPTION_URL && url_split(value, &parts) != 0)
        wanted = "a plain http or https URL";
    if (!wanted)
        return 0;
    if (option->flags & TACKLE_OPTION_SECRET)
        return err_set(err, ERR_CONFIG, "must be %s", wanted);
    return err_set(err, ERR_CONFIG, "must be %s, not '%s'", wanted, value);
}
