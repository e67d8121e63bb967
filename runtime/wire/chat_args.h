/* The arguments of a tool call: from what the model wrote to a JSON object, or to a sentence that
 * tells the model what is wrong. Never {} for something that could not be read. */
#ifndef WIRE_CHAT_ARGS_H
#define WIRE_CHAT_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define CHAT_ARGS_DEPTH 64

/* Parses arguments. Nothing, blanks and null are {}. When the text is not JSON one repair is tried
 * (json_repair.h); *repaired tells, and may be NULL. Refused: anything that is no object, a key
 * that is there twice, nesting deeper than CHAT_ARGS_DEPTH, a NUL character in a string.
 * Returns a new reference, or NULL with a line for the model in *err (ERR_PARSE, ERR_LIMIT). */
json_t *chat_args_parse(const char *text, size_t len, bool *repaired, struct err *err);

/* A run of complete objects, {...}{...}, that some servers send as the arguments of one call:
 * returns the bytes that the first object uses, blanks in front of it included. 0 when the text
 * does not start with a complete object. */
size_t chat_args_first(const char *text, size_t len);

/* True when the text is a run of two or more complete objects and nothing else but blanks. */
bool chat_args_is_run(const char *text, size_t len);

#endif
