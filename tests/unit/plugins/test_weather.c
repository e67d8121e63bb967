/* get_weather against answers in the shape of Open-Meteo's: which place is meant, what is asked for
 * it, what the model reads, and what it reads when a service is of no use. */
#include "test_support.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_test.h"

extern const tackle_plugin tackle_plugin_v1;

/* ---- The two services ---- */

#define TOKYO                                                                                      \
    "{\"id\":1850147,\"name\":\"Tokyo\",\"latitude\":35.6895,\"longitude\":139.69171,"             \
    "\"elevation\":44.0,\"feature_code\":\"PPLC\",\"country_code\":\"JP\",\"admin1_id\":1850144,"  \
    "\"timezone\":\"Asia/Tokyo\",\"population\":9733276,\"country_id\":1861060,"                   \
    "\"country\":\"Japan\",\"admin1\":\"Tokyo\"}"

#define SPRINGFIELD(id, lat, region_id, people, region, county)                                    \
    "{\"id\":" id ",\"name\":\"Springfield\",\"latitude\":" lat ",\"longitude\":-90.5,"            \
    "\"elevation\":400.0,\"feature_code\":\"PPL\",\"country_code\":\"US\",\"admin1_"               \
    "id\":" region_id ",\"timezone\":\"America/Chicago\",\"population\":" people                   \
    ",\"country_id\":6252001,\"country\":\"United States\",\"admin1\":\"" region                   \
    "\",\"admin2\":\"" county "\"}"

#define SPRINGFIELDS                                                                                   \
    SPRINGFIELD("4951788", "42.10148", "6254926", "155629", "Massachusetts", "Hampden")                \
    "," SPRINGFIELD("4409896", "37.21533", "4398678", "166810", "Missouri", "Greene") "," SPRINGFIELD( \
        "4250542", "39.80172", "4896861", "116565", "Illinois",                                        \
        "Sangamon") "," SPRINGFIELD("5754005", "44.04624", "5744337", "60870", "Oregon",               \
                                    "Lane") "," SPRINGFIELD("4101050", "35.26786", "4099753",          \
                                                            "150", "Arkansas",                         \
                                                            "Conway") "," SPRINGFIELD("5241248",       \
                                                                                      "43.29848",      \
                                                                                      "5242283",       \
                                                                                      "1200",          \
                                                                                      "Vermont",       \
                                                                                      "Windsor")

#define FORECAST                                                                                   \
    "{\"latitude\":35.7,\"longitude\":139.6875,\"generationtime_ms\":0.14,"                        \
    "\"utc_offset_seconds\":32400,\"timezone\":\"Asia/Tokyo\",\"timezone_abbreviation\":\"JST\","  \
    "\"elevation\":40.0,\"current_units\":{\"time\":\"iso8601\",\"interval\":\"seconds\","         \
    "\"temperature_2m\":\"°C\",\"apparent_temperature\":\"°C\",\"relative_humidity_2m\":\"%\","  \
    "\"precipitation\":\"mm\",\"weather_code\":\"wmo code\",\"wind_speed_10m\":\"km/h\","          \
    "\"wind_direction_10m\":\"°\"},\"current\":{\"time\":\"2026-09-17T20:00\",\"interval\":900,"  \
    "\"temperature_2m\":20.9,\"apparent_temperature\":21.8,\"relative_humidity_2m\":74,"           \
    "\"precipitation\":0.00,\"weather_code\":1,\"wind_speed_10m\":8.3,"                            \
    "\"wind_direction_10m\":225},\"daily_units\":{\"time\":\"iso8601\","                           \
    "\"weather_code\":\"wmo code\",\"temperature_2m_max\":\"°C\",\"temperature_2m_min\":\"°C\"," \
    "\"precipitation_sum\":\"mm\",\"precipitation_probability_max\":\"%\","                        \
    "\"wind_speed_10m_max\":\"km/h\"},\"daily\":{\"time\":[\"2026-09-17\",\"2026-09-18\","         \
    "\"2026-09-19\"],\"weather_code\":[53,3,96],\"temperature_2m_max\":[25.0,24.9,23.1],"          \
    "\"temperature_2m_min\":[19.2,18.6,20.2],\"precipitation_sum\":[4.20,0.00,11.50],"             \
    "\"precipitation_probability_max\":[100,null,78],\"wind_speed_10m_max\":[20.5,12.1,30.0]}}"

struct answer {
    int32_t code, status;
    const char *body;
};

/* What the services say, and what they were asked. A place search in the language `second` is
 * answered by the second list. */
struct world {
    struct answer places, second_places, forecast;
    const char *second;
    char places_url[2][2048];
    char forecast_url[2048];
    unsigned searches, forecasts;
};

static int32_t give(const struct answer *answer, tackle_http_response *response)
{
    response->status = answer->status;
    response->content_type = "application/json; charset=utf-8";
    response->body = answer->body;
    response->body_len = strlen(answer->body);
    return answer->code;
}

static int32_t fetch(void *user, const tackle_http_request *request, tackle_http_response *response)
{
    struct world *world = user;
    assert_true(!request->method || strcmp(request->method, "GET") == 0);
    if (strstr(request->url, "latitude=")) {
        world->forecasts++;
        (void)snprintf(world->forecast_url, sizeof world->forecast_url, "%s", request->url);
        return give(&world->forecast, response);
    }
    assert_in_range(world->searches, 0, 1);
    (void)snprintf(world->places_url[world->searches++], sizeof world->places_url[0], "%s",
                   request->url);
    bool second = world->second && strstr(request->url, world->second);
    return give(second ? &world->second_places : &world->places, response);
}

#define RESULTS(list)                                                                              \
    {                                                                                              \
        0, 200, "{\"results\":[" list "],\"generationtime_ms\":0.71}"                              \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        0, 200, "{\"generationtime_ms\":0.32}"                                                     \
    }
#define GOOD_FORECAST                                                                              \
    {                                                                                              \
        0, 200, FORECAST                                                                           \
    }

struct test {
    struct plugin_test *plugin;
    struct world world;
    const struct plugin_result *result;
};

static void start(struct test *t, struct world world)
{
    t->world = world;
    t->plugin = plugin_test_new(&tackle_plugin_v1, NULL);
    plugin_test_on_fetch(t->plugin, fetch, &t->world);
}

static void ask(struct test *t, const char *args)
{
    t->world.searches = t->world.forecasts = 0;
    t->result = plugin_test_call(t->plugin, "get_weather", args);
}

static void says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in: %s", part, text);
}

static void says_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in: %s", part, text);
}

/* ---- What is answered ---- */

static void test_one_day(void **state)
{
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(TOKYO), .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"Tokyo\"}");
    assert_int_equal(t.result->code, TACKLE_OK);
    assert_string_equal(t.result->output,
                        "Tokyo, Japan\n"
                        "Local time: 2026-09-17 20:00 (Asia/Tokyo)\n"
                        "Now: mainly clear, 20.9 °C, feels like 21.8 °C, humidity 74 %, "
                        "precipitation 0 mm, wind 8.3 km/h from the south-west\n"
                        "2026-09-17: moderate drizzle, low 19.2 °C, high 25 °C, "
                        "precipitation 4.2 mm, chance of it 100 %, wind up to 20.5 km/h\n"
                        "Source: Open-Meteo.com\n");
    assert_string_equal(t.world.places_url[0],
                        "https://geocoding-api.open-meteo.com/v1/search?name=Tokyo&count=10"
                        "&language=en&format=json");
    says(t.world.forecast_url,
         "https://api.open-meteo.com/v1/forecast?latitude=35.68950&longitude=139.69171&current=");
    says(t.world.forecast_url, "&timezone=auto&forecast_days=1");
    says_not(t.world.forecast_url, "_unit=");
    assert_int_equal(t.world.searches, 1);
    plugin_test_free(t.plugin);
}

static void test_days_and_nulls(void **state)
{
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(TOKYO), .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"Tokyo\",\"days\":3}");
    assert_int_equal(t.result->code, TACKLE_OK);
    says(t.world.forecast_url, "&forecast_days=3");
    says(t.result->output, "\n2026-09-18: overcast, low 18.6 °C, high 24.9 °C, precipitation 0 mm, "
                           "wind up to 12.1 km/h\n");
    says(t.result->output, "\n2026-09-19: thunderstorm with slight hail, low 20.2 °C");
    plugin_test_free(t.plugin);
}

static void test_imperial(void **state)
{
    struct test t;
    (void)state;
    start(&t,
          (struct world){
              .places = RESULTS(TOKYO),
              .forecast = {0, 200,
                           "{\"current_units\":{\"temperature_2m\":\"°F\","
                           "\"precipitation\":\"inch\",\"wind_speed_10m\":\"mp/h\"},"
                           "\"current\":{\"time\":\"2026-09-17T20:00\",\"temperature_2m\":69.6,"
                           "\"precipitation\":0.04,\"weather_code\":61,\"wind_speed_10m\":5.2}}"}});
    ask(&t, "{\"location\":\"Tokyo\",\"units\":\"imperial\"}");
    assert_int_equal(t.result->code, TACKLE_OK);
    says(t.world.forecast_url,
         "&temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch");
    says(t.result->output,
         "\nNow: slight rain, 69.6 °F, precipitation 0.04 inch, wind 5.2 mph\nSource:");
    plugin_test_free(t.plugin);
}

/* ---- Which place is meant ---- */

/* Two Han characters are Chinese or Japanese; the place that both lists know is one place. */
static void test_han_name_is_asked_in_two_languages(void **state)
{
    static const char tokyo_zh[] =
        "{\"results\":[{\"id\":1850147,\"name\":\"东京\",\"latitude\":35.6895,"
        "\"longitude\":139.69171,\"country_code\":\"JP\",\"admin1_id\":1850144,"
        "\"population\":9733276,\"country\":\"日本\",\"admin1\":\"东京都\"}]}";
    struct test t;
    (void)state;
    start(&t, (struct world){.places = {0, 200, tokyo_zh},
                             .second = "language=ja",
                             .second_places = RESULTS(TOKYO),
                             .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"东京\"}");
    assert_int_equal(t.result->code, TACKLE_OK);
    assert_string_equal(t.world.places_url[0],
                        "https://geocoding-api.open-meteo.com/v1/search?name=%E4%B8%9C%E4%BA%AC"
                        "&count=10&language=zh&format=json");
    says(t.world.places_url[1], "language=ja");
    says(t.result->output, "东京, 东京都, 日本\nLocal time");
    says_not(t.result->output, "another place");
    plugin_test_free(t.plugin);
}

static void test_languages(void **state)
{
    static const struct {
        const char *location, *first, *second;
    } cases[] = {
        {"Warsaw", "language=en", NULL},
        {"München", "language=en", "language=de"},
        {"Łódź", "language=en", "language=pl"},
        {"København", "language=en", "language=da"},
        {"Hà Nội", "language=en", "language=vi"},
        {"さいたま市", "language=ja", NULL},
        {"つくば", "language=ja", NULL},
        {"四日市ぎょう", "language=ja", NULL},
        {"서울", "language=ko", NULL},
        {"Київ", "language=ru", "language=uk"},
        {"Αθήνα", "language=el", NULL},
        {"القاهرة", "language=ar", "language=fa"},
        {"กรุงเทพ", "language=th", NULL},
        {"दिल्ली", "language=hi", NULL},
    };
    struct test t;
    (void)state;
    start(&t, (struct world){.places = NOTHING, .forecast = GOOD_FORECAST});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char args[256];
        (void)snprintf(args, sizeof args, "{\"location\":\"%s\"}", cases[i].location);
        ask(&t, args);
        assert_int_equal(t.result->code, TACKLE_E_NOT_FOUND);
        says(t.world.places_url[0], cases[i].first);
        assert_int_equal(t.world.searches, cases[i].second ? 2 : 1);
        if (cases[i].second)
            says(t.world.places_url[1], cases[i].second);
    }
    plugin_test_free(t.plugin);
}

/* In English only hamlets are spelt so; and "Germany" has to hold for the German list too. */
static void test_the_city_before_the_hamlet(void **state)
{
    static const char hamlet[] =
        "{\"results\":[{\"id\":6552133,\"name\":\"München\",\"latitude\":50.91,"
        "\"longitude\":11.28,\"country_code\":\"DE\",\"admin1_id\":2822542,\"population\":90,"
        "\"country\":\"Germany\",\"admin1\":\"Thuringia\"}]}";
    static const char city[] =
        "{\"results\":[{\"id\":2867714,\"name\":\"München\",\"latitude\":48.13743,"
        "\"longitude\":11.57549,\"country_code\":\"DE\",\"admin1_id\":2951839,"
        "\"population\":1260391,\"country\":\"Deutschland\",\"admin1\":\"Bayern\"}]}";
    static const char *const locations[] = {"München", "München, Germany", "München,Deutschland",
                                            "München, Bayern, DE"};
    struct test t;
    (void)state;
    start(&t, (struct world){.places = {0, 200, hamlet},
                             .second = "language=de",
                             .second_places = {0, 200, city},
                             .forecast = GOOD_FORECAST});
    for (size_t i = 0; i < sizeof locations / sizeof *locations; i++) {
        char args[128];
        (void)snprintf(args, sizeof args, "{\"location\":\"%s\"}", locations[i]);
        ask(&t, args);
        assert_int_equal(t.result->code, TACKLE_OK);
        says(t.result->output, "München, Bayern, Deutschland\n");
        says(t.world.forecast_url, "latitude=48.13743&longitude=11.57549");
    }
    plugin_test_free(t.plugin);
}

static void test_qualifiers(void **state)
{
    static const struct {
        const char *location, *latitude;
    } cases[] = {
        {"Springfield, Illinois", "39.80172"},
        {"Springfield,IL", "39.80172"},
        {"springfield, il, usa", "39.80172"},
        {"Springfield, Vermont, US", "43.29848"},
        {"Springfield， Oregon", "44.04624"},
        {"Springfield, Lane", "44.04624"},
        {"Springfield, , Oregon,", "44.04624"},
        {"Springfield, United States of America", "37.21533"},
    };
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(SPRINGFIELDS), .forecast = GOOD_FORECAST});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char args[128];
        (void)snprintf(args, sizeof args, "{\"location\":\"%s\"}", cases[i].location);
        ask(&t, args);
        assert_int_equal(t.result->code, TACKLE_OK);
        says(t.world.forecast_url, cases[i].latitude);
        says(t.world.places_url[0], "?name=");
        says(t.world.places_url[0], "pringfield&count=100&language=en");
    }
    ask(&t, "{\"location\":\"Springfield, Illinois\"}");
    says_not(t.result->output, "another place");
    plugin_test_free(t.plugin);
}

/* The most populous one is answered for, whatever the order; the hamlets are not worth a word. */
static void test_ambiguous_place(void **state)
{
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(SPRINGFIELDS), .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"Springfield\"}");
    assert_int_equal(t.result->code, TACKLE_OK);
    says(t.result->output, "Springfield, Missouri, United States\nLocal time");
    says(t.result->output, "If another place was meant, ask again for it: Springfield, "
                           "Massachusetts, United States; Springfield, Illinois, United States; "
                           "Springfield, Oregon, United States\n");
    plugin_test_free(t.plugin);
}

/* A longer name is another place, however large: Bath is not Bathinda. */
static void test_top_result_wins_over_larger_names(void **state)
{
    struct test t;
    (void)state;
    start(&t,
          (struct world){
              .places = RESULTS(
                  "{\"id\":2656173,\"name\":\"Bath\",\"latitude\":51.3751,\"longitude\":-2.36172,"
                  "\"country_code\":\"GB\",\"population\":94782,\"country\":\"United Kingdom\","
                  "\"admin1\":\"England\"},{\"id\":1276736,\"name\":\"Bathinda\","
                  "\"latitude\":30.20747,\"longitude\":74.93893,\"country_code\":\"IN\","
                  "\"population\":285788,\"country\":\"India\",\"admin1\":\"Punjab\"}"),
              .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"Bath\"}");
    says(t.result->output, "Bath, England, United Kingdom\n");
    says_not(t.result->output, "Bathinda");
    ask(&t, "{\"location\":\"Bath, UK\"}");
    says(t.result->output, "Bath, England, United Kingdom\n");
    plugin_test_free(t.plugin);
}

static void test_unknown_places(void **state)
{
    struct test t;
    (void)state;
    start(&t, (struct world){.places = NOTHING, .forecast = GOOD_FORECAST});
    ask(&t, "{\"location\":\"Atlantis Town\"}");
    assert_int_equal(t.result->code, TACKLE_E_NOT_FOUND);
    says(t.result->message, "no place called \"Atlantis Town\" is known");
    says(t.result->message, "write \"City, Region\"");
    assert_int_equal(t.world.forecasts, 0);

    t.world.places = (struct answer)RESULTS(SPRINGFIELDS);
    ask(&t,
        "{\"location\":\"Springfield, Kansas\"}"); /* which is in Arkansas by its letters only */
    assert_int_equal(t.result->code, TACKLE_E_NOT_FOUND);
    says(t.result->message, "no \"Springfield\" is known in \"Kansas\". Known are: Springfield, "
                            "Massachusetts, United States; ");
    assert_int_equal(t.world.forecasts, 0);
    plugin_test_free(t.plugin);
}

/* ---- When a service is of no use ---- */

static void test_place_search_fails(void **state)
{
    static const struct {
        struct answer answer;
        const char *message;
    } cases[] = {
        {{0, 503, "<html>Service Unavailable</html>"}, "place search service is down (HTTP 503)"},
        {{0, 429, "{\"error\":true,\"reason\":\"Minutely API request limit exceeded.\"}"},
         "too many requests (HTTP 429). Wait a minute"},
        {{0, 400, "{\"reason\":\"Parameter count must be between 1 and 100.\",\"error\":true}"},
         "refused (HTTP 400): Parameter count must be between 1 and 100."},
        {{0, 404, "not here"}, "HTTP 404"},
        {{0, 200, "<html>Sign in to the hotel network</html>"},
         "option geocoding_url may be wrong"},
        {{0, 200, "[]"}, "option geocoding_url may be wrong"},
        {{0, 200, ""}, "option geocoding_url may be wrong"},
    };
    struct test t;
    (void)state;
    start(&t, (struct world){.forecast = GOOD_FORECAST});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        t.world.places = cases[i].answer;
        ask(&t, "{\"location\":\"Tokyo\"}");
        assert_int_equal(t.result->code, TACKLE_E_FAILED);
        says(t.result->message, cases[i].message);
        assert_int_equal(t.world.forecasts, 0);
    }
    t.world.places = (struct answer){TACKLE_E_TIMEOUT, 0, ""};
    ask(&t, "{\"location\":\"Tokyo\"}");
    assert_int_equal(t.result->code, TACKLE_E_TIMEOUT);
    plugin_test_free(t.plugin);
}

static void test_forecast_fails(void **state)
{
    static const struct {
        struct answer answer;
        const char *message;
    } cases[] = {
        {{0, 502, ""}, "forecast service is down (HTTP 502)"},
        {{0, 200, "{\"reason\":\"Invalid timezone\",\"error\":true}"}, "Invalid timezone"},
        {{0, 200, "{}"}, "option forecast_url may be wrong"},
        {{0, 200, "{\"current\":{\"temperature_2m\":null}}"}, "option forecast_url may be wrong"},
        {{0, 200, "{\"current\":[20.9]}"}, "option forecast_url may be wrong"},
    };
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(TOKYO)});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        t.world.forecast = cases[i].answer;
        ask(&t, "{\"location\":\"Tokyo\"}");
        assert_int_equal(t.result->code, TACKLE_E_FAILED);
        says(t.result->message, cases[i].message);
        assert_string_equal(t.result->output, "");
    }
    t.world.forecast = (struct answer){TACKLE_E_FAILED, 0, ""};
    ask(&t, "{\"location\":\"Tokyo\"}");
    assert_int_equal(t.result->code, TACKLE_E_FAILED);
    plugin_test_free(t.plugin);
}

/* Entries that are no places, and values of other types, do no harm to those that are. */
static void test_rubbish_between_results(void **state)
{
    struct test t;
    (void)state;
    start(&t,
          (struct world){
              .places = RESULTS("null,7,{},[],{\"name\":5,\"latitude\":1,\"longitude\":2},"
                                "{\"name\":\"Nowhere\",\"latitude\":\"north\",\"longitude\":2},"
                                "{\"name\":\"Beyond\",\"latitude\":1e300,\"longitude\":2}," TOKYO),
              .forecast = {0, 200,
                           "{\"timezone\":5,\"current_units\":[],\"current\":{\"time\":12,"
                           "\"temperature_2m\":20,\"weather_code\":1234567890123,"
                           "\"wind_direction_10m\":-1e300},\"daily\":{\"time\":[7]}}"}});
    ask(&t, "{\"location\":\"Tokyo\",\"days\":7}");
    assert_int_equal(t.result->code, TACKLE_OK);
    assert_string_equal(t.result->output, "Tokyo, Japan\n"
                                          "Now: weather not known, 20\n"
                                          "Source: Open-Meteo.com\n");
    t.world.places = (struct answer){0, 200, "{\"results\":{\"name\":\"Tokyo\"}}"};
    ask(&t, "{\"location\":\"Tokyo\"}");
    assert_int_equal(t.result->code, TACKLE_E_NOT_FOUND);
    plugin_test_free(t.plugin);
}

/* ---- Arguments and options ---- */

static void test_bad_arguments(void **state)
{
    static const char *const bad[] = {
        "{\"location\":\"\"}",
        "{\"location\":\"  \"}",
        "{\"location\":\" , Illinois\"}",
        "{\"location\":7}",
    };
    struct test t;
    (void)state;
    start(&t, (struct world){.places = RESULTS(TOKYO), .forecast = GOOD_FORECAST});
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ask(&t, bad[i]);
        assert_int_equal(t.result->code, TACKLE_E_ARGS);
        assert_int_equal(t.world.searches, 0);
    }
    /* 100 characters are within the schema, but not within the bytes. */
    char name[3 * 100 + 1], args[512];
    for (size_t i = 0; i < 100; i++)
        memcpy(name + 3 * i, "東", 4);
    (void)snprintf(args, sizeof args, "{\"location\":\"%s\"}", name);
    ask(&t, args);
    assert_int_equal(t.result->code, TACKLE_E_ARGS);
    says(t.result->message, "at most 240 bytes");
    plugin_test_free(t.plugin);
}

static void test_options(void **state)
{
    struct test t;
    (void)state;
    t.world = (struct world){.places = RESULTS(TOKYO), .forecast = GOOD_FORECAST};
    t.plugin = plugin_test_new(
        &tackle_plugin_v1,
        (const char *const[]){"geocoding_url=http://127.0.0.1:8080/search",
                              "forecast_url=http://127.0.0.1:8080/forecast?apikey=k", NULL});
    plugin_test_on_fetch(t.plugin, fetch, &t.world);
    ask(&t, "{\"location\":\"Saint-Jean & Co\"}");
    assert_int_equal(t.result->code, TACKLE_OK);
    says(t.world.places_url[0], "http://127.0.0.1:8080/search?name=Saint-Jean%20%26%20Co&count=");
    says(t.world.forecast_url, "http://127.0.0.1:8080/forecast?apikey=k&latitude=");
    plugin_test_free(t.plugin);
}

static void test_declaration(void **state)
{
    const tackle_tool *tool = tackle_plugin_v1.tools[0];
    (void)state;
    assert_int_equal(tool->does, TACKLE_NETWORK | TACKLE_PARALLEL);
    assert_int_equal(tool->effect, TACKLE_EFFECT_SAFE);
    assert_string_equal(tool->hosts[0], "$geocoding_url");
    assert_string_equal(tool->hosts[1], "$forecast_url");
    assert_null(tool->hosts[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_day),
        cmocka_unit_test(test_days_and_nulls),
        cmocka_unit_test(test_imperial),
        cmocka_unit_test(test_han_name_is_asked_in_two_languages),
        cmocka_unit_test(test_languages),
        cmocka_unit_test(test_the_city_before_the_hamlet),
        cmocka_unit_test(test_qualifiers),
        cmocka_unit_test(test_ambiguous_place),
        cmocka_unit_test(test_top_result_wins_over_larger_names),
        cmocka_unit_test(test_unknown_places),
        cmocka_unit_test(test_place_search_fails),
        cmocka_unit_test(test_forecast_fails),
        cmocka_unit_test(test_rubbish_between_results),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_declaration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
