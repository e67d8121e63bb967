/* Inside chat_error: what an error's words mean. */
#ifndef WIRE_CHAT_ERROR_CLASS_H
#define WIRE_CHAT_ERROR_CLASS_H

#include "wire/chat_error.h"

/* What the codes, types, reasons and quota names of an error, gathered from all of its layers, say
 * about its class. */
struct chat_error_signs {
    unsigned seen; /* bit 1 << class */
};

/* Notes what a code or the like means; NULL is fine. */
void chat_error_signs_add(struct chat_error_signs *signs, const char *code);

/* The class, from status, signs and the texts of the error. */
enum chat_error_class chat_error_classify(const struct chat_error *e,
                                          const struct chat_error_signs *signs);

/* The wait that the body names: retry_delay, or a sentence in message or detail; -1: none. */
int64_t chat_error_body_wait_ms(const struct chat_error *e);

#endif
