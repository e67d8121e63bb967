#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec t = {0};
    (void)clock_gettime(id, &t); /* cannot fail for these two clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

void clock_rfc3339(int64_t wall_ms, char out[CLOCK_RFC3339_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm t = {0};
    char text[24] = "1970-01-01T00:00:00";
    if (gmtime_r(&seconds, &t))
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &t);
    (void)snprintf(out, CLOCK_RFC3339_SIZE, "%s.%03dZ", text, (int)(wall_ms % 1000));
}
