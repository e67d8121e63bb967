/* PATH-10, PATH-11: another process exchanges a folder with a link to the outside, without a pause,
 * while the resolver reads and writes below that name: nothing outside is read, nothing outside is
 * changed. An argument is the number of reads, 100,000 else; a tenth of it is written. */
#include "test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/beneath.h"

static long reads = 100000;

/* A workspace with a folder d and a link l to the folder outside; both hold a file f. */
struct arena {
    char *top;
    int root;
    pid_t swapper;
};

static char *below(const struct arena *arena, const char *path)
{
    return test_join(arena->top, path);
}

static void put(const struct arena *arena, const char *path, const char *text)
{
    char *full = below(arena, path);
    test_write_file(full, text, strlen(text));
    free(full);
}

static _Noreturn void swap_for_ever(int root)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (renameat2(root, "d", root, "l", RENAME_EXCHANGE) == 0)
        continue;
    _exit(1);
}

static void arena_open(struct arena *arena)
{
    char real[BENEATH_PATH_MAX];
    struct err err;
    arena->top = test_temp_dir();
    for (const char *const *dir = (const char *const[]){"w", "w/d", "o", NULL}; *dir; dir++) {
        char *path = below(arena, *dir);
        assert_int_equal(mkdir(path, 0755), 0);
        free(path);
    }
    put(arena, "w/d/f", "inside");
    put(arena, "o/f", "OUTSIDE");
    char *link = below(arena, "w/l"), *workspace = below(arena, "w");
    assert_int_equal(symlink("../o", link), 0);
    arena->root = beneath_open_root(workspace, real, &err);
    assert_true(arena->root >= 0);
    free(link);
    free(workspace);
    arena->swapper = fork();
    assert_true(arena->swapper >= 0);
    if (arena->swapper == 0)
        swap_for_ever(arena->root);
}

static void arena_close(struct arena *arena)
{
    int status;
    assert_int_equal(kill(arena->swapper, SIGKILL), 0);
    assert_int_equal(waitpid(arena->swapper, &status, 0), arena->swapper);
    assert_true(WIFSIGNALED(status)); /* it was at it all the time */
    (void)close(arena->root);
    test_remove_tree(arena->top);
    free(arena->top);
}

static void assert_outside_untouched(const struct arena *arena)
{
    char text[64], *path = below(arena, "o/f"), *more = below(arena, "o/new");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t len = read(fd, text, sizeof text);
    assert_int_equal(len, 7);
    assert_memory_equal(text, "OUTSIDE", 7);
    (void)close(fd);
    assert_int_equal(access(more, F_OK), -1);
    free(path);
    free(more);
}

static void nothing_outside_is_read(void **state)
{
    struct arena arena;
    long got = 0, refused = 0;
    (void)state;
    test_needs_openat2();
    arena_open(&arena);
    for (long i = 0; i < reads; i++) {
        char text[16] = "";
        struct err err;
        int fd = beneath_open_file(arena.root, "d/f", 0, NULL, &err);
        if (fd < 0) {
            refused++;
            continue;
        }
        if (read(fd, text, sizeof text - 1) < 0 || strcmp(text, "inside") != 0)
            fail_msg("after %ld reads: \"%s\"", i, text);
        (void)close(fd);
        got++;
    }
    arena_close(&arena);
    print_message("%ld read, %ld refused\n", got, refused);
    assert_true(got > 0);
    assert_true(refused > 0); /* else there was no race */
}

static void nothing_outside_is_written(void **state)
{
    struct arena arena;
    long done = 0, refused = 0;
    (void)state;
    test_needs_openat2();
    arena_open(&arena);
    for (long i = 0; i < reads / 10; i++) {
        struct err err;
        bool make = i % 8 == 0;
        int status =
            make ? beneath_replace(arena.root, "d/new/g", "x", 1, BENEATH_PARENTS, NULL, &err)
                 : beneath_replace(arena.root, "d/f", "inside", 6, 0, NULL, &err);
        done += status == 0;
        refused += status != 0;
    }
    assert_outside_untouched(&arena);
    arena_close(&arena);
    print_message("%ld written, %ld refused\n", done, refused);
    assert_true(refused > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_outside_is_read),
        cmocka_unit_test(nothing_outside_is_written),
    };
    if (argc > 1)
        reads = strtol(argv[1], NULL, 10);
    return cmocka_run_group_tests_name("attack/paths/race", tests, NULL, NULL);
}
