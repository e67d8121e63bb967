/* Sorting errors into what to do about them, the waits they ask for, and their one line for the
 * user. The words are those that the endpoints of reference recordings use. */
#include "wire/chat_error_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define WAIT_MAX_MS    ((int64_t)366 * 24 * 3600 * 1000)
#define CODE_SHOWN_MAX 64u
#define SHOWN_MAX      600u /* bytes of the endpoint's words in the line for the user */

/* Codes, types, statuses, reasons. `part` matches anywhere in the word. In this order: a word that
 * names a class more exactly comes before one that it contains. */
static const struct {
    const char *word;
    bool part;
    enum chat_error_class class;
} words[] = {
    {"invalid_api_key", false, CHAT_ERROR_AUTH},
    {"api_key_invalid", false, CHAT_ERROR_AUTH},
    {"authentication_error", false, CHAT_ERROR_AUTH},
    {"unauthenticated", false, CHAT_ERROR_AUTH},
    {"ip_not_allowed", false, CHAT_ERROR_AUTH},
    {"permission_error", false, CHAT_ERROR_AUTH},
    {"permission_denied", false, CHAT_ERROR_AUTH},
    {"spend_limit_exceeded", false, CHAT_ERROR_BILLING},
    {"insufficient_permissions", false, CHAT_ERROR_AUTH},
    {"insufficient_", true, CHAT_ERROR_BILLING},
    {"quota_exhausted", true, CHAT_ERROR_BILLING},
    {"billing", true, CHAT_ERROR_BILLING},
    {"payment_required", false, CHAT_ERROR_BILLING},
    {"perday", true, CHAT_ERROR_BILLING},
    {"daily", true, CHAT_ERROR_BILLING},
    {"context_length_exceeded", false, CHAT_ERROR_CONTEXT},
    {"too_many_prompt_tokens", false, CHAT_ERROR_CONTEXT},
    {"tool_use_failed", false, CHAT_ERROR_MODEL},
    {"malformed_function_call", true, CHAT_ERROR_MODEL},
    {"unexpected_tool_call", true, CHAT_ERROR_MODEL},
    {"content_filter", true, CHAT_ERROR_REFUSED},
    {"content_policy_violation", false, CHAT_ERROR_REFUSED},
    {"responsibleaipolicyviolation", false, CHAT_ERROR_REFUSED},
    {"rate_limit", true, CHAT_ERROR_RATE},
    {"ratelimit", true, CHAT_ERROR_RATE},
    {"perminute", true, CHAT_ERROR_RATE},
    {"resource_exhausted", false, CHAT_ERROR_RATE},
    {"too_many_requests", false, CHAT_ERROR_RATE},
    {"unavailable", true, CHAT_ERROR_TRANSIENT},
    {"internal", false, CHAT_ERROR_TRANSIENT},
    {"internal_error", false, CHAT_ERROR_TRANSIENT},
    {"internal_server_error", false, CHAT_ERROR_TRANSIENT},
    {"server_error", false, CHAT_ERROR_TRANSIENT},
    {"api_error", false, CHAT_ERROR_TRANSIENT},
    {"upstream_error", false, CHAT_ERROR_TRANSIENT},
    {"overloaded", true, CHAT_ERROR_TRANSIENT},
    {"timeout", true, CHAT_ERROR_TRANSIENT},
    {"deadline_exceeded", false, CHAT_ERROR_TRANSIENT},
    {"invalid_request", true, CHAT_ERROR_FATAL},
    {"invalid_argument", false, CHAT_ERROR_FATAL},
    {"failed_precondition", false, CHAT_ERROR_FATAL},
    {"not_found", true, CHAT_ERROR_FATAL},
    {"unsupported", true, CHAT_ERROR_FATAL},
};

void chat_error_signs_add(struct chat_error_signs *signs, const char *code)
{
    if (!code || strlen(code) > 256)
        return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].part ? strcasestr(code, words[i].word) != NULL
                          : strcasecmp(code, words[i].word) == 0) {
            signs->seen |= 1u << words[i].class;
            return;
        }
    }
}

static bool says(const struct chat_error *e, const char *words_of_text)
{
    return (e->message && strcasestr(e->message, words_of_text)) ||
           (e->detail && strcasestr(e->detail, words_of_text));
}

static bool is_context_overflow(const struct chat_error *e)
{
    static const char *const phrases[] = {
        "maximum context length",  "max context length",
        "context length exceeded", "exceeds the context",
        "exceed context limit",    "context window",
        "prompt too long",         "prompt is too long",
        "input token count",       "exceeds the maximum number of tokens",
        "too many prompt tokens",
    };
    if (says(e, "max_completion_tokens"))
        return false;
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (says(e, phrases[i]))
            return true;
    return false;
}

static bool is_transient_status(int status)
{
    switch (status) {
    case 408:
    case 409:
    case 425:
    case 499:
    case 500:
    case 502:
    case 503:
    case 504:
    case 529:
        return true;
    default:
        return status >= 520 && status <= 524;
    }
}

static enum chat_error_class classify_status(int status)
{
    if (status == 401 || status == 403)
        return CHAT_ERROR_AUTH;
    if (status == 402)
        return CHAT_ERROR_BILLING;
    if (status == 429)
        return CHAT_ERROR_RATE;
    if (is_transient_status(status))
        return CHAT_ERROR_TRANSIENT;
    return status >= 300 ? CHAT_ERROR_FATAL : CHAT_ERROR_NONE;
}

enum chat_error_class chat_error_classify(const struct chat_error *e,
                                          const struct chat_error_signs *signs)
{
    /* These are exact whatever the status is: 429 is also sent for an empty account, 400 for a
     * bad key, a long prompt or a call that the model spoilt. */
    static const enum chat_error_class exact[] = {CHAT_ERROR_BILLING, CHAT_ERROR_CONTEXT,
                                                  CHAT_ERROR_MODEL, CHAT_ERROR_REFUSED};
    static const enum chat_error_class loose[] = {CHAT_ERROR_AUTH, CHAT_ERROR_RATE,
                                                  CHAT_ERROR_TRANSIENT, CHAT_ERROR_FATAL};
    enum chat_error_class by_status = classify_status(e->http_status);
    for (size_t i = 0; i < sizeof exact / sizeof exact[0]; i++)
        if (signs->seen & 1u << exact[i])
            return exact[i];
    if (by_status != CHAT_ERROR_AUTH && by_status != CHAT_ERROR_RATE && is_context_overflow(e))
        return CHAT_ERROR_CONTEXT;
    if (by_status == CHAT_ERROR_FATAL && signs->seen & 1u << CHAT_ERROR_AUTH)
        return CHAT_ERROR_AUTH;
    if (by_status != CHAT_ERROR_NONE)
        return by_status;
    for (size_t i = 0; i < sizeof loose / sizeof loose[0]; i++)
        if (signs->seen & 1u << loose[i])
            return loose[i];
    return CHAT_ERROR_TRANSIENT; /* an answer that failed in the middle, for no reason given */
}

/* An unsigned decimal number at *text, which is moved behind it; -1 when there is none. By hand, as
 * strtod() follows the locale. */
static double read_decimal(const char **text)
{
    const char *p = *text;
    double value = 0, place = 1;
    if (*p < '0' || *p > '9')
        return -1;
    for (; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + (*p - '0');
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++)
            value += (*p - '0') * (place /= 10);
    *text = p;
    return value;
}

static int64_t to_ms(double ms)
{
    if (ms >= (double)WAIT_MAX_MS)
        return WAIT_MAX_MS;
    int64_t whole = (int64_t)ms;
    return (double)whole < ms ? whole + 1 : whole;
}

/* "34.4s", "900ms", "1m2.5s", "2h" at the start of text; -1 when there is none. A number without a
 * unit counts as seconds when `bare` is set. */
static int64_t duration_ms(const char *text, bool bare)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60e3}, {"h", 3600e3}};
    double total = -1, value;
    while ((value = read_decimal(&text)) >= 0) {
        size_t i = 0;
        while (i < 4 && strncmp(text, units[i].name, strlen(units[i].name)) != 0)
            i++;
        if (i == 4)
            return bare && total < 0 ? to_ms(value * 1000) : -1;
        total = (total < 0 ? 0 : total) + value * units[i].ms;
        text += strlen(units[i].name);
    }
    return total < 0 ? -1 : to_ms(total);
}

int64_t chat_error_body_wait_ms(const struct chat_error *e)
{
    static const char *const phrases[] = {"retry in ", "try again in ", "retry after "};
    const char *const texts[] = {e->message, e->detail};
    if (e->retry_delay) {
        int64_t ms = duration_ms(e->retry_delay, true);
        if (ms >= 0)
            return ms;
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (size_t j = 0; texts[i] && j < sizeof phrases / sizeof phrases[0]; j++) {
            const char *at = strcasestr(texts[i], phrases[j]);
            if (!at)
                continue;
            at += strlen(phrases[j]);
            int64_t ms = duration_ms(at, strstr(at, "second") != NULL);
            if (ms >= 0)
                return ms;
        }
    }
    return -1;
}

/* IMF-fixdate (RFC 9110, 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT", as epoch milliseconds; -1. By
 * hand, as strptime() follows the locale. */
static int64_t http_date_ms(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    char month[4] = "", zone[4] = "";
    const char *comma = strchr(text, ',');
    if (!comma || sscanf(comma + 1, "%2d %3s %4d %2d:%2d:%2d %3s", &tm.tm_mday, month, &tm.tm_year,
                         &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7)
        return -1;
    const char *found = strlen(month) == 3 ? strstr(months, month) : NULL;
    if (!found || (found - months) % 3 != 0 || strcmp(zone, "GMT") != 0 || tm.tm_year < 1970)
        return -1;
    tm.tm_mon = (int)((found - months) / 3);
    tm.tm_year -= 1900;
    time_t seconds = timegm(&tm);
    return seconds < 0 ? -1 : (int64_t)seconds * 1000;
}

static int64_t until(int64_t when_ms, int64_t now_ms)
{
    if (when_ms <= now_ms)
        return 0;
    return when_ms - now_ms > WAIT_MAX_MS ? WAIT_MAX_MS : when_ms - now_ms;
}

/* A header value that is a number and nothing else. */
static int64_t header_number_ms(const char *text, double unit_ms)
{
    double value = text ? read_decimal(&text) : -1;
    if (value < 0 || text[strspn(text, " ")] != '\0')
        return -1;
    return to_ms(value * unit_ms);
}

int64_t chat_error_wait_ms(const struct chat_error *e, const struct chat_wait_headers *headers,
                           int64_t now_ms)
{
    int64_t ms = headers ? header_number_ms(headers->retry_after_ms, 1) : -1;
    if (ms < 0 && headers)
        ms = header_number_ms(headers->retry_after, 1000);
    if (ms < 0 && headers && headers->retry_after) {
        int64_t when = http_date_ms(headers->retry_after);
        if (when >= 0)
            ms = until(when, now_ms);
    }
    if (ms < 0)
        ms = e->retry_ms;
    if (ms < 0 && headers && headers->ratelimit_reset) {
        char *end;
        long long when = strtoll(headers->ratelimit_reset, &end, 10);
        if (end != headers->ratelimit_reset && *end == '\0' && when > INT64_C(1000000000000))
            ms = until(when, now_ms);
    }
    return ms;
}

bool chat_error_may_retry(const struct chat_error *e, const struct chat_wait_headers *headers)
{
    if (e->class == CHAT_ERROR_AUTH || e->class == CHAT_ERROR_BILLING)
        return false;
    if (headers && headers->should_retry) {
        if (strcasecmp(headers->should_retry, "true") == 0)
            return true;
        if (strcasecmp(headers->should_retry, "false") == 0)
            return false;
    }
    return e->class == CHAT_ERROR_RATE || e->class == CHAT_ERROR_TRANSIENT;
}

static const struct {
    const char *name;
    const char *advice;
} classes[] = {
    [CHAT_ERROR_NONE] = {"none", ""},
    [CHAT_ERROR_AUTH] = {"auth",
                         "check the API key of this endpoint and where it may be used from"},
    [CHAT_ERROR_BILLING] = {"billing",
                            "top up the account or raise its limit; waiting will not help"},
    [CHAT_ERROR_FATAL] = {"fatal", "the request is refused as it is; repeating it will not help"},
    [CHAT_ERROR_CONTEXT] = {"context", "the conversation is too long for this model; shorten it or "
                                       "take a model with a larger context"},
    [CHAT_ERROR_RATE] = {"rate", "too many requests; wait and try again"},
    [CHAT_ERROR_TRANSIENT] = {"transient", "try again later"},
    [CHAT_ERROR_MODEL] = {"model", "the model's answer could not be used; ask again"},
    [CHAT_ERROR_REFUSED] = {"refused", "the content was refused; change what is asked"},
};

/* What to do about codes that say more than their class. */
static const struct {
    const char *code;
    const char *advice;
} codes[] = {
    {"invalid_api_key", "check the key: is it whole, and is it this endpoint's?"},
    {"ip_not_allowed", "add this machine's address to the list of the key, or use another key"},
    {"insufficient_credits", "top up the account; 'tackle credits' tells what is left"},
    {"insufficient_quota", "top up the account, or raise its quota"},
    {"spend_limit_exceeded", "raise the key's spending limit, or wait for its period to end"},
    {"model_not_found", "'tackle models PROVIDER' lists the models of an endpoint"},
    {"upstream_error", "the model behind the endpoint failed or refuses the content: try again "
                       "later, or ask in other words"},
};

static const char *advice_for(const struct chat_error *e)
{
    if (e->http_status >= 300 && e->http_status < 400)
        return ""; /* chat_error_from_redirect() says it */
    for (size_t i = 0; e->code && i < sizeof codes / sizeof *codes; i++)
        if (strcmp(e->code, codes[i].code) == 0)
            return codes[i].advice;
    return classes[e->class].advice;
}

const char *chat_error_class_name(enum chat_error_class class)
{
    return classes[class].name;
}

/* Appends text cleaned, on one line, at most `max` bytes of it. */
static int append_line(struct buf *out, const char *text, size_t max)
{
    size_t start = out->len, len = strlen(text), shown = text_edge(text, len, max);
    if (text_for_model(out, text, shown) || (shown < len && buf_text(out, " ...")))
        return -1;
    for (size_t i = start; i < out->len; i++)
        if (out->data[i] == '\n' || out->data[i] == '\t')
            out->data[i] = ' ';
    while (out->len > start && strchr(" .", out->data[out->len - 1]) && shown == len)
        buf_cut(out, out->len - 1);
    return 0;
}

/* " answered 404 (model_not_found): ", as far as it is known. */
static int append_codes(struct buf *out, const struct chat_error *e)
{
    const char *code = e->code && !e->code_is_number       ? e->code
                       : e->status && !e->status_is_number ? e->status
                                                           : e->type;
    bool named = code && *code;
    if (e->http_status ? buf_format(out, " answered %d", e->http_status)
                       : buf_text(out, named ? " answered with an error" : ""))
        return -1;
    if (named &&
        (buf_text(out, " (") || append_line(out, code, CODE_SHOWN_MAX) || buf_byte(out, ')')))
        return -1;
    return buf_text(out, ": ");
}

int chat_error_text(const struct chat_error *e, const char *endpoint, struct buf *out)
{
    const char *message = e->message && *e->message ? e->message : "no reason given";
    /* a message that is a JSON document says nothing that its unwrapped detail does not */
    bool wrapped = e->detail && *e->detail && (*message == '{' || *message == '[');
    size_t before = out->len;
    if (buf_text(out, endpoint) || append_codes(out, e) ||
        append_line(out, wrapped ? e->detail : message, SHOWN_MAX))
        goto full;
    if (e->detail && *e->detail && !wrapped &&
        (buf_text(out, " (") || append_line(out, e->detail, SHOWN_MAX) || buf_byte(out, ')')))
        goto full;
    const char *advice = advice_for(e);
    if (*advice && buf_format(out, "; %s", advice))
        goto full;
    return 0;
full:
    buf_cut(out, before);
    return -1;
}
