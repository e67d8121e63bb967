#include "host/step.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static int fail(struct step_failure *failure, const char *step, const char *reason,
                const char *format, va_list args) __attribute__((format(printf, 4, 0)));
static int fail(struct step_failure *failure, const char *step, const char *reason,
                const char *format, va_list args)
{
    if (failure->step[0])
        return -1;
    char *text = failure->text;
    size_t size = sizeof failure->text;
    (void)snprintf(failure->step, sizeof failure->step, "%s", step);
    int used = vsnprintf(text, size, format, args);
    if (reason && used >= 0 && (size_t)used < size)
        (void)snprintf(text + used, size - (size_t)used, "%s%s", used ? ": " : "", reason);
    return -1;
}

int step_fail(struct step_failure *failure, const char *step, const char *format, ...)
{
    va_list args;
    const char *reason = strerror(errno);
    va_start(args, format);
    int status = fail(failure, step, reason, format, args);
    va_end(args);
    return status;
}

int step_refuse(struct step_failure *failure, const char *step, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int status = fail(failure, step, NULL, format, args);
    va_end(args);
    return status;
}
