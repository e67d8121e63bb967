/* A process that protects itself: nobody looks into it, and it leaves no core file. */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tackle/tackle.h>

#include "test_support.h"

static int protect(void)
{
    struct rlimit limit = {1, 1};
    if (prctl(PR_GET_DUMPABLE) != 1)
        return 1;
    if (tackle_protect_process(NULL) != 0)
        return 2;
    if (prctl(PR_GET_DUMPABLE) != 0)
        return 3;
    if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
        return 4;
    return 0;
}

static void test_protects(void **state)
{
    (void)state;
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(protect());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1); /* not the program that embeds it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_protects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
