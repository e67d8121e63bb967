/* The form of all scripts and cases: lines of comment, then sections. A section begins with a line
 * "=== NAME WORDS" and has all lines up to the next one as its body. A body line that must begin
 * with === is written \===. */
#ifndef ENDPOINT_SECTIONS_H
#define ENDPOINT_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define SECTIONS_FILE_MAX (4u << 20)

struct section {
    char *name;  /* "reply" */
    char *words; /* the rest of the heading, trimmed */
    int line;    /* of the heading, counted from 1 */
    char *body;  /* as it stands, every line with its newline; a zero byte follows */
    size_t body_len;
};

struct sections {
    char *title; /* the first comment line, without its #; "" when there is none */
    struct section *items;
    size_t count;
};

/* A text that stands for another, everywhere in headings and bodies: {"{url}", "http://..."}. */
struct placeholder {
    const char *name;
    const char *value;
};

/* Reads a script. Errors name `path` and the line. 0 or -1. */
int sections_read(const char *path, struct sections *out, struct err *err);
int sections_parse(const char *path, const char *text, size_t len, struct sections *out,
                   struct err *err);
void sections_release(struct sections *sections);

/* Replaces placeholders; the array ends with a NULL name. */
void sections_expand(struct sections *sections, const struct placeholder *placeholders);

/* Walks through the lines of a body that holds directives: empty lines and lines that begin with
 * # are skipped, white space at both ends is cut. */
struct section_lines {
    const char *at; /* what is left of the body */
    const char *end;
    int line;        /* of the file */
    struct buf text; /* the line, valid until the next one */
};

void section_lines_init(struct section_lines *lines, const struct section *section);
bool section_lines_next(struct section_lines *lines);
void section_lines_release(struct section_lines *lines);

#endif
