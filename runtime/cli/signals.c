#include "signals.h"

#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM};
#define HANDLED_COUNT (sizeof handled / sizeof *handled)

/* A handler gets no argument of ours, so what it works on has to live here. */
static volatile sig_atomic_t caught, hurried;
static _Atomic(tackle_runtime *) runtime;

#define HURRY_S 1

static void on_signal(int number)
{
    if (number == SIGALRM || (number == SIGINT && hurried))
        _exit(TACKLE_EXIT_SIGNALLED + SIGINT);
    if (number == SIGINT && caught) {
        /* A moment to tidy up; what is stuck then, in a write to a full pipe say, is left. */
        hurried = 1;
        (void)alarm(HURRY_S);
    }
    if (!caught)
        caught = number == SIGQUIT ? SIGTERM : number;
    tackle_runtime *rt = atomic_load(&runtime);
    if (rt)
        tackle_wakeup(rt);
}

void signals_install(struct signals *s)
{
    /* No SA_RESTART: waiting for a line of input ends too. */
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    caught = hurried = 0;
    for (size_t i = 0; i < HANDLED_COUNT; i++) {
        (void)sigaction(handled[i], &action, &s->before[i]); /* fails for bad numbers only */
        /* Under nohup a hang-up is to be ignored. */
        if (handled[i] == SIGHUP && s->before[i].sa_handler == SIG_IGN)
            (void)sigaction(SIGHUP, &s->before[i], NULL);
    }
}

void signals_wake(tackle_runtime *rt)
{
    atomic_store(&runtime, rt);
}

void signals_restore(struct signals *s)
{
    (void)alarm(0);
    atomic_store(&runtime, NULL);
    for (size_t i = 0; i < HANDLED_COUNT; i++)
        (void)sigaction(handled[i], &s->before[i], NULL);
}

int signals_caught(void)
{
    return (int)caught;
}

void signals_forget(void)
{
    (void)alarm(0);
    caught = hurried = 0;
}
