/* The file of -o: whole or not at all, and found unwritable early. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outfile.h"
#include "tree.h"

struct place {
    char *dir, *file;
};

static void place_init(struct place *p)
{
    p->dir = test_temp_dir();
    p->file = test_join(p->dir, "answer.txt");
}

static void place_release(struct place *p)
{
    test_remove_tree(p->dir);
    free(p->dir);
    free(p->file);
}

static void assert_file(const char *path, const char *wanted)
{
    char *text = test_read_file(path, NULL);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    free(text);
}

static void a_file_is_written_with_a_newline(void **state)
{
    struct place p;
    tackle_error error;
    (void)state;
    place_init(&p);
    assert_int_equal(outfile_check(p.file, NULL), 0);
    assert_true(tree_is_empty(p.dir)); /* the check leaves nothing */
    assert_int_equal(outfile_write(p.file, "yes", &error), 0);
    assert_file(p.file, "yes\n");
    assert_int_equal(outfile_write(p.file, "no\n", &error), 0);
    assert_file(p.file, "no\n");
    place_release(&p);
}

static void mode_and_link_stay(void **state)
{
    struct place p;
    struct stat st;
    (void)state;
    place_init(&p);
    char *link = test_join(p.dir, "link");
    test_write_file(p.file, "old", 3);
    assert_int_equal(chmod(p.file, 0640), 0);
    assert_int_equal(symlink("answer.txt", link), 0);
    assert_int_equal(outfile_check(link, NULL), 0);
    assert_int_equal(outfile_write(link, "new", NULL), 0);
    assert_file(p.file, "new\n");
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(stat(p.file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    free(link);
    place_release(&p);
}

static void what_cannot_be_written_is_refused(void **state)
{
    struct place p;
    tackle_error error = TACKLE_ERROR_INIT;
    (void)state;
    place_init(&p);
    char *missing = test_join(p.dir, "no/such/file");
    assert_int_equal(outfile_check(missing, &error), -1);
    assert_int_equal(error.exit_code, TACKLE_EXIT_USAGE);
    assert_non_null(strstr(error.message, "No such file or directory"));
    assert_int_equal(outfile_check(p.dir, &error), -1);
    assert_non_null(strstr(error.message, "Is a directory"));
    assert_int_equal(outfile_check("", &error), -1);
    free(missing);
    place_release(&p);
}

static void devices_are_written_to(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(outfile_check("/dev/null", NULL), 0);
    assert_int_equal(outfile_write("/dev/null", "x", NULL), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    tackle_error error = TACKLE_ERROR_INIT;
    assert_int_equal(outfile_write("/dev/full", "x", &error), -1);
    assert_non_null(strstr(error.message, "No space left on device"));
}

static void trees_are_copied(void **state)
{
    struct place p;
    struct stat st;
    (void)state;
    place_init(&p);
    char *from = test_join(p.dir, "from"), *to = test_join(p.dir, "to");
    char *script = test_join(from, "a/b/run.sh"), *copy = test_join(to, "a/b/run.sh");
    test_write_file(script, "#!/bin/sh\n", 10);
    assert_int_equal(chmod(script, 0755), 0);
    assert_int_equal(mkdir(to, 0777), 0);
    assert_true(tree_is_empty(to));
    assert_int_equal(tree_copy(from, to), 0);
    assert_file(copy, "#!/bin/sh\n");
    assert_int_equal(stat(copy, &st), 0);
    assert_true(st.st_mode & 0100);
    assert_false(tree_is_empty(to));
    assert_int_equal(tree_copy(from, to), -1); /* nothing is overwritten */
    assert_int_equal(tree_remove(to), 0);
    assert_int_equal(stat(to, &st), -1);
    assert_int_equal(tree_copy(to, from), -1);
    free(copy);
    free(script);
    free(to);
    free(from);
    place_release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_written_with_a_newline),
        cmocka_unit_test(mode_and_link_stay),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(devices_are_written_to),
        cmocka_unit_test(trees_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
