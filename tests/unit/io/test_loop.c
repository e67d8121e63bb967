#include "test_support.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "io/loop.h"

struct world {
    struct loop *loop;
    struct loop_watch a, b;
    struct loop_timer timers[200];
    struct loop_task task, other;
    int order[200], count, calls;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    struct err err;
    w->loop = loop_new(&err);
    assert_non_null(w->loop);
    w->a.fd = w->b.fd = -1;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    loop_free(w->loop);
    free(w);
    return 0;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void unwatch_both(void *user, uint32_t events)
{
    struct world *w = user;
    assert_true(events & EPOLLIN);
    w->calls++;
    loop_unwatch(w->loop, &w->a);
    loop_unwatch(w->loop, &w->b);
}

static void a_watch_taken_out_in_the_same_turn_is_not_called(void **state)
{
    struct world *w = *state;
    struct err err;
    int one[2], two[2];
    assert_int_equal(pipe(one), 0);
    assert_int_equal(pipe(two), 0);
    w->a = (struct loop_watch){.fd = -1, .ready = unwatch_both, .user = w};
    w->b = w->a;
    assert_int_equal(loop_watch(w->loop, &w->a, one[0], EPOLLIN, &err), 0);
    assert_int_equal(loop_watch(w->loop, &w->b, two[0], EPOLLIN, &err), 0);
    assert_false(is_readable(loop_fd(w->loop)));
    assert_int_equal(write(one[1], "x", 1), 1);
    assert_int_equal(write(two[1], "x", 1), 1);
    assert_true(is_readable(loop_fd(w->loop)));
    assert_int_equal(loop_turn(w->loop, 0, &err), 0);
    assert_int_equal(w->calls, 1);
    for (int i = 0; i < 2; i++) {
        (void)close(one[i]);
        (void)close(two[i]);
    }
}

struct mark {
    struct world *w;
    int number;
};

static void note(void *user)
{
    struct mark *m = user;
    m->w->order[m->w->count++] = m->number;
}

static void timers_fire_in_order_and_only_when_due(void **state)
{
    struct world *w = *state;
    struct mark marks[200];
    struct err err;
    int64_t now = clock_ms();
    for (int i = 0; i < 200; i++) {
        marks[i] = (struct mark){w, i};
        w->timers[i] = (struct loop_timer){.due = note, .user = &marks[i]};
        assert_int_equal(loop_set_timer(w->loop, &w->timers[i], now - (i * 37) % 200), 0);
    }
    for (int i = 0; i < 200; i += 2)
        loop_clear_timer(w->loop, &w->timers[i]);
    assert_int_equal(loop_set_timer(w->loop, &w->timers[1], now + 3600000), 0);
    assert_int_equal(loop_turn(w->loop, 0, &err), 0);
    assert_int_equal(w->count, 99);
    for (int i = 1; i < w->count; i++)
        assert_true((w->order[i] * 37) % 200 < (w->order[i - 1] * 37) % 200);
    assert_true(w->timers[1].place != 0);
    loop_clear_timer(w->loop, &w->timers[1]);
}

static void a_timer_shows_on_the_descriptor(void **state)
{
    struct world *w = *state;
    struct mark mark = {w, 7};
    struct err err;
    w->timers[0] = (struct loop_timer){.due = note, .user = &mark};
    assert_int_equal(loop_set_timer(w->loop, &w->timers[0], clock_ms() + 20), 0);
    assert_int_equal(loop_turn(w->loop, 0, &err), 0);
    struct pollfd p = {.fd = loop_fd(w->loop), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    while (w->count == 0)
        assert_int_equal(loop_turn(w->loop, -1, &err), 0);
    assert_int_equal(w->order[0], 7);
}

static void post_again(void *user)
{
    struct world *w = user;
    w->calls++;
    loop_unpost(&w->other);
    loop_post(w->loop, &w->task);
    loop_post(w->loop, &w->task);
}

static void tasks_run_once_a_turn_and_can_be_taken_back(void **state)
{
    struct world *w = *state;
    struct err err;
    w->task = (struct loop_task){.run = post_again, .user = w};
    w->other = w->task;
    loop_post(w->loop, &w->task);
    loop_post(w->loop, &w->other);
    for (int turn = 1; turn <= 3; turn++) {
        assert_int_equal(loop_turn(w->loop, -1, &err), 0);
        assert_int_equal(w->calls, turn);
        assert_true(is_readable(loop_fd(w->loop)));
    }
    loop_unpost(&w->task);
    loop_unpost(&w->task);
}

static void wake_ends_a_wait(void **state)
{
    struct world *w = *state;
    struct err err;
    loop_wake(w->loop);
    loop_wake(w->loop);
    assert_int_equal(loop_turn(w->loop, -1, &err), 0);
    assert_false(is_readable(loop_fd(w->loop)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_watch_taken_out_in_the_same_turn_is_not_called, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(timers_fire_in_order_and_only_when_due, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_shows_on_the_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tasks_run_once_a_turn_and_can_be_taken_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(wake_ends_a_wait, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
