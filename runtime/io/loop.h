/* The event loop: descriptors, timers and work for the next turn, on one epoll descriptor that a
 * caller's own loop can wait on. Watches, timers and tasks are memory of their owner, who must
 * take them out before freeing it; that is allowed from inside any callback. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct loop;

struct loop_watch {
    int fd;                                     /* -1: not in the loop */
    void (*ready)(void *user, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR */
    void *user;
};

struct loop_timer {
    int64_t at_ms; /* clock_ms() */
    size_t place;  /* in the heap, from 1; 0: not set */
    void (*due)(void *user);
    void *user;
};

struct loop_task {
    struct loop_task *next, *prev; /* both NULL when the task does not wait */
    void (*run)(void *user);
    void *user;
};

struct loop *loop_new(struct err *err);
void loop_free(struct loop *loop);

/* Watches fd for `events`. The watch's fd must be -1 before. 0 or -1. */
int loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
               struct err *err);
int loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events, struct err *err);
/* Stops watching; does not close. Fine when it is not watched. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* (Re)sets a timer. 0, or -1 when out of memory. */
int loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_ms);
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Runs a task in the next turn; once, however often it is asked for before that. */
void loop_post(struct loop *loop, struct loop_task *task);
void loop_unpost(struct loop_task *task);

/* One turn: waits at most timeout_ms (-1: without limit) unless something is due, then calls what
 * is ready. 0 or -1. */
int loop_turn(struct loop *loop, int timeout_ms, struct err *err);

/* Readable when loop_turn(0) has something to do. Showing that costs system calls; a loop that is
 * only ever waited for in loop_turn() does without, so this is where it begins. */
int loop_fd(struct loop *loop);

/* Ends a wait. From any thread and from signal handlers. */
void loop_wake(struct loop *loop);

#endif
