/* Asking the person at the terminal: what a tool call would do is shown, and one line is read. The
 * run goes on meanwhile; what it writes is kept back until the question is answered. */
#ifndef CLI_APPROVE_H
#define CLI_APPROVE_H

#include <jansson.h>
#include <stdbool.h>

#include <tackle/tackle.h>

#include "cli.h"
#include "preview.h"

struct approve {
    struct cli *cli;
    bool possible;   /* there is somebody */
    json_t *waiting; /* events approval.requested that have no answer, the first of them is asked */
    char *workspace; /* owned; "" before it is known */
    bool open;       /* the question stands on the screen */
    struct preview preview; /* of it */
    char line[4097];        /* what was read of an answer */
    size_t len;
};

/* Somebody is there when standard input and standard error are terminals, this is not a job in the
 * background, and no CI system says that it runs us. */
void approve_init(struct approve *a, struct cli *cli);
void approve_release(struct approve *a);

/* TACKLE_RUN_ flags for the run. */
uint32_t approve_flags(const struct approve *a);

/* Keeps in mind what is asked for and what is decided. */
void approve_event(struct approve *a, const tackle_event *event);

/* Is there something to ask? */
bool approve_has_question(const struct approve *a);

/* Asks it, if that has not been done; then waits until a line was typed or the runtime has work,
 * and gives the answer to the run. */
void approve_turn(struct approve *a, tackle_runtime *rt, tackle_run *run);

/* Nobody is asked any more: the run ends. */
void approve_close(struct approve *a);

#endif
