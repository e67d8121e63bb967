/* Media for a message: what kind of file some bytes are, and data: URLs (RFC 2397). */
#ifndef WIRE_MEDIA_H
#define WIRE_MEDIA_H

#include <stddef.h>

#include "base/buf.h"

/* The media type of an image, sound, film or document that models take, by its first bytes, never
 * by its name: "image/png", "application/pdf", ... NULL for anything else, text included. */
const char *media_type(const char *data, size_t len);

/* Appends "data:TYPE;base64,...". 0, or -1 when the buffer is full. */
int media_data_url(struct buf *out, const char *type, const char *data, size_t len);

#endif
