/* The answer of the forecast service as text for the model. */
#ifndef WEATHER_REPORT_H
#define WEATHER_REPORT_H

#include "text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The variables to ask for, as they stand in the URL. */
#define REPORT_CURRENT                                                                             \
    "temperature_2m,apparent_temperature,relative_humidity_2m,precipitation,weather_code,"         \
    "wind_speed_10m,wind_direction_10m"
#define REPORT_DAILY                                                                               \
    "weather_code,temperature_2m_max,temperature_2m_min,precipitation_sum,"                        \
    "precipitation_probability_max,wind_speed_10m_max"

/* Local time, the weather now, and one line a day; values that are missing or null are left out.
 * False, with nothing added, when there is no temperature of now: then it is no forecast. */
bool report_add(struct text *text, const json_t *forecast, int64_t days);

#endif
