/* program FOLDER: `tackle wire parse` over every recorded response of a folder, whole and in
 * pieces, and bent as networks and servers bend them. What it prints must be what the case expects.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test_support.h"
#include "wire_cases.h"

#define SKIPPED 77

static struct wire_cases cases;
static char *folder; /* a new one, where bodies and outputs go */

/* Runs the program, with the body as standard input for "-". Its exit code. */
static int run_program(const char *const *args, const char *body_path, const char *out_path)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int in = open(body_path, O_RDONLY | O_CLOEXEC);
        int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (dup2(in, 0) < 0 || dup2(out, 1) < 0)
            _exit(99);
        (void)execv(TACKLE_PROGRAM, (char *const *)(uintptr_t)args);
        _exit(98);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the program reads in a body, which it gets as a file or as standard input. */
static json_t *parse(const char *body, size_t len, int http_status, const char *chunk, bool as_file)
{
    char code[16];
    json_error_t error;
    size_t out_len;
    char *body_path = test_join(folder, "body"), *out_path = test_join(folder, "out");
    (void)snprintf(code, sizeof code, "%d", http_status);
    const char *args[10] = {"tackle", "wire", "parse", as_file ? body_path : "-", "--status", code};
    if (chunk) {
        args[6] = "--chunk";
        args[7] = chunk;
    }
    test_write_file(body_path, body, len);
    assert_int_equal(run_program(args, body_path, out_path), 0);
    char *out = test_read_file(out_path, &out_len);
    assert_non_null(out);
    assert_ptr_equal(strchr(out, '\n'), out + out_len - 1); /* one line */
    json_t *value = json_loadb(out, out_len, JSON_ALLOW_NUL, &error);
    assert_non_null(value);
    free(out);
    free(body_path);
    free(out_path);
    return value;
}

static void check(const struct wire_case *item, const char *how, const char *body, size_t len,
                  const char *chunk)
{
    json_t *got = parse(body, len, item->status, chunk, !chunk);
    if (!wire_case_fits(item, got, true)) {
        char *text = json_dumps(got, JSON_INDENT(1));
        char *want = json_dumps(item->expected, JSON_INDENT(1));
        print_error("%s (%s): got %s\nwant %s\n", item->name, how, text, want);
        free(text);
        free(want);
        fail();
    }
    json_decref(got);
}

static void test_as_they_came(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        check(item, "whole", item->body, item->len, NULL);
        check(item, "a byte at a time", item->body, item->len, "1");
        check(item, "random pieces", item->body, item->len, "random");
    }
}

static void check_replaced(const struct wire_case *item, const char *how, const char *from,
                           const char *to, const char *chunk)
{
    size_t len;
    char *body = wire_replaced(item->body, item->len, from, to, &len);
    check(item, how, body, len, chunk);
    free(body);
}

static void test_line_ends_and_comments(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        if (!wire_case_is_stream(item) || memchr(item->body, '\r', item->len))
            continue;
        check_replaced(item, "CRLF", "\n", "\r\n", "1");
        check_replaced(item, "CR", "\n", "\r", "random");
        check_replaced(item, "comments", "\n\n", "\n\n: keep-alive\n\n", NULL);
    }
}

static void test_start_and_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *item = &cases.items[i];
        size_t len = item->len;
        char *body = malloc(len + 3);
        assert_non_null(body);
        memcpy(body, "\xef\xbb\xbf", 3);
        memcpy(body + 3, item->body, len);
        check(item, "BOM", body, len + 3, "2");
        while (len > 0 && item->body[len - 1] == '\n')
            len--;
        check(item, "BOM, final newlines cut", body, len + 3, NULL);
        free(body);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_they_came),
        cmocka_unit_test(test_line_ends_and_comments),
        cmocka_unit_test(test_start_and_end),
    };
    if (argc != 2)
        return 2;
    wire_cases_load(&cases, argv[1]);
    if (cases.count == 0)
        return SKIPPED;
    print_message("%zu recorded responses\n", cases.count);
    folder = test_temp_dir();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    test_remove_tree(folder);
    free(folder);
    wire_cases_release(&cases);
    return failed;
}
