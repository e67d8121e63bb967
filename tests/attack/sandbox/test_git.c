/* The repository and tackle's own folder, when a command may write to the workspace. */
#include "test_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host_peer.h"

/* As the owner of the box, so that git accepts what it makes. */
static void prepare(const struct host_box *box, const char *script)
{
    char command[8192];
    (void)snprintf(command, sizeof command,
                   "cd '%s' && export HOME='%s' GIT_CONFIG_NOSYSTEM=1 && {\n%s\n} >/dev/null 2>&1",
                   box->work, box->home, script);
    assert_int_equal(system(command), 0); /* the texts are this file's */
}

#define REPOSITORY                                                                                 \
    "git init -q . && git config user.name T && git config user.email t@example.org && "           \
    "git add -A && git commit -qm first"

static void needs_git(void)
{
    if (access("/usr/bin/git", X_OK) != 0)
        test_skip("there is no git");
}

static void each(const char *script, const char *more, void (*attack)(struct host_inside *in))
{
    uid_t users[2];
    needs_git();
    size_t count = host_users(users);
    for (size_t i = 0; i < count; i++) {
        struct host_inside in;
        struct host_setup setup = {.sandbox = host_sandbox("t3", more)};
        host_box_init(&in.box, users[i]);
        prepare(&in.box, script);
        host_peer_start(&in.peer, &in.box, &setup);
        if (!in.peer.opened)
            fail_msg("%s", json_string_value(json_object_get(in.peer.answer, "problem")));
        attack(&in);
        host_inside_end(&in);
    }
}

static void assert_unchanged(const struct host_box *box)
{
    char *hook = test_join(box->work, ".git/hooks/pre-commit");
    char *config = test_join(box->work, ".git/config");
    char *text = test_read_file(config, NULL);
    assert_int_equal(access(hook, F_OK), -1);
    assert_non_null(text);
    assert_null(strstr(text, "fsmonitor"));
    free(text);
    free(config);
    free(hook);
}

/* SBX-14, SBX-15, SBX-16 */
static void change_the_repository(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    host_peer_hides(p, "echo x > .git/hooks/pre-commit && echo WRITTEN", "WRITTEN");
    host_peer_hides(p, "git config core.fsmonitor 'touch m' && echo WRITTEN", "WRITTEN");
    host_peer_hides(p, "echo '[core] fsmonitor = x' >> .git/config && echo WRITTEN", "WRITTEN");
    host_peer_says(p, "mv .git .gitold 2>&1", "Device or resource busy");
    host_peer_hides(p, "mv .git .gitold && cp -r .gitold .git && echo WRITTEN", "WRITTEN");
    host_peer_hides(p, "rm -rf .git && echo REMOVED", "REMOVED");
    host_peer_hides(p, "umount .git && echo x > .git/hooks/pre-commit && echo WRITTEN", "WRITTEN");
    host_peer_says(p,
                   "git log --oneline; git status --short; echo more >> file.txt; git diff --stat",
                   "first");
    assert_unchanged(&in->box);
}

static void sbx_14_15_16(void **state)
{
    (void)state;
    each(REPOSITORY, NULL, change_the_repository);
}

/* A plugin that is trusted with the repository, and runs nothing, may change it. */
static void change_it_with_right(struct host_inside *in)
{
    host_peer_says(&in->peer,
                   "echo more >> file.txt && git commit -qam second && git log --oneline",
                   "second");
}

static void the_right_to_write(void **state)
{
    (void)state;
    each(REPOSITORY, "{\"git\":\"write\"}", change_it_with_right);
}

/* SBX-17 */
static void change_the_policy(struct host_inside *in)
{
    host_peer_hides(&in->peer, "echo 'rules: []' > .tackle/policy.yaml && echo WRITTEN", "WRITTEN");
    host_peer_hides(&in->peer, "mv .tackle x && echo MOVED", "MOVED");
    host_peer_hides(&in->peer, "echo x > sub/.tackle/config.yaml && echo WRITTEN", "WRITTEN");
}

static void sbx_17(void **state)
{
    (void)state;
    each("mkdir -p .tackle sub/.tackle && echo 'on_deny: fail' > .tackle/config.yaml", NULL,
         change_the_policy);
}

/* SBX-18: repositories in the repository are as dangerous. */
static void change_a_nested_one(struct host_inside *in)
{
    host_peer_hides(&in->peer, "echo x > sub/.git/hooks/pre-commit && echo WRITTEN", "WRITTEN");
    host_peer_hides(&in->peer, "cd sub && git config core.fsmonitor x && echo WRITTEN", "WRITTEN");
}

static void sbx_18(void **state)
{
    (void)state;
    each(REPOSITORY " && git init -q sub", NULL, change_a_nested_one);
}

/* SBX-19: the repository of a worktree lies elsewhere. */
static void change_it_from_a_worktree(struct host_inside *in)
{
    struct host_peer *p = &in->peer;
    host_peer_says(p, "git log --oneline; git status --short", "first");
    host_peer_hides(p, "g=$(git rev-parse --git-dir); echo x > $g/config && echo WRITTEN",
                    "WRITTEN");
    host_peer_hides(p,
                    "g=$(git rev-parse --git-common-dir); echo x > $g/hooks/pre-commit && echo "
                    "WRITTEN",
                    "WRITTEN");
    host_peer_hides(p, "echo 'gitdir: /tmp/x' > .git && echo WRITTEN", "WRITTEN");
    host_peer_hides(p, "mv .git x && echo MOVED", "MOVED");
}

#define WORKTREE                                                                                   \
    "git init -q ../main && cd ../main && git config user.name T && git config user.email t@x && " \
    "git commit -q --allow-empty -m first && git worktree add -q ../tree && "                      \
    "mv ../tree/.git ../work/.git && rm -r ../tree && git worktree repair ../work"

static void sbx_19(void **state)
{
    (void)state;
    each(WORKTREE, NULL, change_it_from_a_worktree);
}

static void commit_in_a_worktree(struct host_inside *in)
{
    host_peer_says(&in->peer, "git add -A && git commit -qm second && git log --oneline", "second");
}

static void a_worktree_with_the_right_to_write(void **state)
{
    (void)state;
    each(WORKTREE, "{\"git\":\"write\"}", commit_in_a_worktree);
}

/* Whoever wrote the workspace names a folder of the person as its repository. */
static void read_what_git_names(struct host_inside *in)
{
    host_peer_hides(&in->peer, "cat $(sed 's/gitdir: //' .git)/.ssh/id_ed25519", "CANARY");
    host_peer_hides(&in->peer, "ls $(sed 's/gitdir: //' .git) && echo LISTED", "LISTED");
}

static void a_gitdir_that_is_none(void **state)
{
    (void)state;
    each("echo \"gitdir: $PWD/../person\" > .git", NULL, read_what_git_names);
    each("echo \"gitdir: $PWD/../person\" > .git && echo / > ../person/commondir && "
         "echo \"$PWD/../outside/secret.txt\" > ../person/gitdir",
         NULL, read_what_git_names);
}

/* What cannot be pinned is not run with less. */
static void a_link_is_refused(void **state)
{
    struct host_box box;
    struct host_peer peer;
    struct host_setup setup = {.sandbox = host_sandbox("t3", NULL)};
    (void)state;
    host_box_init(&box, geteuid());
    prepare(&box, "ln -s ../elsewhere .git");
    host_peer_start(&peer, &box, &setup);
    assert_false(peer.opened);
    assert_string_equal(json_string_value(json_object_get(peer.answer, "step")), "protect");
    (void)host_peer_end(&peer);
    host_box_release(&box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sbx_14_15_16),
        cmocka_unit_test(the_right_to_write),
        cmocka_unit_test(sbx_17),
        cmocka_unit_test(sbx_18),
        cmocka_unit_test(sbx_19),
        cmocka_unit_test(a_worktree_with_the_right_to_write),
        cmocka_unit_test(a_gitdir_that_is_none),
        cmocka_unit_test(a_link_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
