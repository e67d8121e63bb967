/* JSON texts with long strings in them, as answers that come in one piece have: jansson reads a
 * string byte by byte through several functions, at some 90 MB/s. Here long string values are set
 * aside at the speed of a scan, jansson reads what is left, and they are put back. */
#ifndef WIRE_JSON_LONG_H
#define WIRE_JSON_LONG_H

#include <jansson.h>
#include <stddef.h>

#define JSON_LONG_STRING 1024u /* where it begins to pay */

/* Reads as json_loadb() does, the same values and the same errors. Strings of at least `least`
 * bytes are set aside. */
json_t *json_load_long(const char *text, size_t len, size_t flags, size_t least,
                       json_error_t *error);

#endif
