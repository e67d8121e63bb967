/* A question to tackle-host that is answered with one JSON object on its standard output: what is
 * in a plugin, which sandbox can be had. It is waited for, and killed when it takes too long. */
#ifndef IO_ASK_HOST_H
#define IO_ASK_HOST_H

#include <jansson.h>

#include "base/err.h"

#define ASK_HOST_MS  10000
#define ASK_HOST_MAX (2u << 20) /* bytes of an answer */
#define ASK_HOST_HOW 64

/* Runs `program verb argument`. *answer is the object (a new reference), or NULL when it printed
 * none; `how` says how it ended: "was killed by SIGSEGV". 0, or -1 when it cannot be started, takes
 * longer than ASK_HOST_MS or says too much (ERR_LIMIT). */
int ask_host(const char *program, const char *verb, const char *argument, json_t **answer,
             char how[ASK_HOST_HOW], struct err *err);

#endif
