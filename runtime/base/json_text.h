/* JSON written straight into a buffer: for what is written many times a second, where a tree of
 * values would be built only to be printed (RFC 8259). */
#ifndef BASE_JSON_TEXT_H
#define BASE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends `text` as a JSON string with its quotes. It may be any bytes: bad sequences become
 * U+FFFD. 0, or -1 when the buffer is full or memory is out; the buffer is then as it was. */
int json_quote(struct buf *out, const char *text, size_t len);

/* Members of an object that is being written: `,"key":value`, the comma left out where `first` is
 * set. Keys are written as they stand. What does not fit sets `failed`, and nothing is written
 * after that; with out == NULL nothing is written at all. */
struct json_members {
    struct buf *out;
    bool first;
    bool failed;
};

void member_text(struct json_members *m, const char *key, const char *text); /* NULL: null */
void member_bytes(struct json_members *m, const char *key, const char *text, size_t len);
void member_int(struct json_members *m, const char *key, int64_t value);
void member_real(struct json_members *m, const char *key, double value); /* must be finite */
void member_bool(struct json_members *m, const char *key, bool value);
void member_null(struct json_members *m, const char *key);
void member_json(struct json_members *m, const char *key, const char *json,
                 size_t len); /* as it is */

/* A member that is an object ('{') or an array ('['), up to member_close() with '}' or ']'. In an
 * array the key is NULL. */
void member_open(struct json_members *m, const char *key, char bracket);
void member_close(struct json_members *m, char bracket);

#endif
