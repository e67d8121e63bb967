/* Memory for a short-lived program: running out of it ends the program with one line. */
#ifndef CLI_MEMORY_H
#define CLI_MEMORY_H

#include <stddef.h>
#include <stdio.h>

/* Returns `pointer`, which must have been allocated; ends the program when it is NULL. Wrap every
 * allocating call in it: must(strdup(text)). */
void *must(void *pointer);

/* A stream that writes into memory; memory_close() makes *text (malloc'd) and *len final, and
 * ends the program when not all of it is there. */
FILE *memory_file(char **text, size_t *len);
void memory_close(FILE *file, char *const *text);

/* printf() into malloc'd text. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
