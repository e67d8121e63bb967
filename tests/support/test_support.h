/* What every test needs: cmocka with the headers it wants, temporary directories, whole files. */
#ifndef TESTS_TEST_SUPPORT_H
#define TESTS_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* A fresh directory; malloc'd path. test_remove_tree() deletes it with all that is in it. */
char *test_temp_dir(void);
void test_remove_tree(const char *path);

/* Writes a file, making its directories; fails the test on error. */
void test_write_file(const char *path, const void *data, size_t len);

/* Reads a whole file; malloc'd and zero-terminated; NULL when it cannot be read. */
char *test_read_file(const char *path, size_t *len);

/* "a/b" as a malloc'd text. */
char *test_join(const char *a, const char *b);

/* Ends the running case as skipped. The reason is shown to whoever runs the tests. */
_Noreturn void test_skip(const char *why);

bool test_under_valgrind(void);

/* For main(): true under valgrind, which does not know pidfd_open(), so that the runtime starts no
 * process there. The one case that says so has been shown then. */
bool test_without_processes(void);

/* Skips the case under valgrind, which does not know openat2(): links are not followed without. */
void test_needs_openat2(void);

#endif
