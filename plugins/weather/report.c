/* See report.h. */
#include "report.h"

#include "place.h"

#include <string.h>

/* WMO code table 4677, as far as Open-Meteo uses it. */
static const char *const conditions[] = {
    [0] = "clear sky",
    [1] = "mainly clear",
    [2] = "partly cloudy",
    [3] = "overcast",
    [45] = "fog",
    [48] = "depositing rime fog",
    [51] = "light drizzle",
    [53] = "moderate drizzle",
    [55] = "dense drizzle",
    [56] = "light freezing drizzle",
    [57] = "dense freezing drizzle",
    [61] = "slight rain",
    [63] = "moderate rain",
    [65] = "heavy rain",
    [66] = "light freezing rain",
    [67] = "heavy freezing rain",
    [71] = "slight snowfall",
    [73] = "moderate snowfall",
    [75] = "heavy snowfall",
    [77] = "snow grains",
    [80] = "slight rain showers",
    [81] = "moderate rain showers",
    [82] = "violent rain showers",
    [85] = "slight snow showers",
    [86] = "heavy snow showers",
    [95] = "thunderstorm",
    [96] = "thunderstorm with slight hail",
    [99] = "thunderstorm with heavy hail",
};

static void add_condition(struct text *text, const json_t *code)
{
    double value = json_is_number(code) ? json_number_value(code) : -1;
    size_t index = value >= 0 && value <= 99 ? (size_t)value : 100;
    if (index < sizeof conditions / sizeof *conditions && conditions[index])
        text_add(text, "%s", conditions[index]);
    else
        text_add(text, "weather not known");
}

/* ", wind 8.3 km/h" with the unit that the service names; nothing when there is no value. */
static void add_value(struct text *text, const char *before, const json_t *value,
                      const json_t *units, const char *key)
{
    const char *unit = json_field(units, key);
    if (!json_is_number(value))
        return;
    if (strcmp(unit, "mp/h") == 0)
        unit = "mph";
    text_add(text, "%s%.4g%s%s", before, json_number_value(value), *unit ? " " : "", unit);
}

static void add_wind_direction(struct text *text, const json_t *current)
{
    static const char *const names[] = {"north", "north-east", "east", "south-east",
                                        "south", "south-west", "west", "north-west"};
    double degrees;
    if (json_field_number(current, "wind_direction_10m", &degrees) && degrees >= 0 &&
        degrees <= 360)
        text_add(text, " from the %s", names[(size_t)((degrees + 22.5) / 45.0) % 8]);
}

/* "2026-09-17T20:00" as "2026-09-17 20:00 (Asia/Tokyo)". */
static void add_time(struct text *text, const json_t *root, const json_t *current)
{
    const char *time = json_field(current, "time");
    if (strlen(time) != strlen("2026-09-17T20:00"))
        return;
    text_add(text, "Local time: %.10s %s", time, time + 11);
    if (*json_field(root, "timezone"))
        text_add(text, " (%s)", json_field(root, "timezone"));
    text_add(text, "\n");
}

static void add_now(struct text *text, const json_t *current, const json_t *units)
{
    static const struct {
        const char *before, *key;
    } values[] = {
        {", ", "temperature_2m"},
        {", feels like ", "apparent_temperature"},
        {", humidity ", "relative_humidity_2m"},
        {", precipitation ", "precipitation"},
        {", wind ", "wind_speed_10m"},
    };
    text_add(text, "Now: ");
    add_condition(text, json_object_get(current, "weather_code"));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add_value(text, values[i].before, json_object_get(current, values[i].key), units,
                  values[i].key);
    add_wind_direction(text, current);
    text_add(text, "\n");
}

static void add_day(struct text *text, const json_t *daily, const json_t *units, size_t day)
{
    static const struct {
        const char *before, *key;
    } values[] = {
        {", low ", "temperature_2m_min"},
        {", high ", "temperature_2m_max"},
        {", precipitation ", "precipitation_sum"},
        {", chance of it ", "precipitation_probability_max"},
        {", wind up to ", "wind_speed_10m_max"},
    };
    const char *date = json_string_value(json_array_get(json_object_get(daily, "time"), day));
    if (!date || strlen(date) > FIELD_MAX_BYTES)
        return;
    text_add(text, "%s: ", date);
    add_condition(text, json_array_get(json_object_get(daily, "weather_code"), day));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        add_value(text, values[i].before,
                  json_array_get(json_object_get(daily, values[i].key), day), units, values[i].key);
    text_add(text, "\n");
}

bool report_add(struct text *text, const json_t *forecast, int64_t days)
{
    const json_t *current = json_object_get(forecast, "current");
    const json_t *daily = json_object_get(forecast, "daily");
    double temperature;
    if (!json_field_number(current, "temperature_2m", &temperature))
        return false;
    add_time(text, forecast, current);
    add_now(text, current, json_object_get(forecast, "current_units"));
    for (int64_t day = 0; day < days; day++)
        add_day(text, daily, json_object_get(forecast, "daily_units"), (size_t)day);
    return true;
}
