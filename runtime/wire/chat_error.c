/* Error bodies: finding the error in whatever the server wrapped it in, and copying what it says.
 */
#include "wire/chat_error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wire/chat_error_class.h"
#include "wire/json_repair.h"

#define MESSAGE_MAX (16u << 10) /* of one text of an error */
#define PLAIN_MAX   200u        /* shown of a body that is no JSON */
#define UNWRAP_MAX  3u          /* errors inside errors */

void chat_error_init(struct chat_error *e)
{
    *e = (struct chat_error){.retry_ms = -1};
}

void chat_error_release(struct chat_error *e)
{
    free(e->message);
    free(e->detail);
    free(e->type);
    free(e->code);
    free(e->status);
    free(e->param);
    free(e->retry_delay);
    chat_error_init(e);
}

static char *copy(const char *text, size_t len)
{
    return strndup(text, text_edge(text, len, MESSAGE_MAX));
}

/* A text or an integer as text; NULL for anything else. */
static char *copy_scalar(const json_t *value, bool *is_number)
{
    char digits[32];
    if (json_is_string(value))
        return copy(json_string_value(value), json_string_length(value));
    if (!json_is_integer(value))
        return NULL;
    (void)snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    if (is_number)
        *is_number = true;
    return strdup(digits);
}

/* A text as it is, anything else as compact JSON. NULL for null and nothing. */
static char *copy_any(const json_t *value)
{
    if (json_is_string(value))
        return copy(json_string_value(value), json_string_length(value));
    if (!value || json_is_null(value))
        return NULL;
    char *json = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (json && strlen(json) > MESSAGE_MAX)
        json[text_edge(json, strlen(json), MESSAGE_MAX)] = '\0';
    return json;
}

static void take(char **into, char *text)
{
    if (*into)
        free(text);
    else
        *into = text;
}

static bool is_set(const json_t *value)
{
    if (json_is_string(value))
        return json_string_length(value) > 0;
    return value && !json_is_null(value) && !json_is_false(value);
}

/* Some gateways put an error into every answer: {"message":"","type":"","code":null}. */
static bool is_error_object(const json_t *error, const json_t *around)
{
    static const char *const members[] = {"message", "msg", "code", "type", "status"};
    bool answer = json_object_get(around, "choices") || json_object_get(around, "usage");
    for (size_t i = 0; answer && i < sizeof members / sizeof members[0]; i++)
        if (is_set(json_object_get(error, members[i])))
            return true;
    return json_is_object(error) && !answer;
}

/* FastAPI's list: [{"loc":["body","messages"],"msg":"field required","type":"missing"}, ...]. */
static char *copy_detail(const json_t *detail)
{
    const json_t *first = json_array_get(detail, 0);
    const json_t *msg = json_object_get(first, "msg");
    if (!json_is_string(msg))
        return copy_any(detail);
    struct buf text;
    buf_init(&text, MESSAGE_MAX);
    size_t i;
    json_t *place;
    json_array_foreach(json_object_get(first, "loc"), i, place)
    {
        char *part = copy_any(place);
        if (part && buf_format(&text, "%s%s", i ? "." : "", part))
            buf_clear(&text);
        free(part);
    }
    if (buf_format(&text, "%s%s", text.len ? ": " : "", json_string_value(msg)))
        buf_clear(&text);
    return buf_take(&text);
}

/* Google's details[]: RetryInfo, ErrorInfo, QuotaFailure. */
static void take_details(struct chat_error *e, const json_t *details,
                         struct chat_error_signs *signs)
{
    size_t i, j;
    json_t *detail, *violation;
    json_array_foreach(details, i, detail)
    {
        const char *delay = json_string_value(json_object_get(detail, "retryDelay"));
        const char *reason = json_string_value(json_object_get(detail, "reason"));
        if (delay)
            take(&e->retry_delay, copy(delay, strlen(delay)));
        chat_error_signs_add(signs, reason);
        json_array_foreach(json_object_get(detail, "violations"), j, violation)
            chat_error_signs_add(signs, json_string_value(json_object_get(violation, "quotaId")));
    }
}

static bool find(struct chat_error *e, const json_t *value, struct chat_error_signs *signs,
                 unsigned depth);

/* A text that is a JSON document with an error in it, as gateways put it: unwrapped for display
 * and for what it says about retrying; message, type and code stay those of the outside. */
static void take_inner(struct chat_error *e, const char *text, struct chat_error_signs *signs,
                       unsigned depth)
{
    const char *start = text ? strpbrk(text, "{[") : NULL;
    if (!start || depth >= UNWRAP_MAX)
        return;
    json_error_t ignored;
    json_t *value = json_loadb(start, strlen(start), JSON_DISABLE_EOF_CHECK, &ignored);
    struct chat_error inner;
    chat_error_init(&inner);
    if (value && find(&inner, value, signs, depth + 1)) {
        const char *words = inner.detail ? inner.detail : inner.message;
        take(&e->detail, words ? strdup(words) : NULL);
        chat_error_signs_add(signs, inner.code);
        chat_error_signs_add(signs, inner.status);
        chat_error_signs_add(signs, inner.type);
        take(&e->retry_delay, inner.retry_delay ? strdup(inner.retry_delay) : NULL);
    }
    chat_error_release(&inner);
    json_decref(value);
}

/* Copies the members of an error object. */
static void fill(struct chat_error *e, const json_t *object, struct chat_error_signs *signs,
                 unsigned depth)
{
    const json_t *message = json_object_get(object, "message"), *raw;
    if (!is_set(message))
        message = json_object_get(object, "msg");
    take(&e->message, copy_any(message));
    take(&e->type, copy_scalar(json_object_get(object, "type"), NULL));
    take(&e->code, copy_scalar(json_object_get(object, "code"), &e->code_is_number));
    take(&e->status, copy_scalar(json_object_get(object, "status"), &e->status_is_number));
    take(&e->param, copy_scalar(json_object_get(object, "param"), NULL));
    take_details(e, json_object_get(object, "details"), signs);
    chat_error_signs_add(
        signs, json_string_value(json_object_get(json_object_get(object, "innererror"), "code")));
    take_inner(e, e->message, signs, depth);
    raw = json_object_get(json_object_get(object, "metadata"), "raw");
    if (is_set(raw)) {
        char *text = copy_any(raw);
        take_inner(e, text, signs, depth);
        take(&e->detail, text);
    }
}

/* Finds the error in `value` and copies it. False when there is none. */
static bool find(struct chat_error *e, const json_t *value, struct chat_error_signs *signs,
                 unsigned depth)
{
    if (depth > UNWRAP_MAX)
        return false;
    if (json_is_array(value)) /* Google's compatible endpoint: [{"error": ...}] */
        return find(e, json_array_get(value, 0), signs, depth + 1);
    if (!json_is_object(value))
        return false;
    const json_t *error = json_object_get(value, "error");
    if (!is_set(error) && json_is_array(json_object_get(value, "errors")))
        error = json_array_get(json_object_get(value, "errors"), 0);
    if (json_is_array(error))
        error = json_array_get(error, 0);
    if (is_error_object(error, value)) {
        fill(e, error, signs, depth);
        return true;
    }
    if (is_set(error) && !json_is_object(error)) {
        take(&e->message, copy_any(error));
        fill(e, value, signs, depth);
        return true;
    }
    if (json_array_size(json_object_get(value, "choices")) > 0)
        return false;
    const json_t *code = json_object_get(value, "code"), *detail = json_object_get(value, "detail");
    if (is_set(detail) && !json_is_object(detail)) {
        take(&e->message, copy_detail(detail));
        fill(e, value, signs, depth);
        return true;
    }
    if (json_is_object(detail)) {
        if (find(e, detail, signs, depth + 1))
            return true;
        fill(e, detail, signs, depth);
        return e->message != NULL;
    }
    if (json_is_string(json_object_get(value, "message")) ||
        (json_is_integer(code) && json_integer_value(code) != 200 &&
         json_is_string(json_object_get(value, "msg")))) {
        fill(e, value, signs, depth);
        return true;
    }
    return false;
}

static int status_in(const char *text)
{
    char *end = NULL;
    long value = text ? strtol(text, &end, 10) : 0;
    return end && *end == '\0' && value >= 400 && value <= 599 ? (int)value : 0;
}

/* An HTTP status that says "failed" counts; else a code in the body that could be one. */
static void settle(struct chat_error *e, int status, struct chat_error_signs *signs)
{
    e->http_status = status;
    if (status < 400 && status_in(e->code))
        e->http_status = status_in(e->code);
    else if (status < 400 && status_in(e->status))
        e->http_status = status_in(e->status);
    if (!e->message)
        e->message = strdup("");
    e->retry_ms = chat_error_body_wait_ms(e);
    chat_error_signs_add(signs, e->code);
    chat_error_signs_add(signs, e->type);
    chat_error_signs_add(signs, e->status);
    e->class = chat_error_classify(e, signs);
}

bool chat_error_from_json(struct chat_error *e, const json_t *value, int status)
{
    struct chat_error found;
    struct chat_error_signs signs = {0};
    chat_error_init(&found);
    if (!find(&found, value, &signs, 0)) {
        chat_error_release(&found);
        return false;
    }
    settle(&found, status, &signs);
    chat_error_release(e);
    *e = found;
    return true;
}

/* The text of <title>, or NULL. */
static const char *html_title(const char *body, size_t len, size_t *title_len)
{
    for (size_t i = 0; i + 7 < len; i++) {
        if (strncasecmp(body + i, "<title", 6) != 0)
            continue;
        const char *start = memchr(body + i, '>', len - i);
        const char *end = start ? memchr(start, '<', len - (size_t)(start - body)) : NULL;
        if (!end)
            return NULL;
        *title_len = (size_t)(end - start - 1);
        return start + 1;
    }
    return NULL;
}

void chat_error_from_text(struct chat_error *e, const char *body, size_t len, int status)
{
    struct chat_error_signs signs = {0};
    struct buf text;
    size_t title_len = 0;
    const char *title = html_title(body, len < 65536 ? len : 65536, &title_len);
    chat_error_release(e);
    buf_init(&text, MESSAGE_MAX);
    while (!title && len > 0 && strchr(" \t\r\n", *body) && *body) {
        body++;
        len--;
    }
    const char *shown = title ? title : body;
    if (text_for_model(&text, shown, text_edge(shown, title ? title_len : len, PLAIN_MAX)))
        buf_clear(&text);
    while (text.len > 0 && strchr(" \t\n", text.data[text.len - 1]))
        buf_cut(&text, text.len - 1);
    if (text.len == 0 && buf_text(&text, "the response is empty"))
        buf_clear(&text);
    e->message = buf_take(&text);
    settle(e, status, &signs);
}

void chat_error_set(struct chat_error *e, enum chat_error_class class, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    chat_error_release(e);
    e->message = len < 0 ? NULL : text;
    e->class = class;
}

void chat_error_from_redirect(struct chat_error *e, const char *target, int status)
{
    struct buf place;
    buf_init(&place, MESSAGE_MAX);
    /* Not its query: a hostile endpoint would have the key shown there. */
    size_t len = target ? strcspn(target, "?#") : 0;
    if (target && text_for_model(&place, target, text_edge(target, len, 300)) != 0)
        buf_clear(&place);
    chat_error_set(e, CHAT_ERROR_FATAL,
                   "the endpoint answers with a redirect to %s; it is not followed, so that the "
                   "key goes nowhere else: give the right address with --base-url",
                   place.len ? place.data : "an unknown place");
    e->http_status = status;
    buf_release(&place);
}
