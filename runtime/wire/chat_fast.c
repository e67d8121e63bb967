/* A scanner for {"choices":[{"index":0,"delta":{"content":"..."},"finish_reason":null}], ...} with
 * members in any order. Each function returns false for whatever it does not know, and the caller
 * then parses the chunk with jansson. */
#include "wire/chat_fast.h"

#include <string.h>

#include "base/text.h"

#define UNESCAPED_MAX 4096u

struct span {
    const char *data;
    size_t len;
    bool escaped;
};

struct scan {
    const char *p, *end;
    struct span content, reasoning;
    bool has_choices, has_delta, has_content, has_reasoning;
};

static void blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

/* Takes one byte of structure and the blanks around it. */
static bool byte(struct scan *s, char c)
{
    blanks(s);
    if (s->p == s->end || *s->p != c)
        return false;
    s->p++;
    blanks(s);
    return true;
}

static bool next_is(const struct scan *s, char c)
{
    return s->p < s->end && *s->p == c;
}

/* The inside of a string as it stands; `plain` ones are printable ASCII without escapes. */
static bool string(struct scan *s, struct span *out, bool plain)
{
    if (!next_is(s, '"'))
        return false;
    const char *p = s->p + 1;
    bool escaped = false, other = false;
    for (; p < s->end && *p != '"'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c < 0x20)
            return false;
        other = other || c >= 0x80;
        if (c == '\\') {
            escaped = true;
            if (++p == s->end || !strchr("\"\\/bfnrt", *p) || !*p)
                return false;
        }
    }
    if (p == s->end)
        return false;
    *out = (struct span){.data = s->p + 1, .len = (size_t)(p - s->p - 1), .escaped = escaped};
    s->p = p + 1;
    if (plain)
        return !escaped && !other;
    return !other || text_is_utf8(out->data, out->len);
}

static bool null(struct scan *s)
{
    if (s->end - s->p < 4 || memcmp(s->p, "null", 4) != 0)
        return false;
    s->p += 4;
    return true;
}

/* A whole number that 64 bits hold for certain. */
static bool number(struct scan *s)
{
    const char *start = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    size_t len = (size_t)(s->p - start);
    bool ends = s->p == s->end || strchr(",}] \t\r\n", *s->p);
    return len > 0 && len < 18 && ends && (*start != '0' || len == 1);
}

/* A value that nobody looks at. */
static bool scalar(struct scan *s)
{
    struct span ignored;
    return next_is(s, '"') ? string(s, &ignored, true) : null(s) || number(s);
}

static bool is(const struct span *key, const char *name)
{
    return key->len == strlen(name) && memcmp(key->data, name, key->len) == 0;
}

static bool is_any(const struct span *key, const char *const *names)
{
    for (; *names; names++)
        if (is(key, *names))
            return true;
    return false;
}

typedef bool (*member_fn)(struct scan *s, const struct span *key);

static bool object(struct scan *s, member_fn member)
{
    struct span key;
    if (!byte(s, '{'))
        return false;
    if (next_is(s, '}'))
        return byte(s, '}');
    do {
        if (!string(s, &key, true) || !byte(s, ':') || !member(s, &key))
            return false;
        blanks(s);
    } while (next_is(s, ',') && byte(s, ','));
    return byte(s, '}');
}

/* A text or null, once. */
static bool text(struct scan *s, struct span *out, bool *seen)
{
    if (*seen)
        return false;
    *seen = true;
    return null(s) || string(s, out, false);
}

static bool delta_member(struct scan *s, const struct span *key)
{
    static const char *const empty[] = {"refusal", "tool_calls", "function_call", "reasoning",
                                        NULL};
    struct span ignored;
    if (is(key, "content"))
        return text(s, &s->content, &s->has_content);
    if (is(key, "reasoning_content"))
        return text(s, &s->reasoning, &s->has_reasoning);
    if (is(key, "role"))
        return string(s, &ignored, true);
    return is_any(key, empty) && null(s);
}

static bool choice_member(struct scan *s, const struct span *key)
{
    static const char *const empty[] = {"finish_reason", "native_finish_reason", "logprobs", NULL};
    if (is(key, "delta")) {
        bool first = !s->has_delta;
        s->has_delta = true;
        return first && object(s, delta_member);
    }
    if (is(key, "index"))
        return next_is(s, '0') && number(s);
    return is_any(key, empty) && null(s);
}

static bool chunk_member(struct scan *s, const struct span *key)
{
    static const char *const unused[] = {"id",           "object",      "created",
                                         "model",        "provider",    "system_fingerprint",
                                         "service_tier", "obfuscation", NULL};
    if (is(key, "choices")) {
        bool first = !s->has_choices;
        s->has_choices = true;
        return first && byte(s, '[') && object(s, choice_member) && byte(s, ']');
    }
    if (is(key, "usage"))
        return null(s);
    return is_any(key, unused) && scalar(s);
}

/* Undoes the short escapes, which string() has checked. */
static struct span unescape(const struct span *raw, char *out)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    size_t n = 0;
    for (size_t i = 0; i < raw->len; i++) {
        char c = raw->data[i];
        if (c == '\\') {
            c = raw->data[++i];
            const char *hit = strchr(from, c);
            c = hit ? to[hit - from] : c;
        }
        out[n++] = c;
    }
    return (struct span){.data = out, .len = n};
}

static int emit(struct chat_build *build, enum chat_delta kind, const struct span *found)
{
    char plain[UNESCAPED_MAX];
    const struct span span = found->escaped ? unescape(found, plain) : *found;
    return chat_build_text(build, kind, span.data, span.len);
}

bool chat_fast_take(struct chat_build *build, const char *chunk, size_t len, int *status)
{
    struct scan s = {.p = chunk, .end = chunk + len};
    if (build->in_thought || !object(&s, chunk_member) || s.p != s.end || !s.has_choices)
        return false;
    if ((s.content.escaped && s.content.len > UNESCAPED_MAX) ||
        (s.reasoning.escaped && s.reasoning.len > UNESCAPED_MAX))
        return false;
    build->chunks++;
    *status =
        emit(build, CHAT_DELTA_REASONING, &s.reasoning) || emit(build, CHAT_DELTA_TEXT, &s.content)
            ? -1
            : 0;
    return true;
}
