/* Dates as people and models write them. */
#ifndef GIT_WHEN_H
#define GIT_WHEN_H

#include <stdint.h>

#define WHEN_FORMS "\"2026-01-31\", \"2026-01-31 15:00\", \"2026-01-31T15:00:00Z\", \"2 weeks ago\""

/* Seconds since 1970 of one of WHEN_FORMS; UTC unless the text names a zone; `now` is what "ago"
 * and "yesterday" count from. 0, or -1 when the text is none of them. */
int when_parse(const char *text, int64_t now, int64_t *out);

#endif
