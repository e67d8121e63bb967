/* What a tool tells the model: capped at 256 KiB, always valid UTF-8, file names quoted as git does
 * it. After the cap nothing more is written; reply_end() says what is missing. */
#ifndef GIT_REPLY_H
#define GIT_REPLY_H

#include <stdbool.h>

#include <git2.h>
#include <tackle/plugin.h>

#define REPLY_MAX_BYTES ((size_t)256 << 10)

struct reply {
    tackle_call *call;
    size_t left; /* bytes until the cap */
    bool cut;    /* something did not fit */
};

void reply_init(struct reply *r, tackle_call *call);

/* Appends; bytes that are no UTF-8 become U+FFFD. 0, or -1 once the cap is reached; that may be
 * ignored, since `cut` keeps it and all that follows is dropped. */
int reply_bytes(struct reply *r, const char *text, size_t len);
int reply_text(struct reply *r, const char *text);
int reply_format(struct reply *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A file name after a prefix ("a/", ""): as it is when it is plain, else in double quotes with \n,
 * \t, \" and \ooo for control characters, bidi controls and what is no UTF-8. */
int reply_path(struct reply *r, const char *prefix, const char *path);

/* One line of foreign text (a subject, a name of a person): control characters become spaces. */
int reply_line(struct reply *r, const char *text);

/* The first 7 digits of an object's name. */
int reply_id(struct reply *r, const git_oid *id);

/* YYYY-MM-DD in the signature's own time zone; `full`: with time and zone. */
int reply_date(struct reply *r, const git_time *when, bool full);

/* Ends the reply: when something was cut, one line that says so and `hint`, what to ask instead.
 * Always TACKLE_OK. */
int32_t reply_end(struct reply *r, const char *hint);

#endif
