/* Tokens that are known by their form alone: what the large services prefix theirs with, JSON Web
 * Tokens, private keys, credentials in URLs and headers. For base/redact. */
#ifndef BASE_REDACT_FORMS_H
#define BASE_REDACT_FORMS_H

#include <stdbool.h>
#include <stddef.h>

enum redact_match {
    MATCH_NONE,
    MATCH_PART, /* more text could make it one */
    MATCH_FULL
};

/* The part of a text that is to be taken out, behind where its form begins. */
struct redact_span {
    size_t skip; /* bytes that stay: "://" */
    size_t len;
};

struct redact_token {
    const char *prefix; /* at least 3 bytes */
    const char *label;  /* what takes its place */
    /* Looks at a text that begins with the prefix. `whole`: nothing comes behind `len`. */
    enum redact_match (*match)(const struct redact_token *token, const char *text, size_t len,
                               bool whole, struct redact_span *out);
    const char *class; /* characters of it besides letters and digits; for some match functions */
    size_t least;      /* bytes behind the prefix */
    size_t most;       /* 0: any number */
    bool anywhere;     /* it may begin within a word */
};

#define REDACT_TOKENS 31
extern const struct redact_token redact_tokens[REDACT_TOKENS];

/* No token is longer: a match function is given no more of a text, and told that this is the whole.
 */
#define REDACT_TOKEN_MAX (16u << 10)

#endif
