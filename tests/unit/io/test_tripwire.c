/* What commands change of the files that others execute is found without anybody reporting it. */
#include "test_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/tripwire.h"

struct world {
    char *dir;
    int fd;
    struct tripwire *wire;
    struct buf told;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->dir = test_temp_dir();
    w->fd = open(w->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(w->fd >= 0);
    buf_init(&w->told, 1u << 20);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    tripwire_free(w->wire);
    buf_release(&w->told);
    (void)close(w->fd);
    test_remove_tree(w->dir);
    free(w->dir);
    free(w);
    return 0;
}

static void put(const struct world *w, const char *name, const char *text)
{
    char *path = test_join(w->dir, name);
    test_write_file(path, text, strlen(text));
    free(path);
}

static void set(struct world *w)
{
    w->wire = tripwire_set(w->fd);
    assert_non_null(w->wire);
}

static void tell(void *user, const char *path, const char *what)
{
    struct world *w = user;
    assert_int_equal(buf_format(&w->told, "%s %s\n", what, path), 0);
}

static void differences_are_told(void **state)
{
    struct world *w = *state;
    put(w, "Makefile", "all:\n");
    put(w, "README.md", "x");
    put(w, "sub/.git/config", "[core]\n");
    put(w, ".envrc", "x");
    put(w, ".git/hooks/pre-commit.sample", "x");
    set(w);
    assert_true(tripwire_compare(w->wire, w->fd, tell, w));
    assert_int_equal(w->told.len, 0);
    put(w, "Makefile", "all: evil\n");
    put(w, "README.md", "y");
    put(w, "sub/.git/config", "[core]\nfsmonitor = x\n");
    put(w, "new/AGENTS.md", "obey");
    put(w, ".github/workflows/x.yml", "on: push");
    char *gone = test_join(w->dir, ".envrc");
    assert_int_equal(unlink(gone), 0);
    free(gone);
    assert_true(tripwire_compare(w->wire, w->fd, tell, w));
    assert_string_equal(w->told.data, "deleted .envrc\n"
                                      "created .github/workflows/x.yml\n"
                                      "modified Makefile\n"
                                      "created new/AGENTS.md\n"
                                      "modified sub/.git/config\n");
}

/* Size and time of writing can be made to look the same; the time of the change cannot. */
static void a_file_made_to_look_unchanged_is_told(void **state)
{
    struct world *w = *state;
    struct stat st;
    put(w, "Makefile", "all: a\n");
    char *path = test_join(w->dir, "Makefile");
    assert_int_equal(stat(path, &st), 0);
    set(w);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "all: b\n", 7, 0), 7);
    const struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(close(fd), 0);
    assert_true(tripwire_compare(w->wire, w->fd, tell, w));
    assert_string_equal(w->told.data, "modified Makefile\n");
    free(path);
}

static void a_mode_and_a_link_are_changes(void **state)
{
    struct world *w = *state;
    put(w, "configure", "x");
    put(w, "conftest.py", "x");
    set(w);
    char *script = test_join(w->dir, "configure"), *test = test_join(w->dir, "conftest.py");
    assert_int_equal(chmod(script, 0755), 0);
    assert_int_equal(unlink(test), 0);
    assert_int_equal(symlink("/dev/null", test), 0);
    assert_true(tripwire_compare(w->wire, w->fd, tell, w));
    assert_string_equal(w->told.data, "modified configure\nmodified conftest.py\n");
    free(script);
    free(test);
}

/* A link to a folder outside leads nowhere. */
static void links_are_not_followed(void **state)
{
    struct world *w = *state;
    char *outside = test_temp_dir();
    char *file = test_join(outside, "Makefile"), *link = test_join(w->dir, "out");
    assert_int_equal(symlink(outside, link), 0);
    set(w);
    test_write_file(file, "x", 1);
    assert_true(tripwire_compare(w->wire, w->fd, tell, w));
    assert_int_equal(w->told.len, 0);
    test_remove_tree(outside);
    free(outside);
    free(file);
    free(link);
}

static void what_is_beyond_the_bounds_is_said_to_be_unknown(void **state)
{
    struct world *w = *state;
    char name[32];
    put(w, "Makefile", "a");
    char *many = test_join(w->dir, "zmany");
    assert_int_equal(mkdir(many, 0700), 0);
    int dir = open(many, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < TRIPWIRE_FILES + 10; i++) {
        (void)snprintf(name, sizeof name, "%d.mk", i);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    assert_int_equal(close(dir), 0);
    free(many);
    set(w);
    put(w, "Makefile", "bb");
    assert_false(tripwire_compare(w->wire, w->fd, tell, w));
    assert_non_null(
        strstr(w->told.data, "modified Makefile\n")); /* near the root: looked at first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(differences_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_made_to_look_unchanged_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mode_and_a_link_are_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_beyond_the_bounds_is_said_to_be_unknown, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
