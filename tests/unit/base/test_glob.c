#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/glob.h"

struct row {
    const char *glob, *path;
    bool matches;
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (glob_path(rows[i].glob, rows[i].path) != rows[i].matches)
            fail_msg("'%s' and '%s'", rows[i].glob, rows[i].path);
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void one_name(void **state)
{
    static const struct row rows[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "aa", false},
        {"a", "x/y/a", true},
        {"a", "a/x", false},
        {"*.pem", "k.pem", true},
        {"*.pem", "x/.pem", true},
        {"*.pem", "x/k.pem.txt", false},
        {".env.*", "sub/.env.local", true},
        {".env.*", ".env", false},
        {"id_rsa*", "id_rsa", true},
        {"*", ".hidden", true},
        {"*", "a/b", true},
        {"**", "a/b", true},
        {"?", "a", true},
        {"?", "ab", false},
        {"?", "", false},
        {"?", "\xc3\xa9", true},
        {"a?b",
         "a\xe2\x82\xac"
         "b",
         true},
        {"a?b", "a/b", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"a**b", "a--b", true},
        {"dir/", "dir", true},
        {"dir/", "x/dir", true},
    };
    (void)state;
    CHECK(rows);
}

static void classes(void **state)
{
    static const struct row rows[] = {
        {"[abc]", "b", true},     {"[abc]", "d", false},      {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},  {"[!a-c]", "d", true},      {"[!a-c]", "a", false},
        {"[^a]", "b", true},      {"[^a]", "a", false},       {"[]a]", "]", true},
        {"[!]a]", "]", false},    {"[!]a]", "b", true},       {"[a-]", "-", true},
        {"[-a]", "-", true},      {"[!a]", "\xc3\xa9", true}, {"[a-z]", "\xc3\xa9", false},
        {"x[!a]y", "x/y", false}, {"x[+-9]y", "x/y", false},  {"[*]", "*", true},
        {"[*]", "a", false},      {"[{]", "{", true},         {"[.]env", ".env", true},
    };
    (void)state;
    CHECK(rows);
}

static void whole_paths(void **state)
{
    static const struct row rows[] = {
        {"/a", "a", true},
        {"/a", "x/a", false},
        {"src/*", "src/a.c", true},
        {"src/*", "src/a/b.c", false},
        {"src/*", "src", false},
        {"src/*", "x/src/a.c", false},
        {"src/**", "src/a/b/c.c", true},
        {"src/**", "src/a", true},
        {"src/**", "src", false},
        {"src/**", "srcs/a", false},
        {"**/a", "a", true},
        {"**/a", "x/y/a", true},
        {"**/a", "x/ya", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/xb", false},
        {"a/**/b", "ab", false},
        {"**/.ssh/**", ".ssh/id", true},
        {"**/.ssh/**", "home/.ssh/a/b", true},
        {"**/.ssh/**", "home/.ssh", false},
        {"**/.ssh/**", "home/x.ssh/a", false},
        {"a**/b", "ax/b", true},
        {"a**/b", "ax/y/b", false},
        {"*/b", "a/b", true},
        {"*/b", "b", false},
        {"**/**/a", "a", true},
        {"a/b/", "a/b", true},
    };
    (void)state;
    CHECK(rows);
}

static void alternatives(void **state)
{
    static const struct row rows[] = {
        {"{a,b}", "a", true},
        {"{a,b}", "x/b", true},
        {"{a,b}", "c", false},
        {"{a,b}", "a,b", false},
        {"*.{pem,key}", "k.key", true},
        {"*.{pem,key}", "k.pem.key", true},
        {"*.{pem,key}", "k.kex", false},
        {"{.git,.agent}/**", ".git/config", true},
        {"{.git,.agent}/**", ".agent/a/b", true},
        {"{.git,.agent}/**", ".gitx/a", false},
        {"{a,b/c}", "b/c", true},
        {"{a,b/c}", "x/a", false},
        {"x{,y}z", "xz", true},
        {"x{,y}z", "xyz", true},
        {"x{y,}z", "xz", true},
        {"{}x", "x", true},
        {"{a}", "a", true},
        {"{a,{b,c}d}e", "cde", true},
        {"{a,{b,c}d}e", "ae", true},
        {"{a,{b,c}d}e", "ce", false},
        {"{a,b}{c,d}", "bc", true},
        {"{a,b}{c,d}", "ab", false},
        {"{**/x,y}", "a/b/x", true},
        {"{**/x,y}", "y", true},
        {"{a/**,y}", "a/b/c", true},
        {"a,b", "a,b", true},
        {"a}b", "a}b", true},
        {"\\{a,b\\}", "{a,b}", true},
    };
    (void)state;
    CHECK(rows);
}

static void a_backslash_takes_what_follows(void **state)
{
    static const struct row rows[] = {
        {"\\*", "*", true},   {"\\*", "a", false},    {"a\\?", "a?", true},
        {"\\\\", "\\", true}, {"\\[a]", "[a]", true}, {"\\a", "a", true},
    };
    (void)state;
    CHECK(rows);
}

static void what_is_no_glob(void **state)
{
    static const char *const bad[] = {"",      "/",  "[a",     "[",   "[]",
                                      "[a/b]", "{a", "{a,{b}", "a\\", "[\xc3\xa9]"};
    static const char *const good[] = {"a",     "*",        "**", "**/", "a/", "[a]",
                                       "{a,b}", "\xc3\xa9", ",",  "}",   "]"};
    char long_one[GLOB_MAX + 2];
    struct err err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (glob_check(bad[i], &err) == 0)
            fail_msg("'%s' is taken", bad[i]);
        assert_int_equal(err.code, ERR_USAGE);
        assert_false(glob_path(bad[i], bad[i]));
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (glob_check(good[i], &err) != 0)
            fail_msg("%s", err.text);
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[GLOB_MAX + 1] = '\0';
    assert_int_equal(glob_check(long_one, &err), -1);
    assert_false(glob_path(long_one, long_one));
    long_one[GLOB_MAX] = '\0';
    assert_int_equal(glob_check(long_one, &err), 0);
    assert_true(glob_path(long_one, long_one));
}

/* With backtracking each of these would take longer than the universe has. */
static void hostile_globs_take_no_time(void **state)
{
    char glob[GLOB_MAX + 1], path[4096];
    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    for (size_t i = 0; i < GLOB_MAX; i++)
        glob[i] = i % 2 ? 'a' : '*';
    glob[GLOB_MAX - 1] = 'b';
    glob[GLOB_MAX] = '\0';
    assert_false(glob_path(glob, path));
    for (size_t i = 0; i + 3 <= GLOB_MAX; i += 3)
        memcpy(glob + i, "**/", 3);
    glob[GLOB_MAX - 1] = 'b';
    for (size_t i = 1; i < sizeof path - 1; i += 2)
        path[i] = '/';
    assert_false(glob_path(glob, path));
    for (size_t i = 0; i + 5 <= GLOB_MAX; i += 5)
        memcpy(glob + i, "{a,*}", 5);
    memcpy(glob + GLOB_MAX - 4, "bbbb", 4);
    memset(path, 'a', sizeof path - 1);
    assert_false(glob_path(glob, path));
    /* The name's own end counts, not the buffer's. */
    assert_true(glob_path("{{{{{{{{{{a,b},c},d},e},f},g},h},i},j},k}", "a"));
    assert_false(glob_path("{{{{{{{{{{{{{{{{{a}}}}}}}}}}}}}}}}}", "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name),
        cmocka_unit_test(classes),
        cmocka_unit_test(whole_paths),
        cmocka_unit_test(alternatives),
        cmocka_unit_test(a_backslash_takes_what_follows),
        cmocka_unit_test(what_is_no_glob),
        cmocka_unit_test(hostile_globs_take_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
