/* PATH-37: a process is killed at a hundred random instants while it replaces a large file: the
 * file is the old one or the new one, never a mix, and whatever name was left goes with the next
 * write. */
#include "test_support.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/beneath.h"

#define SIZE  (4u << 20)
#define KILLS 100

static _Noreturn void write_for_ever(int root)
{
    char *data = malloc(SIZE);
    struct err err;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; data; i++) {
        memset(data, 'a' + i % 26, SIZE);
        if (beneath_replace(root, "f", data, SIZE, 0, NULL, &err))
            break;
    }
    _exit(1);
}

/* One content from its first byte to its last. */
static void assert_whole(int root)
{
    char *data;
    size_t len;
    struct err err;
    assert_int_equal(beneath_read(root, "f", SIZE, &data, &len, &err), 0);
    assert_int_equal(len, SIZE);
    for (size_t i = 1; i < len; i++)
        if (data[i] != data[0])
            fail_msg("byte %zu is %c, the first is %c", i, data[i], data[0]);
    free(data);
}

static int count_entries(const char *dir)
{
    int count = 0;
    DIR *entries = opendir(dir);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    (void)closedir(entries);
    return count;
}

static void old_or_new(void **state)
{
    char real[BENEATH_PATH_MAX], *top = test_temp_dir();
    struct err err;
    (void)state;
    test_needs_openat2();
    int root = beneath_open_root(top, real, &err);
    assert_true(root >= 0);
    char *first = calloc(1, SIZE);
    assert_non_null(first);
    assert_int_equal(beneath_replace(root, "f", first, SIZE, 0, NULL, &err), 0);
    free(first);
    unsigned random = 1;
    for (int i = 0; i < KILLS; i++) {
        int status;
        random = random * 1103515245u + 12345u;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            write_for_ever(root);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000 + (long)(random >> 8) % 20000000},
                        NULL);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_whole(root);
    }
    assert_int_equal(beneath_replace(root, "g", "x", 1, 0, NULL, &err), 0);
    assert_int_equal(count_entries(top), 2);
    (void)close(root);
    test_remove_tree(top);
    free(top);
}

/* What a killed writer leaves is told from what a living one holds, and from files of the person.
 */
static void leftovers_go(void **state)
{
    char real[BENEATH_PATH_MAX], *top = test_temp_dir();
    static const char *const names[] = {".tackle-0123456789abcdef", ".tackle-mine", "f"};
    struct err err;
    (void)state;
    test_needs_openat2();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = test_join(top, names[i]);
        test_write_file(path, "x", 1);
        free(path);
    }
    int root = beneath_open_root(top, real, &err);
    assert_true(root >= 0);
    assert_int_equal(beneath_replace(root, "f", "y", 1, 0, NULL, &err), 0);
    assert_int_equal(count_entries(top), 2);
    (void)close(root);
    test_remove_tree(top);
    free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_or_new),
        cmocka_unit_test(leftovers_go),
    };
    return cmocka_run_group_tests_name("attack/paths/killed", tests, NULL, NULL);
}
