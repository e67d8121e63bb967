/* Errors as values: a code for the program, one line for a person. The caller owns the struct, so
 * a message is never stale and never shared. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_code {
    ERR_NONE = 0,
    ERR_INTERNAL, /* a bug of ours */
    ERR_NOMEM,
    ERR_USAGE,  /* bad flag, value or call */
    ERR_CONFIG, /* a file the user wrote is wrong */
    ERR_PLUGIN, /* a plugin cannot be used */
    ERR_IO,     /* the operating system said no */
    ERR_NOT_FOUND,
    ERR_DENIED,  /* outside the workspace, or forbidden */
    ERR_LIMIT,   /* a size, depth or count is over its cap */
    ERR_PARSE,   /* bytes that are not what they should be */
    ERR_AUTH,    /* no key, or the key is refused */
    ERR_API,     /* the endpoint failed */
    ERR_REPLAY,  /* a recording does not fit */
    ERR_SANDBOX, /* tools cannot be confined as asked */
    ERR_SESSION  /* a journal is missing, in use or damaged, or cannot be written */
};

struct err {
    enum err_code code;
    char text[1024];
};

/* Fills *e (which may be NULL) and returns -1, so that `return err_set(e, ...)` reads well. Text
 * past the buffer is cut at a character's edge; control characters become blanks, bytes that are no
 * UTF-8 question marks. */
int err_set(struct err *e, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text that is there, and returns -1. */
int err_prefix(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
