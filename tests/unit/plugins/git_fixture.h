/* What the tests of the git tools share: a workspace with a repository, a directory outside of it,
 * and short ways to call a tool and look at what it says. No git program is used. */
#ifndef TESTS_GIT_FIXTURE_H
#define TESTS_GIT_FIXTURE_H

#include "test_support.h"

#include <fcntl.h>
#include <git2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_test.h"

#define CANARY "CANARY-OUT"

struct fixture {
    struct plugin_test *t;
    char *outside; /* a directory beside the workspace, with secret.txt, which holds CANARY */
};

/* Calls a tool; the arguments are written with ' for ". */
static inline const struct plugin_result *call(struct fixture *f, const char *tool,
                                               const char *args)
{
    char *json = strdup(args);
    assert_non_null(json);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    const struct plugin_result *r = plugin_test_call(f->t, tool, json);
    free(json);
    return r;
}

static inline const struct plugin_result *probe(struct fixture *f, const char *tool,
                                                const char *args, const char *note)
{
    char *json = strdup(args), *kept = note ? strdup(note) : NULL;
    assert_non_null(json);
    for (char *c = json; *c; c++)
        if (*c == '\'')
            *c = '"';
    const struct plugin_result *r = plugin_test_probe(f->t, tool, json, kept);
    free(json);
    free(kept);
    return r;
}

/* The call succeeds and its output has `part`. */
static inline const struct plugin_result *good(struct fixture *f, const char *tool,
                                               const char *args, const char *part)
{
    const struct plugin_result *r = call(f, tool, args);
    if (r->code != TACKLE_OK || !strstr(r->output, part))
        fail_msg("%s %s: code %d, \"%s\"; output without \"%s\":\n%s", tool, args, (int)r->code,
                 r->message, part, r->output);
    return r;
}

/* It fails with this code, and its message has `part`. */
static inline const struct plugin_result *bad(struct fixture *f, const char *tool, const char *args,
                                              int32_t code, const char *part)
{
    const struct plugin_result *r = call(f, tool, args);
    if (r->code != code || !strstr(r->message, part))
        fail_msg("%s %s: code %d \"%s\", not %d \"%s\"; output:\n%s", tool, args, (int)r->code,
                 r->message, (int)code, part, r->output);
    return r;
}

static inline void is_in(const struct plugin_result *r, const char *part)
{
    if (!strstr(r->output, part))
        fail_msg("no \"%s\" in:\n%s", part, r->output);
}

static inline void is_not_in(const struct plugin_result *r, const char *part)
{
    if (strstr(r->output, part) || strstr(r->message, part))
        fail_msg("\"%s\" in:\n%s\n%s", part, r->output, r->message);
}

static inline void put(struct fixture *f, const char *path, const char *text)
{
    plugin_test_put(f->t, path, text);
}

static inline char *at(struct fixture *f, const char *path)
{
    return test_join(plugin_test_root(f->t), path);
}

static inline void check_file(struct fixture *f, const char *path, const char *want)
{
    char *text = plugin_test_get(f->t, path);
    if (!want)
        assert_null(text);
    else {
        assert_non_null(text);
        assert_string_equal(text, want);
    }
    free(text);
}

static inline void make_link(struct fixture *f, const char *target, const char *path)
{
    char *full = at(f, path);
    assert_int_equal(symlink(target, full), 0);
    free(full);
}

static inline void remove_file(struct fixture *f, const char *path)
{
    char *full = at(f, path);
    assert_int_equal(remove(full), 0);
    free(full);
}

static inline mode_t mode_of(struct fixture *f, const char *path)
{
    struct stat st;
    char *full = at(f, path);
    assert_int_equal(lstat(full, &st), 0);
    free(full);
    return st.st_mode;
}

static inline void set_mode(struct fixture *f, const char *path, mode_t mode)
{
    char *full = at(f, path);
    assert_int_equal(chmod(full, mode), 0);
    free(full);
}

/* Writes a file, stages and commits it. */
static inline void commit(struct fixture *f, const char *path, const char *text,
                          const char *message)
{
    char args[512];
    put(f, path, text);
    (void)snprintf(args, sizeof args, "{'paths':['%s']}", path);
    good(f, "git_add", args, "staged");
    (void)snprintf(args, sizeof args, "{'message':'%s'}", message);
    good(f, "git_commit", args, message);
}

/* The repository through libgit2 itself, for what the tools do not offer. */
static inline git_repository *open_repo(struct fixture *f)
{
    git_repository *repo = NULL;
    assert_int_equal(git_repository_open(&repo, plugin_test_root(f->t)), 0);
    return repo;
}

static inline void set_config(struct fixture *f, const char *key, const char *value)
{
    git_repository *repo = open_repo(f);
    git_config *config = NULL;
    assert_int_equal(git_repository_config(&config, repo), 0);
    assert_int_equal(git_config_set_string(config, key, value), 0);
    git_config_free(config);
    git_repository_free(repo);
}

static inline void head_id(struct fixture *f, char out[GIT_OID_HEXSZ + 1])
{
    git_repository *repo = open_repo(f);
    git_oid id;
    assert_int_equal(git_reference_name_to_id(&id, repo, "HEAD"), 0);
    (void)git_oid_tostr(out, GIT_OID_HEXSZ + 1, &id);
    git_repository_free(repo);
}

static inline int setup_with(void **state, const char *const *options)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->t = plugin_test_new(&tackle_plugin_v1, options);
    f->outside = test_temp_dir();
    char *secret = test_join(f->outside, "secret.txt");
    test_write_file(secret, CANARY, strlen(CANARY));
    free(secret);
    *state = f;
    return 0;
}

static inline int setup(void **state)
{
    return setup_with(state, NULL);
}

/* A repository with one commit: a.txt and src/b.c. */
static inline int setup_repo(void **state)
{
    assert_int_equal(setup_with(state, NULL), 0);
    struct fixture *f = *state;
    good(f, "git_init", "{}", "main");
    put(f, "src/b.c", "int b;\n");
    commit(f, "a.txt", "one\ntwo\nthree\n", "first");
    commit(f, "src/b.c", "int b;\n", "second");
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    plugin_test_free(f->t);
    test_remove_tree(f->outside);
    free(f->outside);
    free(f);
    return 0;
}

/* For the table of tests: in a repository with two commits, or in an empty workspace. */
#define T(name)       cmocka_unit_test_setup_teardown(name, setup_repo, teardown)
#define T_EMPTY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
