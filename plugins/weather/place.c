/* See place.h. */
#include "place.h"

#include <string.h>
#include <strings.h>

#define OTHERS_MAX 4
/* A namesake is worth a word when it has at least 1/50 of the people of the place answered for:
 * London in Ontario is, Paris in Texas is not. */
#define OTHERS_SHARE 50

const char *json_field(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && strlen(text) <= FIELD_MAX_BYTES ? text : "";
}

bool json_field_number(const json_t *object, const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        return false;
    *out = json_number_value(value);
    return true;
}

/* ---- What was asked ---- */

static const char *trim(char *text)
{
    while (*text == ' ' || *text == '\t')
        text++;
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        text[--len] = '\0';
    return text;
}

/* Ends the text at its first comma, the full-width one of Chinese and Japanese included, and
 * returns what comes after it; NULL when there is none. */
static char *cut_at_comma(char *text)
{
    static const char wide_comma[] = "\xEF\xBC\x8C";
    char *comma = strchr(text, ','), *wide = strstr(text, wide_comma);
    size_t len = 1;
    if (wide && (!comma || wide < comma)) {
        comma = wide;
        len = sizeof wide_comma - 1;
    }
    if (!comma)
        return NULL;
    *comma = '\0';
    return comma + len;
}

bool query_read(struct query *query, const char *location, size_t len)
{
    *query = (struct query){.text = ""};
    if (len > LOCATION_MAX_BYTES)
        return false;
    memcpy(query->text, location, len);
    char *rest = cut_at_comma(query->text);
    query->name = trim(query->text);
    while (rest && query->qualifier_count < QUALIFIERS_MAX) {
        char *part = rest;
        rest = cut_at_comma(part);
        const char *word = trim(part);
        if (*word)
            query->qualifiers[query->qualifier_count++] = word;
    }
    return *query->name;
}

/* The place search compares a name with the main names, mostly English, and with those of the ONE
 * language it is asked in, so the language has to be guessed from the letters. Where they fit two
 * (Han characters: Chinese and Japanese; "München": German, and spelt so in English texts) both are
 * asked. Plain ASCII is taken for English: the tool's description tells the model so, because no
 * letter of "Warszawa" says that it is Polish. */
static const struct script {
    uint32_t first, last;
    const char *languages[LANGUAGES_MAX];
} scripts[] = {
    {0x3040, 0x30FF, {"ja", NULL}}, {0x4E00, 0x9FFF, {"zh", "ja"}}, {0xAC00, 0xD7A3, {"ko", NULL}},
    {0x0400, 0x04FF, {"ru", "uk"}}, {0x0370, 0x03FF, {"el", NULL}}, {0x0590, 0x05FF, {"he", NULL}},
    {0x0600, 0x06FF, {"ar", "fa"}}, {0x0900, 0x097F, {"hi", NULL}}, {0x0E00, 0x0E7F, {"th", NULL}},
    {0x10A0, 0x10FF, {"ka", NULL}}, {0x0530, 0x058F, {"hy", NULL}}, {0x1EA0, 0x1EF9, {"en", "vi"}},
};

static const struct letters {
    const char *letters;
    const char *language;
} latin_letters[] = {
    {"äöüßÄÖÜ", "de"},    {"éèêëàâçîïôûœÉÈÀÇ", "fr"}, {"ñíóúáÑÁÍÓÚ", "es"},
    {"ãõÃÕ", "pt"},       {"łżźśąęńćŁŻŹŚ", "pl"},     {"øæåØÆÅ", "da"},
    {"řčšžěůŘČŠŽ", "cs"}, {"șțăşţȘȚŞŢ", "ro"},        {"ğıİĞ", "tr"},
    {"őűŐŰ", "hu"},       {"đơưĐƠƯ", "vi"},
};

/* One code point of UTF-8, which the arguments are known to be; returns its length. */
static size_t code_point(const char *text, uint32_t *out)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3 : 4;
    *out = len == 1 ? at[0] : at[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return i;
        *out = *out << 6 | (at[i] & 0x3Fu);
    }
    return len;
}

size_t query_languages(const struct query *query, const char *languages[LANGUAGES_MAX])
{
    languages[0] = "en";
    languages[1] = NULL;
    size_t step;
    for (const char *at = query->name; *at; at += step) {
        uint32_t letter = 0;
        char utf8[5] = "";
        step = code_point(at, &letter);
        memcpy(utf8, at, step);
        for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
            if (letter >= scripts[i].first && letter <= scripts[i].last)
                memcpy(languages, scripts[i].languages, sizeof scripts[i].languages);
        }
        for (size_t i = 0; i < sizeof latin_letters / sizeof *latin_letters; i++) {
            if (letter >= 0x80 && !languages[1] && strstr(latin_letters[i].letters, utf8))
                languages[1] = latin_letters[i].language;
        }
        if (strcmp(languages[0], "ja") == 0) /* one kana, and the Han letters are Japanese too */
            break;
    }
    return languages[1] ? 2 : 1;
}

/* ---- What was found ---- */

static bool place_read(const json_t *json, struct place *place)
{
    *place = (struct place){
        .id = json_integer_value(json_object_get(json, "id")),
        .admin1_id = json_integer_value(json_object_get(json, "admin1_id")),
        .population = json_integer_value(json_object_get(json, "population")),
        .name = json_field(json, "name"),
        .admin1 = json_field(json, "admin1"),
        .admin2 = json_field(json, "admin2"),
        .country = json_field(json, "country"),
        .country_code = json_field(json, "country_code"),
    };
    return *place->name && json_field_number(json, "latitude", &place->latitude) &&
           json_field_number(json, "longitude", &place->longitude) && place->latitude >= -90 &&
           place->latitude <= 90 && place->longitude >= -180 && place->longitude <= 180;
}

static struct place *places_find(struct places *places, int64_t id)
{
    for (size_t i = 0; i < places->count; i++) {
        if (id != 0 && places->at[i].id == id)
            return &places->at[i];
    }
    return NULL;
}

void places_take(struct places *places, json_t *root)
{
    if (places->root_count == LANGUAGES_MAX) {
        json_decref(root);
        return;
    }
    places->roots[places->root_count++] = root;
    size_t rank;
    const json_t *json;
    json_array_foreach(json_object_get(root, "results"), rank, json)
    {
        struct place place;
        if (!place_read(json, &place) || places->count == sizeof places->at / sizeof *places->at)
            continue;
        struct place *known = places_find(places, place.id);
        place.rank = rank;
        if (!known)
            places->at[places->count++] = place;
        else if (rank < known->rank)
            known->rank = rank;
    }
}

void places_release(struct places *places)
{
    for (size_t i = 0; i < places->root_count; i++)
        json_decref(places->roots[i]);
}

/* ---- What was meant ---- */

/* What people write instead of the names that the service knows: "short=name;". */
static const char short_names[] =
    ";USA=United States;U.S.=United States;U.S.A.=United States;UK=United Kingdom;U.K.=United "
    "Kingdom"
    ";Great Britain=United Kingdom;UAE=United Arab Emirates;AL=Alabama;AK=Alaska;AZ=Arizona"
    ";AR=Arkansas;CA=California;CO=Colorado;CT=Connecticut;DE=Delaware;DC=District of Columbia"
    ";D.C.=District of Columbia;FL=Florida;GA=Georgia;HI=Hawaii;ID=Idaho;IL=Illinois;IN=Indiana"
    ";IA=Iowa;KS=Kansas;KY=Kentucky;LA=Louisiana;ME=Maine;MD=Maryland;MA=Massachusetts;MI=Michigan"
    ";MN=Minnesota;MS=Mississippi;MO=Missouri;MT=Montana;NE=Nebraska;NV=Nevada;NH=New Hampshire"
    ";NJ=New Jersey;NM=New Mexico;NY=New York;NC=North Carolina;ND=North Dakota;OH=Ohio;OK=Oklahoma"
    ";OR=Oregon;PA=Pennsylvania;RI=Rhode Island;SC=South Carolina;SD=South Dakota;TN=Tennessee"
    ";TX=Texas;UT=Utah;VT=Vermont;VA=Virginia;WA=Washington;WV=West "
    "Virginia;WI=Wisconsin;WY=Wyoming"
    ";AB=Alberta;BC=British Columbia;MB=Manitoba;NB=New Brunswick;NS=Nova Scotia;ON=Ontario"
    ";QC=Quebec;SK=Saskatchewan;";

/* The long form of a word, in `out`, or the word itself. */
static const char *long_name(const char *word, struct text *out)
{
    struct text key = {.len = 0};
    text_add(&key, ";%s=", word);
    const char *found = strcasestr(short_names, key.at);
    if (!found)
        return word;
    found += key.len;
    text_add(out, "%.*s", (int)strcspn(found, ";"), found);
    return out->at;
}

/* Is `start` the beginning of `text`, up to the end of a word? "Baden" begins "Baden-Württemberg";
 * "Virginia" is not in "West Virginia". */
static bool begins(const char *start, const char *text)
{
    size_t len = strlen(start);
    return len > 0 && strncasecmp(start, text, len) == 0 &&
           (text[len] == '\0' || (len >= 4 && (text[len] == ' ' || text[len] == '-')));
}

static bool is_named(const char *word, const char *region)
{
    return begins(word, region) || begins(region, word);
}

/* Does the place lie in what `word` names? The names of its country and region are taken from all
 * results, because those of another language may be the ones that the word is written in. */
static bool place_lies_in(const struct places *places, const struct place *place, const char *word)
{
    struct text expanded = {.len = 0};
    const char *full = long_name(word, &expanded);
    if (strcasecmp(word, place->country_code) == 0 || is_named(word, place->admin2))
        return true;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *other = &places->at[i];
        bool same_country =
            other == place ||
            (*place->country_code && strcmp(other->country_code, place->country_code) == 0);
        bool same_region =
            other == place || (place->admin1_id != 0 && other->admin1_id == place->admin1_id);
        if ((same_country && is_named(full, other->country)) ||
            (same_region && is_named(full, other->admin1)))
            return true;
    }
    return false;
}

static bool place_fits(const struct places *places, const struct place *place,
                       const struct query *query)
{
    for (size_t i = 0; i < query->qualifier_count; i++) {
        if (!place_lies_in(places, place, query->qualifiers[i]))
            return false;
    }
    return true;
}

const struct place *places_choose(const struct places *places, const struct query *query)
{
    const struct place *top = NULL;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->at[i];
        bool better = !top || place->rank < top->rank ||
                      (place->rank == top->rank && place->population > top->population);
        if (better && place_fits(places, place, query))
            top = place;
    }
    const struct place *best = top;
    for (size_t i = 0; top && i < places->count; i++) {
        const struct place *place = &places->at[i];
        if (place->population > best->population && strcasecmp(place->name, top->name) == 0 &&
            place_fits(places, place, query))
            best = place;
    }
    return best;
}

void place_add_label(struct text *text, const struct place *place)
{
    text_add(text, "%s", place->name);
    if (*place->admin1 && strcmp(place->admin1, place->name) != 0)
        text_add(text, ", %s", place->admin1);
    if (*place->country && strcmp(place->country, place->name) != 0)
        text_add(text, ", %s", place->country);
}

static bool is_other(const struct place *place, const struct place *chosen)
{
    return place != chosen && strcasecmp(place->name, chosen->name) == 0 &&
           place->population >= chosen->population / OTHERS_SHARE;
}

size_t places_add_others(struct text *text, const struct places *places, const struct query *query,
                         const struct place *chosen)
{
    size_t count = 0;
    for (size_t i = 0; i < places->count && count < OTHERS_MAX; i++) {
        const struct place *place = &places->at[i];
        if (chosen && !(is_other(place, chosen) && place_fits(places, place, query)))
            continue;
        text_add(text, "%s", count++ ? "; " : "");
        place_add_label(text, place);
    }
    return count;
}
