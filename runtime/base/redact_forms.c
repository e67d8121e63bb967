#include "base/redact_forms.h"

#include <string.h>

#define JWT_PART_MIN 10
#define PEM_HEADER   40 /* of "RSA PRIVATE KEY-----" and its kin */
#define PEM_BODY_MIN 32 /* less is somebody writing about keys */
#define USERINFO_MAX 1024
#define PASSWORD_MIN 6
#define USER_MIN     20 /* a token in place of a name */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How many bytes at the start of text are letters, digits or of `class`. */
static size_t run(const char *text, size_t len, const char *class)
{
    size_t n = 0;
    while (n < len && (is_alnum(text[n]) || (text[n] && strchr(class, text[n]))))
        n++;
    return n;
}

/* Prefix and a run of characters. */
static enum redact_match match_run(const struct redact_token *token, const char *text, size_t len,
                                   bool whole, struct redact_span *out)
{
    size_t prefix = strlen(token->prefix);
    size_t n = run(text + prefix, len - prefix, token->class);
    if (token->most > 0 && n > token->most)
        return MATCH_NONE;
    if (prefix + n == len && !whole)
        return MATCH_PART;
    if (n < token->least)
        return MATCH_NONE;
    *out = (struct redact_span){.len = prefix + n};
    return MATCH_FULL;
}

/* The same with a digit in it: "sk-" begins words with hyphens as well. */
static enum redact_match match_sk(const struct redact_token *token, const char *text, size_t len,
                                  bool whole, struct redact_span *out)
{
    enum redact_match match = match_run(token, text, len, whole, out);
    if (match != MATCH_FULL)
        return match;
    for (size_t i = 0; i < out->len; i++)
        if (text[i] >= '0' && text[i] <= '9')
            return MATCH_FULL;
    return MATCH_NONE;
}

/* What follows the prefix is taken out, the prefix stays: "Authorization: Bearer ". */
static enum redact_match match_behind(const struct redact_token *token, const char *text,
                                      size_t len, bool whole, struct redact_span *out)
{
    enum redact_match match = match_run(token, text, len, whole, out);
    if (match == MATCH_FULL) {
        out->skip = strlen(token->prefix);
        out->len -= out->skip;
    }
    return match;
}

/* RFC 7519: header and payload are JSON objects in base64url, so both begin with "eyJ". */
static enum redact_match match_jwt(const struct redact_token *token, const char *text, size_t len,
                                   bool whole, struct redact_span *out)
{
    size_t at = 0;
    for (int part = 1; part <= 3; part++) {
        size_t n = run(text + at, len - at, token->class);
        if (at + n == len && !whole)
            return MATCH_PART;
        if (n < JWT_PART_MIN || (part < 3 && memcmp(text + at, "eyJ", 3) != 0))
            return MATCH_NONE;
        at += n;
        if (part < 3 && (at == len || text[at++] != '.'))
            return MATCH_NONE;
    }
    *out = (struct redact_span){.len = at};
    return MATCH_FULL;
}

/* Base64, the header lines of old forms, and line breaks, which in JSON are "\n". */
static bool is_pem_byte(char c)
{
    return is_alnum(c) || (c && strchr("+/=:,.-\\ \t\r\n", c));
}

/* "-----BEGIN ... PRIVATE KEY-----" to the line that ends it, or as far as it could be one. */
static enum redact_match match_pem(const struct redact_token *token, const char *text, size_t len,
                                   bool whole, struct redact_span *out)
{
    static const char end[] = "-----END ", dashes[] = "-----";
    size_t at = strlen(token->prefix), header = 0;
    while (at + header < len && header < PEM_HEADER && text[at + header] != '-')
        header++;
    if (at + header == len)
        return whole ? MATCH_NONE : MATCH_PART;
    if (header == PEM_HEADER || !memmem(text + at, header, "PRIVATE KEY", 11))
        return MATCH_NONE;
    at += header;
    size_t body = at + sizeof dashes - 1;
    bool closing = false; /* behind "-----END " */
    for (; at < len && is_pem_byte(text[at]); at++) {
        size_t left = len - at;
        if (closing && left >= sizeof dashes - 1 &&
            memcmp(text + at, dashes, sizeof dashes - 1) == 0) {
            *out = (struct redact_span){.len = at + sizeof dashes - 1};
            return MATCH_FULL;
        }
        if (at >= body && left >= sizeof end - 1 && memcmp(text + at, end, sizeof end - 1) == 0) {
            closing = true;
            at += sizeof dashes - 1; /* those of its beginning do not close it */
        }
    }
    if (at == len && !whole)
        return MATCH_PART;
    if (at < body + PEM_BODY_MIN)
        return MATCH_NONE;
    *out = (struct redact_span){.len = at};
    return MATCH_FULL;
}

/* "://user:password@": what is between. A name alone is no secret, unless it looks like a token;
 * "$PASSWORD" and "<password>" stand for one. */
static enum redact_match match_userinfo(const struct redact_token *token, const char *text,
                                        size_t len, bool whole, struct redact_span *out)
{
    size_t start = strlen(token->prefix), n = 0, colon = 0;
    while (start + n < len && n < USERINFO_MAX && (unsigned char)text[start + n] > ' ' &&
           !strchr("@/?#\"'`\\()", text[start + n])) {
        if (text[start + n] == ':' && colon == 0)
            colon = n + 1;
        n++;
    }
    if (n == USERINFO_MAX)
        return MATCH_NONE;
    if (start + n == len)
        return whole ? MATCH_NONE : MATCH_PART;
    const char *password = text + start + colon;
    if (text[start + n] != '@' || n - colon < (colon ? PASSWORD_MIN : USER_MIN) ||
        strchr("$<{%[", *password))
        return MATCH_NONE;
    *out = (struct redact_span){.skip = start, .len = n};
    return MATCH_FULL;
}

#define TOKEN(text, name, bytes_least, bytes_most)                                                 \
    {                                                                                              \
        .prefix = text, .label = "[redacted:" name "]", .match = match_run, .class = "_-",         \
        .least = bytes_least, .most = bytes_most                                                   \
    }
#define HEADER(text)                                                                               \
    {                                                                                              \
        .prefix = text, .label = "[redacted:authorization]", .match = match_behind,                \
        .class = "_-+/=.~", .least = 12, .anywhere = true                                          \
    }

const struct redact_token redact_tokens[REDACT_TOKENS] = {
    TOKEN("ghp_", "github-token", 36, 0),
    TOKEN("gho_", "github-token", 36, 0),
    TOKEN("ghu_", "github-token", 36, 0),
    TOKEN("ghs_", "github-token", 36, 0),
    TOKEN("ghr_", "github-token", 36, 0),
    TOKEN("github_pat_", "github-token", 36, 0),
    TOKEN("glpat-", "gitlab-token", 20, 0),
    TOKEN("AKIA", "aws-key", 16, 16),
    TOKEN("ASIA", "aws-key", 16, 16),
    TOKEN("AIza", "google-key", 35, 35),
    TOKEN("GOCSPX-", "google-secret", 28, 28),
    TOKEN("xoxa-", "slack-token", 20, 0),
    TOKEN("xoxb-", "slack-token", 20, 0),
    TOKEN("xoxp-", "slack-token", 20, 0),
    TOKEN("xoxr-", "slack-token", 20, 0),
    TOKEN("xoxs-", "slack-token", 20, 0),
    TOKEN("sk_live_", "stripe-key", 16, 0),
    TOKEN("rk_live_", "stripe-key", 16, 0),
    TOKEN("sk_test_", "stripe-key", 16, 0),
    TOKEN("rk_test_", "stripe-key", 16, 0),
    TOKEN("npm_", "npm-token", 36, 36),
    {.prefix = "sk-", .label = "[redacted:api-key]", .match = match_sk, .class = "_-", .least = 32},
    {.prefix = "eyJ", .label = "[redacted:jwt]", .match = match_jwt, .class = "_-"},
    {.prefix = "-----BEGIN ",
     .label = "[redacted:private-key]",
     .match = match_pem,
     .anywhere = true},
    {.prefix = "://",
     .label = "[redacted:url-credentials]",
     .match = match_userinfo,
     .anywhere = true},
    HEADER("uthorization: Basic "),
    HEADER("uthorization: basic "),
    HEADER("UTHORIZATION: basic "),
    HEADER("uthorization: Bearer "),
    HEADER("uthorization: bearer "),
    HEADER("UTHORIZATION: bearer "),
};
