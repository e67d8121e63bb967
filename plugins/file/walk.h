/* The one walk through directories, for list_dir, find_files and search. It goes by directory
 * descriptors only, so nothing outside can be reached: no link is followed, no other file system
 * entered, no .git entered. Depth, entries, memory and time are bounded; what a bound left out is
 * counted, never silently dropped. */
#ifndef FILE_WALK_H
#define FILE_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"
#include "file.h"
#include "pace.h"

#define WALK_DEPTH_MAX   64
#define WALK_ENTRIES_MAX 1000000
#define WALK_NAMES_MAX   (48u << 20) /* bytes of names held at one time */

struct walk_options {
    unsigned depth;   /* 1: the directory's own entries; at most WALK_DEPTH_MAX */
    bool obey_ignore; /* leave out what .gitignore and .git/info/exclude say */
    bool show_git;    /* .git itself is an entry */
};

/* One entry; valid until the next call. A directory comes before what is in it, and all come in
 * the byte order of their paths. */
struct walk_entry {
    const char *path;     /* as a tool can be given it: the place of the walk, and `relative` */
    const char *relative; /* to the place of the walk */
    const char *name;
    int dir_fd;         /* of the directory it is in */
    unsigned char type; /* DT_REG, DT_DIR, DT_LNK ...; DT_UNKNOWN when it has just gone */
};

struct walk;

/* Starts a walk at `path` of the workspace. TACKLE_OK, or a negative code with fail() called.
 * *out belongs to the caller: walk_free(). `pace` is borrowed. */
int32_t walk_open(const struct file_plugin *plugin, tackle_call *call, const char *path,
                  const struct walk_options *options, struct pace *pace, struct walk **out);

/* Starts one at the directory `fd`, which it then owns, also on failure. `place`, "" for none, goes
 * in front of the paths. When it is the way from the directory `root` (borrowed) to `fd`, the
 * ignore rules on that way hold too. NULL when out of memory. */
struct walk *walk_new(int fd, int root, const char *place, const struct walk_options *options,
                      struct pace *pace);
void walk_free(struct walk *w);

/* The next entry: 1; or 0 when there is no more. walk_write_notes() then tells what was left out.
 */
int walk_next(struct walk *w, struct walk_entry *entry);

/* Is this the name of a repository's own directory (or, in a worktree, file)? */
bool walk_is_git(const char *name);

/* Opens an entry for reading when it is a regular file: no link, no device, no waiting on a FIFO.
 * Descriptor or -1. */
int walk_open_file(const struct walk_entry *entry);

/* Appends a line in brackets for each thing that was left out. */
void walk_write_notes(const struct walk *w, struct bytes *out);

/* A path as tools show it: relative to the workspace when it is inside, without "./" and doubled
 * slashes; "" is the workspace itself. ".." is kept: only the kernel knows where it leads. */
void walk_place(const char *root, const char *path, struct bytes *out);

#endif
