/* The pure parts of the file plugin: globs, ignore rules, hashes, how text is shown, replacing, and
 * what is said when a text to replace is not there. */
#include "test_support.h"

#include <stdlib.h>
#include <string.h>

#include "file/glob.h"
#include "file/hash.h"
#include "file/ignore.h"
#include "file/nearest.h"
#include "file/regex.h"
#include "file/replace.h"
#include "file/show.h"

/* ---- glob ---- */

static void glob_matches_as_documented(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"a.c", "a.c", true},
        {"a.c", "b.c", false},
        {"*.c", "a.c", true},
        {"*.c", ".c", true},
        {"*.c", "x/a.c", false},
        {"x/*", "x/a", true},
        {"x/*", "x/a/b", false},
        {"*/b", "a/b", true},
        {"?", "a", true},
        {"?", "/", false},
        {"?", "\xC3\xA9", true},
        {"??", "\xC3\xA9", false},
        {"*??", "\xE2\x82\xAC", false},
        {"?", "\xFF", true},
        {"**", "a/b/c", true},
        {"**/c", "c", true},
        {"**/c", "a/b/c", true},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/x/y/c", true},
        {"a/**/c", "b/x/c", false},
        {"a/**", "a/b/c", true},
        {"a/**", "a", false},
        {"**/b/**/d", "a/b/c/b/x/d", true},
        {"**/b/**/d", "a/b/c", false},
        {"***/c", "a/b/c", true},
        {"a**b", "axxb", true},
        {"a**b", "ax/xb", false},
        {"src/**/*.c", "src/x.c", true},
        {"src/**/*.c", "src/a/b/x.c", true},
        {"src/**/*.c", "src/a/b/x.h", false},
        {"[abc]", "b", true},
        {"[abc]", "d", false},
        {"[a-c]x", "bx", true},
        {"[!a-c]", "d", true},
        {"[!a-c]", "b", false},
        {"[^a-c]", "b", false},
        {"[]]", "]", true},
        {"[!]]", "]", false},
        {"[a-]", "-", true},
        {"[\\]]", "]", true},
        {"[[:digit:]]", "7", true},
        {"[[:digit:]]", "x", false},
        {"[[:alpha:]_]", "_", true},
        {"[\xC3\xA0-\xC3\xBC]", "\xC3\xA9", true},
        {"[abc", "[abc", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\", "a", false},
        {"", "a", false},
        {"a/b", "a", false},
        {"a", "a/b", false},
        {"*a*a*b", "aaaaaaaaaaaaaaab", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (glob_match(cases[i].pattern, cases[i].path) != cases[i].match)
            fail_msg("'%s' and '%s': expected %d", cases[i].pattern, cases[i].path, cases[i].match);
    }
}

static void glob_ends_on_patterns_that_explode_elsewhere(void **state)
{
    (void)state;
    char text[2001], deep[4001];
    memset(text, 'a', 2000);
    text[2000] = '\0';
    for (size_t i = 0; i < 4000; i += 2)
        memcpy(deep + i, "a/", 2);
    deep[3999] = '\0';
    assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
    assert_false(glob_match("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/*b", deep));
}

static void glob_set_expands_braces(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool match;
    } cases[] = {
        {"*.{c,h}", "src/a.h", true},
        {"*.{c,h}", "src/a.o", false},
        {"{src,lib/x}/*.c", "lib/x/a.c", true},
        {"{src,lib/x}/*.c", "lib/a.c", false},
        {"a{b,{c,d}e}f", "acef", true},
        {"a{b,{c,d}e}f", "abf", true},
        {"a{b,{c,d}e}f", "acf", false},
        {"x{,y}", "x", true},
        {"x{,y}", "xy", true},
        {"\\{a,b\\}", "{a,b}", true},
        {"[{]a", "{a", true},
        {"a}", "a}", true},
        {"*.c", "a/b/c.c", true},
        {"/*.c", "a.c", true},
        {"/*.c", "a/b.c", false},
        {"./*.c", "x/a.c", true},
        {"**", "a/b", true},
        {"**/*.c", "a.c", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct glob_set set;
        const char *problem = "";
        assert_int_equal(glob_set_init(&set, cases[i].pattern, &problem), 0);
        if (glob_set_match(&set, cases[i].path) != cases[i].match)
            fail_msg("'%s' and '%s': expected %d", cases[i].pattern, cases[i].path, cases[i].match);
        glob_set_release(&set);
    }
}

static void glob_set_refuses_what_it_cannot_use(void **state)
{
    static const struct {
        const char *pattern, *problem;
    } cases[] = {
        {"", "it is empty"},
        {"{a,b", "a { is not closed"},
        {"{a,{b}", "a { is not closed"},
        {"[a", "a [ is not closed"},
        {"a\\", "it ends in a backslash"},
        {"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
         "its braces stand for more than 256 patterns"},
    };
    (void)state;
    struct glob_set set;
    const char *problem;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problem = "";
        assert_int_equal(glob_set_init(&set, cases[i].pattern, &problem), -1);
        assert_string_equal(problem, cases[i].problem);
        assert_null(set.patterns);
    }
    char many[GLOB_PATTERN_MAX + 2];
    memset(many, '{', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    assert_int_equal(glob_set_init(&set, many, &problem), -1);
    assert_string_equal(problem, "it is longer than 1,024 bytes");
    memset(many + GLOB_PATTERN_MAX / 2, '}', GLOB_PATTERN_MAX / 2);
    many[GLOB_PATTERN_MAX] = '\0';
    assert_int_equal(glob_set_init(&set, many, &problem), 0); /* nested as deep as can be */
    assert_int_equal(set.count, 1);
    glob_set_release(&set);
}

static void glob_set_tells_directories_apart(void **state)
{
    (void)state;
    struct glob_set set;
    const char *problem;
    assert_int_equal(glob_set_init(&set, "tests/", &problem), 0);
    assert_true(set.dirs);
    assert_true(glob_set_match(&set, "a/tests"));
    glob_set_release(&set);
}

/* ---- ignore ---- */

static bool ignored(const char *rules, const char *path, bool is_dir)
{
    struct ignore ig;
    ignore_init(&ig);
    assert_int_equal(ignore_add(&ig, 0, rules, strlen(rules)), 0);
    bool answer = ignore_match(&ig, path, is_dir);
    ignore_release(&ig);
    return answer;
}

/* As git check-ignore answers; but parents, which a walk has judged before, do not count. */
static void ignore_follows_gitignore(void **state)
{
    static const struct {
        const char *rules, *path;
        bool is_dir, ignored;
    } cases[] = {
        {"*.o\n", "a.o", false, true},
        {"*.o\n", "x/y/a.o", false, true},
        {"*.o", "a.o", false, true},
        {"/a.o\n", "a.o", false, true},
        {"/a.o\n", "x/a.o", false, false},
        {"build/\n", "build", true, true},
        {"build/\n", "build", false, false},
        {"build/\n", "x/build", true, true},
        {"x/build/\n", "x/build", true, true},
        {"x/build/\n", "y/x/build", true, false},
        {"a/*\n", "a/b", false, true},
        {"a/*\n", "a/b/c", false, false},
        {"**/foo\n", "x/y/foo", false, true},
        {"**/foo\n", "foo", false, true},
        {"abc/**\n", "abc/x/y", false, true},
        {"abc/**\n", "abc", true, false},
        {"a/**/b\n", "a/b", false, true},
        {"a/**/b\n", "a/x/b", false, true},
        {"# comment\n", "# comment", false, false},
        {"\\#a\n", "#a", false, true},
        {"\\!a\n", "!a", false, true},
        {"*\n!a\n", "a", false, false},
        {"*\n!a\n", "b", false, true},
        {"!a\n*\n", "a", false, true},
        {"*.c\n!/keep.c\n", "x/keep.c", false, true},
        {"a \n", "a", false, true},
        {"a\\ \n", "a ", false, true},
        {"a\\ \n", "a", false, false},
        {"a b\n", "a b", false, true},
        {"*.o\r\n*.a\r\n", "x.o", false, true},
        {"\xEF\xBB\xBF*.o\n", "x.o", false, true},
        {"\n   \n", " ", false, false},
        {"/\n", "a", true, false},
        {"!\n", "a", false, false},
        {"[ab].txt\n", "b.txt", false, true},
        {"[ab.txt\n", "[ab.txt", false, false},
        {"foo**bar\n", "fooxbar", false, true},
        {"/*\n!/src\n", "src", true, false},
        {"/*\n!/src\n", "lib", true, true},
        {"", "a", false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (ignored(cases[i].rules, cases[i].path, cases[i].is_dir) != cases[i].ignored)
            fail_msg("rules '%s', path '%s': expected %d", cases[i].rules, cases[i].path,
                     cases[i].ignored);
    }
}

static void ignore_lets_deeper_rules_win(void **state)
{
    (void)state;
    struct ignore ig;
    ignore_init(&ig);
    assert_int_equal(ignore_add(&ig, 0, "*.log\n/gen\n", 11), 0);
    size_t top = ig.count;
    assert_int_equal(ignore_add(&ig, 4, "!keep.log\n/gen\n", 15), 0);
    assert_false(ignore_match(&ig, "src/keep.log", false));
    assert_true(ignore_match(&ig, "src/other.log", false));
    assert_true(ignore_match(&ig, "src/gen", true)); /* anchored to src/ */
    assert_false(ignore_match(&ig, "src/x/gen", true));
    ignore_drop(&ig, top);
    assert_true(ignore_match(&ig, "src/keep.log", false));
    assert_false(ignore_match(&ig, "src/gen", true));
    ignore_release(&ig);
}

static void ignore_caps_its_rules(void **state)
{
    (void)state;
    struct ignore ig;
    ignore_init(&ig);
    size_t len = 2 * (IGNORE_RULES_MAX + 5);
    char *rules = malloc(len);
    assert_non_null(rules);
    for (size_t i = 0; i < len; i += 2)
        memcpy(rules + i, "a\n", 2);
    assert_int_equal(ignore_add(&ig, 0, rules, len), 0);
    assert_int_equal(ig.count, IGNORE_RULES_MAX);
    assert_true(ig.cut);
    free(rules);
    ignore_release(&ig);
}

/* ---- hash: FIPS 180-4 examples and every length round a block's edge ---- */

static void hash_gives_the_published_digests(void **state)
{
    (void)state;
    char hex[HASH_HEX_SIZE];
    hash_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hash_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    hash_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
    assert_string_equal(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    assert_non_null(million);
    memset(million, 'a', 1000000);
    hash_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    hash_hex(million, 55, hex);
    assert_string_equal(hex, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    hash_hex(million, 64, hex);
    assert_string_equal(hex, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
    free(million);
}

/* ---- show ---- */

static void assert_name(const char *name, const char *expected)
{
    struct bytes out;
    bytes_init(&out, 1000);
    show_name(&out, name);
    assert_string_equal(bytes_str(&out), expected);
    bytes_release(&out);
}

static void show_keeps_names_on_one_line(void **state)
{
    (void)state;
    assert_name("a b.c", "a b.c");
    assert_name("back\\slash", "back\\slash");
    assert_name("\xC3\xA9", "\xC3\xA9");
    assert_name("a\nb", "\"a\\nb\"");
    assert_name("a\tb\\", "\"a\\tb\\\\\"");
    assert_name("\x1B[2J", "\"\\033[2J\"");
    assert_name("\xFF\xFE", "\"\\377\\376\"");
    assert_name("\xE2\x80\xA8", "\"\\342\\200\\250\"");
    assert_name("\"q\"", "\"\\\"q\\\"\"");
    assert_name(" a", "\" a\"");
    assert_name("a ", "\"a \"");
    assert_name("a -> b", "\"a -> b\"");
    assert_name("", "\"\"");
}

static void assert_text(const char *text, size_t len, const char *expected, size_t replaced)
{
    struct bytes out;
    bytes_init(&out, 1000);
    assert_int_equal(show_text(&out, text, len), replaced);
    assert_string_equal(bytes_str(&out), expected);
    bytes_release(&out);
}

#define BAD "\xEF\xBF\xBD"

static void show_makes_utf8_of_anything(void **state)
{
    (void)state;
    assert_text("caf\xE9!", 5, "caf" BAD "!", 1);
    assert_text("\xED\xA0\x80", 3, BAD BAD BAD, 3);         /* a surrogate */
    assert_text("\xC0\x80", 2, BAD BAD, 2);                 /* overlong */
    assert_text("\xF4\x90\x80\x80", 4, BAD BAD BAD BAD, 4); /* past U+10FFFF */
    assert_text("\xF0\x9F\x98\x80", 4, "\xF0\x9F\x98\x80", 0);
    assert_text("\xE2\x82", 2, BAD BAD, 2);
    assert_text("a\0b", 3, "a" BAD "b", 1);
}

static void show_cuts_long_lines_round_the_match(void **state)
{
    (void)state;
    struct bytes out;
    char line[1000];
    memset(line, '.', sizeof line);
    line[700] = 'X';
    bytes_init(&out, 5000);
    show_line(&out, line, sizeof line, 700, 100);
    assert_non_null(strchr(bytes_str(&out), 'X'));
    assert_int_equal(out.len, 100 + 2 * strlen("[...] "));
    bytes_cut(&out, 0);
    show_line(&out, line, sizeof line, 999, 100);
    assert_int_equal(out.len, 100 + strlen("[...] "));
    bytes_release(&out);
}

static void show_tells_binary_from_text(void **state)
{
    (void)state;
    assert_true(show_is_binary("a\0b", 3));
    assert_true(show_is_binary("\1\2\3abc", 6));
    assert_false(show_is_binary("caf\xE9\r\n\t\x1B[0m", 11));
    assert_false(show_is_binary("", 0));
}

static void show_counts_lines(void **state)
{
    (void)state;
    assert_int_equal(show_count_lines("", 0), 0);
    assert_int_equal(show_count_lines("a", 1), 1);
    assert_int_equal(show_count_lines("a\n", 2), 1);
    assert_int_equal(show_count_lines("a\nb", 3), 2);
    assert_int_equal(show_line_of("a\nb", 2), 2);
}

/* ---- replace ---- */

static int replaced(const char *text, const char *old_text, const char *new_text, bool all,
                    struct bytes *out, struct replace_places *places)
{
    struct replace_order order = {old_text, strlen(old_text), new_text, strlen(new_text), all};
    bytes_release(out);
    return replace_text(text, strlen(text), &order, out, places);
}

static void replace_changes_only_what_it_should(void **state)
{
    static const struct {
        const char *text, *old_text, *new_text;
        bool all;
        int status;
        const char *expected;
    } cases[] = {
        {"one two", "two", "2", false, REPLACE_DONE, "one 2"},
        {"one", "one", "", false, REPLACE_DONE, ""},
        {"a a a", "a", "b", true, REPLACE_DONE, "b b b"},
        {"aaa", "aa", "b", true, REPLACE_DONE, "ba"},
        {"aaa", "aa", "b", false, REPLACE_AMBIGUOUS, NULL},
        {"a a", "a", "b", false, REPLACE_AMBIGUOUS, NULL},
        {"a", "b", "c", false, REPLACE_MISSING, NULL},
        {"a", "b", "c", true, REPLACE_MISSING, NULL},
        {"", "b", "c", false, REPLACE_MISSING, NULL},
        /* CRLF throughout: plain newlines on both sides are taken as CRLF. */
        {"a\r\nb\r\n", "a\nb\n", "x\ny\n", false, REPLACE_DONE, "x\r\ny\r\n"},
        {"a\r\nb\r\n", "b", "x\ny", false, REPLACE_DONE, "a\r\nx\r\ny\r\n"},
        {"a\r\nb\r\n", "a\r\n", "a\n", false, REPLACE_DONE, "a\nb\r\n"},
        /* Line ends of both kinds. */
        {"a\nb\r\nc\r\n", "b\nc", "x\ny", false, REPLACE_DONE, "a\nx\r\ny\r\n"},
        {"a\nb\r\n", "a\n", "x\n", false, REPLACE_DONE, "x\nb\r\n"},
        {"\xEF\xBB\xBF"
         "a\n",
         "a", "b", false, REPLACE_DONE,
         "\xEF\xBB\xBF"
         "b\n"},
        {"caf\xE9 x", "x", "y", false, REPLACE_DONE, "caf\xE9 y"},
        {"a\xE2\x80\xA8"
         "b",
         "b", "c", false, REPLACE_DONE,
         "a\xE2\x80\xA8"
         "c"},
        {"no end", "end", "End", false, REPLACE_DONE, "no End"},
    };
    (void)state;
    struct bytes out;
    struct replace_places places;
    bytes_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = replaced(cases[i].text, cases[i].old_text, cases[i].new_text, cases[i].all,
                              &out, &places);
        if (status != cases[i].status)
            fail_msg("case %zu: status %d", i, status);
        if (cases[i].expected)
            assert_string_equal(bytes_str(&out), cases[i].expected);
    }
    bytes_release(&out);
}

static void replace_tells_where(void **state)
{
    (void)state;
    struct bytes out;
    struct replace_places places;
    bytes_init(&out, 1000);
    assert_int_equal(replaced("a.a.a", "a", "bb", true, &out, &places), REPLACE_DONE);
    assert_int_equal(places.count, 3);
    assert_int_equal(places.at[2], 6); /* in the new text */
    assert_int_equal(places.len, 2);
    assert_int_equal(replaced("x.a.a", "a", "bb", false, &out, &places), REPLACE_AMBIGUOUS);
    assert_int_equal(places.count, 2);
    assert_int_equal(places.at[1], 4); /* in the old one */
    bytes_release(&out);
}

static void replace_stops_at_the_cap(void **state)
{
    (void)state;
    struct bytes out;
    struct replace_places places;
    bytes_init(&out, 10);
    assert_int_equal(replaced("aaaa", "a", "0123456789", true, &out, &places), REPLACE_FAILED);
    bytes_release(&out);
}

/* ---- nearest ---- */

static const char source[] = "int main(void)\n"
                             "{\n"
                             "\tint count = 0;\n"
                             "    return count;  \n"
                             "}\n"
                             "static int other(int value)\r\n"
                             "the last line";

static void assert_nearest(const char *wanted, size_t first, size_t last, const char *why)
{
    struct nearest near;
    nearest_find(source, strlen(source), wanted, strlen(wanted), &near);
    assert_string_equal(near.why, why);
    assert_int_equal(near.first, first);
    assert_int_equal(near.last, last);
}

static void nearest_explains_what_is_different(void **state)
{
    (void)state;
    assert_nearest("    int count = 0;\n", 3, 3,
                   "line 3 is indented by 1 tab in the file, by 4 spaces in old_text");
    assert_nearest("{\n  int count = 0;\n", 2, 3,
                   "line 3 is indented by 1 tab in the file, by 2 spaces in old_text");
    assert_nearest("    return count;\n}", 4, 5, "line 4 has 2 blanks at its end, old_text has 0");
    assert_nearest("int Main(void)", 1, 1, "line 1 differs in upper and lower case");
    assert_nearest("int  main( void )", 1, 1, "line 1 has other white space within it");
    assert_nearest("static int other(int value)\nthe last", 6, 7,
                   "line 6 ends in CRLF in the file, in LF in old_text");
    assert_nearest("COUNT = 0", 3, 3, "from line 3 on, upper and lower case differ");
    assert_nearest("main(void) {", 1, 2, "from line 1 on, white space or line breaks differ");
    assert_nearest("the last line\n\n", 7, 7, "from line 7 on, white space or line breaks differ");
    assert_nearest("\tint counter = 0;", 3, 3, "line 3 differs from byte 11 on");
    assert_nearest("int main(void)\n{\n\tint total = 0;\n", 1, 3, "line 3 differs from byte 6 on");
    assert_nearest("     1\tint main(void)\n     2\t{\n", 0, 0,
                   "old_text holds the line numbers that read_file shows: leave them out");
    assert_nearest("something else altogether", 0, 0, "nothing in the file is like it");
    assert_nearest("   \n \n", 0, 0, "nothing in the file is like it");
}

static void nearest_copes_with_an_empty_text(void **state)
{
    (void)state;
    struct nearest near;
    nearest_find("", 0, "a", 1, &near);
    assert_int_equal(near.first, 0);
    assert_string_equal(near.why, "nothing in the file is like it");
}

/* ---- regex ---- */

static int found(const char *pattern, unsigned flags, const char *line, size_t len)
{
    char problem[REGEX_PROBLEM_SIZE];
    size_t at;
    struct regex *r = regex_new(pattern, strlen(pattern), flags, problem);
    if (!r)
        fail_msg("%s: %s", pattern, problem);
    int rc = regex_find(r, line, len, &at);
    regex_free(r);
    return rc;
}

static void regex_finds(void **state)
{
    (void)state;
    assert_int_equal(found("^a+b$", 0, "aab", 3), 1);
    assert_int_equal(found("^a+b$", 0, "aac", 3), 0);
    assert_int_equal(found("A", REGEX_ANY_CASE, "xa", 2), 1);
    assert_int_equal(found("a.c(", REGEX_FIXED, "xa.c(", 5), 1);
    assert_int_equal(found("a.c(", REGEX_FIXED, "xabc(", 5), 0);
    assert_int_equal(found("A.C(", REGEX_FIXED | REGEX_ANY_CASE, "xa.c(", 5), 1);
    assert_int_equal(found("\xC3\x89", REGEX_ANY_CASE, "\xC3\xA9", 2), 1);
    assert_int_equal(found("b", 0,
                           "\xFF\xFE"
                           "b",
                           3),
                     1); /* no UTF-8 */
    assert_int_equal(found("^$", 0, "", 0), 1);
}

static void assert_bad_regex(const char *pattern, const char *problem_part)
{
    char problem[REGEX_PROBLEM_SIZE];
    assert_null(regex_new(pattern, strlen(pattern), 0, problem));
    if (!strstr(problem, problem_part))
        fail_msg("'%s' does not say '%s'", problem, problem_part);
}

static void regex_says_what_is_wrong(void **state)
{
    (void)state;
    assert_bad_regex("a(b", "missing closing parenthesis, at offset 3");
    assert_bad_regex("*a", "quantifier does not follow a repeatable item, at offset 0");
    assert_bad_regex("a\\C", "\\C");
    assert_bad_regex("(((a{1,100}){1,100}){1,100})", "too large");
    char many[4001];
    memset(many, '(', 2000);
    memset(many + 2000, ')', 2000);
    many[4000] = '\0';
    assert_bad_regex(many, "too deeply nested");
    char *long_one = malloc(REGEX_PATTERN_MAX + 2);
    assert_non_null(long_one);
    memset(long_one, 'a', REGEX_PATTERN_MAX + 1);
    long_one[REGEX_PATTERN_MAX + 1] = '\0';
    assert_bad_regex(long_one, "pattern string is longer than the limit");
    free(long_one);
}

static void regex_gives_up_on_bombs(void **state)
{
    (void)state;
    char line[5001];
    memset(line, 'a', 5000);
    line[5000] = '!';
    assert_int_equal(found("(a+)+$", 0, line, sizeof line), -1);
    assert_int_equal(found("(a|aa)+$", 0, line, sizeof line), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(glob_matches_as_documented),
        cmocka_unit_test(glob_ends_on_patterns_that_explode_elsewhere),
        cmocka_unit_test(glob_set_expands_braces),
        cmocka_unit_test(glob_set_refuses_what_it_cannot_use),
        cmocka_unit_test(glob_set_tells_directories_apart),
        cmocka_unit_test(ignore_follows_gitignore),
        cmocka_unit_test(ignore_lets_deeper_rules_win),
        cmocka_unit_test(ignore_caps_its_rules),
        cmocka_unit_test(hash_gives_the_published_digests),
        cmocka_unit_test(show_keeps_names_on_one_line),
        cmocka_unit_test(show_makes_utf8_of_anything),
        cmocka_unit_test(show_cuts_long_lines_round_the_match),
        cmocka_unit_test(show_tells_binary_from_text),
        cmocka_unit_test(show_counts_lines),
        cmocka_unit_test(replace_changes_only_what_it_should),
        cmocka_unit_test(replace_tells_where),
        cmocka_unit_test(replace_stops_at_the_cap),
        cmocka_unit_test(nearest_explains_what_is_different),
        cmocka_unit_test(nearest_copes_with_an_empty_text),
        cmocka_unit_test(regex_finds),
        cmocka_unit_test(regex_says_what_is_wrong),
        cmocka_unit_test(regex_gives_up_on_bombs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
