/* AGENTS.md: what a repository tells those who work in it. Seen as the endpoint sees it. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "endpoint/endpoint.h"
#include "unit/api/api_world.h"

struct told {
    char *system;
    json_t *files; /* as run.started lists them */
};

/* Runs in a folder below the world's, and keeps the system prompt that was sent. */
static void run_in(struct world *w, const char *folder, const char *extra, struct told *told)
{
    struct endpoint_child endpoint;
    struct receipt r;
    struct err err;
    char *path = world_path(w, folder), url[200], workspace[600];
    receipt_init(&r, w);
    if (endpoint_child_start("=== reply\ntext Done.\n", &endpoint, &err) != 0)
        fail_msg("%s", err.text);
    (void)snprintf(url, sizeof url, "base_url=%s", endpoint.url);
    (void)snprintf(workspace, sizeof workspace, "workspace=%s", path);
    tackle_run *run = world_start(w, (const char *const[]){url, workspace, extra, NULL}, &r);
    json_decref(world_end(w, run, "final", 0));
    tackle_run_free(run);
    told->files = json_incref(json_object_get(json_array_get(r.events, 0), "instructions"));
    receipt_release(&r);
    json_t *all = endpoint_child_stop(&endpoint);
    const json_t *body = json_object_get(json_array_get(all, 0), "json");
    const json_t *first = json_array_get(json_object_get(body, "messages"), 0);
    assert_string_equal(text_at(first, "role"), "system");
    told->system = strdup(text_at(first, "content"));
    json_decref(all);
    free(path);
}

static void forget(struct told *told)
{
    free(told->system);
    json_decref(told->files);
}

static size_t place(const struct told *told, const char *words)
{
    const char *at = strstr(told->system, words);
    if (!at)
        fail_msg("\"%s\" is not in: %s", words, told->system);
    return (size_t)(at - told->system);
}

static const char *file(const struct told *told, size_t index)
{
    return text_at(json_array_get(told->files, index), "path");
}

static void from_the_root_down_to_the_workspace(void **state)
{
    struct world *w = *state;
    struct told told;
    world_write(w, "AGENTS.md", "Above the repository.");
    world_write(w, "workspace/.git/HEAD", "x");
    world_write(w, "workspace/AGENTS.md", "Of the root.");
    world_write(w, "workspace/a/b/AGENTS.md", "Of b.");
    world_write(w, "workspace/a/b/c/AGENTS.md", "Below it.");
    world_write(w, "workspace/other/AGENTS.md", "Beside it.");
    run_in(w, "workspace/a/b", NULL, &told);
    assert_true(place(&told, "Be brief.") < place(&told, "Of the root."));
    assert_true(place(&told, "Of the root.") < place(&told, "Of b."));
    assert_null(strstr(told.system, "Above the repository."));
    assert_null(strstr(told.system, "Below it."));
    assert_null(strstr(told.system, "Beside it."));
    assert_int_equal(json_array_size(told.files), 2);
    assert_string_equal(file(&told, 0), "AGENTS.md");
    assert_string_equal(file(&told, 1), "a/b/AGENTS.md");
    forget(&told);
}

static void outside_a_repository_the_workspace_alone(void **state)
{
    struct world *w = *state;
    struct told told;
    world_write(w, "workspace/AGENTS.md", "Above.");
    world_write(w, "workspace/a/AGENTS.md", "Here.");
    run_in(w, "workspace/a", NULL, &told);
    (void)place(&told, "Here.");
    assert_null(strstr(told.system, "Above."));
    forget(&told);
}

/* In a work tree that is not the main one, .git is a file. */
static void a_git_file_marks_a_root_too(void **state)
{
    struct world *w = *state;
    struct told told;
    world_write(w, "workspace/.git", "gitdir: elsewhere");
    world_write(w, "workspace/AGENTS.md", "Of the root.");
    world_write(w, "workspace/a/x", "");
    run_in(w, "workspace/a", NULL, &told);
    (void)place(&told, "Of the root.");
    forget(&told);
}

static void they_have_32_kib_together(void **state)
{
    struct world *w = *state;
    struct told told;
    size_t size = 30u << 10;
    char *text = malloc(size + 1);
    assert_non_null(text);
    for (size_t i = 0; i < size; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[size] = '\0';
    world_write(w, "workspace/.git/HEAD", "x");
    world_write(w, "workspace/AGENTS.md", text);
    text[0] = '>'; /* so that the cut falls into a character */
    text[1] = '>';
    memmove(text + 1, text + 2, size - 1);
    world_write(w, "workspace/a/AGENTS.md", text);
    world_write(w, "workspace/a/b/AGENTS.md", "No room for this.");
    run_in(w, "workspace/a/b", NULL, &told);
    assert_null(strstr(told.system, "No room for this."));
    assert_null(strstr(told.system, "\xef\xbf\xbd"));
    assert_int_equal(json_array_size(told.files), 2);
    const json_t *second = json_array_get(told.files, 1);
    assert_true(json_is_true(json_object_get(second, "cut")));
    assert_in_range(json_integer_value(json_object_get(second, "bytes")), 2040, 2048);
    assert_true(strlen(told.system) < (36u << 10));
    forget(&told);
    free(text);
}

static void they_may_be_left_out(void **state)
{
    struct world *w = *state;
    struct told told;
    world_write(w, "workspace/AGENTS.md", "Listen to me.");
    run_in(w, "workspace", "instructions=false", &told);
    assert_null(strstr(told.system, "Listen to me."));
    assert_int_equal(json_array_size(told.files), 0);
    forget(&told);
}

/* What is no text of the repository is passed over, and what hides is shown. */
static void odd_files_do_no_harm(void **state)
{
    struct world *w = *state;
    struct told told;
    char *secret = world_path(w, "secret"), *link = world_path(w, "workspace/a/AGENTS.md"),
         *fifo = world_path(w, "workspace/a/b/AGENTS.md"),
         *binary = world_path(w, "workspace/a/b/c/AGENTS.md");
    world_write(w, "secret", "Not for the model.");
    world_write(w, "workspace/.git/HEAD", "x");
    world_write(w, "workspace/AGENTS.md", "Fine\x1b[31m\xe2\x80\xae.");
    world_write(w, "workspace/a/b/c/d/AGENTS.md/x", "a folder");
    assert_int_equal(symlink(secret, link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    test_write_file(binary, "a\0b", 3);
    run_in(w, "workspace/a/b/c/d", NULL, &told);
    assert_null(strstr(told.system, "Not for the model."));
    (void)place(&told, "Fine<U+001B>[31m<U+202E>.");
    assert_int_equal(json_array_size(told.files), 1);
    forget(&told);
    free(secret);
    free(link);
    free(fifo);
    free(binary);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(from_the_root_down_to_the_workspace),
        TEST(outside_a_repository_the_workspace_alone),
        TEST(a_git_file_marks_a_root_too),
        TEST(they_have_32_kib_together),
        TEST(they_may_be_left_out),
        TEST(odd_files_do_no_harm),
    };
    if (test_without_processes())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
