/* What a call is about, as its arguments say: paths, a command, hosts. Which argument is what, the
 * tool's schema tells by "format": "path" (a text, or the items of a list), "argv" (a list),
 * "shell" and "url" (texts). */
#ifndef ENGINE_POLICY_SUBJECT_H
#define ENGINE_POLICY_SUBJECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/command.h"
#include "engine/hosts.h"
#include "engine/tool.h"

#define SUBJECTS_MAX 4096

enum subject_kind {
    SUBJECT_CALL, /* nothing is known but the tool */
    SUBJECT_PATH,
    SUBJECT_HOST,
    SUBJECT_COMMAND
};

struct subject {
    enum subject_kind kind;
    char *text;       /* owned: the path, relative and normalised; the host; NULL */
    bool outside;     /* a path that leads out of the workspace, as far as its text tells */
    bool unreadable;  /* a URL that is none */
    struct host host; /* SUBJECT_HOST */
    size_t command;   /* SUBJECT_COMMAND: which, and which part of it */
    size_t part;
};

struct subjects {
    struct subject *items; /* owned; at least one */
    size_t count;
    struct command commands[2]; /* "argv" and "shell" */
    size_t command_count;
};

/* The path of a workspace that a path in an argument really is, links gone; false: not known. `out`
 * has SUBJECT_PATH_MAX bytes. */
#define SUBJECT_PATH_MAX 4096
typedef bool subject_resolve_fn(void *user, const char *path, char *out);

struct subject_view {
    const char *workspace;       /* absolute; NULL: not known */
    subject_resolve_fn *resolve; /* may be NULL */
    void *user;
};

/* 0, or -1 with ERR_LIMIT, ERR_USAGE or ERR_NOMEM: arguments that no rule can be held to. `args`
 * may be NULL. Release in any case. */
int subjects_read(struct subjects *s, const struct subject_view *view, const struct tool *tool,
                  const json_t *args, struct err *err);
void subjects_release(struct subjects *s);

/* What a pattern in TOOL(PATTERN) is about: a command, else a host, else a path; SUBJECT_CALL: the
 * tool has no argument that a pattern could be about. */
enum subject_kind subject_kind_of(const struct tool *tool);

/* A path without "./", "//" and "..", relative to the workspace when it is in it. */
void subject_clean_path(const char *workspace, const char *path, char *out, bool *outside);

#endif
