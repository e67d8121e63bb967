#include "test_support.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *test_join(const char *a, const char *b)
{
    size_t size = strlen(a) + strlen(b) + 2;
    char *path = malloc(size);
    assert_non_null(path);
    (void)snprintf(path, size, "%s/%s", a, b);
    return path;
}

char *test_temp_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = test_join(base && *base ? base : "/tmp", "tackle-test-XXXXXX");
    assert_non_null(mkdtemp(path));
    return path;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void test_remove_tree(const char *path)
{
    (void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_parents(const char *path)
{
    char *copy = strdup(path);
    assert_non_null(copy);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    free(copy);
}

void test_write_file(const char *path, const void *data, size_t len)
{
    make_parents(path);
    FILE *file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

char *test_read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return NULL;
    char *data = NULL;
    size_t used = 0, size = 0, got;
    do {
        if (size - used < 4096) {
            size = size ? size * 2 : 8192;
            data = realloc(data, size);
            assert_non_null(data);
        }
        got = fread(data + used, 1, size - used - 1, file);
        used += got;
    } while (got > 0);
    (void)fclose(file);
    data[used] = '\0';
    if (len)
        *len = used;
    return data;
}

void test_skip(const char *why)
{
    print_message("%s\n", why); /* the line before cmocka's own: tests/results.awk reads it */
    skip();
    abort(); /* skip() does not return, but is not declared so */
}

bool test_under_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");
    return preload && strstr(preload, "vgpreload");
}

static void skipped(void **state)
{
    (void)state;
    test_skip("valgrind does not know pidfd_open()");
}

bool test_without_processes(void)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(skipped)};
    return test_under_valgrind() && cmocka_run_group_tests(all, NULL, NULL) == 0;
}

void test_needs_openat2(void)
{
    if (test_under_valgrind())
        test_skip("valgrind does not know openat2()");
}
