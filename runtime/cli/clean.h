/* Text that comes from a model, a tool or a file, made safe to look at: no byte of it can act as
 * a control sequence, and nothing in it stays hidden. Works on a stream cut anywhere. */
#ifndef CLI_CLEAN_H
#define CLI_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum clean_form {
    CLEAN_NONE,     /* bytes as they are: for files and pipes */
    CLEAN_TERMINAL, /* controls but \n and \t as \xNN; C1, bidi, zero-width and tag characters as
                       <U+XXXX>; bad UTF-8 as U+FFFD; \r\n as \n */
    CLEAN_JSON,     /* JSON text: what is hidden becomes \uXXXX, so the value stays the same */
    CLEAN_JSON_LOG  /* the same with every # as well, which a CI runner's commands begin with */
};

struct clean {
    enum clean_form form;
    /* The character that is being read: the decoder of the WHATWG Encoding Standard, whose
     * errors are the maximal subparts of Unicode 3.9. */
    uint32_t point, lower, upper;
    unsigned needed;
    bool carriage; /* a \r that may be half of \r\n */
};

void clean_init(struct clean *c, enum clean_form form);

/* Writes `text`; holds back what cannot be judged before more comes. */
void clean_feed(struct clean *c, FILE *to, const char *text, size_t len);

/* Writes what is held back. The cleaner can then be used for a new text. */
void clean_end(struct clean *c, FILE *to);

/* A whole text at once. */
void clean_text(enum clean_form form, FILE *to, const char *text, size_t len);

#endif
