#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/command.h"

static void read_shell(struct command *c, const char *text)
{
    struct err err;
    if (command_read_shell(c, text, strlen(text), &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

static void read_argv(struct command *c, const char *json)
{
    struct err err;
    json_t *argv = json_loads(json, 0, NULL);
    assert_non_null(argv);
    if (command_read_argv(c, argv, &err) != 0)
        fail_msg("%s: %s", json, err.text);
    json_decref(argv);
}

static void parse(struct command_pattern *p, const char *text)
{
    struct err err;
    if (command_pattern_parse(p, text, &err) != 0)
        fail_msg("%s: %s", text, err.text);
}

/* ---- Reading ---- */

static void check_parts(const char *text, size_t parts)
{
    struct command c;
    read_shell(&c, text);
    if (c.part_count != parts || c.understood != (parts > 0))
        fail_msg("%s: %zu parts, %s", text, c.part_count, c.understood ? "understood" : "not");
    command_release(&c);
}

static void plain_words_are_understood(void **state)
{
    (void)state;
    check_parts("git log", 1);
    check_parts("  git\tlog  -5 ", 1);
    check_parts("git log;", 1);
    check_parts("git log\n", 1);
    check_parts("\ngit log", 1);
    check_parts("a && b || c ; d | e\nf", 6);
    check_parts("a\n\n\nb", 2);
    check_parts("a&&b", 2);
    check_parts("make CC=gcc", 1);
    check_parts("git diff HEAD~1 HEAD^", 1);
    check_parts("./configure --prefix=/usr", 1);
}

static void nothing_else_is(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        ";",
                                        "&&",
                                        "a &&",
                                        "&& a",
                                        "a ;; b",
                                        "a | | b",
                                        "a &",
                                        "a & b",
                                        "a |& b",
                                        "echo $HOME",
                                        "echo ${IFS}",
                                        "echo $(id)",
                                        "echo `id`",
                                        "a > b",
                                        "a >> b",
                                        "a < b",
                                        "a 2>&1",
                                        "diff <(a) <(b)",
                                        "tee >(a)",
                                        "echo 'a'",
                                        "echo \"a\"",
                                        "g\\it log",
                                        "$'\\x63url' x",
                                        "{curl,x}",
                                        "ls *",
                                        "ls ?",
                                        "ls [ab]",
                                        "ls ~",
                                        "ls ~/a",
                                        "make a=~/b",
                                        "a :~",
                                        "^a",
                                        "a # b",
                                        "! a",
                                        "X=1 git log",
                                        "X=1",
                                        "export A=1; X=1 b",
                                        "(a)",
                                        "{ a; }",
                                        "a\rb",
                                        "a\r\nb",
                                        "git\xc2\xa0log",
                                        "\xd1\x81url x",
                                        "cu\xe2\x80\x8brl",
                                        "a \x01",
                                        "a ^ b",
                                        "=git log",
                                        "a;=b"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_parts(texts[i], 0);
}

static void what_is_too_much_is_refused(void **state)
{
    struct command c;
    struct err err;
    size_t len = COMMAND_TEXT_MAX + 1;
    char *text = malloc(len + 1);
    (void)state;
    assert_non_null(text);
    memset(text, 'a', len);
    assert_int_equal(command_read_shell(&c, text, len, &err), -1);
    assert_int_equal(err.code, ERR_LIMIT);
    command_release(&c);
    for (size_t i = 1; i < len; i += 2)
        text[i] = ' ';
    assert_int_equal(command_read_shell(&c, text, len - 1, &err), -1);
    assert_non_null(strstr(err.text, "words"));
    command_release(&c);
    free(text);
}

static void an_argument_vector_is_one_command(void **state)
{
    struct command c;
    (void)state;
    read_argv(&c, "[\"git\",\"log\",\"a b\",\"it's\",\"\"]");
    assert_true(c.understood);
    assert_int_equal(c.part_count, 1);
    assert_int_equal(c.parts[0].count, 5);
    assert_string_equal(c.text, "git log 'a b' 'it'\\''s' ''");
    command_release(&c);
    read_argv(&c, "[\"\xd1\x81url\"]");
    assert_false(c.understood);
    command_release(&c);
    read_argv(&c, "[]");
    assert_false(c.understood);
    command_release(&c);
}

static void code_in_a_command_is_seen(void **state)
{
    static const char *const with[] = {"[\"sh\",\"-c\",\"x\"]",
                                       "[\"/bin/bash\",\"-lc\",\"x\"]",
                                       "[\"env\",\"python3\",\"-c\",\"x\"]",
                                       "[\"perl\",\"-pe\",\"x\"]",
                                       "[\"node\",\"--eval\",\"x\"]",
                                       "[\"awk\",\"x\"]",
                                       "[\"sed\",\"1e x\"]",
                                       "[\"eval\",\"x\"]"};
    static const char *const without[] = {"[\"sh\",\"a.sh\",\"-c\"]",
                                          "[\"python3\",\"-m\",\"pytest\"]", "[\"make\",\"test\"]",
                                          "[\"git\",\"-c\",\"a=b\"]"};
    struct command c;
    (void)state;
    for (size_t i = 0; i < sizeof with / sizeof *with; i++) {
        read_argv(&c, with[i]);
        if (!c.has_code)
            fail_msg("%s", with[i]);
        command_release(&c);
    }
    for (size_t i = 0; i < sizeof without / sizeof *without; i++) {
        read_argv(&c, without[i]);
        if (c.has_code)
            fail_msg("%s", without[i]);
        command_release(&c);
    }
}

/* ---- Patterns ---- */

static void check_is(const char *pattern, const char *text, bool wanted)
{
    struct command_pattern p;
    struct command c;
    parse(&p, pattern);
    read_shell(&c, text);
    bool is = c.part_count == 1 && command_is(&c, 0, &p, false);
    if (is != wanted)
        fail_msg("'%s' %s '%s'", pattern, is ? "is" : "is not", text);
    command_release(&c);
    command_pattern_release(&p);
}

static void a_pattern_is_all_words(void **state)
{
    (void)state;
    check_is("git log", "git log", true);
    check_is("git log", "git  log", true);
    check_is("git log", "git logout", false);
    check_is("git log", "git", false);
    check_is("git log", "git log -5", false);
    check_is("git log ...", "git log", true);
    check_is("git log ...", "git log -5 --oneline", true);
    check_is("git log|diff ...", "git diff a", true);
    check_is("git log|diff ...", "git push", false);
    check_is("make -j2 test", "make -j2 test", true);
}

static void a_name_is_no_path(void **state)
{
    (void)state;
    check_is("git log", "./git log", false);
    check_is("git log", "/tmp/x/git log", false);
    check_is("git log", "sub/git log", false);
    check_is("git log", "/usr/bin/git log", false);
    check_is("./gradlew build", "./gradlew build", true);
    check_is("/usr/bin/git log", "/usr/bin/git log", true);
}

static void what_git_takes_behind_its_subcommand_is_limited(void **state)
{
    (void)state;
    check_is("git log ...", "git log --output=/tmp/x", false);
    check_is("git log ...", "git log --outp /tmp/x", false);
    check_is("git log ...", "git log --ext-diff", false);
    check_is("git log ...", "git log --textconv", false);
    check_is("git grep ...", "git grep -Oless x", false);
    check_is("git grep ...", "git grep --open-files-in-pager=x y", false);
    check_is("git fetch ...", "git fetch --upload-pack=x", false);
    check_is("git log ...", "git log --oneline --text -- --output", true);
    check_is("git log --output=a ...", "git log --output=a", true);
    check_is("git log ...", "git -c core.pager=x log", false);
    check_is("git log ...", "git --exec-path=. log", false);
    check_is("git log ...", "git -p log", false);
    check_is("git log ...", "git --git-dir=x log", false);
    check_is("make ...", "make --output", true);
}

static void check_mentions(const char *pattern, const char *text, bool wanted)
{
    struct command_pattern p;
    struct command c;
    parse(&p, pattern);
    read_shell(&c, text);
    if (command_mentions(&c, &p) != wanted)
        fail_msg("'%s' and '%s'", pattern, text);
    command_release(&c);
    command_pattern_release(&p);
}

static void what_is_denied_is_found_anywhere(void **state)
{
    (void)state;
    check_mentions("curl", "curl x", true);
    check_mentions("curl", "true && curl x", true);
    check_mentions("curl", "bash -c 'curl x'", true);
    check_mentions("curl", "sh -lc \"git log; curl x\"", true);
    check_mentions("curl", "env curl x", true);
    check_mentions("curl", "a | xargs -n1 curl", true);
    check_mentions("curl", "/usr/bin/curl x", true);
    check_mentions("curl", "x=$(/proc/self/root/usr/bin/curl y)", true);
    check_mentions("curl", "CMD=curl", true);
    check_mentions("curl", "curly x", false);
    check_mentions("curl", "echo a.curl", false);
    check_mentions("curl|wget", "wget x", true);
    check_mentions("git push", "git push", true);
    check_mentions("git push ...", "git push -f", true);
    check_mentions("git push", "git -C x push", true);
    check_mentions("git push", "git -c a=b --no-pager push", true);
    check_mentions("git push", "git commit push", false);
    check_mentions("git push", "git status", false);
    check_mentions("git push", "git stash; git push", true);
}

static void check_refused(const char *pattern, const char *problem)
{
    struct command_pattern p;
    struct err err;
    assert_int_equal(command_pattern_parse(&p, pattern, &err), -1);
    if (!strstr(err.text, problem))
        fail_msg("%s: %s", pattern, err.text);
    command_pattern_release(&p);
}

static void patterns_that_are_none_are_refused(void **state)
{
    (void)state;
    check_refused("", "a command is wanted");
    check_refused("   ", "a command is wanted");
    check_refused("...", "a program must stand before");
    check_refused("git ... log", "last word");
}

static void patterns_may_be_lists(void **state)
{
    struct command_pattern p;
    struct err err;
    (void)state;
    json_t *list = json_loads("[\"git\",[\"log\",\"diff\"],\"a b\",\"...\"]", 0, NULL);
    assert_int_equal(command_pattern_from_json(&p, list, &err), 0);
    assert_int_equal(p.count, 3);
    assert_true(p.open);
    assert_string_equal(p.tokens[1], "log\ndiff");
    command_pattern_release(&p);
    json_decref(list);
    static const char *const wrong[] = {"[]",          "[1]",
                                        "[[]]",        "[[1]]",
                                        "[\"\"]",      "[\"...\",\"a\"]",
                                        "[\"a\\nb\"]", "[\"git\",[\"a\\nb\"]]"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        list = json_loads(wrong[i], 0, NULL);
        if (command_pattern_from_json(&p, list, &err) == 0)
            fail_msg("%s", wrong[i]);
        command_pattern_release(&p);
        json_decref(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_words_are_understood),
        cmocka_unit_test(nothing_else_is),
        cmocka_unit_test(what_is_too_much_is_refused),
        cmocka_unit_test(an_argument_vector_is_one_command),
        cmocka_unit_test(code_in_a_command_is_seen),
        cmocka_unit_test(a_pattern_is_all_words),
        cmocka_unit_test(a_name_is_no_path),
        cmocka_unit_test(what_git_takes_behind_its_subcommand_is_limited),
        cmocka_unit_test(what_is_denied_is_found_anywhere),
        cmocka_unit_test(patterns_that_are_none_are_refused),
        cmocka_unit_test(patterns_may_be_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
