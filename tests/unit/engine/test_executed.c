/* Which files other programs run or obey. */
#include "test_support.h"

#include <string.h>

#include "engine/executed.h"

static void each_file_has_somebody_who_runs_it(void **state)
{
    static const struct {
        const char *path, *by;
    } cases[] = {{".git/hooks/pre-commit", "git"},
                 {".git/config", "git"},
                 {".git/info/attributes", "git"},
                 {".git/modules/a/config", "git"},
                 {"deep/in/.git/config", "git"},
                 {"deep/.git/hooks/post-merge", "git"},
                 {".gitmodules", "git"},
                 {".githooks/pre-push", "git"},
                 {".husky/_/h", "git"},
                 {".github/workflows/ci.yml", "CI"},
                 {".github/actions/a/action.yml", "CI"},
                 {".gitlab-ci.yml", "CI"},
                 {".circleci/config.yml", "CI"},
                 {"Jenkinsfile", "CI"},
                 {".vscode/tasks.json", "editors"},
                 {"sub/.vscode/settings.json", "editors"},
                 {".idea/runConfigurations/x.xml", "editors"},
                 {"Makefile", "builds and tests"},
                 {"a/b/rules.mk", "builds and tests"},
                 {"package.json", "builds and tests"},
                 {"tests/conftest.py", "builds and tests"},
                 {"build.rs", "builds and tests"},
                 {".cargo/config.toml", "builds and tests"},
                 {".envrc", "shells"},
                 {"AGENTS.md", "agents"},
                 {"docs/AGENTS.md", "agents"},
                 {".tackle/config.yaml", "agents"},
                 {".tackle/agents/x.md", "agents"}};
    static const char *const nobody[] = {"",
                                         "README.md",
                                         "src/main.c",
                                         "Makefile.txt",
                                         "MyMakefile",
                                         ".mk",
                                         "git/hooks/x",
                                         ".git/HEAD",
                                         ".git/index",
                                         ".git/objects/aa/bb",
                                         ".git/info/exclude",
                                         ".git/hooks",
                                         ".github/CODEOWNERS",
                                         ".github/workflows",
                                         "workflows/x.yml",
                                         "vscode/tasks.json",
                                         ".tackle",
                                         "AGENTS.md/notes.txt",
                                         "agents.md"};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *by = executed_by(cases[i].path);
        if (!by || strcmp(by, cases[i].by) != 0)
            fail_msg("%s: %s", cases[i].path, by ? by : "nobody");
    }
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++)
        if (executed_by(nobody[i]))
            fail_msg("%s: %s", nobody[i], executed_by(nobody[i]));
}

static void instructions_are_agents_md(void **state)
{
    (void)state;
    assert_true(executed_is_instructions("AGENTS.md"));
    assert_true(executed_is_instructions("a/b/AGENTS.md"));
    assert_false(executed_is_instructions("AGENTS.md.orig"));
    assert_false(executed_is_instructions("AGENTS.md/x"));
    assert_false(executed_is_instructions("CLAUDE.md"));
}

static void some_folders_are_not_the_repository_s(void **state)
{
    (void)state;
    assert_true(executed_may_be_below("src"));
    assert_true(executed_may_be_below(".git"));
    assert_true(executed_may_be_below(".git/hooks"));
    assert_true(executed_may_be_below("objects"));
    assert_true(executed_may_be_below("a/refs"));
    assert_true(executed_may_be_below("a.git/objects"));
    assert_false(executed_may_be_below(".git/objects"));
    assert_false(executed_may_be_below("a/.git/refs"));
    assert_false(executed_may_be_below("node_modules"));
    assert_false(executed_may_be_below("web/node_modules"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_has_somebody_who_runs_it),
        cmocka_unit_test(instructions_are_agents_md),
        cmocka_unit_test(some_folders_are_not_the_repository_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
