#include "host/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Names and dlerror() texts may hold anything, and be cut anywhere. */
static void fill(char *out, size_t size, const char *text)
{
    struct buf clean;
    buf_init(&clean, 8192);
    if (text_fix_utf8(&clean, text, strlen(text), NULL) == 0)
        (void)snprintf(out, size, "%.*s", (int)text_edge(clean.data, clean.len, size - 1),
                       clean.data);
    else
        out[0] = '\0';
    buf_release(&clean);
}

int problems_add(struct problems *problems, const char *fix, const char *format, ...)
{
    if (problems->count == PROBLEMS_MAX)
        return -1;
    struct problem *problem = &problems->items[problems->count++];
    char what[2048];
    va_list args;
    va_start(args, format);
    if (vsnprintf(what, sizeof what, format, args) < 0)
        what[0] = '\0';
    va_end(args);
    fill(problem->what, sizeof problem->what, what);
    fill(problem->fix, sizeof problem->fix, fix);
    return -1;
}
