/* CRC-32C (Castagnoli; RFC 3720, appendix B.4): finds damaged bytes, proves nothing about who wrote
 * them. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from `crc`: that of what came before, 0 at the beginning. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
