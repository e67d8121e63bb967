#include "test_support.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

static void moments_as_text(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {951782399999, "2000-02-28T23:59:59.999Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {1795428672345, "2026-11-23T10:11:12.345Z"},
        {4102444800000, "2100-01-01T00:00:00.000Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[CLOCK_RFC3339_SIZE];
        clock_rfc3339(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void it_does_not_run_backwards(void **state)
{
    (void)state;
    int64_t before = clock_ms();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_ms();
        assert_true(now >= before);
        before = now;
    }
}

static void wall_time_is_that_of_the_system(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = clock_wall_ms();
    assert_true(now >= before - 1000); /* time() may use a coarser clock */
    assert_true(now < before + 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_as_text),
        cmocka_unit_test(it_does_not_run_backwards),
        cmocka_unit_test(wall_time_is_that_of_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
