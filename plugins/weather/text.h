/* Text that is put together piece by piece in a buffer of fixed size. What does not fit is cut, so
 * writers bound their pieces instead of looking at a result each time. */
#ifndef WEATHER_TEXT_H
#define WEATHER_TEXT_H

#include <stddef.h>

struct text {
    char at[8192]; /* zero-terminated; more than all pieces of an answer at their longest */
    size_t len;
};

__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);

/* For a URL: leaves what RFC 3986 calls unreserved, writes the rest as %XX. */
void text_add_encoded(struct text *text, const char *value);

#endif
