/* Repositories and arguments that are out to do harm: the GIT cases of the threat model. */
#include "git_fixture.h"

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
    put(f, "a:b", "x\n");
    put(f, "back\\slash", "x\n");
    put(f, "dot.", "x\n");
    const struct plugin_result *r = good(f, "git_status", "{}", "?? \"esc\\033[31m\"\n");
    is_in(r, "?? \"new\\nline\"\n");
    is_in(r, "?? \"bidi\\342\\200\\256.txt\"\n");
    is_in(r, "?? \"bad\\377\"\n");
    is_in(r, "?? \xe6\x9d\xb1\xe4\xba\xac.txt\n");
    is_in(r, "?? \"quo\\\"te\"\n");
    is_in(r, "?? \"back\\\\slash\"\n");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
