/* read_file, write_file and edit_file in a real workspace: what they say, what they change, and
 * that nothing outside is reached. */
#include "test_support.h"
#include "plugin_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "wire/sanitise.h"

#define CANARY "CANARY-OUT"

/* A workspace, and a directory beside it that no tool may reach. */
struct world {
    struct plugin_test *t;
    char *outside;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->t = plugin_test_new(&tackle_plugin_v1, NULL);
    w->outside = test_temp_dir();
    char *secret = test_join(w->outside, "secret.txt");
    test_write_file(secret, CANARY "\n", strlen(CANARY) + 1);
    free(secret);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char *secret = test_join(w->outside, "secret.txt");
    char *text = test_read_file(secret, NULL);
    assert_string_equal(text, CANARY "\n");
    free(text);
    assert_int_equal(unlink(secret), 0);
    assert_int_equal(rmdir(w->outside), 0); /* fails when something was put there */
    free(secret);
    free(w->outside);
    plugin_test_free(w->t);
    free(w);
    return 0;
}

/* ---- Helpers ---- */

static void put_bytes(struct world *w, const char *path, const void *data, size_t len)
{
    char *full = test_join(plugin_test_root(w->t), path);
    test_write_file(full, data, len);
    free(full);
}

static void put_link(struct world *w, const char *target, const char *path)
{
    char *full = test_join(plugin_test_root(w->t), path);
    assert_int_equal(symlink(target, full), 0);
    free(full);
}

/* "PATH below the outside directory", malloc'd. */
static char *outside_path(struct world *w, const char *name)
{
    return test_join(w->outside, name);
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' does not say '%s'", text, part);
}

static const char *read_ok(struct world *w, const char *args)
{
    const struct plugin_result *r = plugin_test_call(w->t, "read_file", args);
    if (r->code != TACKLE_OK)
        fail_msg("%s: %d %s", args, r->code, r->message);
    return r->output;
}

static const char *fails(struct world *w, const char *tool, const char *args, int32_t code)
{
    const struct plugin_result *r = plugin_test_call(w->t, tool, args);
    if (r->code != code)
        fail_msg("%s %s: %d '%s' '%s'", tool, args, r->code, r->message, r->output);
    assert_null(strstr(r->output, CANARY));
    assert_null(strstr(r->message, CANARY));
    assert_null(strchr(r->message, '\n'));
    assert_string_equal(r->changed, "");
    return r->message;
}

static void assert_file(struct world *w, const char *path, const char *expected)
{
    char *text = plugin_test_get(w->t, path);
    if (!text || strcmp(text, expected) != 0)
        fail_msg("%s holds '%s', not '%s'", path, text ? text : "(nothing)", expected);
    free(text);
}

/* ---- read_file ---- */

static void read_shows_a_file(void **state)
{
    struct world *w = *state;
    plugin_test_put(w->t, "a.txt", "one\ntwo\nthree\n");
    assert_string_equal(read_ok(w, "{\"path\":\"a.txt\"}"), "one\ntwo\nthree\n");
    assert_string_equal(read_ok(w, "{\"path\":\"a.txt\",\"line_numbers\":true}"),
                        "     1\tone\n     2\ttwo\n     3\tthree\n");
    assert_string_equal(read_ok(w, "{\"path\":\"./a.txt\",\"offset\":2,\"limit\":1}"),
                        "two\n[lines 2-2 of 3; go on with offset 3]\n");
    assert_string_equal(read_ok(w, "{\"path\":\"a.txt\",\"offset\":3,\"limit\":10}"),
                        "three\n[lines 3-3 of 3]\n");
}

static void read_tells_what_is_special(void **state)
{
    struct world *w = *state;
    plugin_test_put(w->t, "empty", "");
    plugin_test_put(w->t, "no-end", "a\nb");
    plugin_test_put(w->t, "crlf", "a\r\nb\r\n");
    plugin_test_put(w->t, "mark",
                    "\xEF\xBB\xBF"
                    "a\n");
    plugin_test_put(w->t, "only-mark", "\xEF\xBB\xBF");
    plugin_test_put(w->t, "latin", "caf\xE9\n");
    assert_string_equal(read_ok(w, "{\"path\":\"empty\"}"), "[empty is empty]\n");
    assert_string_equal(read_ok(w, "{\"path\":\"no-end\"}"), "a\nb\n");
    assert_string_equal(read_ok(w, "{\"path\":\"no-end\",\"offset\":2}"), "b\n[lines 2-2 of 2]\n");
    assert_string_equal(read_ok(w, "{\"path\":\"crlf\"}"), "a\nb\n[CRLF line ends]\n");
    assert_string_equal(read_ok(w, "{\"path\":\"mark\"}"), "a\n[starts with a byte order mark]\n");
    assert_string_equal(read_ok(w, "{\"path\":\"only-mark\"}"),
                        "\n[starts with a byte order mark]\n");
    assert_string_equal(
        read_ok(w, "{\"path\":\"latin\"}"),
        "caf\xEF\xBF\xBD\n[not valid UTF-8: bad bytes are shown as \xEF\xBF\xBD]\n");
}

static void read_shows_no_binary_bytes(void **state)
{
    struct world *w = *state;
    char bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 37);
    put_bytes(w, "b.bin", bytes, sizeof bytes);
    assert_string_equal(read_ok(w, "{\"path\":\"b.bin\"}"),
                        "[b.bin is a binary file of 1000 bytes: not shown]\n");
}

static void read_caps_lines(void **state)
{
    struct world *w = *state;
    char *text = malloc(3000 * 5 + 1);
    assert_non_null(text);
    for (size_t i = 0; i < 3000; i++)
        (void)snprintf(text + 5 * i, 6, "%04zu\n", i + 1);
    plugin_test_put(w->t, "long", text);
    free(text);
    const char *out = read_ok(w, "{\"path\":\"long\",\"limit\":100000}");
    assert_says(out, "\n2000\n[lines 1-2000 of 3000; go on with offset 2001]\n");
    assert_null(strstr(out, "2001\n"));
    out = read_ok(w, "{\"path\":\"long\",\"offset\":2001}");
    assert_int_equal(strncmp(out, "2001\n", 5), 0);
    assert_says(out, "\n3000\n[lines 2001-3000 of 3000]\n");
}

static void read_caps_bytes(void **state)
{
    struct world *w = *state;
    size_t line = 1000, lines = 600;
    char *text = malloc(line * lines);
    assert_non_null(text);
    memset(text, 'x', line * lines);
    for (size_t i = 1; i <= lines; i++)
        text[line * i - 1] = '\n';
    put_bytes(w, "wide", text, line * lines);
    const char *out = read_ok(w, "{\"path\":\"wide\"}");
    assert_true(strlen(out) <= (256u << 10) + 100);
    assert_says(out, "x\n[lines 1-262 of 600; go on with offset 263]\n");

    memset(text, 'x', line * lines); /* one line */
    put_bytes(w, "one", text, line * lines);
    out = read_ok(w, "{\"path\":\"one\"}");
    assert_int_equal(strspn(out, "x"), 256u << 10);
    assert_says(out, "\n[line 1 is longer than a result may be: only its start is shown]\n");
    free(text);
}

static void read_checks_its_arguments(void **state)
{
    struct world *w = *state;
    plugin_test_put(w->t, "a.txt", "one\ntwo\n");
    assert_says(fails(w, "read_file", "{\"path\":\"a.txt\",\"offset\":0}", TACKLE_E_ARGS),
                "offset must be from 1 to");
    assert_says(fails(w, "read_file", "{\"path\":\"a.txt\",\"limit\":-5}", TACKLE_E_ARGS),
                "limit must be from 1 to");
    assert_string_equal(fails(w, "read_file", "{\"path\":\"a.txt\",\"offset\":3}", TACKLE_E_ARGS),
                        "offset 3 is past the end: a.txt has 2 lines");
}

static void read_copes_with_a_huge_sparse_file(void **state)
{
    struct world *w = *state;
    char *full = test_join(plugin_test_root(w->t), "big");
    put_bytes(w, "big", "", 0);
    if (truncate(full, (off_t)1 << 40) != 0) {
        free(full);
        test_skip("the file system has no files of that size");
    }
    assert_says(read_ok(w, "{\"path\":\"big\"}"), "is a binary file of 1099511627776 bytes");
    /* Text in front: past what is counted, only "more follow" is said. */
    int fd = open(full, O_WRONLY | O_CLOEXEC);
    char text[10000];
    memset(text, 'x', sizeof text);
    text[9] = '\n';
    assert_int_equal(write(fd, text, sizeof text), (ssize_t)sizeof text);
    assert_int_equal(close(fd), 0);
    free(full);
    assert_string_equal(read_ok(w, "{\"path\":\"big\",\"limit\":1}"),
                        "xxxxxxxxx\n[lines 1-1; more follow; go on with offset 2]\n");
}

static void read_ends_when_time_is_up(void **state)
{
    struct world *w = *state;
    char *full = test_join(plugin_test_root(w->t), "big");
    put_bytes(w, "big", "x\n", 2);
    int rc = truncate(full, (off_t)1 << 40);
    free(full);
    if (rc != 0)
        test_skip("the file system has no files of that size");
    plugin_test_put(w->t, "text", "x");
    char head[9000];
    memset(head, 'x', sizeof head);
    put_bytes(w, "big2", head, sizeof head);
    full = test_join(plugin_test_root(w->t), "big2");
    assert_int_equal(truncate(full, (off_t)1 << 40), 0);
    free(full);
    plugin_test_deadline(w->t, 300);
    assert_says(fails(w, "read_file", "{\"path\":\"big2\",\"offset\":2}", TACKLE_E_TIMEOUT),
                "time was up before line 2 was reached");
}

/* ---- write_file ---- */

static void write_creates_and_replaces(void **state)
{
    struct world *w = *state;
    const struct plugin_result *r =
        plugin_test_call(w->t, "write_file", "{\"path\":\"d/e/a.txt\",\"content\":\"one\\ntwo\"}");
    assert_int_equal(r->code, TACKLE_OK);
    assert_string_equal(r->output, "created d/e/a.txt: 7 bytes, 2 lines\n");
    assert_string_equal(r->changed, "created d/e/a.txt\n");
    assert_file(w, "d/e/a.txt", "one\ntwo");
    r = plugin_test_call(w->t, "write_file", "{\"path\":\"d/e/a.txt\",\"content\":\"\"}");
    assert_string_equal(r->output, "replaced d/e/a.txt: 0 bytes, 0 lines\n");
    assert_string_equal(r->changed, "modified d/e/a.txt\n");
    assert_file(w, "d/e/a.txt", "");
}

static void write_keeps_the_mode(void **state)
{
    struct world *w = *state;
    struct stat st;
    char *full = test_join(plugin_test_root(w->t), "run.sh");
    plugin_test_put(w->t, "run.sh", "old");
    assert_int_equal(chmod(full, 0755), 0);
    assert_int_equal(
        plugin_test_call(w->t, "write_file", "{\"path\":\"run.sh\",\"content\":\"new\"}")->code, 0);
    assert_int_equal(stat(full, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    assert_file(w, "run.sh", "new");
    free(full);
}

static void write_has_a_cap(void **state)
{
    struct world *w = *state;
    size_t len = (10u << 20) + 1;
    char *args = malloc(len + 100);
    assert_non_null(args);
    int head = snprintf(args, 100, "{\"path\":\"big\",\"content\":\"");
    memset(args + head, 'x', len);
    memcpy(args + (size_t)head + len, "\"}", 3);
    assert_says(fails(w, "write_file", args, TACKLE_E_LIMIT), "10 MiB at most: nothing written");
    assert_null(plugin_test_get(w->t, "big"));
    free(args);
}

static void write_leaves_other_names_of_a_hard_link(void **state)
{
    struct world *w = *state;
    char *secret = outside_path(w, "secret.txt");
    char *full = test_join(plugin_test_root(w->t), "h");
    assert_int_equal(link(secret, full), 0);
    const struct plugin_result *r =
        plugin_test_call(w->t, "write_file", "{\"path\":\"h\",\"content\":\"x\"}");
    assert_int_equal(r->code, TACKLE_OK);
    assert_says(r->output, "it was a hard link: its other names keep the old content");
    assert_file(w, "h", "x"); /* tear_down looks at the secret */
    free(secret);
    free(full);
}

static void write_refuses_what_is_protected(void **state)
{
    static const char *const paths[] = {".git/hooks/pre-commit", ".git/config", "sub/.git/config",
                                        ".tackle/policy.yaml", ".GIT/config"};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char args[200];
        (void)snprintf(args, sizeof args, "{\"path\":\"%s\",\"content\":\"x\"}", paths[i]);
        (void)fails(w, "write_file", args, TACKLE_E_DENIED);
        assert_null(plugin_test_get(w->t, paths[i]));
    }
}

/* ---- What a call notes, and what probe() makes of it ---- */

static void write_can_be_probed(void **state)
{
    static const char args[] = "{\"path\":\"a\",\"content\":\"new\"}";
    struct world *w = *state;
    plugin_test_put(w->t, "a", "old");
    const struct plugin_result *r = plugin_test_call(w->t, "write_file", args);
    assert_int_equal(r->code, TACKLE_OK);
    char *note = strdup(r->note);
    assert_non_null(note);
    r = plugin_test_probe(w->t, "write_file", args, note);
    assert_int_equal(r->code, TACKLE_PROBE_DONE);
    assert_string_equal(r->output, "wrote a: 3 bytes, 1 line\n");
    plugin_test_put(w->t, "a", "old");
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, note)->code,
                     TACKLE_PROBE_NOT_DONE);
    plugin_test_put(w->t, "a", "something else");
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, note)->code, TACKLE_PROBE_UNKNOWN);
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, NULL)->code,
                     TACKLE_PROBE_NOT_DONE);
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, "rubbish")->code,
                     TACKLE_PROBE_UNKNOWN);
    free(note);
}

static void write_of_a_new_file_can_be_probed(void **state)
{
    static const char args[] = "{\"path\":\"n\",\"content\":\"new\"}";
    struct world *w = *state;
    char *note = strdup(plugin_test_call(w->t, "write_file", args)->note);
    assert_non_null(note);
    assert_says(note, "1 none ");
    char *full = test_join(plugin_test_root(w->t), "n");
    assert_int_equal(unlink(full), 0);
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, note)->code,
                     TACKLE_PROBE_NOT_DONE);
    assert_int_equal(mkdir(full, 0777), 0);
    assert_int_equal(plugin_test_probe(w->t, "write_file", args, note)->code, TACKLE_PROBE_UNKNOWN);
    free(full);
    free(note);
}

static void edit_can_be_probed(void **state)
{
    static const char args[] = "{\"path\":\"a\",\"old_text\":\"1\",\"new_text\":\"2\"}";
    struct world *w = *state;
    plugin_test_put(w->t, "a", "x = 1\n");
    char *note = strdup(plugin_test_call(w->t, "edit_file", args)->note);
    assert_non_null(note);
    assert_int_equal(plugin_test_probe(w->t, "edit_file", args, note)->code, TACKLE_PROBE_DONE);
    plugin_test_put(w->t, "a", "x = 1\n");
    assert_int_equal(plugin_test_probe(w->t, "edit_file", args, note)->code, TACKLE_PROBE_NOT_DONE);
    free(note);
}

/* ---- edit_file ---- */

static void edit_shows_what_it_changed(void **state)
{
    struct world *w = *state;
    plugin_test_put(w->t, "a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    const struct plugin_result *r = plugin_test_call(
        w->t, "edit_file", "{\"path\":\"a\",\"old_text\":\"5\\n\",\"new_text\":\"five\\nV\\n\"}");
    assert_int_equal(r->code, TACKLE_OK);
    assert_string_equal(r->output, "edited a: 1 replacement\n     2\t2\n     3\t3\n     4\t4\n"
                                   "     5\tfive\n     6\tV\n     7\t6\n     8\t7\n     9\t8\n"
                                   "    10\t9\n");
    assert_string_equal(r->changed, "modified a\n");
    assert_file(w, "a", "1\n2\n3\n4\nfive\nV\n6\n7\n8\n9\n");
}

static void edit_replaces_all(void **state)
{
    struct world *w = *state;
    char text[400] = "", expected[400] = "";
    for (size_t i = 0, len = 0; i < 30; i++, len = strlen(text)) {
        (void)snprintf(text + len, sizeof text - len, "%s\n", i % 7 == 0 ? "foo" : "-");
        (void)snprintf(expected + len, sizeof expected - len, "%s\n", i % 7 == 0 ? "bar" : "-");
    }
    plugin_test_put(w->t, "a", text);
    const struct plugin_result *r =
        plugin_test_call(w->t, "edit_file",
                         "{\"path\":\"a\",\"old_text\":\"foo\",\"new_text\":\"bar\","
                         "\"replace_all\":true}");
    assert_int_equal(r->code, TACKLE_OK);
    assert_says(r->output, "edited a: 5 replacements\n     1\tbar\n");
    assert_says(r->output, "[2 more replacements further down]\n");
    assert_file(w, "a", expected);
}

static void edit_keeps_every_other_byte(void **state)
{
    static const struct {
        const char *before, *args, *after;
    } cases[] = {
        {"a\r\nword\r\nb\r\n",
         "{\"path\":\"f\",\"old_text\":\"a\\nword\",\"new_text\":\"a\\nnew\\nline\"}",
         "a\r\nnew\r\nline\r\nb\r\n"},
        {"\xEF\xBB\xBFword", "{\"path\":\"f\",\"old_text\":\"word\",\"new_text\":\"w\"}",
         "\xEF\xBB\xBFw"},
        {"caf\xE9 word\xFF", "{\"path\":\"f\",\"old_text\":\"word\",\"new_text\":\"w\"}",
         "caf\xE9 w\xFF"},
        {"a\xE2\x80\xA8word\xE2\x80\xA9",
         "{\"path\":\"f\",\"old_text\":\"word\",\"new_text\":\"w\"}", "a\xE2\x80\xA8w\xE2\x80\xA9"},
        {"no newline word", "{\"path\":\"f\",\"old_text\":\"word\",\"new_text\":\"w\"}",
         "no newline w"},
        {"a\nword\r\nb\n", "{\"path\":\"f\",\"old_text\":\"word\",\"new_text\":\"w\"}",
         "a\nw\r\nb\n"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        plugin_test_put(w->t, "f", cases[i].before);
        const struct plugin_result *r = plugin_test_call(w->t, "edit_file", cases[i].args);
        if (r->code != TACKLE_OK)
            fail_msg("case %zu: %s", i, r->message);
        assert_file(w, "f", cases[i].after);
    }
}

static void edit_says_why_it_cannot(void **state)
{
    struct world *w = *state;
    static const char text[] = "int a;\n\tint b;\nint a;\n";
    plugin_test_put(w->t, "f", text);
    assert_says(fails(w, "edit_file", "{\"path\":\"f\",\"old_text\":\"\",\"new_text\":\"x\"}",
                      TACKLE_E_ARGS),
                "old_text is empty");
    assert_says(fails(w, "edit_file", "{\"path\":\"f\",\"old_text\":\"x\",\"new_text\":\"x\"}",
                      TACKLE_E_ARGS),
                "are the same");
    assert_string_equal(
        fails(w, "edit_file", "{\"path\":\"f\",\"old_text\":\"int a;\",\"new_text\":\"x\"}",
              TACKLE_E_FAILED),
        "old_text occurs 2 times in f, on lines 1, 3: give more of the text around it, or "
        "replace_all");
    assert_string_equal(
        fails(w, "edit_file", "{\"path\":\"f\",\"old_text\":\"  int b;\",\"new_text\":\"x\"}",
              TACKLE_E_FAILED),
        "old_text is not in f: line 2 is indented by 1 tab in the file, by 2 spaces in old_text");
    const struct plugin_result *r = plugin_test_call(
        w->t, "edit_file", "{\"path\":\"f\",\"old_text\":\"  int b;\",\"new_text\":\"x\"}");
    assert_string_equal(r->output, "The closest text in f:\n     2\t\tint b;\n");
    assert_says(fails(w, "edit_file", "{\"path\":\"f\",\"old_text\":\"zzz\",\"new_text\":\"x\"}",
                      TACKLE_E_FAILED),
                "nothing in the file is like it");
    assert_says(fails(w, "edit_file", "{\"path\":\"none\",\"old_text\":\"a\",\"new_text\":\"x\"}",
                      TACKLE_E_NOT_FOUND),
                "none");
    assert_file(w, "f", text);
}

static void edit_has_a_cap(void **state)
{
    struct world *w = *state;
    char text[20000], args[1200], long_text[1001];
    memset(text, 'a', sizeof text);
    memset(long_text, 'b', 1000);
    long_text[1000] = '\0';
    put_bytes(w, "f", text, sizeof text);
    (void)snprintf(args, sizeof args,
                   "{\"path\":\"f\",\"old_text\":\"a\",\"new_text\":\"%s\","
                   "\"replace_all\":true}",
                   long_text);
    assert_says(fails(w, "edit_file", args, TACKLE_E_LIMIT),
                "would become larger than 10 MiB: nothing written");
}

/* ---- Paths ---- */

/* Tries to read, overwrite and edit; each must fail with `code`. */
static void assert_closed(struct world *w, const char *path, int32_t code)
{
    char args[9000];
    (void)snprintf(args, sizeof args, "{\"path\":\"%s\"}", path);
    (void)fails(w, "read_file", args, code);
    (void)snprintf(args, sizeof args, "{\"path\":\"%s\",\"content\":\"x\"}", path);
    (void)fails(w, "write_file", args, code);
    (void)snprintf(args, sizeof args, "{\"path\":\"%s\",\"old_text\":\"C\",\"new_text\":\"x\"}",
                   path);
    (void)fails(w, "edit_file", args, code);
}

static void paths_end_at_the_workspace(void **state)
{
    struct world *w = *state;
    char *secret = outside_path(w, "secret.txt");
    const char *name = strrchr(w->outside, '/') + 1;
    char up[300];
    (void)snprintf(up, sizeof up, "../%s/secret.txt", name);
    assert_closed(w, up, TACKLE_E_DENIED);
    assert_closed(w, secret, TACKLE_E_DENIED);
    assert_closed(w, "/etc/passwd", TACKLE_E_DENIED);
    assert_closed(w, "/proc/self/environ", TACKLE_E_DENIED);
    assert_closed(w, "/proc/self/root/etc/passwd", TACKLE_E_DENIED);
    assert_closed(w, "/dev/stdin", TACKLE_E_DENIED);
    free(secret);
}

static void a_sibling_with_the_same_beginning_is_outside(void **state)
{
    struct world *w = *state;
    char evil[300], secret[320];
    (void)snprintf(evil, sizeof evil, "%s-evil", plugin_test_root(w->t));
    (void)snprintf(secret, sizeof secret, "%s/secret.txt", evil);
    test_write_file(secret, CANARY, strlen(CANARY));
    assert_closed(w, secret, TACKLE_E_DENIED);
    test_remove_tree(evil);
}

static void links_out_lead_nowhere(void **state)
{
    struct world *w = *state;
    char *secret = outside_path(w, "secret.txt"), *created = outside_path(w, "created");
    put_link(w, secret, "link");
    put_link(w, w->outside, "d");
    put_link(w, "b", "a");
    put_link(w, "c", "b");
    put_link(w, secret, "c");
    put_link(w, "/proc/self/root", "p");
    put_link(w, "/proc/self/fd/0", "m");
    put_link(w, created, "new");
    assert_closed(w, "link", TACKLE_E_DENIED);
    assert_closed(w, "d/secret.txt", TACKLE_E_DENIED);
    assert_closed(w, "a", TACKLE_E_DENIED);
    assert_closed(w, "p/etc/passwd", TACKLE_E_DENIED);
    assert_closed(w, "m", TACKLE_E_DENIED);
    assert_closed(w, "new", TACKLE_E_DENIED);
    (void)fails(w, "write_file", "{\"path\":\"d/new.txt\",\"content\":\"x\"}", TACKLE_E_DENIED);
    free(secret);
    free(created);
}

static void links_inside_work(void **state)
{
    test_needs_openat2();
    struct world *w = *state;
    plugin_test_put(w->t, "dir/f", "one\n");
    put_link(w, "dir/f", "in");
    assert_string_equal(read_ok(w, "{\"path\":\"in\"}"), "one\n");
    assert_int_equal(plugin_test_call(w->t, "edit_file",
                                      "{\"path\":\"in\",\"old_text\":\"one\",\"new_text\":\"two\"}")
                         ->code,
                     TACKLE_OK);
    assert_file(w, "dir/f", "two\n");
}

static void only_regular_files_are_touched(void **state)
{
    struct world *w = *state;
    char *fifo = test_join(plugin_test_root(w->t), "f");
    char *device = test_join(plugin_test_root(w->t), "z");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_closed(w, "f", TACKLE_E_ARGS);
    if (mknod(device, S_IFCHR | 0600, 0x0105) == 0) /* /dev/zero; needs root */
        assert_closed(w, "z", TACKLE_E_ARGS);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/s", plugin_test_root(w->t));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    assert_closed(w, "s", TACKLE_E_ARGS);
    assert_int_equal(close(fd), 0);
    plugin_test_put(w->t, "dir/a.txt", "x");
    assert_closed(w, "dir", TACKLE_E_ARGS);
    assert_closed(w, "dir/a.txt/b", TACKLE_E_NOT_FOUND);
    free(fifo);
    free(device);
}

static void names_are_taken_literally(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"~", "~/x", "$HOME/x", "file:///etc/passwd", "   ", "-rf"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char args[200];
        (void)snprintf(args, sizeof args, "{\"path\":\"%s\"}", names[i]);
        (void)fails(w, "read_file", args, TACKLE_E_NOT_FOUND);
    }
    (void)fails(w, "read_file", "{\"path\":\"\"}", TACKLE_E_ARGS);
    (void)fails(w, "read_file", "{\"path\":\".\"}", TACKLE_E_ARGS);
    (void)fails(w, "read_file", "{\"path\":\"..\"}", TACKLE_E_DENIED);
    (void)fails(w, "read_file", "{\"path\":\"/\"}", TACKLE_E_DENIED);
}

static void hopeless_names_are_refused(void **state)
{
    struct world *w = *state;
    char name[5001];
    memset(name, 'n', 5000);
    name[5000] = '\0';
    assert_closed(w, name, TACKLE_E_LIMIT);
    name[256] = '\0';
    assert_closed(w, name, TACKLE_E_LIMIT);
    assert_closed(w, "a\\nb", TACKLE_E_ARGS);
    assert_closed(w, "a\\u001b[2J", TACKLE_E_ARGS);
}

/* ---- Races ---- */

struct swapper {
    const char *a, *b; /* exchanged without pause */
    atomic_bool stop;
    atomic_ulong turns;
};

static void *swap(void *user)
{
    struct swapper *s = user;
    while (!atomic_load(&s->stop)) {
        if (renameat2(AT_FDCWD, s->a, AT_FDCWD, s->b, RENAME_EXCHANGE) == 0)
            atomic_fetch_add(&s->turns, 1);
    }
    return NULL;
}

static void skip_race_under_valgrind(void)
{
    if (test_under_valgrind())
        test_skip("valgrind runs one thread at a time, so a race takes for ever");
}

/* A directory and a link to the outside change places all the time. */
static void races_lead_nowhere(void **state)
{
    skip_race_under_valgrind();
    struct world *w = *state;
    struct swapper s = {0};
    char *dir = test_join(plugin_test_root(w->t), "d"),
         *evil = test_join(plugin_test_root(w->t), "l");
    pthread_t thread;
    plugin_test_put(w->t, "d/secret.txt", "harmless\n");
    put_link(w, w->outside, "l");
    s.a = dir;
    s.b = evil;
    assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
    unsigned read = 0, written = 0;
    for (int i = 0; i < 1500; i++) {
        const struct plugin_result *r =
            plugin_test_call(w->t, "read_file", "{\"path\":\"d/secret.txt\"}");
        read += r->code == TACKLE_OK;
        assert_null(strstr(r->output, CANARY));
        r = plugin_test_call(w->t, "write_file",
                             "{\"path\":\"d/secret.txt\",\"content\":\"harmless\\n\"}");
        written += r->code == TACKLE_OK;
        (void)plugin_test_call(w->t, "edit_file",
                               "{\"path\":\"d/secret.txt\",\"old_text\":\"CANARY\","
                               "\"new_text\":\"harmless\"}");
        r = plugin_test_call(w->t, "search", "{\"pattern\":\"CANARY|harmless\",\"path\":\"d\"}");
        assert_null(strstr(r->output, CANARY));
    }
    atomic_store(&s.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(atomic_load(&s.turns) > 0);
    assert_true(read > 0 && written > 0);
    free(dir);
    free(evil); /* tear_down looks whether the outside is as it was */
}

/* Somebody replaces the file while it is edited, over and over: what is there afterwards is whole,
 * and an edit that went through was made on what was there. */
static void a_change_while_editing_is_noticed(void **state)
{
    skip_race_under_valgrind();
    struct world *w = *state;
    char *path = test_join(plugin_test_root(w->t), "f"),
         *other = test_join(plugin_test_root(w->t), "g");
    struct swapper s = {.a = path, .b = other};
    pthread_t thread;
    unsigned conflicts = 0, tries = 0;
    size_t len = 2u << 20; /* long enough to be overtaken */
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, '\n', len);
    memcpy(text, "version A 1", 11);
    put_bytes(w, "f", text, len);
    memcpy(text, "version B 1", 11);
    put_bytes(w, "g", text, len);
    free(text);
    assert_int_equal(pthread_create(&thread, NULL, swap, &s), 0);
    while (conflicts == 0 && tries++ < 300) {
        const struct plugin_result *r = plugin_test_call(
            w->t, "edit_file",
            tries % 2 ? "{\"path\":\"f\",\"old_text\":\" 1\\n\",\"new_text\":\" 2\\n\"}"
                      : "{\"path\":\"f\",\"old_text\":\" 2\\n\",\"new_text\":\" 1\\n\"}");
        conflicts += r->code == TACKLE_E_FAILED && strstr(r->message, "changed while editing");
    }
    atomic_store(&s.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(conflicts > 0);
    free(path);
    free(other);
}

/* ---- The schemas ---- */

/* The schema as the model gets it. */
static size_t offered_size(const char *params)
{
    struct err err;
    json_t *schema = json_loads(params, 0, NULL);
    json_t *clean = sanitise_schema(schema, NULL, &err);
    char *text = json_dumps(clean, JSON_COMPACT);
    assert_non_null(text);
    size_t size = strlen(text);
    free(text);
    json_decref(clean);
    json_decref(schema);
    return size;
}

static void the_tools_are_cheap_to_offer(void **state)
{
    (void)state;
    size_t total = 0;
    for (const tackle_tool *const *tool = tackle_plugin_v1.tools; *tool; tool++) {
        size_t size =
            strlen((*tool)->name) + strlen((*tool)->description) + offered_size((*tool)->params);
        if (size > 430)
            fail_msg("%s takes %zu bytes of every request", (*tool)->name, size);
        total += size;
    }
    assert_in_range(total, 1, 1800);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(read_shows_a_file),
        TEST(read_tells_what_is_special),
        TEST(read_shows_no_binary_bytes),
        TEST(read_caps_lines),
        TEST(read_caps_bytes),
        TEST(read_checks_its_arguments),
        TEST(read_copes_with_a_huge_sparse_file),
        TEST(read_ends_when_time_is_up),
        TEST(write_creates_and_replaces),
        TEST(write_keeps_the_mode),
        TEST(write_has_a_cap),
        TEST(write_leaves_other_names_of_a_hard_link),
        TEST(write_refuses_what_is_protected),
        TEST(write_can_be_probed),
        TEST(write_of_a_new_file_can_be_probed),
        TEST(edit_can_be_probed),
        TEST(edit_shows_what_it_changed),
        TEST(edit_replaces_all),
        TEST(edit_keeps_every_other_byte),
        TEST(edit_says_why_it_cannot),
        TEST(edit_has_a_cap),
        TEST(paths_end_at_the_workspace),
        TEST(a_sibling_with_the_same_beginning_is_outside),
        TEST(links_out_lead_nowhere),
        TEST(links_inside_work),
        TEST(only_regular_files_are_touched),
        TEST(names_are_taken_literally),
        TEST(hopeless_names_are_refused),
        TEST(races_lead_nowhere),
        TEST(a_change_while_editing_is_noticed),
        cmocka_unit_test(the_tools_are_cheap_to_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
