/* Signals of a run: the first asks for a clean end, a second SIGINT ends what is left of it
 * within a second, a third at once. The handler only notes the signal and wakes the loop. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <signal.h>

#include <tackle/tackle.h>

struct signals {
    struct sigaction before[5];
};

/* Takes over SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGALRM. One at a time: signal handlers belong to
 * the process. */
void signals_install(struct signals *s);

/* From now on they wake `rt`, too; NULL: nothing. Call it with NULL before `rt` is freed. */
void signals_wake(tackle_runtime *rt);

/* Gives them back. */
void signals_restore(struct signals *s);

/* The signal that came, 0 for none. SIGQUIT counts as SIGTERM: no core, which would hold keys. */
int signals_caught(void);

/* Forgets it, so that the next SIGINT is a first one again. */
void signals_forget(void);

#endif
