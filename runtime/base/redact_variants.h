/* The forms in which a secret turns up in text: for base/redact. */
#ifndef BASE_REDACT_VARIANTS_H
#define BASE_REDACT_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>

#define REDACT_VARIANTS 15 /* at most */

/* Calls `add` for each form of the value, the value itself first; a form may come twice. `wraps`:
 * programs break lines in it. 0; what `add` returned when that was not 0; -1: out of memory. */
int redact_variants(const char *value, size_t len,
                    int (*add)(void *user, const char *bytes, size_t len, bool wraps), void *user);

#endif
