/* list_dir, find_files and search in a real workspace: what they find, what they leave out and say
 * so, and that hostile trees and patterns end. */
#include "test_support.h"
#include "plugin_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = plugin_test_new(&tackle_plugin_v1, NULL);
    return 0;
}

static int tear_down(void **state)
{
    plugin_test_free(*state);
    return 0;
}

/* ---- Helpers ---- */

static const char *call(struct plugin_test *t, const char *tool, const char *args)
{
    const struct plugin_result *r = plugin_test_call(t, tool, args);
    if (r->code != TACKLE_OK)
        fail_msg("%s %s: %d %s", tool, args, r->code, r->message);
    return r->output;
}

static const char *fails(struct plugin_test *t, const char *tool, const char *args, int32_t code)
{
    const struct plugin_result *r = plugin_test_call(t, tool, args);
    if (r->code != code)
        fail_msg("%s %s: %d '%s' '%s'", tool, args, r->code, r->message, r->output);
    return r->message;
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' does not say '%s'", text, part);
}

static void put(struct plugin_test *t, const char *path)
{
    plugin_test_put(t, path, "x\n");
}

static void put_link(struct plugin_test *t, const char *target, const char *path)
{
    char *full = test_join(plugin_test_root(t), path);
    assert_int_equal(symlink(target, full), 0);
    free(full);
}

static void put_dir(struct plugin_test *t, const char *path)
{
    char *full = test_join(plugin_test_root(t), path);
    assert_int_equal(mkdir(full, 0777), 0);
    free(full);
}

static int root_fd(struct plugin_test *t)
{
    int fd = open(plugin_test_root(t), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* ---- list_dir ---- */

static void list_shows_one_entry_a_line(void **state)
{
    struct plugin_test *t = *state;
    put(t, "b.txt");
    put(t, "a/x");
    put(t, "a.txt");
    put_link(t, "a/x", "link");
    put_link(t, "/etc", "out");
    char *fifo = test_join(plugin_test_root(t), "pipe");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    free(fifo);
    assert_string_equal(call(t, "list_dir", "{}"),
                        "a.txt  2\na/\nb.txt  2\nlink -> a/x\nout -> /etc\npipe  (fifo)\n");
    assert_string_equal(call(t, "list_dir", "{\"path\":\"./a/\"}"), "a/x  2\n");
    char args[300];
    (void)snprintf(args, sizeof args, "{\"path\":\"%s/a\"}", plugin_test_root(t));
    assert_string_equal(call(t, "list_dir", args), "a/x  2\n");
}

static void list_goes_as_deep_as_told(void **state)
{
    struct plugin_test *t = *state;
    put(t, "1/2/3/f");
    put(t, ".git/config");
    put_dir(t, "empty");
    assert_string_equal(call(t, "list_dir", "{\"depth\":2}"),
                        ".git/\n1/\n1/2/\nempty/\n[the inside of .git is not listed]\n");
    assert_string_equal(call(t, "list_dir", "{\"path\":\"1\",\"depth\":5}"),
                        "1/2/\n1/2/3/\n1/2/3/f  2\n");
    assert_string_equal(call(t, "list_dir", "{\"path\":\"empty\"}"), "[empty directory]\n");
    assert_string_equal(call(t, "list_dir", "{\"path\":\".git\"}"), ".git/config  2\n");
    assert_string_equal(fails(t, "list_dir", "{\"depth\":6}", TACKLE_E_ARGS),
                        "depth must be from 1 to 5, not 6");
    assert_string_equal(fails(t, "list_dir", "{\"depth\":0}", TACKLE_E_ARGS),
                        "depth must be from 1 to 5, not 0");
}

static void list_escapes_names(void **state)
{
    struct plugin_test *t = *state;
    put(t, "a\nfake.txt  9");
    put(t, "\xFF\xFE");
    put(t, "\x1B[2J");
    put_link(t, "x\ny", "l");
    assert_string_equal(call(t, "list_dir", "{}"), "\"\\033[2J\"  2\n\"a\\nfake.txt  9\"  2\n"
                                                   "l -> \"x\\ny\"\n\"\\377\\376\"  2\n");
}

static void list_caps_its_entries(void **state)
{
    struct plugin_test *t = *state;
    int fd = root_fd(t);
    for (int i = 0; i < 2500; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "f%04d", i);
        int file = openat(fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        assert_true(file >= 0);
        assert_int_equal(close(file), 0);
    }
    assert_int_equal(close(fd), 0);
    const char *out = call(t, "list_dir", "{}");
    assert_says(out, "\nf1999  0\n[2000 of 2500 entries shown;");
    assert_null(strstr(out, "f2000"));
    out = call(t, "find_files", "{\"pattern\":\"f*\"}");
    assert_says(out, "\nf1999\n[2000 of 2500 matches shown;");
}

static void places_that_are_no_directories_are_refused(void **state)
{
    struct plugin_test *t = *state;
    put(t, "a.txt");
    put_link(t, "/etc", "out");
    (void)fails(t, "list_dir", "{\"path\":\"a.txt\"}", TACKLE_E_NOT_FOUND);
    (void)fails(t, "list_dir", "{\"path\":\"none\"}", TACKLE_E_NOT_FOUND);
    static const char *const outside[] = {"/", "..", "out", "/etc", "/proc/self/root"};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        char args[200];
        (void)snprintf(args, sizeof args, "{\"path\":\"%s\"}", outside[i]);
        (void)fails(t, "list_dir", args, TACKLE_E_DENIED);
        (void)snprintf(args, sizeof args, "{\"path\":\"%s\",\"pattern\":\"root\"}", outside[i]);
        (void)fails(t, "find_files", args, TACKLE_E_DENIED);
        (void)fails(t, "search", args, TACKLE_E_DENIED);
    }
}

/* ---- find_files ---- */

static void find_matches_globs(void **state)
{
    struct plugin_test *t = *state;
    put(t, "main.c");
    put(t, "src/a.c");
    put(t, "src/a.h");
    put(t, "src/deep/b.c");
    put(t, "tests/src/c.c");
    put(t, ".git/x.c");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"*.c\"}"),
                        "main.c\nsrc/a.c\nsrc/deep/b.c\ntests/src/c.c\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"src/**/*.c\"}"),
                        "src/a.c\nsrc/deep/b.c\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"src/*.{c,h}\"}"),
                        "src/a.c\nsrc/a.h\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**/*.c\",\"path\":\"src\"}"),
                        "src/a.c\nsrc/deep/b.c\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"deep/*\",\"path\":\"src\"}"),
                        "src/deep/b.c\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"src/\"}"), "src/\ntests/src/\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"*.rs\"}"), "[no match]\n");
    assert_string_equal(fails(t, "find_files", "{\"pattern\":\"{a\"}", TACKLE_E_ARGS),
                        "pattern cannot be used: a { is not closed");
}

static void find_obeys_gitignore(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, ".gitignore", "*.o\nbuild/\n/top\n!keep.o\n");
    plugin_test_put(t, ".git/info/exclude", "private\n*.tmp\n");
    plugin_test_put(t, "src/.gitignore", "!wanted.tmp\n/gen\n");
    static const char *const files[] = {
        "a.o",   "keep.o",         "top",     "src/top",     "build/x", "src/build/x", "private",
        "a.tmp", "src/wanted.tmp", "src/gen", "src/sub/gen", "src/a"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        put(t, files[i]);
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**\"}"),
                        ".gitignore\nkeep.o\nsrc/.gitignore\nsrc/a\nsrc/sub/gen\nsrc/top\n"
                        "src/wanted.tmp\n");
    /* The rules above the place of the search hold too, however the place is written. */
    static const char below[] = "src/.gitignore\nsrc/a\nsrc/sub/gen\nsrc/top\nsrc/wanted.tmp\n";
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**\",\"path\":\"src\"}"), below);
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**\",\"path\":\".//src/\"}"), below);
    char args[300];
    (void)snprintf(args, sizeof args, "{\"pattern\":\"**\",\"path\":\"%s/src\"}",
                   plugin_test_root(t));
    assert_string_equal(call(t, "find_files", args), below);
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**\",\"path\":\"src/sub\"}"),
                        "src/sub/gen\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"*.o\",\"include_ignored\":true}"),
                        "a.o\nkeep.o\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\",\"path\":\"src\",\"glob\":\"*a*\"}"),
                        "src/a:1: x\nsrc/wanted.tmp:1: x\n");
}

static void find_reads_no_ignore_file_through_a_link(void **state)
{
    test_needs_openat2();
    struct plugin_test *t = *state;
    plugin_test_put(t, "rules", "*\n");
    put_link(t, "rules", ".gitignore");
    put(t, "dir/a");
    put_link(t, "dir", "alias");
    char *fifo = test_join(plugin_test_root(t), "dir/.gitignore");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    free(fifo);
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"a\"}"), "dir/a\n");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"a\",\"path\":\"alias\"}"),
                        "alias/a\n");
}

static void find_says_when_rules_were_left_out(void **state)
{
    struct plugin_test *t = *state;
    size_t len = 300u << 10;
    char *rules = malloc(len + 1);
    assert_non_null(rules);
    memset(rules, 'a', len);
    rules[len] = '\0';
    plugin_test_put(t, ".gitignore", rules);
    free(rules);
    put(t, "f");
    assert_says(call(t, "find_files", "{\"pattern\":\"f\"}"), "f\n[too many ignore rules");
}

/* ---- Hostile trees ---- */

static void walks_do_not_follow_links(void **state)
{
    test_needs_openat2();
    struct plugin_test *t = *state;
    put(t, "d/f");
    put_link(t, ".", "loop");
    put_link(t, "..", "d/up");
    put_link(t, "/", "root");
    put_link(t, "f", "d/link");
    assert_string_equal(call(t, "find_files", "{\"pattern\":\"**\"}"),
                        "d/f\nd/link\nd/up\nloop\nroot\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\"}"), "d/f:1: x\n");
    assert_string_equal(call(t, "list_dir", "{\"path\":\"loop/d\"}"),
                        "loop/d/f  2\nloop/d/link -> f\nloop/d/up -> ..\n");
}

/* Made and removed by descriptors: no path reaches that far. */
static void make_deep(struct plugin_test *t, int levels)
{
    int fd = root_fd(t);
    for (int i = 0; i < levels; i++) {
        assert_int_equal(mkdirat(fd, "d", 0777), 0);
        int file = openat(fd, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        assert_int_equal(write(file, "x\n", 2), 2);
        assert_int_equal(close(file), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        assert_int_equal(close(fd), 0);
        fd = next;
    }
    assert_int_equal(close(fd), 0);
}

/* Takes the directories out from the inside: each is moved up before its parent is removed. */
static void remove_deep(struct plugin_test *t)
{
    int root = root_fd(t);
    while (unlinkat(root, "d", AT_REMOVEDIR) != 0) {
        assert_int_equal(errno, ENOTEMPTY);
        int fd = openat(root, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        (void)unlinkat(fd, "f", 0);
        if (renameat(fd, "d", root, "e") == 0) {
            assert_int_equal(unlinkat(root, "d", AT_REMOVEDIR), 0);
            assert_int_equal(renameat(root, "e", root, "d"), 0);
        }
        assert_int_equal(close(fd), 0);
    }
    assert_int_equal(close(root), 0);
}

static void walks_end_in_deep_trees(void **state)
{
    struct plugin_test *t = *state;
    make_deep(t, 1000);
    const char *out = call(t, "find_files", "{\"pattern\":\"f\"}");
    size_t found = 0;
    for (const char *at = out; (at = strchr(at, '\n')); at++)
        found++;
    assert_int_equal(found, 64 + 1);
    assert_says(out, "[1 directory is deeper than 64 levels: give one as path]\n");
    out = call(t, "search", "{\"pattern\":\"x\",\"max_results\":500}");
    assert_says(out, "[1 directory is deeper than 64 levels: give one as path]\n");
    out = call(t, "list_dir", "{\"depth\":5}");
    assert_says(out, "d/d/d/d/f  2\n");
    assert_null(strstr(out, "d/d/d/d/d/"
                            "d/"));
    assert_null(strchr(out, '['));
    remove_deep(t);
}

/* Runs `body` in a process of its own, which it may change as it likes; skips the test, for the
 * reason given, when it returns CANNOT. */
#define CANNOT 77

static void in_child(struct plugin_test *t, int (*body)(struct plugin_test *t), const char *reason)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(body(t));
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT)
        test_skip(reason);
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int find_gives(struct plugin_test *t, const char *expected)
{
    const struct plugin_result *r = plugin_test_call(t, "find_files", "{\"pattern\":\"*\"}");
    if (r->code == TACKLE_OK && strcmp(r->output, expected) == 0)
        return 0;
    print_error("%d '%s' '%s'\n", r->code, r->message, r->output);
    return 1;
}

static int find_as_nobody(struct plugin_test *t)
{
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        return CANNOT;
    return find_gives(t, "open\n[1 directory cannot be read]\n");
}

static void unreadable_directories_are_counted(void **state)
{
    struct plugin_test *t = *state;
    put(t, "shut/f");
    put(t, "open");
    char *full = test_join(plugin_test_root(t), "shut");
    assert_int_equal(chmod(full, 0), 0);
    assert_int_equal(chmod(plugin_test_root(t), 0755), 0);
    in_child(t, find_as_nobody, "another user cannot be had here");
    assert_int_equal(chmod(full, 0700), 0);
    free(full);
}

/* The workspace must be opened after the process got mounts of its own, so it has one of its own.
 */
static int find_round_a_mount(struct plugin_test *unused)
{
    (void)unused;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return CANNOT;
    struct plugin_test *t = plugin_test_new(&tackle_plugin_v1, NULL);
    char *full = test_join(plugin_test_root(t), "mnt");
    int rc = CANNOT;
    put_dir(t, "mnt");
    put(t, "f");
    if (mount("none", full, "tmpfs", 0, NULL) == 0) {
        put(t, "mnt/f");
        rc = find_gives(t, "f\n[1 directory on other file systems left out]\n");
        (void)umount(full);
    }
    free(full);
    plugin_test_free(t);
    return rc;
}

static void other_file_systems_are_left_out(void **state)
{
    test_needs_openat2();
    in_child(*state, find_round_a_mount, "file systems cannot be mounted here");
}

/* ---- search ---- */

static void search_shows_matches(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, "a.c", "one\ntwo three\nfour\n");
    plugin_test_put(t, "sub/b.h", "THREE\r\nx");
    assert_string_equal(call(t, "search", "{\"pattern\":\"t\\\\w+e\"}"), "a.c:2: two three\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"three$\",\"ignore_case\":true}"),
                        "a.c:2: two three\nsub/b.h:1: THREE\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\",\"glob\":\"*.h\"}"),
                        "sub/b.h:2: x\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"o\",\"path\":\"a.c\"}"),
                        "a.c:1: one\na.c:2: two three\na.c:3: four\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\",\"path\":\"sub\"}"),
                        "sub/b.h:2: x\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"nowhere\"}"), "[no match in 2 files]\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"o.*e\",\"fixed\":true}"),
                        "[no match in 2 files]\n");
}

static void search_shows_context(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, "a", "1\n2\nhit\n4\n5\n6\n7\n8\nhit\nhit\n11\n12\n13\nhit\n");
    plugin_test_put(t, "b", "hit\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"hit\",\"context\":1}"),
                        "a-2- 2\na:3: hit\na-4- 4\n--\na-8- 8\na:9: hit\na:10: hit\na-11- 11\n"
                        "--\na-13- 13\na:14: hit\n--\nb:1: hit\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"hit\",\"context\":2,\"path\":\"a\"}"),
                        "a-1- 1\na-2- 2\na:3: hit\na-4- 4\na-5- 5\n--\na-7- 7\na-8- 8\na:9: hit\n"
                        "a:10: hit\na-11- 11\na-12- 12\na-13- 13\na:14: hit\n");
    assert_says(fails(t, "search", "{\"pattern\":\"x\",\"context\":11}", TACKLE_E_ARGS),
                "context must be from 0 to 10");
}

static void search_caps_its_results(void **state)
{
    struct plugin_test *t = *state;
    char text[1201] = "";
    for (size_t i = 0; i < 600; i++)
        memcpy(text + 2 * i, "x\n", 3);
    plugin_test_put(t, "a", text);
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\",\"max_results\":2}"),
                        "a:1: x\na:2: x\n[there are more than the 2 results shown]\n");
    const char *out = call(t, "search", "{\"pattern\":\"x\"}");
    assert_says(out, "\na:100: x\n[there are more than the 100 results shown]\n");
    out = call(t, "search", "{\"pattern\":\"x\",\"max_results\":500}");
    assert_says(out, "\na:500: x\n[there are more");
    assert_says(fails(t, "search", "{\"pattern\":\"x\",\"max_results\":501}", TACKLE_E_ARGS),
                "max_results must be from 1 to 500");
    plugin_test_put(t, "a", "x\nx\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\",\"max_results\":2}"),
                        "a:1: x\na:2: x\n"); /* exactly as many as allowed is not "more" */
}

static void search_cuts_long_lines(void **state)
{
    struct plugin_test *t = *state;
    size_t len = 100000;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '.', len);
    memcpy(text + 60000, "needle", 6);
    text[len] = '\0';
    plugin_test_put(t, "a", text);
    free(text);
    const char *out = call(t, "search", "{\"pattern\":\"needle\"}");
    assert_says(out, "a:1: [...] ...");
    assert_says(out, "needle");
    assert_true(strlen(out) < 2200);
}

static void search_skips_and_counts(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, "a", "caf\xE9 x\n");
    plugin_test_put(t, "\xFF", "x\n");
    char *full = test_join(plugin_test_root(t), "bin");
    test_write_file(full, "x\0y\n", 4);
    free(full);
    full = test_join(plugin_test_root(t), "big");
    test_write_file(full, "x\n", 2);
    assert_int_equal(truncate(full, (17 << 20)), 0);
    free(full);
    full = test_join(plugin_test_root(t), "fifo");
    assert_int_equal(mkfifo(full, 0600), 0);
    free(full);
    assert_string_equal(call(t, "search", "{\"pattern\":\"x\"}"),
                        "a:1: caf\xEF\xBF\xBD x\n\"\\377\":1: x\n[1 binary file skipped]\n"
                        "[1 file larger than 16 MiB skipped]\n");
    assert_says(fails(t, "search", "{\"pattern\":\"x\",\"path\":\"fifo\"}", TACKLE_E_ARGS), "FIFO");
}

static void search_takes_options_for_text(void **state)
{
    struct plugin_test *t = *state;
    plugin_test_put(t, "-e", "--pre=sh\n");
    assert_string_equal(call(t, "search", "{\"pattern\":\"--pre=sh\",\"path\":\"-e\"}"),
                        "-e:1: --pre=sh\n");
    (void)fails(t, "search", "{\"pattern\":\"--pre=sh\",\"path\":\"-rf\"}", TACKLE_E_NOT_FOUND);
}

static void search_refuses_bad_patterns(void **state)
{
    struct plugin_test *t = *state;
    put(t, "a");
    assert_string_equal(fails(t, "search", "{\"pattern\":\"a(b\"}", TACKLE_E_ARGS),
                        "pattern cannot be used: missing closing parenthesis, at offset 3");
    assert_says(fails(t, "search", "{\"pattern\":\"(((a{1,100}){1,100}){1,100})\"}", TACKLE_E_ARGS),
                "too large");
    assert_string_equal(fails(t, "search", "{\"pattern\":\"\"}", TACKLE_E_ARGS),
                        "pattern is empty");
    assert_string_equal(fails(t, "search", "{\"pattern\":\"a\",\"glob\":\"[a\"}", TACKLE_E_ARGS),
                        "glob cannot be used: a [ is not closed");
    size_t deep = 30000;
    char *args = malloc(2 * deep + 100);
    assert_non_null(args);
    int head = snprintf(args, 100, "{\"pattern\":\"");
    memset(args + head, '(', deep);
    memset(args + (size_t)head + deep, ')', deep);
    memcpy(args + (size_t)head + 2 * deep, "\"}", 3);
    (void)fails(t, "search", args, TACKLE_E_ARGS);
    free(args);
}

static void search_ends_on_costly_patterns(void **state)
{
    struct plugin_test *t = *state;
    size_t len = 100001;
    char *text = malloc(len + 8);
    assert_non_null(text);
    memset(text, 'a', len);
    memcpy(text + len - 1, "!\naaa\n", 7);
    plugin_test_put(t, "a", text);
    free(text);
    assert_string_equal(
        call(t, "search", "{\"pattern\":\"^(a+)+$\"}"),
        "a:2: aaa\n[the pattern was too costly on 1 line, which counts as no match]\n");
}

static void search_stops_when_time_is_up(void **state)
{
    struct plugin_test *t = *state;
    enum { LINES = 100000, WIDTH = 31 };
    char *text = malloc((size_t)LINES * WIDTH + 1);
    assert_non_null(text);
    for (size_t i = 0; i < LINES; i++)
        memcpy(text + i * WIDTH, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n", WIDTH + 1);
    plugin_test_put(t, "a", text);
    free(text);
    plugin_test_deadline(t, 300);
    const char *out = call(t, "search", "{\"pattern\":\"(a+)+$\"}");
    assert_says(out, "[time was up after 1 file: narrow path, glob or pattern]\n");
}

static void cancelled_calls_end(void **state)
{
    struct plugin_test *t = *state;
    int fd = root_fd(t);
    for (int i = 0; i < 600; i++) {
        char name[20];
        (void)snprintf(name, sizeof name, "f%d", i);
        int file = openat(fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        assert_int_equal(close(file), 0);
    }
    assert_int_equal(close(fd), 0);
    plugin_test_cancel(t);
    assert_says(plugin_test_call(t, "find_files", "{\"pattern\":\"*\"}")->output,
                "[time was up: not all was looked at; give a path further down]\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(list_shows_one_entry_a_line),
        TEST(list_goes_as_deep_as_told),
        TEST(list_escapes_names),
        TEST(list_caps_its_entries),
        TEST(places_that_are_no_directories_are_refused),
        TEST(find_matches_globs),
        TEST(find_obeys_gitignore),
        TEST(find_reads_no_ignore_file_through_a_link),
        TEST(find_says_when_rules_were_left_out),
        TEST(walks_do_not_follow_links),
        TEST(walks_end_in_deep_trees),
        TEST(unreadable_directories_are_counted),
        TEST(other_file_systems_are_left_out),
        TEST(search_shows_matches),
        TEST(search_shows_context),
        TEST(search_caps_its_results),
        TEST(search_cuts_long_lines),
        TEST(search_skips_and_counts),
        TEST(search_takes_options_for_text),
        TEST(search_refuses_bad_patterns),
        TEST(search_ends_on_costly_patterns),
        TEST(search_stops_when_time_is_up),
        TEST(cancelled_calls_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
