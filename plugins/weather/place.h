/* From what the model wrote to one place on the map: which name to search in which languages, and
 * which of the results is meant. Pure functions on text and JSON. */
#ifndef WEATHER_PLACE_H
#define WEATHER_PLACE_H

#include "text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCATION_MAX_BYTES 240 /* of the model's text */
#define FIELD_MAX_BYTES    120 /* of a name that a service sends; longer ones count as missing */
#define LANGUAGES_MAX      2
#define QUALIFIERS_MAX     3   /* "Springfield, Illinois, USA" has two */
#define RESULTS_MAX        100 /* of one search: the service's own limit */

/* A location cut into the name and what stands behind its commas. */
struct query {
    char text[LOCATION_MAX_BYTES + 1];
    const char *name;
    const char *qualifiers[QUALIFIERS_MAX];
    size_t qualifier_count;
};

/* One result of a search; the texts live in the JSON that it was read from. */
struct place {
    int64_t id, admin1_id, population;                           /* 0 when not known */
    const char *name, *admin1, *admin2, *country, *country_code; /* "" when not known */
    double latitude, longitude;
    size_t rank; /* how near the top of its list: the service knows best what fits a name */
};

struct places {
    json_t *roots[LANGUAGES_MAX];
    size_t root_count;
    struct place at[LANGUAGES_MAX * RESULTS_MAX];
    size_t count;
};

/* False when the location is too long or begins with no name. */
bool query_read(struct query *query, const char *location, size_t len);

/* The languages to search the name in; returns how many. */
size_t query_languages(const struct query *query, const char *languages[LANGUAGES_MAX]);

/* Takes over the answer of one search: {"results":[...]}, or no results at all. A place that an
 * earlier search found too is kept once, under the name it has there. */
void places_take(struct places *places, json_t *root);
void places_release(struct places *places);

/* The place that is meant: the top result that fits the qualifiers, or its most populous namesake.
 * NULL when none fits. */
const struct place *places_choose(const struct places *places, const struct query *query);

/* "Springfield, Illinois, United States" */
void place_add_label(struct text *text, const struct place *place);

/* The labels of a few namesakes of `chosen` that could have been meant as well; without it, of the
 * first results, whatever the qualifiers. Returns how many. */
size_t places_add_others(struct text *text, const struct places *places, const struct query *query,
                         const struct place *chosen);

/* A text field, "" when it is missing or too long. */
const char *json_field(const json_t *object, const char *key);
/* A number field; false when it is missing or no number. */
bool json_field_number(const json_t *object, const char *key, double *out);

#endif
