/* get_weather: the weather now and the days to come for a place named in any language. Keyless, on
 * the Open-Meteo services (https://open-meteo.com/en/docs and .../geocoding-api), or on any server
 * that answers like them: both addresses are options of the plugin. */
#include <tackle/plugin.h>

#include "place.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS_PLAIN                                                                              \
    10 /* enough for the namesakes worth a word; a qualified name asks for all                     \
        */
#define URL_MAX_BYTES 2048

struct weather {
    const tackle_host *host;
    const tackle_http_v1 *http;
    const tackle_config_v1 *config;
};

/* One of the two services, for messages. */
struct service {
    const char *name, *option;
};

static const struct service place_search = {"place search", "geocoding_url"};
static const struct service forecast = {"forecast", "forecast_url"};

/* Says what the model can do about an answer that is no use. */
static int32_t fail_answer(tackle_call *call, const struct service *service, int32_t status,
                           const char *reason)
{
    if (status == 429)
        return tackle_failf(call, TACKLE_E_FAILED,
                            "the %s service has had too many requests (HTTP 429). Wait a minute "
                            "before you ask again, or go on without the weather.",
                            service->name);
    if (status >= 500)
        return tackle_failf(
            call, TACKLE_E_FAILED,
            "the %s service is down (HTTP %d). Ask once more later, or go on without "
            "the weather and say so.",
            service->name, (int)status);
    if (reason)
        return tackle_failf(call, TACKLE_E_FAILED, "the %s service refused (HTTP %d): %s",
                            service->name, (int)status, reason);
    return tackle_failf(call, TACKLE_E_FAILED,
                        "the %s service answered HTTP %d with something that is no %s; the plugin "
                        "option %s may be wrong. Go on without the weather and say so.",
                        service->name, (int)status, service->name, service->option);
}

/* The answer of a service as a JSON object. */
static int32_t ask(const struct weather *w, tackle_call *call, const struct service *service,
                   const struct text *query, json_t **out)
{
    char url[URL_MAX_BYTES];
    const char *base = w->config->text(w->host, service->option);
    if (!base)
        return tackle_failf(call, TACKLE_E_FAILED, "the plugin option %s is not set",
                            service->option);
    int len = snprintf(url, sizeof url, "%s%c%s", base, strchr(base, '?') ? '&' : '?', query->at);
    if (len < 0 || (size_t)len >= sizeof url)
        return tackle_failf(call, TACKLE_E_FAILED, "the plugin option %s is too long",
                            service->option);

    tackle_http_request request = {.size = sizeof request, .url = url};
    tackle_http_response response = {.size = sizeof response};
    int32_t status = w->http->fetch(call, &request, &response);
    if (status < 0)
        return status;

    json_t *root = json_loadb(response.body, response.body_len, 0, NULL);
    const char *reason = json_string_value(json_object_get(root, "reason"));
    if (response.status == 200 && json_is_object(root) && !reason) {
        *out = root;
        return TACKLE_OK;
    }
    status = fail_answer(call, service, response.status, reason);
    json_decref(root);
    return status;
}

static int32_t find_places(const struct weather *w, tackle_call *call, const struct query *query,
                           struct places *places)
{
    const char *languages[LANGUAGES_MAX];
    size_t count = query_languages(query, languages);
    for (size_t i = 0; i < count; i++) {
        struct text url = {.len = 0};
        json_t *root = NULL;
        text_add(&url, "name=");
        text_add_encoded(&url, query->name);
        text_add(&url, "&count=%d&language=%s&format=json",
                 query->qualifier_count ? RESULTS_MAX : RESULTS_PLAIN, languages[i]);
        int32_t status = ask(w, call, &place_search, &url, &root);
        if (status < 0)
            return status;
        places_take(places, root);
    }
    return TACKLE_OK;
}

static int32_t fail_not_found(tackle_call *call, const struct places *places,
                              const struct query *query)
{
    struct text known = {.len = 0};
    if (places_add_others(&known, places, query, NULL) == 0)
        return tackle_failf(call, TACKLE_E_NOT_FOUND,
                            "no place called \"%s\" is known. Check the spelling, try the English "
                            "name or a larger town nearby, or write \"City, Region\" with a comma.",
                            query->name);
    return tackle_failf(call, TACKLE_E_NOT_FOUND,
                        "no \"%s\" is known in \"%s\". Known are: %s. Ask again for one of these, "
                        "or with the name alone.",
                        query->name, query->qualifiers[0], known.at);
}

static int32_t ask_forecast(const struct weather *w, tackle_call *call, const struct place *place,
                            int64_t days, json_t **out)
{
    const char *units = call->api->arg_text(call, "units", NULL);
    struct text url = {.len = 0};
    text_add(&url, "latitude=%.5f&longitude=%.5f", place->latitude, place->longitude);
    text_add(&url, "&current=" REPORT_CURRENT "&daily=" REPORT_DAILY);
    text_add(&url, "&timezone=auto&forecast_days=%d", (int)days);
    if (units && strcmp(units, "imperial") == 0)
        text_add(&url, "&temperature_unit=fahrenheit&wind_speed_unit=mph&precipitation_unit=inch");
    return ask(w, call, &forecast, &url, out);
}

static int32_t answer(const struct weather *w, tackle_call *call, const struct query *query,
                      const struct places *places)
{
    const struct place *place = places_choose(places, query);
    if (!place)
        return fail_not_found(call, places, query);

    int64_t days = 1;
    json_t *root = NULL;
    (void)call->api->arg_int(call, "days", &days); /* absent: 1 */
    int32_t status = ask_forecast(w, call, place, days, &root);
    if (status < 0)
        return status;

    struct text text = {.len = 0}, others = {.len = 0};
    place_add_label(&text, place);
    text_add(&text, "\n");
    if (report_add(&text, root, days)) {
        if (places_add_others(&others, places, query, place) > 0)
            text_add(&text, "If another place was meant, ask again for it: %s\n", others.at);
        text_add(&text, "Source: Open-Meteo.com\n");
        status = call->api->write(call, text.at, text.len);
    } else {
        status = fail_answer(call, &forecast, 200, NULL);
    }
    json_decref(root);
    return status;
}

static int32_t get_weather(void *self, tackle_call *call)
{
    struct query query;
    struct places places = {.count = 0};
    size_t len = 0;
    const char *location = call->api->arg_text(call, "location", &len);
    if (!location || !query_read(&query, location, len))
        return tackle_failf(call, TACKLE_E_ARGS,
                            "location must begin with the name of a place, like \"Tokyo\" or "
                            "\"Springfield, Illinois\", and have at most %d bytes",
                            LOCATION_MAX_BYTES);
    int32_t status = find_places(self, call, &query, &places);
    if (status == TACKLE_OK)
        status = answer(self, call, &query, &places);
    places_release(&places);
    return status;
}

static int32_t weather_open(const tackle_host *host, void **self)
{
    struct weather *w = malloc(sizeof *w);
    if (!w)
        return TACKLE_E_NOMEM;
    /* Both are in `needs`, so they are there. */
    *w = (struct weather){.host = host,
                          .http = host->service(host, "http/1"),
                          .config = host->service(host, "config/1")};
    *self = w;
    return TACKLE_OK;
}

static void weather_close(void *self)
{
    free(self);
}

static const tackle_tool get_weather_tool = {
    .size = sizeof get_weather_tool,
    .does = TACKLE_NETWORK | TACKLE_PARALLEL,
    .effect = TACKLE_EFFECT_SAFE,
    .name = "get_weather",
    .description = "The weather now and the forecast of up to 7 days for a place.",
    .params = "{\"type\":\"object\",\"properties\":{"
              "\"location\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":200,\"description\":"
              "\"City, with region or country where it helps: Tokyo; 东京; Springfield, Illinois. "
              "English names are found best.\"},"
              "\"units\":{\"type\":\"string\",\"enum\":[\"metric\",\"imperial\"],"
              "\"description\":\"Default metric\"},"
              "\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":7,"
              "\"description\":\"Days of forecast with today; default 1\"}},"
              "\"required\":[\"location\"],\"additionalProperties\":false}",
    .call = get_weather,
    .hosts = (const char *const[]){"$geocoding_url", "$forecast_url", NULL},
};

static const tackle_option geocoding_url = {
    .size = sizeof geocoding_url,
    .type = TACKLE_OPTION_URL,
    .name = "geocoding_url",
    .default_value = "https://geocoding-api.open-meteo.com/v1/search",
    .help = "where places are searched (Open-Meteo geocoding API)",
};

static const tackle_option forecast_url = {
    .size = sizeof forecast_url,
    .type = TACKLE_OPTION_URL,
    .name = "forecast_url",
    .default_value = "https://api.open-meteo.com/v1/forecast",
    .help = "where the forecast comes from (Open-Meteo forecast API)",
};

TACKLE_EXPORT const tackle_plugin tackle_plugin_v1 = {
    .size = sizeof tackle_plugin_v1,
    .abi = TACKLE_ABI,
    .name = "weather",
    .version = "0.1.0",
    .description = "The weather of a place, from Open-Meteo; needs no key",
    .needs = (const char *const[]){"http/1", "config/1", NULL},
    .tools = (const tackle_tool *const[]){&get_weather_tool, NULL},
    .options = (const tackle_option *const[]){&geocoding_url, &forecast_url, NULL},
    .open = weather_open,
    .close = weather_close,
};
