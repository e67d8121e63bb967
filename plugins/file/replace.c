/* Exact search and replace on bytes. */
#include "replace.h"

#include <string.h>

/* Does the text have line ends, and all of them CRLF? */
static bool is_crlf(const char *text, size_t len)
{
    const char *from = text, *end = text + len, *newline;
    while (from < end && (newline = memchr(from, '\n', (size_t)(end - from)))) {
        if (newline == text || newline[-1] != '\r')
            return false;
        from = newline + 1;
    }
    return from > text;
}

static bool contains(const char *text, size_t len, const char *part, size_t part_len)
{
    return memmem(text, len, part, part_len) != NULL;
}

static void add_crlf(struct bytes *out, const char *text, size_t len)
{
    const char *end = text + len, *newline;
    while (text < end && (newline = memchr(text, '\n', (size_t)(end - text)))) {
        bytes_add(out, text, (size_t)(newline - text));
        bytes_text(out, "\r\n");
        text = newline + 1;
    }
    bytes_add(out, text, (size_t)(end - text));
}

/* More than one occurrence? They may overlap: "aa" stands twice in "aaa". */
static bool find_places(const char *text, size_t len, const struct replace_order *order,
                        struct replace_places *places)
{
    const char *end = text + len, *from = text, *hit;
    while (places->count < REPLACE_PLACES_MAX &&
           (hit = memmem(from, (size_t)(end - from), order->old_text, order->old_len))) {
        places->at[places->count++] = (size_t)(hit - text);
        from = hit + 1;
    }
    return places->count > 1;
}

static int replace_exact(const char *text, size_t len, const struct replace_order *order,
                         struct bytes *out, struct replace_places *places)
{
    const char *end = text + len, *from = text, *hit;
    *places = (struct replace_places){.len = order->new_len};
    if (!order->all && find_places(text, len, order, places))
        return REPLACE_AMBIGUOUS;
    places->count = 0;
    while ((hit = memmem(from, (size_t)(end - from), order->old_text, order->old_len))) {
        bytes_add(out, from, (size_t)(hit - from));
        if (places->count < REPLACE_PLACES_MAX)
            places->at[places->count] = out->len;
        places->count++;
        if (!bytes_add(out, order->new_text, order->new_len))
            return REPLACE_FAILED;
        from = hit + order->old_len;
    }
    if (places->count == 0)
        return REPLACE_MISSING;
    return bytes_add(out, from, (size_t)(end - from)) ? REPLACE_DONE : REPLACE_FAILED;
}

static int replace_crlf(const char *text, size_t len, const struct replace_order *order,
                        struct bytes *out, struct replace_places *places)
{
    struct bytes old_text, new_text;
    int rc = REPLACE_FAILED;
    bytes_init(&old_text, 2 * order->old_len);
    bytes_init(&new_text, 2 * order->new_len);
    add_crlf(&old_text, order->old_text, order->old_len);
    add_crlf(&new_text, order->new_text, order->new_len);
    out->failed = old_text.failed || new_text.failed;
    if (!out->failed) {
        struct replace_order translated = {bytes_str(&old_text), old_text.len, bytes_str(&new_text),
                                           new_text.len, order->all};
        rc = replace_exact(text, len, &translated, out, places);
    }
    bytes_release(&old_text);
    bytes_release(&new_text);
    return rc;
}

int replace_text(const char *text, size_t len, const struct replace_order *order, struct bytes *out,
                 struct replace_places *places)
{
    /* A text that has a carriage return of its own says exactly what it means. */
    bool plain = !memchr(order->old_text, '\r', order->old_len) &&
                 !memchr(order->new_text, '\r', order->new_len);
    if (plain && is_crlf(text, len))
        return replace_crlf(text, len, order, out, places);
    int rc = replace_exact(text, len, order, out, places);
    if (rc == REPLACE_MISSING && plain && contains(text, len, "\r\n", 2))
        rc = replace_crlf(text, len, order, out, places); /* line ends of both kinds */
    return rc;
}
