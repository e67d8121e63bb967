/* tackle-host, spoken to over its link as the runtime does it: for tests of what happens inside. */
#ifndef TESTS_HOST_PEER_H
#define TESTS_HOST_PEER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "wire/link.h"

/* Folders as a run has them, with secrets beside the workspace that nobody inside may see. */
struct host_box {
    uid_t uid;     /* to whom all of it belongs, and as whom the host runs */
    char *root;    /* above them all */
    char *work;    /* the workspace */
    char *outside; /* has secret.txt: CANARY-OUT */
    char *person;  /* a home folder with .ssh/id_ed25519: CANARY-SSH */
    char *home;    /* HOME and TMPDIR of what runs */
    char *tmp;
};

void host_box_init(struct host_box *box, uid_t uid);
void host_box_release(struct host_box *box);

struct host_setup {
    const char *plugin;        /* NULL: the one that has run_command */
    json_t *sandbox;           /* taken over; NULL: none */
    const char *const *before; /* a program that starts tackle-host, and its arguments; or NULL */
    const char *bin;           /* NULL: this build's */
};

struct host_peer {
    pid_t pid;
    int socket, cancel, workspace;
    struct buf in, out;
    size_t taken;
    uint32_t calls;
    json_t *answer; /* OPENED or REFUSED; owned */
    bool opened;
};

/* {"tier","write":true,"runs":true,"git":"read","network":"none", ...}; `more` are members to put
 * in or to replace, as JSON text; NULL: none. */
json_t *host_sandbox(const char *tier, const char *more);

/* Gives the box to its user, starts the host and waits for its answer. The test fails when there is
 * none. */
void host_peer_start(struct host_peer *peer, const struct host_box *box,
                     const struct host_setup *setup);

/* Calls a tool; `args` is taken over. Its output and, behind that, its message; malloc'd. *code may
 * be NULL. At the end of the link the text is NULL. */
char *host_peer_call(struct host_peer *peer, const char *tool, json_t *args, int *code);

/* run_command with a line of shell. */
char *host_peer_shell(struct host_peer *peer, const char *command);

/* The same, and its output must hold that text; or must not. */
void host_peer_says(struct host_peer *peer, const char *command, const char *text);
void host_peer_hides(struct host_peer *peer, const char *command, const char *text);

/* Lets it end; returns its wait status. */
int host_peer_end(struct host_peer *peer);

/* For a case that is tried in a tier and as each user: a box and a host in it. */
struct host_inside {
    struct host_box box;
    struct host_peer peer;
};
void host_inside_start(struct host_inside *inside, uid_t uid, const char *tier, const char *more);
void host_inside_end(struct host_inside *inside);

/* The users to try as: the one who runs the tests and, when that is root, an ordinary one as well.
 * Returns how many. */
size_t host_users(uid_t out[2]);

#endif
