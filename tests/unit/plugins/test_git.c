/* The git tools on real repositories: their normal work first, then repositories and arguments that
 * are out to do harm (the GIT cases of the threat model). No git program is used. */
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
    char *outside; /* a directory beside the workspace, with secret.txt */
};

/* ---- helpers ---- */

/* Calls a tool; the arguments are written with ' for ". */
static const struct plugin_result *call(struct fixture *f, const char *tool, const char *args)
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

static const struct plugin_result *probe(struct fixture *f, const char *tool, const char *args,
                                         const char *note)
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
static const struct plugin_result *good(struct fixture *f, const char *tool, const char *args,
                                        const char *part)
{
    const struct plugin_result *r = call(f, tool, args);
    if (r->code != TACKLE_OK || !strstr(r->output, part))
        fail_msg("%s %s: code %d, \"%s\"; output without \"%s\":\n%s", tool, args, (int)r->code,
                 r->message, part, r->output);
    return r;
}

/* It fails with this code, and its message has `part`. */
static const struct plugin_result *bad(struct fixture *f, const char *tool, const char *args,
                                       int32_t code, const char *part)
{
    const struct plugin_result *r = call(f, tool, args);
    if (r->code != code || !strstr(r->message, part))
        fail_msg("%s %s: code %d \"%s\", not %d \"%s\"; output:\n%s", tool, args, (int)r->code,
                 r->message, (int)code, part, r->output);
    return r;
}

static void is_in(const struct plugin_result *r, const char *part)
{
    if (!strstr(r->output, part))
        fail_msg("no \"%s\" in:\n%s", part, r->output);
}

static void is_not_in(const struct plugin_result *r, const char *part)
{
    if (strstr(r->output, part) || strstr(r->message, part))
        fail_msg("\"%s\" in:\n%s\n%s", part, r->output, r->message);
}

static void put(struct fixture *f, const char *path, const char *text)
{
    plugin_test_put(f->t, path, text);
}

static char *at(struct fixture *f, const char *path)
{
    return test_join(plugin_test_root(f->t), path);
}

static void check_file(struct fixture *f, const char *path, const char *want)
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

static void make_link(struct fixture *f, const char *target, const char *path)
{
    char *full = at(f, path);
    assert_int_equal(symlink(target, full), 0);
    free(full);
}

static void remove_file(struct fixture *f, const char *path)
{
    char *full = at(f, path);
    assert_int_equal(remove(full), 0);
    free(full);
}

static mode_t mode_of(struct fixture *f, const char *path)
{
    struct stat st;
    char *full = at(f, path);
    assert_int_equal(lstat(full, &st), 0);
    free(full);
    return st.st_mode;
}

static void set_mode(struct fixture *f, const char *path, mode_t mode)
{
    char *full = at(f, path);
    assert_int_equal(chmod(full, mode), 0);
    free(full);
}

/* Writes a file, stages and commits it. */
static void commit(struct fixture *f, const char *path, const char *text, const char *message)
{
    char args[512];
    put(f, path, text);
    (void)snprintf(args, sizeof args, "{'paths':['%s']}", path);
    good(f, "git_add", args, "staged");
    (void)snprintf(args, sizeof args, "{'message':'%s'}", message);
    good(f, "git_commit", args, message);
}

/* The repository through libgit2 itself, for what the tools do not offer. */
static git_repository *open_repo(struct fixture *f)
{
    git_repository *repo = NULL;
    assert_int_equal(git_repository_open(&repo, plugin_test_root(f->t)), 0);
    return repo;
}

static void set_config(struct fixture *f, const char *key, const char *value)
{
    git_repository *repo = open_repo(f);
    git_config *config = NULL;
    assert_int_equal(git_repository_config(&config, repo), 0);
    assert_int_equal(git_config_set_string(config, key, value), 0);
    git_config_free(config);
    git_repository_free(repo);
}

static void head_id(struct fixture *f, char out[GIT_OID_HEXSZ + 1])
{
    git_repository *repo = open_repo(f);
    git_oid id;
    assert_int_equal(git_reference_name_to_id(&id, repo, "HEAD"), 0);
    (void)git_oid_tostr(out, GIT_OID_HEXSZ + 1, &id);
    git_repository_free(repo);
}

static int setup_with(void **state, const char *const *options)
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

static int setup(void **state)
{
    return setup_with(state, NULL);
}

/* A repository with one commit: a.txt and src/b.c. */
static int setup_repo(void **state)
{
    assert_int_equal(setup_with(state, NULL), 0);
    struct fixture *f = *state;
    good(f, "git_init", "{}", "main");
    put(f, "src/b.c", "int b;\n");
    commit(f, "a.txt", "one\ntwo\nthree\n", "first");
    commit(f, "src/b.c", "int b;\n", "second");
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    plugin_test_free(f->t);
    test_remove_tree(f->outside);
    free(f->outside);
    free(f);
    return 0;
}

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

/* ---- staging ---- */

static void add_takes_files_as_they_are(void **state)
{
    struct fixture *f = *state;
    put(f, ".gitignore", "*.o\nbuild/\n");
    put(f, ".gitattributes", "* text=auto eol=lf\n");
    put(f, "x.o", "object");
    put(f, "build/y", "built");
    put(f, "dir/deep/crlf.txt", "line\r\n");
    put(f, "run.sh", "#!/bin/sh\n");
    put(f, "empty", "");
    set_mode(f, "run.sh", 0755);
    make_link(f, "nowhere", "dir/link");
    remove_file(f, "src/b.c");
    const struct plugin_result *r = good(f, "git_add", "{'paths':['.']}", "D src/b.c");
    is_in(r, "A dir/deep/crlf.txt");
    is_not_in(r, "x.o");
    is_not_in(r, "build/y");
    r = good(f, "git_diff", "{'staged':true}", "b/run.sh\nnew file mode 100755\n");
    is_in(r, "b/dir/link\nnew file mode 120000\n");
    is_in(r, "+line\r\n");
    is_in(r, "b/empty\nnew file mode 100644\n");
    bad(f, "git_add", "{'paths':['x.o']}", TACKLE_E_FAILED, "is ignored by .gitignore");
    bad(f, "git_add", "{'paths':['nope']}", TACKLE_E_NOT_FOUND, "no 'nope'");
    bad(f, "git_add", "{'paths':['*.c']}", TACKLE_E_NOT_FOUND, "without wildcards");
    good(f, "git_commit", "{'message':'all kinds'}", "files changed");
    good(f, "git_status", "{}", "working tree clean");
    good(f, "git_add", "{'paths':['.']}", "nothing differs");
}

/* A file that becomes a folder, and the other way round. */
static void add_of_changed_kinds(void **state)
{
    struct fixture *f = *state;
    remove_file(f, "a.txt");
    put(f, "a.txt/inner", "i\n");
    remove_file(f, "src/b.c");
    remove_file(f, "src");
    put(f, "src", "a file now\n");
    const struct plugin_result *r = good(f, "git_add", "{'paths':['.']}", "A a.txt/inner");
    is_in(r, "D a.txt");
    is_in(r, "D src/b.c");
    is_in(r, "A src +1 -0");
    good(f, "git_commit", "{'message':'kinds'}", "kinds");
    good(f, "git_status", "{}", "working tree clean");
}

static void add_leaves_other_repositories_alone(void **state)
{
    struct fixture *f = *state;
    put(f, "sub/.git/HEAD", "ref: refs/heads/main\n");
    put(f, "sub/file", "x\n");
    put(f, "ok", "x\n");
    const struct plugin_result *r = good(f, "git_add", "{'paths':['.']}", "A ok");
    is_not_in(r, "sub");
    bad(f, "git_add", "{'paths':['sub']}", TACKLE_E_DENIED, "a git repository of its own");
}

/* ---- commit ---- */

static void commit_says_who(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "1\n");
    good(f, "git_commit", "{'message':'  \\n\\nedit  \\n\\n\\n','all':true}",
         "[committed as tackle <tackle@localhost>");
    put(f, "a.txt", "2\n");
    set_config(f, "user.name", "Repo Name");
    set_config(f, "user.email", "repo@example.org");
    const struct plugin_result *r =
        good(f, "git_commit", "{'message':'two','all':true}", "M a.txt +1 -1\n1 file changed");
    is_not_in(r, "committed as");
    r = good(f, "git_show", "{'rev':'HEAD'}", "Author: Repo Name <repo@example.org>");
    is_not_in(r, "Commit:");
    good(f, "git_show", "{'rev':'HEAD~1'}", "\n\n    edit\n\n");
    put(f, "a.txt", "3\n");
    good(f, "git_commit", "{'message':'3','all':true,'author':'Ada L <ada@example.org>'}", "3");
    r = good(f, "git_show", "{'rev':'HEAD'}", "Author: Ada L <ada@example.org>");
    is_in(r, "Commit: Repo Name <repo@example.org>");
    put(f, "a.txt", "4\n");
    bad(f, "git_commit", "{'message':'m','all':true,'author':'Ada'}", TACKLE_E_ARGS,
        "author must look like");
    bad(f, "git_commit", "{'message':'m','all':true,'author':'<a@b>'}", TACKLE_E_ARGS,
        "author must look like");
    bad(f, "git_commit", "{'message':' \\n '}", TACKLE_E_ARGS, "the message is empty");
}

static int setup_options(void **state)
{
    static const char *const options[] = {"author_name=Bot", "author_email=bot@ci", NULL};
    return setup_with(state, options);
}

static void commit_uses_the_options(void **state)
{
    struct fixture *f = *state;
    good(f, "git_init", "{}", "");
    commit(f, "a", "a\n", "by the bot");
    good(f, "git_show", "{'rev':'HEAD'}", "Author: Bot <bot@ci>");
}

static void commit_refuses_the_empty_one(void **state)
{
    struct fixture *f = *state;
    bad(f, "git_commit", "{'message':'m'}", TACKLE_E_FAILED,
        "nothing staged; use git_add first, or all: true");
    put(f, "new", "n\n");
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_FAILED, "no tracked file changed");
}

static void commit_all_stages_what_is_tracked(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "changed\n");
    remove_file(f, "src/b.c");
    put(f, "untracked", "u\n");
    const struct plugin_result *r =
        good(f, "git_commit", "{'message':'all of it','all':true}", "M a.txt +1 -3\n");
    is_in(r, "D src/b.c +0 -1\n2 files changed, +1 -4\n");
    good(f, "git_status", "{}", "?? untracked\n");
}

/* What probe() answers for each state that a crash may leave. */
static void commit_probe_tells(void **state)
{
    static const char args[] = "{'message':'probed'}";
    struct fixture *f = *state;
    put(f, "a.txt", "probed\n");
    good(f, "git_add", "{'paths':['a.txt']}", "M a.txt");
    const struct plugin_result *r = good(f, "git_commit", args, "probed");
    char *note = strdup(r->note), *said = strdup(r->output);
    assert_int_equal(strlen(note), 4 * GIT_OID_HEXSZ + 3);
    *strstr(said, "[committed as") = '\0';

    r = probe(f, "git_commit", args, note);
    assert_int_equal(r->code, TACKLE_PROBE_DONE);
    assert_string_equal(r->output, said);

    git_repository *repo = open_repo(f);
    git_object *before = NULL, *after = NULL;
    assert_int_equal(git_revparse_single(&before, repo, "HEAD~1"), 0);
    assert_int_equal(git_revparse_single(&after, repo, "HEAD"), 0);
    assert_int_equal(git_reset(repo, before, GIT_RESET_SOFT, NULL), 0);
    assert_int_equal(probe(f, "git_commit", args, note)->code, TACKLE_PROBE_NOT_DONE);
    assert_int_equal(probe(f, "git_commit", args, NULL)->code, TACKLE_PROBE_NOT_DONE);

    good(f, "git_commit", "{'message':'another'}", "another");
    assert_int_equal(probe(f, "git_commit", args, note)->code, TACKLE_PROBE_UNKNOWN);
    assert_int_equal(probe(f, "git_commit", args, "rubbish")->code, TACKLE_PROBE_UNKNOWN);
    git_object_free(before);
    git_object_free(after);
    git_repository_free(repo);
    free(note);
    free(said);
}

static void first_commit_can_be_probed(void **state)
{
    struct fixture *f = *state;
    good(f, "git_init", "{}", "");
    put(f, "a", "a\n");
    good(f, "git_add", "{'paths':['a']}", "A a");
    char *note = strdup(good(f, "git_commit", "{'message':'m'}", "first commit")->note);
    assert_int_equal(probe(f, "git_commit", "{'message':'m'}", note)->code, TACKLE_PROBE_DONE);
    remove_file(f, ".git/refs/heads/main");
    assert_int_equal(probe(f, "git_commit", "{'message':'m'}", note)->code, TACKLE_PROBE_NOT_DONE);
    free(note);
}

/* Two branches that changed the same line, being merged. */
static void start_merge(struct fixture *f)
{
    good(f, "git_switch", "{'branch':'side','create':true}", "side");
    commit(f, "a.txt", "one\nside\nthree\n", "on side");
    good(f, "git_switch", "{'branch':'main'}", "main");
    commit(f, "a.txt", "one\nmain\nthree\n", "on main");
    git_repository *repo = open_repo(f);
    git_reference *side = NULL;
    git_annotated_commit *theirs = NULL;
    assert_int_equal(git_branch_lookup(&side, repo, "side", GIT_BRANCH_LOCAL), 0);
    assert_int_equal(git_annotated_commit_from_ref(&theirs, repo, side), 0);
    assert_int_equal(git_merge(repo, (const git_annotated_commit *[]){theirs}, 1, NULL, NULL), 0);
    git_annotated_commit_free(theirs);
    git_reference_free(side);
    git_repository_free(repo);
}

static void conflicts_are_seen_and_resolved(void **state)
{
    struct fixture *f = *state;
    start_merge(f);
    const struct plugin_result *r = good(f, "git_status", "{}", "UU a.txt\n");
    is_in(r, "a merge is in progress\n");
    good(f, "git_diff", "{}", "* Unmerged path a.txt\n");
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_FAILED, "unresolved conflicts");
    bad(f, "git_switch", "{'branch':'side'}", TACKLE_E_FAILED, "unresolved conflicts");
    bad(f, "git_restore", "{'paths':['a.txt']}", TACKLE_E_FAILED, "is in conflict");
    put(f, "a.txt", "one\nboth\nthree\n");
    good(f, "git_add", "{'paths':['a.txt']}", "M a.txt");
    r = good(f, "git_status", "{}", "M  a.txt\n");
    is_not_in(r, "UU");
    good(f, "git_commit", "{'message':'merged'}", "merged");
    r = good(f, "git_status", "{}", "## main\nnothing to commit");
    good(f, "git_show", "{'rev':'HEAD'}", "Merge of: ");
    good(f, "git_log", "{}", "on side (side)");
    good(f, "git_show", "{'rev':'HEAD^2'}", "on side");
}

/* ---- branches ---- */

static void branches_come_and_go(void **state)
{
    struct fixture *f = *state;
    const struct plugin_result *r = good(f, "git_branch", "{'name':'fix/one'}", "made branch ");
    char *note = strdup(r->note), *said = strdup(r->output);
    r = probe(f, "git_branch", "{'name':'fix/one'}", note);
    assert_int_equal(r->code, TACKLE_PROBE_DONE);
    assert_string_equal(r->output, said);
    good(f, "git_branch", "{'name':'old','at':'HEAD~1'}", "made branch old at ");
    r = good(f, "git_branch", "{}", "* main ");
    is_in(r, "  fix/one ");
    is_in(r, "  old ");
    assert_int_equal(probe(f, "git_branch", "{'name':'old'}", note)->code, TACKLE_PROBE_UNKNOWN);
    bad(f, "git_branch", "{'name':'old'}", TACKLE_E_FAILED, "exists already");
    bad(f, "git_branch", "{'name':'main','delete':true}", TACKLE_E_FAILED, "is the current branch");
    bad(f, "git_branch", "{'name':'nope','delete':true}", TACKLE_E_NOT_FOUND, "no local branch");
    bad(f, "git_branch", "{'delete':true}", TACKLE_E_ARGS, "name the branch");
    good(f, "git_branch", "{'name':'fix/one','delete':true}", "deleted branch fix/one at ");
    assert_int_equal(probe(f, "git_branch", "{'name':'fix/one','delete':true}", note)->code,
                     TACKLE_PROBE_DONE);
    assert_int_equal(probe(f, "git_branch", "{'name':'fix/one'}", note)->code,
                     TACKLE_PROBE_NOT_DONE);
    free(note);
    free(said);
}

static void unmerged_branches_stay(void **state)
{
    struct fixture *f = *state;
    good(f, "git_switch", "{'branch':'work','create':true}", "work");
    commit(f, "w", "w\n", "only here");
    good(f, "git_switch", "{'branch':'main'}", "main");
    bad(f, "git_branch", "{'name':'work','delete':true}", TACKLE_E_FAILED, "not deleted");
    good(f, "git_branch", "{}", "work");
}

static void bad_branch_names(void **state)
{
    static const char *const names[] = {
        "-x", "--upload-pack=x", "a..b", "a b", "HEAD", "x.lock", "a~1", "", "/a", "a\\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char args[64];
        (void)snprintf(args, sizeof args, "{'name':'%s'}", names[i]);
        bad(*state, "git_branch", args, TACKLE_E_ARGS, "cannot be a branch's name");
        (void)snprintf(args, sizeof args, "{'branch':'%s','create':true}", names[i]);
        bad(*state, "git_switch", args, TACKLE_E_ARGS, "is no branch's name");
    }
}

static void switch_moves_files(void **state)
{
    struct fixture *f = *state;
    good(f, "git_switch", "{'branch':'work','create':true}", "switched to the new branch work at ");
    commit(f, "new/file", "n\n", "adds");
    commit(f, "a.txt", "changed\n", "edits");
    put(f, "src/b.c", "int kept;\n");
    const struct plugin_result *r = good(f, "git_switch", "{'branch':'main'}", "switched to main");
    assert_string_equal(r->changed, "modified a.txt\ndeleted new/file\n");
    check_file(f, "a.txt", "one\ntwo\nthree\n");
    check_file(f, "new/file", NULL);
    check_file(f, "src/b.c", "int kept;\n");
    good(f, "git_status", "{}", "## main\n M src/b.c\n");
    good(f, "git_switch", "{'branch':'main'}", "already on main");
    r = good(f, "git_switch", "{'branch':'work'}", "switched to work");
    assert_string_equal(r->changed, "modified a.txt\ncreated new/file\n");
    assert_int_equal(probe(f, "git_switch", "{'branch':'work'}", NULL)->code, TACKLE_PROBE_DONE);
    assert_int_equal(probe(f, "git_switch", "{'branch':'main'}", NULL)->code,
                     TACKLE_PROBE_NOT_DONE);
    assert_int_equal(probe(f, "git_switch", "{'branch':'main','create':true}", NULL)->code,
                     TACKLE_PROBE_UNKNOWN);
    bad(f, "git_switch", "{'branch':'nope'}", TACKLE_E_NOT_FOUND, "create: true makes it");
    bad(f, "git_switch", "{'branch':'main','create':true}", TACKLE_E_FAILED, "exists already");
}

static void switch_never_loses_work(void **state)
{
    struct fixture *f = *state;
    good(f, "git_switch", "{'branch':'work','create':true}", "work");
    put(f, ".gitignore", "secret\n");
    commit(f, "a.txt", "changed\n", "edits");
    commit(f, "untracked", "theirs\n", "adds");
    good(f, "git_switch", "{'branch':'main'}", "main");
    put(f, "a.txt", "mine\n");
    put(f, "untracked", "mine\n");
    const struct plugin_result *r = bad(f, "git_switch", "{'branch':'work'}", TACKLE_E_FAILED,
                                        "not switched, nothing was changed: 2 files");
    is_in(r, "a.txt\n");
    is_in(r, "untracked\n");
    assert_string_equal(r->changed, "");
    check_file(f, "a.txt", "mine\n");
    check_file(f, "untracked", "mine\n");
    good(f, "git_status", "{}", "## main\n");
    /* Ignored files are somebody's work too. */
    good(f, "git_restore", "{'paths':['a.txt']}", "restored a.txt");
    put(f, ".gitignore", "untracked\n");
    bad(f, "git_switch", "{'branch':'work'}", TACKLE_E_FAILED, "not switched");
    check_file(f, "untracked", "mine\n");
}

static void detached_head(void **state)
{
    struct fixture *f = *state;
    char id[GIT_OID_HEXSZ + 1], line[64];
    git_repository *repo = open_repo(f);
    assert_int_equal(git_repository_detach_head(repo), 0);
    git_repository_free(repo);
    head_id(f, id);
    (void)snprintf(line, sizeof line, "## HEAD (no branch) at %.7s\n", id);
    good(f, "git_status", "{}", line);
    good(f, "git_branch", "{}", "* HEAD is on no branch\n");
    put(f, "a.txt", "x\n");
    good(f, "git_commit", "{'message':'loose','all':true}", "[detached HEAD ");
    good(f, "git_switch", "{'branch':'kept','create':true}", "kept");
    good(f, "git_log", "{}", "loose (kept)");
}

/* ---- restore ---- */

static void restore_puts_files_back(void **state)
{
    struct fixture *f = *state;
    put(f, "run.sh", "run\n");
    set_mode(f, "run.sh", 0755);
    make_link(f, "a.txt", "link");
    good(f, "git_add", "{'paths':['run.sh','link']}", "A run.sh");
    good(f, "git_commit", "{'message':'more'}", "more");
    put(f, "a.txt", "edited\n");
    remove_file(f, "src/b.c");
    remove_file(f, "src");
    remove_file(f, "run.sh");
    remove_file(f, "link");
    const struct plugin_result *r = good(f, "git_restore", "{'paths':['.']}", "restored a.txt\n");
    is_in(r, "restored src/b.c\n");
    assert_string_equal(r->changed, "modified a.txt\ncreated link\ncreated run.sh\n"
                                    "created src/b.c\n");
    check_file(f, "a.txt", "one\ntwo\nthree\n");
    check_file(f, "src/b.c", "int b;\n");
    assert_int_equal(mode_of(f, "run.sh") & 0111, 0111);
    assert_true(S_ISLNK(mode_of(f, "link")));
    good(f, "git_status", "{}", "working tree clean");
    good(f, "git_restore", "{'paths':['.']}", "nothing to do");
    set_mode(f, "run.sh", 0644);
    good(f, "git_restore", "{'paths':['run.sh']}", "restored run.sh");
    assert_int_equal(mode_of(f, "run.sh") & 0100, 0100);
    bad(f, "git_restore", "{'paths':['nope']}", TACKLE_E_NOT_FOUND, "is not tracked");
    bad(f, "git_restore", "{'paths':['*.txt']}", TACKLE_E_NOT_FOUND, "without wildcards");
}

static void restore_from_a_revision(void **state)
{
    struct fixture *f = *state;
    commit(f, "a.txt", "new\n", "third");
    const struct plugin_result *r =
        good(f, "git_restore", "{'paths':['.'],'from':'HEAD~2'}", "restored a.txt\n");
    is_in(r, "removed src/b.c\n");
    assert_string_equal(r->changed, "modified a.txt\ndeleted src/b.c\n");
    check_file(f, "a.txt", "one\ntwo\nthree\n");
    check_file(f, "src/b.c", NULL);
    good(f, "git_status", "{}", " M a.txt\n D src/b.c\n");
    bad(f, "git_restore", "{'paths':['.'],'from':'nope'}", TACKLE_E_NOT_FOUND, "no revision");
}

static void restore_unstages(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "edited\n");
    put(f, "new", "n\n");
    remove_file(f, "src/b.c");
    good(f, "git_add", "{'paths':['.']}", "M a.txt");
    const struct plugin_result *r =
        good(f, "git_restore", "{'paths':['.'],'staged':true}", "unstaged a.txt\n");
    is_in(r, "unstaged new\n");
    is_in(r, "unstaged src/b.c\n");
    assert_string_equal(r->changed, "");
    good(f, "git_status", "{}", " M a.txt\n?? new\n D src/b.c\n");
    check_file(f, "a.txt", "edited\n");
    good(f, "git_restore", "{'paths':['.'],'staged':true}", "nothing was staged there");
}

static void restore_probe_tells(void **state)
{
    static const char args[] = "{'paths':['a.txt']}";
    struct fixture *f = *state;
    put(f, "a.txt", "edited\n");
    assert_int_equal(probe(f, "git_restore", args, NULL)->code, TACKLE_PROBE_NOT_DONE);
    assert_int_equal(probe(f, "git_restore", args, "restore")->code, TACKLE_PROBE_UNKNOWN);
    check_file(f, "a.txt", "edited\n");
    assert_string_equal(good(f, "git_restore", args, "restored a.txt")->note, "restore");
    assert_int_equal(probe(f, "git_restore", args, "restore")->code, TACKLE_PROBE_DONE);
}

/* A file that was replaced by a link must not be written through it. */
static void restore_does_not_follow_links(void **state)
{
    struct fixture *f = *state;
    char *secret = test_join(f->outside, "secret.txt");
    remove_file(f, "a.txt");
    make_link(f, secret, "a.txt");
    put(f, "other.txt", "other\n");
    good(f, "git_restore", "{'paths':['a.txt']}", "restored a.txt");
    assert_true(S_ISREG(mode_of(f, "a.txt")));
    check_file(f, "a.txt", "one\ntwo\nthree\n");
    char *kept = test_read_file(secret, NULL);
    assert_string_equal(kept, CANARY);
    free(kept);
    free(secret);
    remove_file(f, "src/b.c");
    remove_file(f, "src");
    make_link(f, f->outside, "src");
    bad(f, "git_restore", "{'paths':['src']}", TACKLE_E_DENIED, "is a symbolic link");
}

static void restore_keeps_off_protected_files(void **state)
{
    struct fixture *f = *state;
    commit(f, ".tackle/config.yaml", "a: 1\n", "configuration");
    put(f, ".tackle/config.yaml", "a: 2\n");
    bad(f, "git_restore", "{'paths':['.']}", TACKLE_E_DENIED, "under .git and .tackle");
    check_file(f, ".tackle/config.yaml", "a: 2\n");
}

/* ---- hostile repositories and arguments ---- */

/* GIT-01: nothing that the repository configures is ever run. */
static void nothing_is_run(void **state)
{
    static const char *const keys[] = {
        "core.fsmonitor",  "core.pager",        "core.editor",           "core.sshCommand",
        "diff.external",   "credential.helper", "gpg.program",           "filter.x.clean",
        "filter.x.smudge", "filter.x.process",  "diff.x.textconv",       "merge.x.driver",
        "alias.status",    "diff.x.command",    "interactive.diffFilter"};
    static const char *const hooks[] = {"pre-commit",  "post-commit",          "post-checkout",
                                        "commit-msg",  "prepare-commit-msg",   "post-index-change",
                                        "pre-auto-gc", "reference-transaction"};
    struct fixture *f = *state;
    char *pwn = at(f, "PWN"), script[600], path[64];
    (void)snprintf(script, sizeof script, "#!/bin/sh\ntouch %s\n", pwn);
    put(f, "evil.sh", script);
    set_mode(f, "evil.sh", 0755);
    char *evil = at(f, "evil.sh");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        set_config(f, keys[i], evil);
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        (void)snprintf(path, sizeof path, ".git/hooks/%s", hooks[i]);
        put(f, path, script);
        set_mode(f, path, 0755);
    }
    put(f, ".gitattributes", "* filter=x diff=x merge=x\n");
    put(f, "a.txt", "changed\n");
    good(f, "git_status", "{}", " M a.txt");
    good(f, "git_diff", "{}", "+changed");
    good(f, "git_add", "{'paths':['.']}", "M a.txt");
    good(f, "git_commit", "{'message':'m'}", "m");
    good(f, "git_switch", "{'branch':'w','create':true}", "w");
    commit(f, "a.txt", "again\n", "again");
    good(f, "git_switch", "{'branch':'main'}", "main");
    good(f, "git_restore", "{'paths':['a.txt'],'from':'w'}", "a.txt");
    good(f, "git_log", "{}", "m");
    good(f, "git_show", "{'rev':'w'}", "+again");
    good(f, "git_blame", "{'path':'a.txt'}", "changed");
    assert_int_not_equal(access(pwn, F_OK), 0);
    free(pwn);
    free(evil);
}

/* Every tool refuses this repository, with this message. */
static void all_refuse(struct fixture *f, const char *part)
{
    bad(f, "git_status", "{}", TACKLE_E_DENIED, part);
    bad(f, "git_diff", "{}", TACKLE_E_DENIED, part);
    bad(f, "git_show", "{'rev':'HEAD'}", TACKLE_E_DENIED, part);
    bad(f, "git_add", "{'paths':['.']}", TACKLE_E_DENIED, part);
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_DENIED, part);
    bad(f, "git_switch", "{'branch':'main'}", TACKLE_E_DENIED, part);
    bad(f, "git_restore", "{'paths':['.']}", TACKLE_E_DENIED, part);
}

/* GIT-03 */
static void foreign_work_tree(void **state)
{
    struct fixture *f = *state;
    set_config(f, "core.worktree", f->outside);
    all_refuse(f, "core.worktree");
    set_config(f, "core.worktree", "..");
    good(f, "git_status", "{}", "## main"); /* the workspace itself, named in another way */
    set_config(f, "core.bare", "true");
    bad(f, "git_status", "{}", TACKLE_E_DENIED, "bare");
}

/* GIT-04 */
static void git_dir_elsewhere(void **state)
{
    struct fixture *f = *state;
    char *moved = test_join(f->outside, "repo"), *own = at(f, ".git"), text[600];
    assert_int_equal(rename(own, moved), 0);
    assert_int_equal(symlink(moved, own), 0);
    all_refuse(f, ".git is a link");
    assert_int_equal(unlink(own), 0);
    (void)snprintf(text, sizeof text, "gitdir: %s\n", moved);
    put(f, ".git", text);
    all_refuse(f, ".git is a file that points");
    bad(f, "git_init", "{}", TACKLE_E_FAILED, "already");
    free(moved);
    free(own);
}

/* GIT-05, and what is linked inside .git: through logs a commit would be appended to any file. */
static void git_dir_with_ways_out(void **state)
{
    struct fixture *f = *state;
    char *secret = test_join(f->outside, "secret.txt"), text[600];
    (void)snprintf(text, sizeof text, "%s/objects\n", f->outside);
    put(f, ".git/objects/info/alternates", text);
    all_refuse(f, "takes objects from another repository");
    remove_file(f, ".git/objects/info/alternates");

    (void)snprintf(text, sizeof text, "%s\n", f->outside);
    put(f, ".git/commondir", text);
    all_refuse(f, "takes the repository from another place");
    remove_file(f, ".git/commondir");

    remove_file(f, ".git/logs/HEAD");
    make_link(f, secret, ".git/logs/HEAD");
    all_refuse(f, ".git/logs/HEAD is a symbolic link");
    remove_file(f, ".git/logs/HEAD");

    make_link(f, secret, ".git/refs/heads/evil");
    all_refuse(f, ".git/refs/heads/evil is a symbolic link");
    remove_file(f, ".git/refs/heads/evil");

    char *fifo = at(f, ".git/packed-refs");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    free(fifo);
    all_refuse(f, ".git/packed-refs is no regular file");
    remove_file(f, ".git/packed-refs");

    char *kept = test_read_file(secret, NULL);
    assert_string_equal(kept, CANARY);
    free(kept);
    free(secret);
    good(f, "git_status", "{}", "## main");
}

/* GIT-06, GIT-07 */
static void staging_stays_inside(void **state)
{
    static const char *const outside[] = {"../O/secret.txt", "/etc/passwd", "a/../../x", ".."};
    static const char *const literal[] = {":(top)*", "-A", "--", "*"};
    struct fixture *f = *state;
    char args[128];
    git_oid id;
    git_odb *odb = NULL;
    make_link(f, f->outside, "od");
    bad(f, "git_add", "{'paths':['od/secret.txt']}", TACKLE_E_DENIED, "is a symbolic link");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        (void)snprintf(args, sizeof args, "{'paths':['%s']}", outside[i]);
        bad(f, "git_add", args, TACKLE_E_DENIED, "");
        bad(f, "git_restore", args, TACKLE_E_DENIED, "");
    }
    for (size_t i = 0; i < sizeof literal / sizeof *literal; i++) {
        (void)snprintf(args, sizeof args, "{'paths':['%s']}", literal[i]);
        bad(f, "git_add", args, TACKLE_E_NOT_FOUND, "paths are literal");
    }
    bad(f, "git_add", "{'paths':['.git/config']}", TACKLE_E_DENIED, "is inside .git");
    bad(f, "git_add", "{'paths':['x/.GIT/config']}", TACKLE_E_DENIED, "is inside .git");
    const struct plugin_result *r = good(f, "git_add", "{'paths':['.']}", "A od +1 -0");
    is_not_in(r, "secret");
    git_repository *repo = open_repo(f);
    assert_int_equal(git_odb_hash(&id, CANARY, strlen(CANARY), GIT_OBJECT_BLOB), 0);
    assert_int_equal(git_repository_odb(&odb, repo), 0);
    assert_int_equal(git_odb_exists(odb, &id), 0);
    git_odb_free(odb);
    git_repository_free(repo);
}

/* GIT-08 */
static void staging_of_odd_files(void **state)
{
    struct fixture *f = *state;
    char *fifo = at(f, "pipe"), *large = at(f, "large");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    bad(f, "git_add", "{'paths':['pipe']}", TACKLE_E_ARGS, "neither a file nor a link");
    good(f, "git_add", "{'paths':['.']}", "[1 skipped, neither files nor links: pipe]");
    good(f, "git_status", "{}", "## main");
    int fd = open(large, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)5 << 30), 0);
    assert_int_equal(close(fd), 0);
    bad(f, "git_add", "{'paths':['large']}", TACKLE_E_LIMIT, "5368709120 bytes");
    remove_file(f, "large");
    /* A tracked file that became a FIFO. */
    remove_file(f, "a.txt");
    assert_int_equal(rename(fifo, large), 0);
    char *tracked = at(f, "a.txt");
    assert_int_equal(rename(large, tracked), 0);
    good(f, "git_diff", "{}", "");
    good(f, "git_commit", "{'message':'gone','all':true}", "D a.txt");
    free(tracked);
    free(fifo);
    free(large);
}

/* GIT-09 */
static void options_are_no_revisions(void **state)
{
    struct fixture *f = *state;
    bad(f, "git_diff", "{'from':'--output=/tmp/x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_diff", "{'from':'HEAD..--output=x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_log", "{'rev':'--all'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_log", "{'since':'--output=/tmp/x'}", TACKLE_E_ARGS, "is no date");
    bad(f, "git_show", "{'rev':'--format=%H'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_blame", "{'path':'a.txt','rev':'-x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_restore", "{'paths':['.'],'from':'-x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_branch", "{'name':'n','at':'-x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_show", "{'rev':':/(a+)+$'}", TACKLE_E_ARGS, "searches messages");
    bad(f, "git_show", "{'rev':'HEAD^{/(a+)+$}'}", TACKLE_E_ARGS, "searches messages");
    bad(f, "git_show", "{'rev':''}", TACKLE_E_ARGS, "is no revision");
}

/* GIT-10: a ref may really have such a name. */
static void ref_named_like_an_option(void **state)
{
    struct fixture *f = *state;
    char id[GIT_OID_HEXSZ + 1], line[64];
    head_id(f, id);
    (void)snprintf(line, sizeof line, "%s\n", id);
    put(f, ".git/refs/heads/--output=x", line);
    good(f, "git_branch", "{}", "  --output=x ");
    bad(f, "git_log", "{'rev':'--output=x'}", TACKLE_E_ARGS, "begins with '-'");
    bad(f, "git_switch", "{'branch':'--output=x'}", TACKLE_E_ARGS, "is no branch's name");
    good(f, "git_log", "{'rev':'refs/heads/--output=x'}", "second");
}

/* GIT-14: what looks like a bare repository is a folder like any other. */
static void embedded_bare_repository(void **state)
{
    struct fixture *f = *state;
    put(f, "sub/HEAD", "ref: refs/heads/main\n");
    put(f, "sub/config", "[core]\n\tbare = true\n\tworktree = /\n");
    put(f, "sub/objects/x", "");
    put(f, "sub/refs/heads/x", "");
    good(f, "git_status", "{}", "?? sub/\n");
    good(f, "git_add", "{'paths':['sub']}", "A sub/HEAD");
}

/* A commit on the branch "evil" whose tree is these raw entries. */
static void make_evil(struct fixture *f, const char *const *names, const char *const *modes,
                      size_t count)
{
    git_repository *repo = open_repo(f);
    git_odb *odb = NULL;
    git_oid blob, tree_id, folder, id;
    git_tree *tree = NULL;
    git_commit *commit_made = NULL;
    git_reference *branch = NULL;
    git_signature *who = NULL;
    char raw[512], inner[64];
    size_t len = 0;
    assert_int_equal(git_repository_odb(&odb, repo), 0);
    assert_int_equal(git_odb_write(&blob, odb, "evil", 4, GIT_OBJECT_BLOB), 0);
    int n = snprintf(inner, sizeof inner, "100644 b");
    memcpy(inner + n + 1, blob.id, GIT_OID_RAWSZ);
    assert_int_equal(
        git_odb_write(&folder, odb, inner, (size_t)n + 1 + GIT_OID_RAWSZ, GIT_OBJECT_TREE), 0);
    for (size_t i = 0; i < count; i++) {
        const git_oid *what = strcmp(modes[i], "40000") == 0 ? &folder : &blob;
        len += (size_t)snprintf(raw + len, sizeof raw - len, "%s %s", modes[i], names[i]) + 1;
        memcpy(raw + len, what->id, GIT_OID_RAWSZ);
        len += GIT_OID_RAWSZ;
    }
    assert_int_equal(git_odb_write(&tree_id, odb, raw, len, GIT_OBJECT_TREE), 0);
    assert_int_equal(git_tree_lookup(&tree, repo, &tree_id), 0);
    assert_int_equal(git_signature_now(&who, "e", "e@e"), 0);
    assert_int_equal(git_commit_create(&id, repo, NULL, who, who, NULL, "evil", tree, 0, NULL), 0);
    assert_int_equal(git_commit_lookup(&commit_made, repo, &id), 0);
    assert_int_equal(git_branch_create(&branch, repo, "evil", commit_made, 1), 0);
    git_reference_free(branch);
    git_commit_free(commit_made);
    git_signature_free(who);
    git_tree_free(tree);
    git_odb_free(odb);
    git_repository_free(repo);
}

/* GIT-16 */
static void evil_trees(void **state)
{
    static const char *const alone[] = {
        ".git", ".GIT", "git~1", ".git.", "..", "a/../../x", ".git::$INDEX_ALLOCATION"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        make_evil(f, &alone[i], (const char *const[]){"40000"}, 1);
        const struct plugin_result *r =
            bad(f, "git_switch", "{'branch':'evil'}", TACKLE_E_DENIED, "dangerous name");
        assert_string_equal(r->changed, "");
        bad(f, "git_restore", "{'paths':['.'],'from':'evil'}", TACKLE_E_DENIED, "dangerous name");
    }
    /* A link and a folder of one name: what is in the folder would go through the link. */
    make_evil(f, (const char *const[]){"l", "l.x", "l"},
              (const char *const[]){"120000", "100644", "40000"}, 3);
    bad(f, "git_switch", "{'branch':'evil'}", TACKLE_E_DENIED, "is there twice");
    bad(f, "git_restore", "{'paths':['.'],'from':'evil'}", TACKLE_E_DENIED, "is there twice");
    good(f, "git_status", "{}", "## main\nnothing to commit");
    /* A folder where the work tree has a link to elsewhere. */
    make_link(f, f->outside, "d");
    make_evil(f, (const char *const[]){"d"}, (const char *const[]){"40000"}, 1);
    bad(f, "git_switch", "{'branch':'evil'}", TACKLE_E_FAILED, "would be overwritten");
    put(f, ".gitignore", "d\n");
    bad(f, "git_switch", "{'branch':'evil'}", TACKLE_E_FAILED, "would be overwritten");
    char *through = test_join(f->outside, "b");
    assert_int_not_equal(access(through, F_OK), 0);
    free(through);
}

/* GIT-17 */
static void included_configuration(void **state)
{
    struct fixture *f = *state;
    char *config = plugin_test_get(f->t, ".git/config"), text[2000];
    (void)snprintf(text, sizeof text, "%s[include]\n\tpath = %s/secret.txt\n", config, f->outside);
    put(f, ".git/config", text);
    const struct plugin_result *r =
        bad(f, "git_status", "{}", TACKLE_E_DENIED, ".git/config includes other configuration");
    is_not_in(r, CANARY);
    (void)snprintf(text, sizeof text, "%s[InCludeIf \"gitdir:/\"]\n\tpath = /x\n", config);
    put(f, ".git/config", text);
    all_refuse(f, "includes other configuration");
    put(f, ".git/config", config);
    put(f, ".gitmodules", "[include]\n\tpath = /x\n");
    all_refuse(f, "./.gitmodules includes other configuration");
    remove_file(f, ".gitmodules");
    char *fifo = at(f, "rules");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    set_config(f, "core.attributesFile", fifo);
    all_refuse(f, "core.attributesfile");
    put(f, ".git/config", config);
    assert_int_equal(rename(fifo, (free(config), config = at(f, ".gitignore"))), 0);
    all_refuse(f, "./.gitignore is no regular file");
    free(fifo);
    free(config);
}

/* GIT-18, GIT-25: neither the person's configuration nor the environment has any effect. */
static void nothing_from_around(void **state)
{
    struct fixture *f = *state;
    char *rc = test_join(f->outside, ".gitconfig"), *old_home = getenv("HOME");
    static const char text[] = "[user]\n\tname = Home\n\temail = home@x\n"
                               "[core]\n\tattributesFile = /dev/zero\n";
    old_home = old_home ? strdup(old_home) : NULL;
    test_write_file(rc, text, sizeof text - 1);
    assert_int_equal(setenv("HOME", f->outside, 1), 0);
    assert_int_equal(setenv("GIT_DIR", f->outside, 1), 0);
    assert_int_equal(setenv("GIT_WORK_TREE", f->outside, 1), 0);
    assert_int_equal(setenv("GIT_CONFIG_GLOBAL", rc, 1), 0);
    put(f, "a.txt", "x\n");
    good(f, "git_commit", "{'message':'m','all':true}", "[committed as tackle <tackle@localhost>");
    (void)unsetenv("GIT_DIR");
    (void)unsetenv("GIT_WORK_TREE");
    (void)unsetenv("GIT_CONFIG_GLOBAL");
    if (old_home)
        (void)setenv("HOME", old_home, 1);
    free(old_home);
    free(rc);
}

/* GIT-22 */
static void odd_names_are_shown_safely(void **state)
{
    struct fixture *f = *state;
    put(f, "esc\x1b[31m", "x\n");
    put(f, "new\nline", "x\n");
    put(f, "bidi\xe2\x80\xae.txt", "x\n");
    put(f, "bad\xff", "x\n");
    put(f, "\xe6\x9d\xb1\xe4\xba\xac.txt", "x\n");
    put(f, "quo\"te", "x\n");
    const struct plugin_result *r = good(f, "git_status", "{}", "?? \"esc\\033[31m\"\n");
    is_in(r, "?? \"new\\nline\"\n");
    is_in(r, "?? \"bidi\\342\\200\\256.txt\"\n");
    is_in(r, "?? \"bad\\377\"\n");
    is_in(r, "?? \xe6\x9d\xb1\xe4\xba\xac.txt\n");
    is_in(r, "?? \"quo\\\"te\"\n");
    good(f, "git_add", "{'paths':['.']}", "A \"new\\nline\" +1 -0\n");
    good(f, "git_diff", "{'staged':true}", "diff --git \"a/new\\nline\" \"b/new\\nline\"\n");
    good(f, "git_commit", "{'message':'esc \\u001b[31m\\n\\nbody','author':'E\\u001bvil <e@x>'}",
         "] esc  [31m\n");
    r = good(f, "git_log", "{'max':1}", "E vil: esc  [31m");
    is_not_in(r, "\x1b");
}

/* GIT-23 */
static void locks_are_left_alone(void **state)
{
    struct fixture *f = *state;
    put(f, "a.txt", "x\n");
    put(f, ".git/index.lock", "");
    bad(f, "git_add", "{'paths':['a.txt']}", TACKLE_E_FAILED, "locked by another git process");
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_FAILED, "locked by another");
    bad(f, "git_commit", "{'message':'m'}", TACKLE_E_FAILED, "locked by another");
    bad(f, "git_restore", "{'paths':['.'],'staged':true}", TACKLE_E_FAILED, "locked by another");
    check_file(f, ".git/index.lock", "");
    good(f, "git_status", "{}", " M a.txt");
    remove_file(f, ".git/index.lock");
    put(f, ".git/refs/heads/main.lock", "");
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_FAILED, "locked by another");
    check_file(f, ".git/refs/heads/main.lock", "");
}

/* GIT-26 */
static void output_is_capped(void **state)
{
    struct fixture *f = *state;
    const size_t size = (size_t)9 << 20;
    char *text = malloc(size), *big = at(f, "a.txt");
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = i % 64 == 63 ? '\n' : 'x';
    test_write_file(big, text, 400000);
    const struct plugin_result *r = good(f, "git_diff", "{}", "[cut here: the limit of one answer");
    assert_true(r->output_len <= (256u << 10));
    test_write_file(big, text, size);
    r = good(f, "git_diff", "{}", "Files too large to compare differ: 14 -> 9437184 bytes");
    free(text);
    free(big);
    bad(f, "git_diff", "{'context':2000000000}", TACKLE_E_ARGS, "context is 0 to 20");
    bad(f, "git_diff", "{'context':-1}", TACKLE_E_ARGS, "context is 0 to 20");
}

/* GIT-13 */
static void repository_of_somebody_else(void **state)
{
    struct fixture *f = *state;
    char *dir = at(f, ".git");
    if (geteuid() != 0) {
        free(dir);
        print_message("skipped: only root can give a repository to another user\n");
        skip();
    }
    assert_int_equal(chown(dir, 12345, (gid_t)-1), 0);
    all_refuse(f, "belongs to another user (uid 12345");
    free(dir);
}

/* Damage is an error, never more. */
static void damaged_repositories(void **state)
{
    struct fixture *f = *state;
    char *head = plugin_test_get(f->t, ".git/HEAD");
    put(f, ".git/index", "rubbish that is no index at all");
    bad(f, "git_status", "{}", TACKLE_E_FAILED, "");
    bad(f, "git_commit", "{'message':'m','all':true}", TACKLE_E_FAILED, "");
    remove_file(f, ".git/index");
    put(f, ".git/refs/heads/main", "not an id\n");
    bad(f, "git_log", "{}", TACKLE_E_FAILED, "");
    put(f, ".git/HEAD", "\n");
    bad(f, "git_status", "{}", TACKLE_E_FAILED, "");
    put(f, ".git/config", "[core\nrubbish");
    bad(f, "git_status", "{}", TACKLE_E_FAILED, "config");
    free(head);
}

#define T(name)       cmocka_unit_test_setup_teardown(name, setup_repo, teardown)
#define T_EMPTY(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        T(log_shows_labels_and_merges),
        T(show_commits_and_files),
        T(blame_lines),
        T(add_takes_files_as_they_are),
        T(add_of_changed_kinds),
        T(add_leaves_other_repositories_alone),
        T(commit_says_who),
        cmocka_unit_test_setup_teardown(commit_uses_the_options, setup_options, teardown),
        T(commit_refuses_the_empty_one),
        T(commit_all_stages_what_is_tracked),
        T(commit_probe_tells),
        T_EMPTY(first_commit_can_be_probed),
        T(conflicts_are_seen_and_resolved),
        T(branches_come_and_go),
        T(unmerged_branches_stay),
        T(bad_branch_names),
        T(switch_moves_files),
        T(switch_never_loses_work),
        T(detached_head),
        T(restore_puts_files_back),
        T(restore_from_a_revision),
        T(restore_unstages),
        T(restore_probe_tells),
        T(restore_does_not_follow_links),
        T(restore_keeps_off_protected_files),
        T(nothing_is_run),
        T(foreign_work_tree),
        T(git_dir_elsewhere),
        T(git_dir_with_ways_out),
        T(staging_stays_inside),
        T(staging_of_odd_files),
        T(options_are_no_revisions),
        T(ref_named_like_an_option),
        T(embedded_bare_repository),
        T(evil_trees),
        T(included_configuration),
        T(nothing_from_around),
        T(odd_names_are_shown_safely),
        T(locks_are_left_alone),
        T(output_is_capped),
        T(repository_of_somebody_else),
        T(damaged_repositories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
