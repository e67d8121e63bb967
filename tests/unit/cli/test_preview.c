/* What a person is shown of a call: all of it, and nothing that hides. */
#include "test_support.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "preview.h"

/* The lines for these arguments, joined. */
static char *preview(const char *arguments, const char *workspace, size_t columns)
{
    struct preview p;
    char *text = NULL;
    size_t len = 0;
    json_error_t error;
    json_t *args = json_loads(arguments, JSON_ALLOW_NUL, &error);
    if (!args)
        fail_msg("%s: %s", arguments, error.text);
    json_t *event = json_pack("{s:s, s:o}", "name", "x", "arguments", args);
    preview_init(&p, event, workspace, columns);
    FILE *file = open_memstream(&text, &len);
    for (size_t i = 0; i < p.count; i++)
        (void)fprintf(file, "%s\n", p.lines[i].text);
    assert_int_equal(fclose(file), 0);
    preview_release(&p);
    json_decref(event);
    return text;
}

static void check(const char *arguments, const char *wanted)
{
    char *got = preview(arguments, "/nowhere", 200);
    assert_string_equal(got, wanted);
    free(got);
}

static void commands_are_quoted(void **state)
{
    (void)state;
    check("{\"argv\":[\"git\",\"log\",\"-n1\"]}", "git log -n1\n");
    check("{\"argv\":[\"a b\",\"\",\"$x\",\"it's\"]}", "'a b' '' '$x' 'it'\\''s'\n");
    check("{\"argv\":[\"sh\",\"-c\",\"one\\ntwo\"],\"cwd\":\"sub\",\"timeout_s\":9}",
          "sh -c 'one\ntwo'\ncwd: sub\ntimeout_s: 9\n");
    check("{\"argv\":[\"a\\u0000b\"]}", "'a\\x00b'\n");
    check("{\"command\":\"make && ./x\"}", "make && ./x\n");
    check("{\"argv\":[]}", "\n");
}

static void blanks_are_counted_where_they_hide(void **state)
{
    (void)state;
    check("{\"command\":\"  a    b     c \"}", "<2 blanks>a    b<5 blanks>c<1 blank>\n");
    check("{\"command\":\"a\\tb\\u00a0c\\u2003d\\u3000\"}",
          "a\\tb<U+00A0>c<U+2003>d<U+3000>\n"
          "careful, not all of it is ASCII: U+00A0 U+2003 U+3000\n");
    check("{\"path\":\"a\",\"old_text\":\"    x\\n\\ty \",\"new_text\":\"\"}",
          "a\n-     x\n-     y<1 blank>\n");
}

static void nothing_controls_the_terminal(void **state)
{
    (void)state;
    check("{\"command\":\"a\\u001b[2J\\rb\\r\\nc\"}", "a\\x1b[2J\\x0db\\x0d\nc\n");
    check("{\"command\":\"\\u0441url\"}", "\xD1\x81url\ncareful, not all of it is ASCII: U+0441\n");
    check("{\"x\\u001b\":\"\\u202e\"}", "x\\x1b: <U+202E>\n");
}

static void any_argument_is_shown(void **state)
{
    (void)state;
    check("{}", "(without arguments)\n");
    check("{\"a\":1,\"b\":[true,null],\"c\":\"x\",\"d\":\"one\\ntwo\\n\"}",
          "a: 1\nb: [true,null]\nc: x\nd: \n  one\n  two\n");
    check("{\"path\":7,\"content\":\"x\"}", "path: 7\ncontent: x\n");
    check("{\"path\":\"a\",\"content\":\"x\",\"mode\":\"0755\"}",
          "a  (new, or not to be compared)\n+ x\nmode: 0755\n");
    check("{\"path\":\"a\",\"old_text\":\"x\",\"new_text\":\"y\",\"replace_all\":true}",
          "a\n- x\n+ y\nreplace_all: true\n");
}

static void long_lines_go_on_below(void **state)
{
    (void)state;
    char *got = preview("{\"command\":\"abcdefghijklmnopqrstuvwxyz and more words\"}", "/", 20);
    assert_string_equal(got, "abcdefghijklmnopqrst\nuvwxyz and more \nwords\n");
    free(got);
    got = preview("{\"path\":\"a\",\"content\":\"abcdefghijklmnopqrstuvwxyz\"}", "/nowhere", 20);
    assert_string_equal(got, "a  (new, or not to \nbe compared)\n"
                             "+ abcdefghijklmnopqr\n  stuvwxyz\n");
    free(got);
}

/* `now` is in the file; the arguments have `then`. */
static void check_change(const char *now, const char *then, const char *wanted)
{
    char *dir = test_temp_dir(), *path = test_join(dir, "f");
    test_write_file(path, now, strlen(now));
    json_t *args = json_pack("{s:s, s:s}", "path", "f", "content", then);
    char *text = json_dumps(args, 0);
    char *got = preview(text, dir, 200);
    assert_string_equal(got, wanted);
    free(got);
    free(text);
    json_decref(args);
    free(path);
    test_remove_tree(dir);
    free(dir);
}

static void what_stays_is_left_out(void **state)
{
    (void)state;
    check_change("1\n2\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\nV\n6\n7\n",
                 "f\n(from line 5)\n  3\n  4\n- 5\n+ V\n  6\n  7\n");
    check_change("1\n2\n", "1\n2\n3\n", "f\n(from line 3)\n  1\n  2\n+ 3\n");
    check_change("1\n2\n3\n", "2\n3\n", "f\n(from line 1)\n- 1\n  2\n  3\n");
    check_change("a\na\n", "a\na\na\n", "f\n(from line 3)\n  a\n  a\n+ a\n");
    check_change("x", "x\n", "f\n(from line 1)\n- x\n(no newline at the end)\n+ x\n");
    check_change("", "x\n", "f\n(from line 1)\n+ x\n");
    check_change("x\n", "", "f\n(from line 1)\n- x\n");
    check_change("x\n", "x\n", "f\n(this changes nothing)\n");
    check_change("", "", "f\n(this changes nothing)\n");
}

/* Nothing is read that is no plain file below the workspace. */
static void only_files_of_the_workspace_are_read(void **state)
{
    (void)state;
    check("{\"path\":\"/etc/hostname\",\"content\":\"x\"}",
          "/etc/hostname  (new, or not to be compared)\n+ x\n");
    char *got = preview("{\"path\":\"../etc/hostname\",\"content\":\"x\"}", "/tmp", 200);
    assert_string_equal(got, "../etc/hostname  (new, or not to be compared)\n+ x\n");
    free(got);
    got = preview("{\"path\":\"null\",\"content\":\"x\"}", "/dev", 200);
    assert_string_equal(got, "null  (new, or not to be compared)\n+ x\n");
    free(got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_quoted),
        cmocka_unit_test(blanks_are_counted_where_they_hide),
        cmocka_unit_test(nothing_controls_the_terminal),
        cmocka_unit_test(any_argument_is_shown),
        cmocka_unit_test(long_lines_go_on_below),
        cmocka_unit_test(what_stays_is_left_out),
        cmocka_unit_test(only_files_of_the_workspace_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
