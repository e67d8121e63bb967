#include "io/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

#define READY_MAX 64

struct loop {
    int epoll_fd;
    int timer_fd; /* makes the earliest timer visible on epoll_fd */
    int wake_fd;
    bool shown; /* somebody else waits on epoll_fd: timers and tasks have to be visible there */
    int64_t timer_fd_at_ms;   /* what timer_fd is set to; 0: not set */
    struct loop_timer **heap; /* heap[1] is the earliest; heap[0] is not used */
    size_t timers, heap_size;
    struct loop_task tasks;              /* head of a ring */
    struct epoll_event ready[READY_MAX]; /* of the turn that runs; data.ptr NULL: taken out */
    int ready_count;
};

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

/* The loop's own descriptors have a pointer to themselves, not to a watch. */
static int add_own(struct loop *loop, int *fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = fd};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, *fd, &event);
}

struct loop *loop_new(struct err *err)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) {
        err_set(err, ERR_NOMEM, "out of memory");
        return NULL;
    }
    loop->tasks.next = loop->tasks.prev = &loop->tasks;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 || loop->wake_fd < 0 ||
        add_own(loop, &loop->timer_fd) != 0 || add_own(loop, &loop->wake_fd) != 0) {
        err_set(err, ERR_IO, "cannot make an event loop: %s", strerror(errno));
        loop_free(loop);
        return NULL;
    }
    return loop;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    close_fd(loop->epoll_fd);
    close_fd(loop->timer_fd);
    close_fd(loop->wake_fd);
    free(loop->heap);
    free(loop);
}

int loop_watch(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
               struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return err_set(err, ERR_IO, "cannot watch descriptor %d: %s", fd, strerror(errno));
    watch->fd = fd;
    return 0;
}

int loop_rewatch(struct loop *loop, struct loop_watch *watch, uint32_t events, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) != 0)
        return err_set(err, ERR_IO, "cannot watch descriptor %d: %s", watch->fd, strerror(errno));
    return 0;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
    if (watch->fd < 0)
        return;
    /* Fails only when the owner closed the descriptor first, which also takes it out. */
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->fd = -1;
    for (int i = 0; i < loop->ready_count; i++)
        if (loop->ready[i].data.ptr == watch)
            loop->ready[i].data.ptr = NULL;
}

static void put(struct loop *loop, size_t place, struct loop_timer *timer)
{
    loop->heap[place] = timer;
    timer->place = place;
}

static void sift(struct loop *loop, size_t place, struct loop_timer *timer)
{
    while (place > 1 && loop->heap[place / 2]->at_ms > timer->at_ms) {
        put(loop, place, loop->heap[place / 2]);
        place /= 2;
    }
    for (size_t child; (child = place * 2) <= loop->timers; place = child) {
        if (child < loop->timers && loop->heap[child + 1]->at_ms < loop->heap[child]->at_ms)
            child++;
        if (loop->heap[child]->at_ms >= timer->at_ms)
            break;
        put(loop, place, loop->heap[child]);
    }
    put(loop, place, timer);
}

int loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t at_ms)
{
    if (!timer->place) {
        if (loop->timers + 2 > loop->heap_size) {
            size_t size = loop->heap_size ? loop->heap_size * 2 : 16;
            struct loop_timer **heap = realloc(loop->heap, size * sizeof(struct loop_timer *));
            if (!heap)
                return -1;
            loop->heap = heap;
            loop->heap_size = size;
        }
        timer->place = ++loop->timers;
    }
    timer->at_ms = at_ms;
    sift(loop, timer->place, timer);
    return 0;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
    size_t place = timer->place;
    if (!place)
        return;
    struct loop_timer *last = loop->heap[loop->timers--];
    timer->place = 0;
    if (last != timer)
        sift(loop, place, last);
}

static void link_before(struct loop_task *place, struct loop_task *task)
{
    task->next = place;
    task->prev = place->prev;
    place->prev->next = task;
    place->prev = task;
}

static bool has_tasks(const struct loop *loop)
{
    return loop->tasks.next != &loop->tasks;
}

void loop_post(struct loop *loop, struct loop_task *task)
{
    if (task->next)
        return;
    if (loop->shown && !has_tasks(loop))
        loop_wake(loop);
    link_before(&loop->tasks, task);
}

void loop_unpost(struct loop_task *task)
{
    if (!task->next)
        return;
    task->prev->next = task->next;
    task->next->prev = task->prev;
    task->next = task->prev = NULL;
}

/* Runs what waits now; a task that posts itself again runs in the next turn. */
static void run_tasks(struct loop *loop)
{
    struct loop_task now = {.next = &now, .prev = &now};
    while (has_tasks(loop)) {
        struct loop_task *task = loop->tasks.next;
        loop_unpost(task);
        link_before(&now, task);
    }
    while (now.next != &now) {
        struct loop_task *task = now.next;
        loop_unpost(task);
        task->run(task->user);
    }
}

static void run_timers(struct loop *loop)
{
    int64_t now = clock_ms();
    while (loop->timers && loop->heap[1]->at_ms <= now) {
        struct loop_timer *timer = loop->heap[1];
        loop_clear_timer(loop, timer);
        timer->due(timer->user);
    }
}

/* Sets timer_fd to the earliest timer, so that the caller's own loop wakes for it. */
static void arm(struct loop *loop)
{
    if (!loop->shown)
        return;
    int64_t at = loop->timers ? loop->heap[1]->at_ms : 0;
    if (at == loop->timer_fd_at_ms)
        return;
    struct itimerspec when = {.it_value = {.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000}};
    if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        loop->timer_fd_at_ms = at;
}

static void drain(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    (void)got; /* EAGAIN when there was nothing: just as well */
}

static void dispatch(struct loop *loop)
{
    for (int i = 0; i < loop->ready_count; i++) {
        void *ptr = loop->ready[i].data.ptr;
        if (ptr == &loop->wake_fd) {
            drain(loop->wake_fd);
        } else if (ptr == &loop->timer_fd) {
            drain(loop->timer_fd);
            loop->timer_fd_at_ms = 0;
        } else if (ptr) {
            struct loop_watch *watch = ptr;
            watch->ready(watch->user, loop->ready[i].events);
        }
    }
    loop->ready_count = 0;
}

/* How long a turn may wait: no longer than asked, nor beyond the earliest timer. */
static int time_to_wait(const struct loop *loop, int timeout_ms)
{
    if (has_tasks(loop))
        return 0;
    if (!loop->timers)
        return timeout_ms;
    int64_t left = loop->heap[1]->at_ms - clock_ms();
    if (left <= 0)
        return 0;
    return timeout_ms >= 0 && timeout_ms < left ? timeout_ms : left < INT_MAX ? (int)left : INT_MAX;
}

int loop_turn(struct loop *loop, int timeout_ms, struct err *err)
{
    int wait_ms = time_to_wait(loop, timeout_ms);
    int count = epoll_wait(loop->epoll_fd, loop->ready, READY_MAX, wait_ms);
    if (count < 0 && errno != EINTR)
        return err_set(err, ERR_IO, "cannot wait for events: %s", strerror(errno));
    loop->ready_count = count > 0 ? count : 0;
    dispatch(loop);
    run_timers(loop);
    run_tasks(loop);
    arm(loop);
    return 0;
}

int loop_fd(struct loop *loop)
{
    if (!loop->shown) {
        loop->shown = true;
        arm(loop);
        if (has_tasks(loop))
            loop_wake(loop);
    }
    return loop->epoll_fd;
}

void loop_wake(struct loop *loop)
{
    uint64_t one = 1;
    int saved = errno;
    ssize_t put_in = write(loop->wake_fd, &one, sizeof one);
    (void)put_in; /* EAGAIN: it is awake already */
    errno = saved;
}
