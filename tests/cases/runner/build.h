/* Where the programs under test and their parts are, and what is needed to run them as an ordinary
 * user: who that is, and copies of all of it when the user may not look into the build folder. */
#ifndef CASES_BUILD_H
#define CASES_BUILD_H

#include <sys/types.h>

#include "base/err.h"
#include "endpoint/words.h"

/* No passwd entry, no processes, no files: an ordinary user as containers have them. */
#define BUILD_USER 54321

struct build {
    char *bin; /* folders */
    char *plugins;
    char *test_plugins;
    char *tools;
    char *agents;
    char *data;
    char *host;   /* the program tackle-host */
    char *copies; /* the folder of the copies; NULL: there are none */
    uid_t user;   /* 0: whoever runs this program */
};

/* `bin`: where `tackle` is, NULL for the build folder. */
void build_init(struct build *build, const char *bin);

/* From now on programs are run as BUILD_USER. Needs root. 0 or -1. */
int build_use_user(struct build *build, struct err *err);

/* Removes the copies too. */
void build_release(struct build *build);

/* In a child: becomes the user, when there is one, for good. 0 or -1. */
int build_become_user(const struct build *build);

#endif
