/* The git tools that change something: what they stage, commit, move and put back, what they
 * refuse, and what their probes say after a crash. */
#include "git_fixture.h"

#include <sys/wait.h>

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
    /* A file system without execute bits. */
    set_config(f, "core.filemode", "false");
    set_mode(f, "run.sh", 0644);
    put(f, "run.sh", "#!/bin/sh\n:\n");
    r = good(f, "git_commit", "{'message':'mode','all':true}", "M run.sh +1 -0");
    r = good(f, "git_show", "{'rev':'HEAD'}", "+:\n");
    is_not_in(r, "mode 100");
    good(f, "git_restore", "{'paths':['run.sh']}", "nothing to do");
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

    /* A submodule that was never fetched is an empty folder, and an entry of the index. */
    git_repository *repo = open_repo(f);
    git_index *index = NULL;
    git_index_entry entry = {.mode = GIT_FILEMODE_COMMIT, .path = "mod"};
    assert_int_equal(git_oid_fromstr(&entry.id, "0123456789012345678901234567890123456789"), 0);
    assert_int_equal(git_repository_index(&index, repo), 0);
    assert_int_equal(git_index_add(index, &entry), 0);
    assert_int_equal(git_index_write(index), 0);
    git_index_free(index);
    git_repository_free(repo);
    put(f, "mod/file", "x\n");
    bad(f, "git_add", "{'paths':['mod/file']}", TACKLE_E_DENIED, "is in a submodule");
    bad(f, "git_add", "{'paths':['mod']}", TACKLE_E_DENIED, "a git repository of its own");
    r = good(f, "git_add", "{'paths':['.']}", "A ok");
    is_not_in(r, "mod/file");
    good(f, "git_commit", "{'message':'with a submodule','all':true}", "with a submodule");
    good(f, "git_show", "{'rev':'HEAD','path':'.'}", "mod (submodule)\n");
    good(f, "git_show", "{'rev':'HEAD','path':'mod'}", "not part of this repository");
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
    bad(f, "git_switch", "{'branch':'side'}", TACKLE_E_FAILED, "is in progress");
    bad(f, "git_switch", "{'branch':'n','create':true}", TACKLE_E_FAILED, "is in progress");
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

/* The exit status of the git program; its output goes to `output`. 127 when there is none. */
static int run_git(struct fixture *f, const char *args, const char *output)
{
    char command[1200];
    (void)snprintf(command, sizeof command, "git -C '%s' %s >'%s' 2>&1", plugin_test_root(f->t),
                   args, output);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* Where there is a git program, it finds nothing wrong with what the tools left behind. */
static void git_agrees(void **state)
{
    struct fixture *f = *state;
    char *output = test_join(f->outside, "output");
    put(f, "run.sh", "run\n");
    set_mode(f, "run.sh", 0755);
    make_link(f, "a.txt", "link");
    put(f, "dir/x", "x\r\n");
    good(f, "git_add", "{'paths':['.']}", "A run.sh");
    good(f, "git_commit", "{'message':'kinds'}", "kinds");
    start_merge(f);
    put(f, "a.txt", "one\nboth\nthree\n");
    good(f, "git_add", "{'paths':['a.txt']}", "M a.txt");
    good(f, "git_commit", "{'message':'merged'}", "merged");
    good(f, "git_switch", "{'branch':'side'}", "side");
    good(f, "git_switch", "{'branch':'main'}", "main");
    int status = run_git(f, "fsck --strict --no-dangling", output);
    if (status == 127) {
        free(output);
        print_message("skipped: there is no git program to compare with\n");
        skip();
    }
    assert_int_equal(status, 0);
    assert_int_equal(run_git(f, "status --porcelain", output), 0);
    char *said = test_read_file(output, NULL);
    assert_string_equal(said, "");
    free(said);
    free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        T(git_agrees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
