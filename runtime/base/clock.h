/* Time: monotonic milliseconds for deadlines, wall time for what people read. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds. Time that the machine sleeps does not count. */
int64_t clock_ms(void);

/* CLOCK_REALTIME in milliseconds since 1970. */
int64_t clock_wall_ms(void);

#define CLOCK_RFC3339_SIZE 32

/* "2026-11-23T10:11:12.345Z" (RFC 3339, UTC). */
void clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE]);

#endif
