/* The private folder of a case: a workspace, a home, the XDG folders, and planted secrets that
 * nothing may read or change. */
#ifndef CASES_PLACE_H
#define CASES_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "endpoint/sections.h"

#define PLACE_KEY "sk-test-CANARY-0123456789"

/* Every secret has this in it: the key, and the files planted in home and outside. */
#define PLACE_CANARY "CANARY-"

struct place {
    char root[256]; /* "/tmp/tackle-case-Ab3dEf"; "" before place_new() */
};

/* Makes the folder and plants the secrets. 0 or -1. */
int place_new(struct place *place, struct err *err);
void place_remove(struct place *place);

/* Removes a folder with all that is in it, but nothing of another file system. */
void place_remove_tree(const char *dir);

/* Gives all that is root's to another user. 0 or -1. */
int place_give(const struct place *place, uid_t user, struct err *err);

/* Replaces \n, \t, \r, \0, \\ and \xNN in place; the new length. */
size_t place_unescape(char *text, size_t len);

/* The absolute path of what a case calls `path`: relative ones are in the workspace. malloc'd. */
char *place_path(const struct place *place, const char *path);

/* Does what a section file, link, dir or git says. 0 or -1. */
int place_apply(const struct place *place, const struct section *section, struct err *err);

/* Reads a file; malloc'd and zero-terminated, NULL when it cannot be read. */
char *place_read(const char *path, size_t *len);

/* Appends one line for everything below a folder: path, mode, size, hash or link target. Two equal
 * texts mean that nothing has changed. Times are left out. */
void place_snapshot(const char *dir, struct buf *out);

/* The same for what no run may change: home, outside, and folders that the case has put beside. */
void place_snapshot_unchanging(const struct place *place, struct buf *out);

/* Calls `visit` with each regular file below a folder. */
void place_walk(const char *dir, void (*visit)(void *user, const char *path), void *user);

/* ---- Git, through libgit2 (place_git.c) ---- */

/* Was the runner built with libgit2? */
bool place_has_git(void);

/* Makes the workspace a repository when it is none, and commits all that is in it. 0 or -1. */
int place_commit(const char *workspace, const char *message, struct err *err);

/* Appends the first lines of the messages of HEAD and its first parents, newest first. 0 or -1. */
int place_commits(const char *workspace, struct buf *out, struct err *err);

#endif
