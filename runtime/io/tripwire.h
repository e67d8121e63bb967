/* Which of the files that other programs execute (engine/executed.h) did commands change? Nobody
 * reports what a command does, so the workspace is looked at before the first one and at the end of
 * the run. Only names, sizes and times are looked at, no link is followed, and the look is bounded:
 * what lies beyond is said to be unknown. */
#ifndef IO_TRIPWIRE_H
#define IO_TRIPWIRE_H

#include <stdbool.h>

#define TRIPWIRE_ENTRIES 50000 /* names that are looked at */
#define TRIPWIRE_FILES   4096  /* files that are remembered */
#define TRIPWIRE_FOLDERS 8192

struct tripwire;

/* A look at the workspace, borrowed for the call. NULL: out of memory. */
struct tripwire *tripwire_set(int workspace_fd);
void tripwire_free(struct tripwire *wire);

/* Looks again and tells of each difference: "created", "modified", "deleted"; paths are relative
 * and may be no UTF-8. False when not all of the workspace was looked at, then or now. */
bool tripwire_compare(const struct tripwire *wire, int workspace_fd,
                      void (*tell)(void *user, const char *path, const char *what), void *user);

#endif
