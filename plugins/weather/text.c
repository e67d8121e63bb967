/* See text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void text_add(struct text *text, const char *format, ...)
{
    size_t room = sizeof text->at - text->len;
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text->at + text->len, room, format, args);
    va_end(args);
    if (len > 0)
        text->len += (size_t)len < room ? (size_t)len : room - 1;
}

void text_add_encoded(struct text *text, const char *value)
{
    for (const char *c = value; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (letter || (*c >= '0' && *c <= '9') || strchr("-._~", *c))
            text_add(text, "%c", *c);
        else
            text_add(text, "%%%02X", (unsigned)(unsigned char)*c);
    }
}
