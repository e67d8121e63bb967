/* Dates; see when.h. */
#include "when.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_S ((int64_t)86400)

/* "Z", "+01:00", "-0500" or nothing. */
static int parse_zone(const char *text, int64_t *offset_s)
{
    int hours, minutes, used = 0;
    char sign;
    *offset_s = 0;
    if (*text == '\0' || strcmp(text, "Z") == 0 || strcmp(text, "UTC") == 0)
        return 0;
    if ((sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 &&
         sscanf(text, "%c%2d%2d%n", &sign, &hours, &minutes, &used) != 3) ||
        text[used] != '\0' || (sign != '+' && sign != '-') || hours < 0 || hours > 14 ||
        minutes < 0 || minutes > 59)
        return -1;
    *offset_s = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return 0;
}

static int parse_date(const char *text, int64_t *out)
{
    struct tm tm = {0};
    int used = 0;
    if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &used) != 3 ||
        tm.tm_year < 1970 || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
        return -1;
    text += used;
    if (*text == 'T' || (*text == ' ' && isdigit((unsigned char)text[1]))) {
        if (sscanf(text + 1, "%2d:%2d%n", &tm.tm_hour, &tm.tm_min, &used) != 2)
            return -1;
        text += 1 + used;
        if (*text == ':') {
            if (sscanf(text, ":%2d%n", &tm.tm_sec, &used) != 1)
                return -1;
            text += used;
        }
    }
    if (tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 ||
        tm.tm_sec > 60)
        return -1;
    text += strspn(text, " ");
    int64_t offset_s;
    if (parse_zone(text, &offset_s) < 0)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out = (int64_t)timegm(&tm) - offset_s;
    return 0;
}

/* "3 days ago" */
static int parse_ago(const char *text, int64_t now, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"second", 1},       {"minute", 60},        {"hour", 3600},       {"day", DAY_S},
                 {"week", 7 * DAY_S}, {"month", 30 * DAY_S}, {"year", 365 * DAY_S}};
    unsigned count;
    char unit[8], rest[8];
    int used = 0;
    if (!isdigit((unsigned char)text[0]) ||
        sscanf(text, "%5u %7[a-z] %7s%n", &count, unit, rest, &used) != 3 || text[used] != '\0' ||
        strcmp(rest, "ago") != 0)
        return -1;
    size_t len = strlen(unit);
    if (len > 0 && unit[len - 1] == 's')
        unit[len - 1] = '\0';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            *out = now - (int64_t)count * units[i].seconds;
            return 0;
        }
    }
    return -1;
}

int when_parse(const char *text, int64_t now, int64_t *out)
{
    if (strcasecmp(text, "now") == 0) {
        *out = now;
        return 0;
    }
    if (strcasecmp(text, "today") == 0 || strcasecmp(text, "yesterday") == 0) {
        *out = now - now % DAY_S - (strcasecmp(text, "today") == 0 ? 0 : DAY_S);
        return 0;
    }
    return parse_ago(text, now, out) == 0 ? 0 : parse_date(text, out);
}
