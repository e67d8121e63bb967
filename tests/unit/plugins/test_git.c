/* The git tools that read, on real repositories, and repositories without commits. */
#include "git_fixture.h"
#include "git/when.h"

/* ---- init, and repositories without commits ---- */

static void no_repository(void **state)
{
    static const char *const tools[][2] = {
        {"git_status", "{}"},
        {"git_diff", "{}"},
        {"git_log", "{}"},
        {"git_show", "{'rev':'HEAD'}"},
        {"git_blame", "{'path':'a'}"},
        {"git_branch", "{}"},
        {"git_add", "{'paths':['.']}"},
        {"git_commit", "{'message':'m'}"},
        {"git_switch", "{'branch':'b'}"},
        {"git_restore", "{'paths':['a']}"},
    };
    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        bad(*state, tools[i][0], tools[i][1], TACKLE_E_NOT_FOUND, "not a git repository");
}

static void init_makes_one(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(probe(f, "git_init", "{}", "init")->code, TACKLE_PROBE_NOT_DONE);
    assert_int_equal(probe(f, "git_init", "{}", NULL)->code, TACKLE_PROBE_NOT_DONE);
    const struct plugin_result *r = good(f, "git_init", "{}", "branch main");
    assert_string_equal(r->note, "init");
    char *said = strdup(r->output);
    bad(f, "git_init", "{}", TACKLE_E_FAILED, "already");
    r = probe(f, "git_init", "{}", "init");
    assert_int_equal(r->code, TACKLE_PROBE_DONE);
    assert_string_equal(r->output, said);
    free(said);
}

static void without_commits(void **state)
{
    struct fixture *f = *state;
    good(f, "git_init", "{}", "");
    assert_string_equal(good(f, "git_status", "{}", "")->output,
                        "## No commits yet on main\nnothing to commit, working tree clean\n");
    good(f, "git_log", "{}", "no commits yet");
    good(f, "git_branch", "{}", "* main (no commits yet)");
    good(f, "git_diff", "{'staged':true}", "nothing staged");
    bad(f, "git_show", "{'rev':'HEAD'}", TACKLE_E_NOT_FOUND, "no commit yet");
    bad(f, "git_blame", "{'path':'a.txt'}", TACKLE_E_NOT_FOUND, "no commit yet");
    bad(f, "git_branch", "{'name':'x'}", TACKLE_E_NOT_FOUND, "no commit yet");
    bad(f, "git_commit", "{'message':'m'}", TACKLE_E_FAILED, "nothing staged");
    put(f, "a.txt", "a\n");
    good(f, "git_add", "{'paths':['a.txt']}", "A a.txt +1 -0");
    good(f, "git_diff", "{'staged':true}", "+a\n");
    good(f, "git_restore", "{'paths':['a.txt'],'staged':true}", "unstaged a.txt");
    good(f, "git_status", "{}", "?? a.txt");
    good(f, "git_switch", "{'branch':'other','create':true}", "switched to the new branch other");
    good(f, "git_add", "{'paths':['.']}", "A a.txt");
    good(f, "git_commit", "{'message':'start'}", "[other (first commit) ");
    good(f, "git_log", "{}", "start (other)");
}

/* ---- status and diff ---- */

static void status_shows_all_kinds(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(good(f, "git_status", "{}", "")->output,
                        "## main\nnothing to commit, working tree clean\n");
    put(f, "a.txt", "one\n2\nthree\n");
    put(f, "new.txt", "n\n");
    put(f, "dir/x", "x\n");
    put(f, "staged.txt", "s\n");
    good(f, "git_add", "{'paths':['staged.txt']}", "A staged.txt");
    remove_file(f, "src/b.c");
    const struct plugin_result *r = good(f, "git_status", "{}", "## main\n");
    is_in(r, " M a.txt\n");
    is_in(r, " D src/b.c\n");
    is_in(r, "A  staged.txt\n");
    is_in(r, "?? new.txt\n");
    is_in(r, "?? dir/\n");
}

static void renames_are_found(void **state)
{
    struct fixture *f = *state;
    remove_file(f, "a.txt");
    put(f, "moved.txt", "one\ntwo\nthree\n");
    good(f, "git_add", "{'paths':['a.txt','moved.txt']}", "R a.txt -> moved.txt +0 -0");
    good(f, "git_status", "{}", "R  a.txt -> moved.txt\n");
    const struct plugin_result *r = good(f, "git_diff", "{'staged':true}", "rename to moved.txt\n");
    is_in(r, "diff --git a/a.txt b/moved.txt\nsimilarity index 100%\nrename from a.txt\n");
}

static void diff_of_all_sides(void **state)
{
    struct fixture *f = *state;
    good(f, "git_diff", "{}", "no unstaged changes");
    put(f, "a.txt", "one\nzwei\nthree\n");
    const struct plugin_result *r = good(f, "git_diff", "{}", "");
    assert_string_equal(r->output, "diff --git a/a.txt b/a.txt\n"
                                   "--- a/a.txt\n+++ b/a.txt\n"
                                   "@@ -1,3 +1,3 @@\n one\n-two\n+zwei\n three\n");
    good(f, "git_diff", "{'context':0}", "@@ -2 +2 @@ one\n-two\n+zwei\n");
    good(f, "git_diff", "{'staged':true}", "nothing staged");
    good(f, "git_add", "{'paths':['a.txt']}", "M a.txt +1 -1");
    good(f, "git_diff", "{}", "no unstaged changes");
    good(f, "git_diff", "{'staged':true,'stat_only':true}", "1 file changed, +1 -1\n");
    good(f, "git_diff", "{'from':'HEAD'}", "+zwei");
    r = good(f, "git_diff", "{'from':'HEAD~1','to':'HEAD'}",
             "diff --git a/src/b.c b/src/b.c\n"
             "new file mode 100644\n");
    is_not_in(r, "a.txt");
    good(f, "git_diff", "{'from':'HEAD~1..HEAD'}", "+int b;\n");
    good(f, "git_diff", "{'from':'HEAD~1...HEAD','paths':['a.txt']}", "no difference");
    bad(f, "git_diff", "{'to':'HEAD'}", TACKLE_E_ARGS, "to goes with from");
    bad(f, "git_diff", "{'from':'nope'}", TACKLE_E_NOT_FOUND, "no revision 'nope'");
}

static void diff_of_odd_contents(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "one\ntwo\nthree");
    good(f, "git_diff", "{}", "-three\n+three\n\\ No newline at end of file\n");
    char *logo = at(f, "logo");
    test_write_file(logo, "\0\1\2\3", 4);
    good(f, "git_add", "{'paths':['logo']}", "A logo binary");
    good(f, "git_diff", "{'staged':true}", "Binary files differ: 0 -> 4 bytes");
    test_write_file(logo, "\xff\xfe bad \x80 bytes\n", 14);
    free(logo);
    good(f, "git_add", "{'paths':['logo']}", "logo");
    good(f, "git_diff", "{'staged':true}", "+\xef\xbf\xbd\xef\xbf\xbd bad \xef\xbf\xbd byte");
    set_mode(f, "src/b.c", 0755);
    good(f, "git_diff", "{}", "old mode 100644\nnew mode 100755\n");
    put(f, ".gitattributes", "*.c diff=cpp\n*.txt diff=nope\n");
    put(f, "src/b.c", "int b;\nint c;\n");
    good(f, "git_diff", "{}", "+int c;\n");
    remove_file(f, "src/b.c");
    make_link(f, "../a.txt", "src/b.c");
    good(f, "git_diff", "{'paths':['src']}", "new file mode 120000\n");
}

/* Paths mean themselves: no wildcard, no magic. */
static void paths_are_literal(void **state)
{
    struct fixture *f = *state;
    commit(f, "[a].txt", "x\n", "brackets");
    commit(f, "!a.txt", "x\n", "bang");
    put(f, "[a].txt", "y\n");
    put(f, "!a.txt", "y\n");
    put(f, "a.txt", "changed\n");
    const struct plugin_result *r = good(f, "git_diff", "{'paths':['[a].txt']}", "a/[a].txt");
    is_not_in(r, "a/a.txt");
    is_not_in(r, "!a.txt");
    r = good(f, "git_diff", "{'paths':['!a.txt']}", "a/!a.txt");
    is_not_in(r, "a/a.txt");
    good(f, "git_diff", "{'paths':['*.txt']}", "no unstaged changes");
    good(f, "git_diff", "{'paths':[':(top)a.txt']}", "no unstaged changes");
    bad(f, "git_diff", "{'paths':[]}", TACKLE_E_ARGS, "paths is empty");
}

/* ---- log, show, blame ---- */

static void log_lines_and_filters(void **state)
{
    struct fixture *f = *state;
    const struct plugin_result *r = good(f, "git_log", "{}", " tackle: second (main)\n");
    is_in(r, " tackle: first\n");
    r = good(f, "git_log", "{'max':1}", "[older commits follow: raise max, or give rev ");
    is_not_in(r, "first");
    r = good(f, "git_log", "{'path':'a.txt'}", "first");
    is_not_in(r, "second");
    r = good(f, "git_log", "{'path':'src'}", "second");
    is_not_in(r, "first");
    good(f, "git_log", "{'grep':'FIRST'}", ": first\n");
    good(f, "git_log", "{'grep':'no such'}", "no commit matches");
    good(f, "git_log", "{'author':'tackle@local'}", "first");
    good(f, "git_log", "{'author':'someone'}", "no commit matches");
    good(f, "git_log", "{'since':'1 day ago'}", "first");
    good(f, "git_log", "{'until':'2020-12-31'}", "no commit matches");
    good(f, "git_log", "{'since':'2020-01-01T00:00:00+01:00','until':'now'}", "first");
    r = good(f, "git_log", "{'rev':'HEAD~1..HEAD'}", "second");
    is_not_in(r, "first");
    good(f, "git_log", "{'rev':'HEAD..HEAD~1'}", "no commit matches");
    good(f, "git_log", "{'rev':'HEAD...HEAD~1'}", "second");
    bad(f, "git_log", "{'max':0}", TACKLE_E_ARGS, "max is 1 to 200");
    bad(f, "git_log", "{'max':201}", TACKLE_E_ARGS, "max is 1 to 200");
    bad(f, "git_log", "{'since':'soon'}", TACKLE_E_ARGS, "is no date");
    bad(f, "git_log", "{'since':'2026-13-01'}", TACKLE_E_ARGS, "is no date");
    bad(f, "git_log", "{'rev':'nope'}", TACKLE_E_NOT_FOUND, "no revision 'nope'");
    plugin_test_cancel(f->t);
    bad(f, "git_log", "{}", TACKLE_E_CANCELLED, "cancelled");
}

static void dates(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01", 0},
        {"2026-01-31", 1769817600},
        {"2026-01-31 15:00", 1769871600},
        {"2026-01-31T15:00:01Z", 1769871601},
        {"2026-01-31T15:00:01+01:00", 1769868001},
        {"2026-01-31 15:00:01 -0500", 1769889601},
        {"now", 1000000},
        {"today", 950400},
        {"yesterday", 864000},
        {"1 second ago", 999999},
        {"2 weeks ago", 1000000 - 1209600},
        {"10 days ago", 136000},
    };
    static const char *const wrong[] = {"",
                                        "soon",
                                        "ago",
                                        "2 moons ago",
                                        "2 weeks",
                                        "2026",
                                        "2026-13-01",
                                        "2026-01-32",
                                        "2026-01-01x",
                                        "2026-01-01T",
                                        "1969-01-01",
                                        "2026-01-01 25:00",
                                        "2026-01-01 10:00 +99:00",
                                        "99999999 days ago",
                                        "-1 days ago",
                                        "2026-01-01 10:00 UTC+1"};
    int64_t out;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        out = -1;
        if (when_parse(cases[i].text, 1000000, &out) != 0 || out != cases[i].want)
            fail_msg("%s: %lld", cases[i].text, (long long)out);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (when_parse(wrong[i], 1000000, &out) == 0)
            fail_msg("'%s' was taken for a date: %lld", wrong[i], (long long)out);
}

static void log_shows_labels_and_merges(void **state)
{
    struct fixture *f = *state;
    git_repository *repo = open_repo(f);
    git_object *head = NULL;
    git_signature *who = NULL;
    git_oid id;
    assert_int_equal(git_revparse_single(&head, repo, "HEAD~1"), 0);
    assert_int_equal(git_signature_new(&who, "Ada", "ada@example.org", 86400, 120), 0);
    assert_int_equal(git_tag_create(&id, repo, "v1", head, who, "The first\nrelease", 0), 0);
    git_signature_free(who);
    git_object_free(head);
    git_repository_free(repo);
    good(f, "git_log", "{}", ": first (tag v1)\n");
    const struct plugin_result *r = good(f, "git_show", "{'rev':'v1'}",
                                         "tag v1\nTagger: Ada "
                                         "<ada@example.org>  "
                                         "1970-01-02 02:00:00 "
                                         "+0200\n");
    is_in(r, "\n    The first\n    release\n");
    is_in(r, "+one\n+two\n+three\n");
}

static void show_commits_and_files(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "edited\n");
    const struct plugin_result *r = good(f, "git_show", "{'rev':'HEAD'}", "\n    second\n");
    is_in(r, "Author: tackle <tackle@localhost>");
    is_in(r, "--- /dev/null\n+++ b/src/b.c\n@@ -0,0 +1 @@\n+int b;\n");
    good(f, "git_show", "{'rev':'HEAD','stat_only':true}", "A src/b.c +1 -0\n1 file changed");
    r = good(f, "git_show", "{'rev':'HEAD','path':'a.txt'}", "");
    assert_string_equal(r->output, "one\ntwo\nthree\n");
    assert_string_equal(good(f, "git_show", "{'rev':'HEAD','path':'.'}", "")->output,
                        "a.txt\nsrc/\n");
    good(f, "git_show", "{'rev':'HEAD','path':'src'}", "b.c\n");
    good(f, "git_show", "{'rev':'HEAD:src/b.c'}", "int b;\n");
    good(f, "git_show", "{'rev':'HEAD^{tree}'}", "src/\n");
    bad(f, "git_show", "{'rev':'HEAD~1','path':'src/b.c'}", TACKLE_E_NOT_FOUND, "is not in HEAD~1");
    bad(f, "git_show", "{'rev':'HEAD~9'}", TACKLE_E_NOT_FOUND, "no revision");
}

static void blame_lines(void **state)
{
    struct fixture *f = *state;
    commit(f, "a.txt", "one\ntwo\nthree\nfour\n", "third");
    git_repository *repo = open_repo(f);
    git_object *first = NULL;
    char want[64];
    assert_int_equal(git_revparse_single(&first, repo, "HEAD~2"), 0);
    (void)git_oid_tostr(want, 8, git_object_id(first));
    git_object_free(first);
    git_repository_free(repo);
    const struct plugin_result *r = good(f, "git_blame", "{'path':'a.txt'}", " 4| four\n");
    assert_memory_equal(r->output, want, 7);
    assert_null(strstr(strstr(r->output, " 3| three\n") + 1, want));
    r = good(f, "git_blame", "{'path':'a.txt','first_line':2,'last_line':2}", " tackle 2| two\n");
    is_not_in(r, "one");
    is_not_in(r, "three");
    bad(f, "git_blame", "{'path':'a.txt','first_line':9}", TACKLE_E_ARGS, "the file's 4 lines");
    bad(f, "git_blame", "{'path':'a.txt','first_line':0}", TACKLE_E_ARGS, "the file's 4 lines");
    bad(f, "git_blame", "{'path':'src'}", TACKLE_E_NOT_FOUND, "is no file of HEAD");
    good(f, "git_blame", "{'path':'a.txt','rev':'HEAD~2','last_line':99}", " 3| three\n");
    put(f, "a.txt", "edited\n");
    good(f, "git_blame", "{'path':'a.txt'}", "the file in the work tree differs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T_EMPTY(no_repository),
        T_EMPTY(init_makes_one),
        T_EMPTY(without_commits),
        T(status_shows_all_kinds),
        T(renames_are_found),
        T(diff_of_all_sides),
        T(diff_of_odd_contents),
        T(paths_are_literal),
        T(log_lines_and_filters),
        cmocka_unit_test(dates),
        T(log_shows_labels_and_merges),
        T(show_commits_and_files),
        T(blame_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
