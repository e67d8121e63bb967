#include "test_support.h"

#include <string.h>

#include "base/deny.h"

static const char *const globs[] = {".env",      ".env.*",         "!.env.example", "*.pem",
                                    "secret/**", "!secret/open/a", "docs/[ab].md",  "keys"};

static void check(const char *path, const char *wanted)
{
    const char *found = deny_find(globs, sizeof globs / sizeof *globs, path);
    if (!wanted != !found || (found && strcmp(found, wanted) != 0))
        fail_msg("%s: %s, not %s", path, found ? found : "none", wanted ? wanted : "none");
}

/* A walk asks for each part in turn, and stops at the first that is denied. */
static const char *walk(const char *path)
{
    char part[256];
    for (size_t len = strcspn(path, "/");; len += 1 + strcspn(path + len + 1, "/")) {
        memcpy(part, path, len);
        part[len] = '\0';
        const char *found = deny_find_next(globs, sizeof globs / sizeof *globs, part);
        if (found || !path[len])
            return found;
    }
}

static void a_walk_finds_the_same(void **state)
{
    static const char *const paths[] = {".env",   "a/b/.env", "a/.ENV",        ".env.example",
                                        "x.pem",  "X.PEM",    "secret/a/b",    "secret/open/b",
                                        "keys/k", "a/keys/k", "docs/a.md",     "docs/c.md",
                                        "a.txt",  "a/b/c",    "a/.env.local/x"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *whole = deny_find(globs, sizeof globs / sizeof *globs, paths[i]);
        if (!whole != !walk(paths[i]))
            fail_msg("%s: %s", paths[i],
                     whole ? "denied as a whole only" : "denied in a walk only");
    }
}

static void the_last_that_matches_decides(void **state)
{
    (void)state;
    check(".env", ".env");
    check("a/b/.env", ".env");
    check(".env.local", ".env.*");
    check(".env.example", NULL);
    check("a/.env.example", NULL);
    check(".environment", NULL);
    check("x.pem", "*.pem");
    check("secret", NULL);
    check("secret/a/b", "secret/**");
    check("secret/open/a", NULL);
    check("secret/open/b", "secret/**");
    check("docs/a.md", "docs/[ab].md");
    check("docs/c.md", NULL);
    check("a.txt", NULL);
    check(".", NULL);
}

static void what_is_in_a_denied_folder_is_denied(void **state)
{
    (void)state;
    check("keys", "keys");
    check("a/keys/b/c", "keys");
    check(".env/bin/python", ".env");
    check("docs/a.md/x", "docs/[ab].md");
    check("x.pem/y", "*.pem");
    check("monkeys", NULL);
    check("keys2", NULL);
}

static void letters_are_of_any_case(void **state)
{
    (void)state;
    check(".ENV", ".env");
    check(".Env.Local", ".env.*");
    check("A.PEM", "*.pem");
    check("SECRET/x", "secret/**");
    check("KEYS/x", "keys");
    /* What is lifted is lifted by its name only. */
    check(".ENV.EXAMPLE", ".env.*");
}

static void what_is_too_long_to_tell_is_denied(void **state)
{
    char path[6000];
    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_true(deny_matches("*.pem", path));
    assert_false(deny_matches("keys", path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_that_matches_decides),
        cmocka_unit_test(a_walk_finds_the_same),
        cmocka_unit_test(what_is_in_a_denied_folder_is_denied),
        cmocka_unit_test(letters_are_of_any_case),
        cmocka_unit_test(what_is_too_long_to_tell_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
