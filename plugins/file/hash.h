/* SHA-256 (FIPS 180-4), so that after a crash a write can be told from no write. Small and plain:
 * it runs once a call on at most a few MiB. */
#ifndef FILE_HASH_H
#define FILE_HASH_H

#include <stddef.h>

#define HASH_HEX_SIZE 65

/* The digest in lower-case hex, zero-terminated. */
void hash_hex(const void *data, size_t len, char out[HASH_HEX_SIZE]);

#endif
