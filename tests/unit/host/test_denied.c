/* Files that are kept from tools, under all of their names. */
#include "test_support.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/denied.h"

struct place {
    char dir[64];
    int root;
    struct denied denied;
};

static void write_file(const struct place *p, const char *name, const char *text)
{
    int fd = openat(p->root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static int set_up(void **state)
{
    static struct place p;
    struct err err;
    p = (struct place){.dir = "/tmp/tackle-denied-XXXXXX"};
    assert_non_null(mkdtemp(p.dir));
    p.root = open(p.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(p.root >= 0);
    assert_int_equal(mkdirat(p.root, "d", 0755), 0);
    write_file(&p, ".env", "secret");
    write_file(&p, "plain", "plain");
    json_t *read = json_pack("[s, s, s]", ".env", ".env.*", "!.env.example");
    json_t *write = json_pack("[s, s]", ".env", "d/**");
    assert_int_equal(denied_init(&p.denied, read, write, &err), 0);
    json_decref(read);
    json_decref(write);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    char command[128];
    denied_release(&p->denied);
    (void)close(p->root);
    (void)snprintf(command, sizeof command, "rm -rf %s", p->dir);
    return system(command);
}

/* "" when it may be read. */
static const char *reading(struct place *p, const char *name)
{
    static struct err err;
    int fd = openat(p->root, name, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int status = denied_check_read(&p->denied, p->root, fd, "read_file", &err);
    (void)close(fd);
    return status == 0 ? "" : err.text;
}

static void says(const char *text, const char *wanted)
{
    if (*wanted ? !strstr(text, wanted) : *text)
        fail_msg("'%s', not '%s'", text, wanted);
}

static void a_file_is_denied_by_its_name(void **state)
{
    struct place *p = *state;
    write_file(p, ".env.example", "x");
    write_file(p, ".env.local", "x");
    write_file(p, "d/.env", "x");
    says(reading(p, ".env"), "the policy denies reading this file (.env)");
    says(reading(p, ".env"), "--allow 'read_file(.env)'");
    says(reading(p, ".env.local"), "(.env.*)");
    says(reading(p, "d/.env"), "denies");
    says(reading(p, ".env.example"), "");
    says(reading(p, "plain"), "");
    says(reading(p, "."), "");
    says(reading(p, "d"), "");
}

static void links_of_both_kinds_lead_to_it(void **state)
{
    struct place *p = *state;
    assert_int_equal(symlinkat(".env", p->root, "soft"), 0);
    assert_int_equal(linkat(p->root, ".env", p->root, "d/hard", 0), 0);
    assert_int_equal(linkat(p->root, "plain", p->root, "other", 0), 0);
    says(reading(p, "soft"), "denies");
    says(reading(p, "d/hard"), "hard link");
    says(reading(p, "other"), "");
}

static void what_was_found_holds_for_one_call(void **state)
{
    struct place *p = *state;
    assert_int_equal(linkat(p->root, "plain", p->root, "other", 0), 0);
    says(reading(p, "other"), "");
    write_file(p, ".env.new", "x");
    assert_int_equal(linkat(p->root, ".env.new", p->root, "late", 0), 0);
    says(reading(p, "late"), ""); /* as it was when the call looked */
    denied_forget(&p->denied);
    says(reading(p, "late"), "hard link");
}

static void what_cannot_be_told_is_denied(void **state)
{
    struct place *p = *state;
    char path[2 * DENIED_DEPTH_MAX + 8] = "d";
    assert_int_equal(linkat(p->root, "plain", p->root, "other", 0), 0);
    for (int i = 0; i < DENIED_DEPTH_MAX; i++) {
        (void)snprintf(path + 1 + 2 * (size_t)i, 3, "/e");
        assert_int_equal(mkdirat(p->root, path, 0755), 0);
    }
    says(reading(p, "other"), "too large to tell");
    says(reading(p, ".env"), "denies");
}

static void a_file_that_is_gone_is_not_read(void **state)
{
    struct place *p = *state;
    struct err err;
    int fd = openat(p->root, ".env", O_RDONLY | O_CLOEXEC);
    assert_int_equal(unlinkat(p->root, ".env", 0), 0);
    assert_int_equal(denied_check_read(&p->denied, p->root, fd, "read_file", &err), -1);
    says(err.text, "try again");
    (void)close(fd);
}

static void writing_has_a_list_of_its_own(void **state)
{
    struct place *p = *state;
    struct err err;
    assert_int_equal(denied_check_write(&p->denied, "plain", "write_file", &err), 0);
    assert_int_equal(denied_check_write(&p->denied, "d", "write_file", &err), 0);
    assert_int_equal(denied_check_write(&p->denied, "d/a/b", "write_file", &err), -1);
    says(err.text, "the policy denies writing this file (d/**)");
    assert_int_equal(err.code, ERR_DENIED);
    says(reading(p, "plain"), "");
}

static void lists_that_are_none_are_refused(void **state)
{
    struct denied d;
    struct err err;
    json_t *wrong = json_pack("[s, i]", "a", 1), *text = json_string("a");
    (void)state;
    assert_int_equal(denied_init(&d, wrong, NULL, &err), -1);
    says(err.text, "deny_read: item 2 is no glob");
    denied_release(&d);
    assert_int_equal(denied_init(&d, NULL, text, &err), -1);
    says(err.text, "deny_write: a list");
    denied_release(&d);
    assert_int_equal(denied_init(&d, NULL, NULL, &err), 0);
    denied_release(&d);
    json_decref(wrong);
    json_decref(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_denied_by_its_name),
        TEST(links_of_both_kinds_lead_to_it),
        TEST(what_was_found_holds_for_one_call),
        TEST(what_cannot_be_told_is_denied),
        TEST(a_file_that_is_gone_is_not_read),
        TEST(writing_has_a_list_of_its_own),
        cmocka_unit_test(lists_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
