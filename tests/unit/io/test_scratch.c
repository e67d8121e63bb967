#include "test_support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/scratch.h"

static int mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static void folders_are_private_and_made_once(void **state)
{
    (void)state;
    struct err err;
    char *parent = test_temp_dir();
    struct scratch s = {.parent = parent};
    char *home = scratch_dir(&s, "home", &err), *again = scratch_dir(&s, "home", &err);
    assert_non_null(home);
    assert_string_equal(home, again);
    assert_memory_equal(home, parent, strlen(parent));
    assert_int_equal(mode_of(s.root), 0700);
    assert_int_equal(mode_of(home), 0700);
    scratch_remove(&s);
    assert_null(s.root);
    assert_int_equal(mode_of(home), -1);
    assert_int_equal(rmdir(parent), 0); /* nothing is left in it */
    free(home);
    free(again);
    free(parent);
}

static void everything_goes_and_nothing_outside(void **state)
{
    (void)state;
    struct err err;
    char *parent = test_temp_dir();
    char *outside = test_join(parent, "outside");
    char *kept = test_join(outside, "kept.txt");
    test_write_file(kept, "x", 1);
    struct scratch s = {.parent = parent};
    char *tmp = scratch_dir(&s, "tmp", &err);
    assert_non_null(tmp);
    char *locked = test_join(tmp, "locked"), *deep = test_join(tmp, "locked/deep.txt");
    char *link = test_join(tmp, "link");
    test_write_file(deep, "x", 1);
    assert_int_equal(chmod(locked, 0500), 0);
    assert_int_equal(symlink(outside, link), 0);
    scratch_remove(&s);
    assert_int_equal(access(tmp, F_OK), -1);
    assert_int_equal(access(kept, F_OK), 0);
    test_remove_tree(parent);
    free(tmp);
    free(locked);
    free(deep);
    free(link);
    free(kept);
    free(outside);
    free(parent);
}

static void a_place_that_cannot_be_written_is_an_error(void **state)
{
    (void)state;
    struct err err;
    struct scratch s = {.parent = "/proc/self"};
    assert_null(scratch_dir(&s, "home", &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "/proc/self"));
    scratch_remove(&s);
}

static void a_relative_parent_is_not_used(void **state)
{
    (void)state;
    struct err err;
    struct scratch s = {.parent = "tmp"};
    char *home = scratch_dir(&s, "home", &err);
    assert_non_null(home);
    assert_memory_equal(home, "/tmp/", 5);
    scratch_remove(&s);
    free(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_private_and_made_once),
        cmocka_unit_test(everything_goes_and_nothing_outside),
        cmocka_unit_test(a_place_that_cannot_be_written_is_an_error),
        cmocka_unit_test(a_relative_parent_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
