#include "engine/journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/json_text.h"

#define CHECK_KEY ",\"c\":\""
#define CHECK_LEN (sizeof CHECK_KEY - 1 + 8 + 2) /* with 8 digits, quotation mark and brace */

/* ---- Writing ---- */

static void put_hex(char out[8], uint32_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
}

int journal_write(struct journal_chain *chain, int64_t wall_ms, const char *kind, const char *body,
                  size_t len, struct buf *out)
{
    char time[CLOCK_RFC3339_SIZE];
    size_t before = out->len;
    clock_rfc3339(wall_ms, time);
    struct json_members m = {.out = out, .first = true, .failed = buf_byte(out, '{') != 0};
    member_int(&m, "n", (int64_t)chain->number + 1);
    member_text(&m, "t", time);
    member_text(&m, "k", kind);
    bool failed = m.failed || (len && buf_byte(out, ',')) || buf_append(out, body, len);
    uint32_t check = crc32c(chain->check, out->data + before, out->len - before);
    char end[] = CHECK_KEY "00000000\"}\n";
    put_hex(end + sizeof CHECK_KEY - 1, check);
    if (failed || buf_append(out, end, sizeof end - 1)) {
        buf_cut(out, before);
        return -1;
    }
    *chain = (struct journal_chain){chain->number + 1, check};
    return 0;
}

int journal_blob_body(struct buf *out, const char *blob, size_t len)
{
    return buf_format(out, "\"blob\":%zu,\"sum\":\"%08" PRIx32 "\"", len, crc32c(0, blob, len));
}

/* ---- Reading ---- */

/* A place in a text that is read from left to right. */
struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *c, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool take_number(struct cursor *c, uint64_t *out)
{
    const char *start = c->at;
    for (*out = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (c->at - start >= 18)
            return false;
        *out = *out * 10 + (uint64_t)(*c->at - '0');
    }
    return c->at > start;
}

/* Up to the quotation mark, which is taken too. */
static bool take_word(struct cursor *c, size_t max, const char **word, size_t *len)
{
    const char *mark = memchr(c->at, '"', (size_t)(c->end - c->at));
    *word = c->at;
    if (!mark || (size_t)(mark - c->at) > max)
        return false;
    *len = (size_t)(mark - c->at);
    c->at = mark + 1;
    return true;
}

static bool take_check(struct cursor *c, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 8; i++, c->at++) {
        if (c->at == c->end)
            return false;
        char digit = *c->at;
        if (digit >= '0' && digit <= '9')
            *out = *out << 4 | (uint32_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            *out = *out << 4 | (uint32_t)(digit - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Is line[0..len) the record that follows `chain`? The line has no newline. */
static bool read_record(struct journal_chain *chain, const char *line, size_t len,
                        struct journal_record *out)
{
    const char *kind;
    size_t kind_len;
    uint32_t check;
    if (len < CHECK_LEN)
        return false;
    struct cursor tail = {line + len - CHECK_LEN, line + len};
    struct cursor head = {line, tail.at};
    if (!take(&tail, CHECK_KEY) || !take_check(&tail, &check) || !take(&tail, "\"}") ||
        check != crc32c(chain->check, line, len - CHECK_LEN))
        return false;
    if (!take(&head, "{\"n\":") || !take_number(&head, &out->number) ||
        out->number != chain->number + 1 || !take(&head, ",\"t\":\"") ||
        !take_word(&head, CLOCK_RFC3339_SIZE - 1, &out->time, &out->time_len) ||
        !take(&head, ",\"k\":\"") || !take_word(&head, sizeof out->kind - 1, &kind, &kind_len) ||
        (head.at < head.end && !take(&head, ",")))
        return false;
    memcpy(out->kind, kind, kind_len);
    out->kind[kind_len] = '\0';
    out->body = head.at;
    out->len = (size_t)(head.end - head.at);
    *chain = (struct journal_chain){out->number, check};
    return true;
}

/* Does a whole record stand at the beginning of text[0..len), with more behind it? Then what should
 * have ended it is damaged, and it must not pass as torn. */
static bool hides_record(const struct journal_reader *r, const char *text, size_t len)
{
    struct journal_record record;
    for (size_t end = CHECK_LEN; end < len; end++) {
        struct journal_chain chain = r->chain;
        if (text[end - 1] == '}' && text[end - 2] == '"' &&
            memcmp(text + end - CHECK_LEN, CHECK_KEY, sizeof CHECK_KEY - 1) == 0 &&
            read_record(&chain, text, end, &record))
            return true;
    }
    return false;
}

enum journal_found journal_next(struct journal_reader *reader, struct journal_record *out,
                                struct err *err)
{
    struct journal_reader *r = reader;
    const char *line = r->data + r->at;
    size_t left = r->len - r->at;
    if (left == 0)
        return JOURNAL_END;
    const char *newline = memchr(line, '\n', left);
    size_t len = newline ? (size_t)(newline - line) : left;
    if (newline && read_record(&r->chain, line, len, out)) {
        r->at += len + 1;
        return JOURNAL_RECORD;
    }
    bool last = !newline || len + 1 == left;
    if (last && !hides_record(r, line, len))
        return JOURNAL_TORN;
    err_set(err, ERR_SESSION, "record %" PRIu64 " of the journal is damaged (at byte %zu)",
            r->chain.number + 1, r->at);
    return JOURNAL_DAMAGED;
}

bool journal_join(struct journal_reader *reader)
{
    struct journal_reader *r = reader;
    const char *before = memchr(r->data, '\n', r->len);
    const char *line = before ? before + 1 : r->data + r->len;
    const char *end = memchr(line, '\n', r->len - (size_t)(line - r->data));
    if (!end || (size_t)(end - line) < CHECK_LEN)
        return false;
    struct cursor head = {line, end}, tail = {end - CHECK_LEN, end};
    if (!take(&head, "{\"n\":") || !take_number(&head, &r->chain.number) ||
        !take(&tail, CHECK_KEY) || !take_check(&tail, &r->chain.check))
        return false;
    r->at = (size_t)(end + 1 - r->data);
    return true;
}

int journal_check_version(const struct journal_record *first, struct err *err)
{
    struct cursor c = {first->body, first->body + first->len};
    uint64_t version;
    if (strcmp(first->kind, "run_started") != 0 || !take(&c, "\"v\":") ||
        !take_number(&c, &version))
        return err_set(err, ERR_SESSION, "this is not the journal of a run");
    if (version > JOURNAL_VERSION)
        return err_set(err, ERR_SESSION,
                       "the journal was written by a newer tackle (format %" PRIu64
                       "; this one reads up to %d): use that one",
                       version, JOURNAL_VERSION);
    return 0;
}

bool journal_is_blob(const struct journal_record *record, size_t *len, uint32_t *sum)
{
    struct cursor c = {record->body, record->body + record->len};
    uint64_t bytes;
    if (!take(&c, "\"blob\":") || !take_number(&c, &bytes) || bytes > JOURNAL_BODY_MAX ||
        !take(&c, ",\"sum\":\"") || !take_check(&c, sum) || !take(&c, "\"") || c.at != c.end)
        return false;
    *len = (size_t)bytes;
    return true;
}
